import { beforeEach, expect, test } from "vitest";
import { LoxoneWallboxStrategy } from "../src/strategy";
import "../src/index";
import { House } from "./house";

const CARD = "custom:loxone-wallbox-card";
// What Home Assistant brings along; anything else would be an error on the dashboard.
const CORE = [
  ...["calendar", "heading", "history-graph", "logbook", "markdown"],
  ...["statistics-graph", "tile"],
];

type Card = { type: string; entity?: string; entities?: string[] } & Record<
  string,
  unknown
>;

let house: House;

function furnish(box: string): void {
  for (const key of [
    ...["sensor.energy_total", "sensor.charging_power", "sensor.month_energy"],
    ...["sensor.rolling_year_energy", "sensor.session_energy", "sensor.session_cost"],
    ...["switch.charging_allowed", "switch.default_hours", "number.target_power"],
    ...["select.charge_mode", "calendar.plan", "calendar.sessions"],
  ]) {
    const [platform, name] = key.split(".") as [string, string];
    house.entity(box, `${platform}.${box}_renamed_${name}`, name, "1");
  }
}

beforeEach(() => {
  house = new House("Garage", "Yard");
  furnish("garage");
  furnish("yard");
});

const generate = (config = {}) =>
  LoxoneWallboxStrategy.generate(
    { type: "custom:loxone-wallbox", ...config },
    house.hass,
  );

type Views = Awaited<ReturnType<typeof generate>>["views"];

function cards(views: Views): Card[] {
  return views.flatMap((view) => view.sections.flatMap((one) => one.cards));
}

test("Home Assistant finds the strategy and offers it", () => {
  const tag = "ll-strategy-dashboard-loxone-wallbox";
  expect(customElements.get(tag)).toBe(LoxoneWallboxStrategy);
  const offered = window.customStrategies?.filter(
    (one) => one.type === "loxone-wallbox",
  );
  expect(offered).toMatchObject([{ strategyType: "dashboard", name: "Wallboxes" }]);
  expect(LoxoneWallboxStrategy.getCreateSuggestions(house.hass).title).toBe(
    "Wallboxes",
  );
});

test("there is a view for each wallbox and an overview of both", async () => {
  const { views } = await generate();
  expect(views.map((view) => view.title)).toEqual(["Overview", "Garage", "Yard"]);
  expect(new Set(views.map((view) => view.path)).size).toBe(3);
  const ours = (view: Views[number] | undefined) =>
    cards(view ? [view] : [])
      .filter((card) => card.type === CARD)
      .map((card) => [card.device_id, card.tabs]);
  expect(ours(views[0])).toEqual([
    ["garage", ["now"]],
    ["yard", ["now"]],
  ]);
  expect(ours(views[1])).toEqual([["garage", undefined]]);
});

test("only cards of Home Assistant and our own, only entities that there are", async () => {
  const { views } = await generate();
  const all = cards(views);
  expect(new Set(all.map((card) => card.type))).toEqual(
    new Set([CARD, ...CORE.filter((type) => type !== "markdown")]),
  );
  const named = all.flatMap((card) => [card.entity ?? [], card.entities ?? []].flat());
  expect(named.length).toBeGreaterThan(20);
  for (const id of named) expect(house.hass.states).toHaveProperty([id]);
});

test("one wallbox needs no overview", async () => {
  house = new House("Garage");
  furnish("garage");
  expect((await generate()).views.map((view) => view.title)).toEqual(["Garage"]);
});

test("what is disabled is left out, with the heading above it", async () => {
  house = new House("Garage");
  house.entity("garage", "sensor.power", "charging_power", "0");
  const [view] = (await generate()).views;
  const types = view?.sections.map((one) => one.cards.map((card) => card.type));
  expect(types).toEqual([[CARD], ["heading", "history-graph"], ["heading", "logbook"]]);
});

test("the wallboxes can be named, and one that was removed is left out", async () => {
  const { views } = await generate({ devices: ["yard", "gone", "miniserver"] });
  expect(views.map((view) => view.title)).toEqual(["Yard"]);
});

test("without a wallbox a sentence says where to add one", async () => {
  house = new House();
  const { views } = await generate();
  expect(cards(views)).toMatchObject([{ type: "markdown" }]);
  expect(JSON.stringify(views)).toContain("/config/integrations");
});

test("it speaks the language of the person", async () => {
  house.hass = { ...house.hass, locale: { ...house.hass.locale, language: "de" } };
  const { title, views } = await generate();
  expect([title, views[0]?.title]).toEqual(["Wallboxen", "Übersicht"]);
});
