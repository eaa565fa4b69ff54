import type { SameKeys } from "../section";

export const en = {
  "list.loading": "Loading…",
  "list.more": "Show more",
  "list.again": "Try again",
};

export const de: SameKeys<typeof en> = {
  "list.loading": "Wird geladen …",
  "list.more": "Mehr zeigen",
  "list.again": "Noch einmal versuchen",
};
