import type { HomeAssistant } from "../ha";
import { de } from "./de";
import { en, type TextKey } from "./en";

export type { TextKey };

/** Gives a text in the user's language, its `{placeholders}` filled in. */
export type Localize = (
  key: TextKey,
  values?: Record<string, string | number>,
) => string;

const LANGUAGES: Record<string, Record<TextKey, string>> = { en, de };

/** The language of the person who looks, `en` where we do not have theirs. */
export function languageOf(hass: HomeAssistant | undefined): string {
  const asked = hass?.locale?.language ?? hass?.language ?? "en";
  const [language] = asked.toLowerCase().split("-");
  return language !== undefined && Object.hasOwn(LANGUAGES, language) ? language : "en";
}

/** Return what gives the texts of a language. */
export function localizer(language: string): Localize {
  const texts = LANGUAGES[language] ?? en;
  return (key, values = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (whole, name) =>
      name in values ? String(values[name]) : whole,
    );
}
