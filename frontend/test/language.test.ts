import { expect, test } from "vitest";
import type { HomeAssistant } from "../src/ha";
import { languageOf, localizer } from "../src/i18n";

const looking = (language: string) => ({ locale: { language } }) as HomeAssistant;

test("the language of the person, English where it is not ours", () => {
  expect(languageOf(looking("de"))).toBe("de");
  expect(languageOf(looking("de-CH"))).toBe("de");
  expect(languageOf(looking("en-GB"))).toBe("en");
  expect(languageOf(looking("fr"))).toBe("en");
  // Not what every object has.
  expect(languageOf(looking("constructor"))).toBe("en");
});

test("places are filled in, and what is not known of stays", () => {
  const localize = localizer("en");
  expect(localize("now.limit_in_force", { limit: "$& kW" })).toBe("In force: $& kW");
  expect(localize("now.limit_in_force")).toBe("In force: {limit}");
});
