import { afterEach, expect, test } from "vitest";
import { hourOf } from "../src/format";
import type { Plan } from "../src/model/plan";
import { lanesOf, pricesOf, ticksOf } from "../src/now/lanes";
import type { Timeline } from "../src/now/timeline";
import "../src/now/timeline";
import { english, find, Home, NO_PLAN, NOW, words } from "./home";

const { hass } = new Home();

afterEach(() => document.body.replaceChildren());

const at = (hour: number, day = 13) =>
  `2027-01-${day}T${String(hour).padStart(2, "0")}:00:00+00:00`;
const lanes = (plan: Partial<Plan>, now = NOW) =>
  lanesOf(hass, { ...NO_PLAN, ...plan }, english, now);
const price = (start: string, end: string, per_kwh: number, provisional = false) => ({
  start,
  end,
  per_kwh,
  currency: "GBP",
  provisional,
});
const event = (kind: "pause" | "limit" | "increase", start: string, end: string) => ({
  id: "e",
  program: "",
  kind,
  limit_kw: kind === "increase" ? null : 4,
  start,
  end,
  active: false,
});

function show(plan: Partial<Plan>) {
  return new Home("a").show<Timeline>("loxone-wallbox-timeline", "a", {
    plan: { ...NO_PLAN, ...plan },
    now: NOW,
  });
}

test("a lane for each kind of thing, and none for what is not there", () => {
  expect(lanes({})).toEqual([]);
  const found = lanes({
    default_hours: [{ start: at(22), end: at(8, 14) }],
    peak: [
      { start: at(16), end: at(22) },
      { start: at(8, 14), end: at(11, 14) },
    ],
  });
  expect(found.map((one) => [one.key, one.times])).toEqual([
    ["hours", "22:00 to 08:00"],
    ["peak", "16:00 to 22:00, Thu 08:00 to 11:00"],
  ]);
  expect(found[0]?.bars).toEqual([{ from: 1 / 24, to: 11 / 24 }]);
  // What began before the picture is drawn from its edge on.
  expect(found[1]?.bars[0]).toEqual({ from: 0, to: 1 / 24 });
});

test("hours that never end are told as such", () => {
  const { start, end } = NO_PLAN;
  expect(lanes({ default_hours: [{ start, end }] })[0]?.times).toBe("all the time");
});

test("grid events say what they ask for; those that are over are left out", () => {
  const found = lanes({
    events: [
      event("limit", at(23), at(0, 14)),
      event("pause", at(1, 14), at(2, 14)),
      event("increase", at(3, 14), at(4, 14)),
    ],
  });
  expect(found[0]?.times).toBe(
    "23:00 to 00:00 (at most 4.00 kW), Thu 01:00 to 02:00 (pause), Thu 03:00 to 04:00 (charge)",
  );
  const later = new Date(at(2, 14));
  const over = lanes({ events: [event("pause", at(1, 14), at(2, 14))] }, later);
  expect(over).toEqual([]);
});

test("an override until the unplugging has no end", () => {
  const start = at(20);
  const [open] = lanes({ override: { mode: "charge", start, end: null } });
  expect([open?.label, open?.times, open?.bars]).toEqual([
    "Charge now",
    "until unplugged",
    [{ from: 0, to: 1 }],
  ]);
  const [ends] = lanes({ override: { mode: "pause", start, end: at(23) } });
  expect([ends?.label, ends?.times]).toEqual(["Paused", "20:00 to 23:00"]);
});

test("a delay has its lane", () => {
  const delay = { start: at(22), end: at(23), cause: "default_hours", limit_kw: 11 };
  expect(lanes({ delay })[0]?.times).toBe("22:00 to 23:00");
});

test("prices are as high as they are dear", () => {
  const plan = {
    ...NO_PLAN,
    prices: [
      price(at(21), at(23), 0.3),
      price(at(23), at(2, 14), 0.075),
      price(at(2, 14), at(21, 14), 0.3, true),
    ],
  };
  const prices = pricesOf(hass, plan);
  expect(prices?.bars.map((one) => one.height)).toEqual([1, 0.25, 1]);
  expect(prices?.bars.map((one) => one.provisional)).toEqual([false, false, true]);
  expect([prices?.range, prices?.provisional]).toEqual(["£0.0750 – £0.3000", true]);
  expect(pricesOf(hass, NO_PLAN)).toBeUndefined();
});

test("a price below zero hangs down, and a single one is no range", () => {
  const plan = { ...NO_PLAN, prices: [price(at(21), at(22), -0.1)] };
  expect(pricesOf(hass, plan)?.bars[0]).toMatchObject({ height: 1, negative: true });
  expect(pricesOf(hass, plan)?.range).toBe("-£0.10");
  const free = { ...NO_PLAN, prices: [price(at(21), at(22), 0)] };
  expect(pricesOf(hass, free)?.bars[0]?.height).toBe(0);
});

test("the axis has the quarters of the person's own day", () => {
  const hours = (zone: string) => {
    const there = { locale: hass.locale, config: { time_zone: zone } };
    return ticksOf(NO_PLAN, (one) => hourOf(there, one), 6).map((one) =>
      one.toISOString().slice(11, 16),
    );
  };
  expect(hours("Europe/London")).toEqual(["00:00", "06:00", "12:00", "18:00"]);
  expect(hours("Europe/Berlin")).toEqual(["23:00", "05:00", "11:00", "17:00"]);
});

test("the picture has its words beneath, for whoever does not see it", async () => {
  const element = await show({
    default_hours: [{ start: at(22), end: at(8, 14) }],
    prices: [price(at(21), at(21, 14), 0.3)],
  });
  expect(find(element, "svg")?.getAttribute("aria-hidden")).toBe("true");
  expect(find(element, "rect.hours")?.getAttribute("width")).toBe(`${1000 / 24}%`);
  expect(find(element, "rect.prices")).not.toBeNull();
  expect(find(element, "line.now")?.getAttribute("x1")).toBe("0%");
  expect(words(element)).toContain("The next 24 hours");
  expect(words(element)).toContain("Default charging hours 22:00 to 08:00");
  expect(words(element)).toContain("Price of a kWh £0.30");
});

test("where nothing is planned that is said", async () => {
  const element = await show({});
  expect(find(element, "svg")).toBeNull();
  expect(words(element)).toContain("Nothing is planned");
});
