import type { SameKeys } from "../section";

export const en = {
  "security.tab": "Security",
  "security.kind": "Kind",
  "security.all": "All kinds",
  "security.verify": "Check the log",
  "security.verifying": "The log is being checked…",
  "security.whole": "The log is whole: {records}, none changed and none missing.",
  "security.broken":
    "The log was changed: record {record} is not as it was written. A repair in the settings tells what to do.",
  "security.count_one": "1 record",
  "security.count": "{count} records",
  "security.list": "Records, the newest first",
  "security.none": "Nothing was recorded.",
  "security.number": "Record",
  "security.source": "From",
  "security.hash": "Hash",
  "security.outcome.info": "Information",
  "security.outcome.attempt_failed": "Refused",
  "security.outcome.attempt_succeeded": "Carried out",
  "security.source.miniserver": "Miniserver",
  "security.source.network": "Network",
  "security.source.integration": "Integration",
  "security.source.ha_user": "User {user}",
  "security.source.deleted": "User, deleted",
};

export const de: SameKeys<typeof en> = {
  "security.tab": "Sicherheit",
  "security.kind": "Art",
  "security.all": "Alle Arten",
  "security.verify": "Protokoll prüfen",
  "security.verifying": "Das Protokoll wird geprüft …",
  "security.whole":
    "Das Protokoll ist unversehrt: {records}, keiner geändert, keiner fehlt.",
  "security.broken":
    "Das Protokoll wurde verändert: Eintrag {record} ist nicht so, wie er geschrieben wurde. Eine Reparatur in den Einstellungen sagt, was zu tun ist.",
  "security.count_one": "1 Eintrag",
  "security.count": "{count} Einträge",
  "security.list": "Einträge, der neueste zuerst",
  "security.none": "Nichts wurde aufgezeichnet.",
  "security.number": "Eintrag",
  "security.source": "Von",
  "security.hash": "Prüfsumme",
  "security.outcome.info": "Information",
  "security.outcome.attempt_failed": "Abgewiesen",
  "security.outcome.attempt_succeeded": "Ausgeführt",
  "security.source.miniserver": "Miniserver",
  "security.source.network": "Netzwerk",
  "security.source.integration": "Integration",
  "security.source.ha_user": "Nutzer {user}",
  "security.source.deleted": "Nutzer, gelöscht",
};
