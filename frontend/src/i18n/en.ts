import * as card from "./sections/card";
import * as editor from "./sections/editor";
import * as history from "./sections/history";
import * as list from "./sections/list";
import * as now from "./sections/now";
import * as security from "./sections/security";
import * as strategy from "./sections/strategy";

export const en = {
  ...card.en,
  ...now.en,
  ...history.en,
  ...security.en,
  ...list.en,
  ...editor.en,
  ...strategy.en,
};

/** The name of a text. */
export type TextKey = keyof typeof en;
