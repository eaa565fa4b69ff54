import type { SameKeys } from "../section";

export const en = {
  "card.name": "Loxone Wallbox",
  "card.description": "What a wallbox does, why, until when, and how to change it.",
  "card.tabs": "Views",
  "card.not_ours_title": "Not a Loxone wallbox",
  "card.not_ours":
    "The device of this card is not a Loxone wallbox. Choose another one in its settings.",
  "card.removed": "This wallbox is not in Home Assistant any more.",
  "card.no_entities":
    "The entities of this wallbox are disabled, so there is nothing to show. Enable them on the page of its device.",
  "card.only_admin": "Only administrators may see what this card shows.",
  "card.disconnected": "The connection to Home Assistant is lost.",
  "error.call": "That did not work: {message}",
  "error.unknown": "unknown error",
};

export const de: SameKeys<typeof en> = {
  "card.name": "Loxone Wallbox",
  "card.description":
    "Was eine Wallbox tut, warum, bis wann, und wie es sich ändern lässt.",
  "card.tabs": "Ansichten",
  "card.not_ours_title": "Keine Loxone-Wallbox",
  "card.not_ours":
    "Das Gerät dieser Karte ist keine Loxone-Wallbox. Wähle in ihren Einstellungen ein anderes.",
  "card.removed": "Diese Wallbox ist nicht mehr in Home Assistant.",
  "card.no_entities":
    "Die Entitäten dieser Wallbox sind deaktiviert, daher gibt es nichts zu zeigen. Aktiviere sie auf der Seite des Geräts.",
  "card.only_admin": "Was diese Karte zeigt, dürfen nur Administratoren sehen.",
  "card.disconnected": "Die Verbindung zu Home Assistant ist unterbrochen.",
  "error.call": "Das hat nicht geklappt: {message}",
  "error.unknown": "unbekannter Fehler",
};
