import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Plan } from "../src/model/plan";
import { moodOf, tell } from "../src/now/story";
import { english, Home, NO_PLAN, NOW } from "./home";

const TEXTS = "../custom_components/loxone_wallbox/translations/en.json";
const { sensor } = JSON.parse(readFileSync(TEXTS, "utf8")).entity;

function story(home: Home, plan: Plan | undefined = undefined) {
  return tell(home.hass, home.box("a"), plan, english, NOW);
}

test.each(Object.keys(sensor.status.state))("the status %s has words", (status) => {
  const home = new Home("a");
  home.set("a", "sensor.status", status);
  const { headline } = story(home);
  expect(headline).not.toBe("");
  expect(headline).not.toBe(english("now.status.unknown"));
});

test.each(Object.keys(sensor.reason.state))("the reason %s has words", (reason) => {
  const home = new Home("a");
  home.set("a", "sensor.reason", reason);
  expect(story(home).because).toMatch(/\w.*\.$/);
});

test("what is not known is said so", () => {
  const home = new Home("a");
  home.set("a", "sensor.status", "unavailable");
  home.set("a", "sensor.reason", "unavailable");
  home.set("a", "sensor.next_change", "unavailable");
  expect(story(home)).toEqual({
    headline: "Nothing is known of the wallbox yet",
    because: undefined,
    until: undefined,
  });
  home.set("a", "sensor.status", "a_later_version");
  expect(story(home).headline).toBe("Nothing is known of the wallbox yet");
});

test("a fault is named as Home Assistant names it", () => {
  const home = new Home("a");
  home.set("a", "sensor.reason", "fault");
  expect(story(home).because).toBe("It does not charge until the fault is over.");
  home.set("a", "binary_sensor.problem", "on", { fault: "rdc_test" });
  home.hass.formatEntityAttributeValue = (_state, name) => `the ${name}`;
  expect(story(home).because).toContain("Fault: the fault.");
});

test("an override is told with its end, or until the unplugging", () => {
  const home = new Home("a");
  home.set("a", "sensor.reason", "override_charge");
  expect(story(home).because).toBe(
    "Charge now was chosen, until the vehicle is unplugged.",
  );
  home.set("a", "sensor.override_ends", "2027-01-14T06:30:00+00:00");
  const { because, until } = story(home);
  expect(because).toBe("Charge now was chosen, until Thu 06:30.");
  expect(until?.label).toBe("Override ends in");
  expect(until?.at.toISOString()).toBe("2027-01-14T06:30:00.000Z");
});

test("a grid event that leaves some power says how much", () => {
  const home = new Home("a");
  home.set("a", "sensor.reason", "dsr");
  expect(story(home).because).toBe("An event of the grid asks for no charging.");
  home.set("a", "sensor.power_limit", "4.2");
  expect(story(home).because).toBe("An event of the grid limits charging to 4.2 kW.");
});

test("without a vehicle a missing permission is what matters", () => {
  const home = new Home("a");
  home.set("a", "sensor.reason", "no_vehicle");
  expect(story(home).because).toContain("plugged in");
  home.set("a", "switch.charging_allowed", "off");
  expect(story(home).because).toContain("not allowed");
});

test.each([
  [0, 11, "Starts in"],
  [11, 0, "Stops in"],
  [6, 11, "More power in"],
  [11, 6, "Less power in"],
])("a delay from %d to %d kW: %s", (old_limit, new_limit, label) => {
  const home = new Home("a");
  const ends = "2027-01-13T21:04:32+00:00";
  home.set("a", "sensor.random_delay_ends", ends, { old_limit, new_limit });
  expect(story(home).until).toEqual({ label, at: new Date(ends) });
});

const span = { start: "2027-01-13T22:00:00+00:00", end: "2027-01-14T08:00:00+00:00" };
const event = {
  ...span,
  id: "e",
  program: "",
  kind: "pause" as const,
  limit_kw: 0,
  active: false,
};

test.each([
  ["2027-01-13T22:00:00+00:00", { default_hours: [span] }, "Default hours begin in"],
  ["2027-01-14T08:00:00+00:00", { default_hours: [span] }, "Default hours end in"],
  ["2027-01-13T22:00:00.4+00:00", { events: [event] }, "Grid event begins in"],
  ["2027-01-14T08:00:00+00:00", { events: [event] }, "Grid event ends in"],
  ["2027-01-13T21:50:00+00:00", { default_hours: [span] }, "Next change in"],
])("the change at %s is called %s", (at, plan, label) => {
  const home = new Home("a");
  home.set("a", "sensor.next_change", at);
  expect(story(home, { ...NO_PLAN, ...plan }).until?.label).toBe(label);
});

test("a change that is past is none", () => {
  const home = new Home("a");
  home.set("a", "sensor.next_change", "2027-01-13T20:59:59+00:00");
  expect(story(home).until).toBeUndefined();
});

test("colours tell bad from good, also of what nobody knows", () => {
  expect(moodOf("fault")).toBe("bad");
  expect(moodOf("charging")).toBe("active");
  expect(moodOf("random_delay")).toBe("waiting");
  expect(moodOf("disconnected")).toBe("idle");
  expect(moodOf("a_later_version")).toBe("idle");
  expect(moodOf(undefined)).toBe("bad");
});
