import type { TextKey } from "./en";
import * as card from "./sections/card";
import * as editor from "./sections/editor";
import * as history from "./sections/history";
import * as list from "./sections/list";
import * as now from "./sections/now";
import * as security from "./sections/security";
import * as strategy from "./sections/strategy";

export const de: Record<TextKey, string> = {
  ...card.de,
  ...now.de,
  ...history.de,
  ...security.de,
  ...list.de,
  ...editor.de,
  ...strategy.de,
};
