/** The views of the card, in the order they are offered. */
export const VIEWS = ["now", "history", "security"] as const;
export type View = (typeof VIEWS)[number];

/** What is written of the card in a dashboard. */
export interface CardConfig {
  type: string;
  /** The wallbox, as a device of Home Assistant. */
  device_id: string;
  /** A title instead of the name of the device; an empty one leaves it out. */
  title?: string;
  /** The views to offer; where none is named all that the person may see. */
  tabs?: View[];
}

/** Return a valid configuration, or throw a sentence that says what is wrong. */
export function checked(config: unknown): CardConfig {
  if (typeof config !== "object" || config === null) {
    throw new Error("The settings of the card are missing.");
  }
  const { device_id: device, title, tabs } = config as Record<string, unknown>;
  if (typeof device !== "string" || device === "") {
    throw new Error(
      "Choose a wallbox: device_id has to be the id of the device of a Loxone wallbox.",
    );
  }
  if (title !== undefined && typeof title !== "string") {
    throw new Error("title has to be a text.");
  }
  checkTabs(tabs);
  return config as CardConfig;
}

function checkTabs(tabs: unknown): void {
  if (tabs === undefined) return;
  const known: readonly unknown[] = VIEWS;
  if (!Array.isArray(tabs) || tabs.some((t) => !known.includes(t))) {
    throw new Error(`tabs has to be a list of some of: ${VIEWS.join(", ")}.`);
  }
}
