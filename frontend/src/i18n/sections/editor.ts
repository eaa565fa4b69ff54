import type { SameKeys } from "../section";

export const en = {
  "editor.device_id": "Wallbox",
  "editor.title": "Title",
  "editor.title_help": "The name of the wallbox where none is given.",
  "editor.tabs": "Views",
  "editor.tabs_help":
    "All of them where none is chosen. Security is seen by administrators only.",
};

export const de: SameKeys<typeof en> = {
  "editor.device_id": "Wallbox",
  "editor.title": "Titel",
  "editor.title_help": "Ohne Angabe der Name der Wallbox.",
  "editor.tabs": "Ansichten",
  "editor.tabs_help":
    "Alle, wenn keine gewählt ist. Sicherheit sehen nur Administratoren.",
};
