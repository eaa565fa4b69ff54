import type { SameKeys } from "../section";

export const en = {
  "strategy.name": "Wallboxes",
  "strategy.description":
    "A view for each Loxone wallbox, with its controls, plan, energy and history.",
  "strategy.overview": "Overview",
  "strategy.none":
    "There is no Loxone wallbox in Home Assistant yet. Add it under [devices & services](/config/integrations).",
  "strategy.controls": "Controls",
  "strategy.energy": "Energy",
  "strategy.by_day": "Energy by day",
  "strategy.power": "Power",
  "strategy.plan": "Plan",
  "strategy.logbook": "What happened",
};

export const de: SameKeys<typeof en> = {
  "strategy.name": "Wallboxen",
  "strategy.description":
    "Eine Ansicht je Loxone-Wallbox, mit Bedienung, Plan, Energie und Verlauf.",
  "strategy.overview": "Übersicht",
  "strategy.none":
    "In Home Assistant gibt es noch keine Loxone-Wallbox. Füge sie unter [Geräte & Dienste](/config/integrations) hinzu.",
  "strategy.controls": "Bedienung",
  "strategy.energy": "Energie",
  "strategy.by_day": "Energie nach Tagen",
  "strategy.power": "Leistung",
  "strategy.plan": "Plan",
  "strategy.logbook": "Was geschah",
};
