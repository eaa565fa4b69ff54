import { afterEach, expect, test } from "vitest";
import { LoxoneWallboxCard } from "../src/card";
import { checked, VIEWS } from "../src/config";

afterEach(() => document.documentElement.removeAttribute("lang"));

const form = () => LoxoneWallboxCard.getConfigForm();

test("the editor asks for everything that can be written of the card", () => {
  const names = form().schema.map((field) => field.name);
  expect(names).toEqual(["device_id", "title", "tabs"]);
  expect(form().schema.filter((field) => field.required)).toHaveLength(1);
});

test("only wallboxes of ours are offered", () => {
  const [device] = form().schema;
  expect(device?.selector).toEqual({
    device: { entity: [{ integration: "loxone_wallbox", domain: "switch" }] },
  });
});

test("each view is offered by the name that its tab has", () => {
  const selector = form().schema.find((field) => field.name === "tabs")?.selector ?? {};
  const select = selector.select as {
    multiple: boolean;
    options: { value: string; label: string }[];
  };
  expect(select.multiple).toBe(true);
  expect(select.options.map((one) => one.value)).toEqual([...VIEWS]);
  expect(select.options.map((one) => one.label)).toEqual([
    "Now",
    "History",
    "Security",
  ]);
});

test.each([
  ["de-DE", "Titel", "Ansichten"],
  ["en-GB", "Title", "Views"],
  ["fr", "Title", "Views"],
])("in the language of the page: %s", (lang, title, tabs) => {
  document.documentElement.lang = lang;
  const { schema, computeLabel, computeHelper } = form();
  expect(schema.map(computeLabel)).toEqual(["Wallbox", title, tabs]);
  expect(schema.map(computeHelper).map(Boolean)).toEqual([false, true, true]);
});

test("what the editor leaves of a field that is emptied is valid", () => {
  const left = { type: "x", device_id: "garage", title: undefined, tabs: [] };
  expect(checked(left)).toBe(left);
});
