import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TextKey } from "../src/i18n";
import { de } from "../src/i18n/de";
import { en } from "../src/i18n/en";

const keys = Object.keys(en) as TextKey[];
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test("both languages have the same texts with the same places to fill in", () => {
  expect(Object.keys(de).sort()).toEqual([...keys].sort());
  for (const key of keys) {
    expect([key, placeholders(de[key])]).toEqual([key, placeholders(en[key])]);
    expect(de[key].trim()).not.toBe("");
  }
});

test("no section takes the place of another's text", () => {
  const folder = join(import.meta.dirname, "../src/i18n/sections");
  const written = readdirSync(folder).flatMap((name) => {
    const [english = ""] = readFileSync(join(folder, name), "utf8").split("const de");
    return english.match(/^ {2}"[\w.]+":/gm) ?? [];
  });
  expect(written).toHaveLength(keys.length);
});
