import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Controls, controlsOf } from "../src/now/controls";
import { find, Home, words } from "./home";

let home: Home;

beforeEach(() => {
  vi.useFakeTimers();
  home = new Home("a");
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const offered = () => controlsOf(home.box("a"));
const show = () => home.show<Controls>("loxone-wallbox-controls", "a");
const button = (element: Element, control: string) =>
  find<HTMLButtonElement>(element, `[data-control=${control}]`);

type Shown = Record<string, string>;

function state(states: Shown): void {
  for (const [key, value] of Object.entries(states)) {
    home.set("a", key as `${string}.${string}`, value);
  }
}

test.each<[string, Shown, string[]]>([
  ["waiting for the hours", {}, ["charge_now", "pause_now"]],
  [
    "charging in the hours",
    { "sensor.status": "charging", "sensor.reason": "default_hours" },
    ["pause_now"],
  ],
  [
    "no vehicle",
    {
      "sensor.status": "disconnected",
      "sensor.reason": "no_vehicle",
      "binary_sensor.vehicle_connected": "off",
    },
    [],
  ],
  [
    "no vehicle and no permission",
    {
      "sensor.status": "disconnected",
      "sensor.reason": "no_vehicle",
      "binary_sensor.vehicle_connected": "off",
      "switch.charging_allowed": "off",
    },
    ["resume_schedule"],
  ],
  [
    "paused by the owner",
    {
      "sensor.status": "paused",
      "sensor.reason": "paused",
      "switch.charging_allowed": "off",
    },
    ["resume_schedule", "charge_now"],
  ],
  [
    "paused for now",
    { "sensor.status": "paused", "sensor.reason": "override_pause" },
    ["resume_schedule", "charge_now"],
  ],
  [
    "charging against the plan",
    { "sensor.status": "charging", "sensor.reason": "override_charge" },
    ["resume_schedule", "pause_now"],
  ],
  [
    "paused for the grid",
    {
      "sensor.status": "dsr",
      "sensor.reason": "dsr",
      "binary_sensor.dsr_active": "on",
    },
    ["dsr_opt_out", "charge_now", "pause_now"],
  ],
  [
    "charging against the grid",
    {
      "sensor.status": "charging",
      "sensor.reason": "override_charge",
      "binary_sensor.dsr_active": "on",
    },
    ["resume_schedule", "pause_now"],
  ],
  ["a fault", { "sensor.status": "fault", "sensor.reason": "fault" }, []],
  ["locked", { "sensor.status": "locked", "sensor.reason": "locked" }, []],
  ["out of reach", { "sensor.status": "unreachable" }, []],
  ["unavailable", { "sensor.status": "unavailable" }, []],
])("%s: %o offers %j", (_name, states, controls) => {
  state(states);
  expect(offered()).toEqual(controls);
});

test.each([
  [11, ["skip_random_delay", "pause_now"]],
  [0, ["skip_random_delay", "charge_now", "pause_now"]],
])("a delay that ends with %d kW offers %j", (new_limit, controls) => {
  state({
    "sensor.status": "random_delay",
    "sensor.reason": "random_delay",
    "binary_sensor.random_delay_active": "on",
  });
  const ends = "2027-01-13T21:04:32+00:00";
  home.set("a", "sensor.random_delay_ends", ends, { old_limit: 5, new_limit });
  expect(offered()).toEqual(controls);
});

test("a button that is disabled or unavailable is not offered", () => {
  home.disable("a", "button.charge_now");
  home.set("a", "button.pause_now", "unavailable");
  expect(offered()).toEqual([]);
});

test("a tap presses the button once, whatever is tapped before it is done", async () => {
  const element = await show();
  button(element, "charge_now")?.click();
  button(element, "charge_now")?.click();
  button(element, "pause_now")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(home.calls).toEqual([
    {
      service: "button.press",
      data: {},
      entity: home.id("a", "button.charge_now"),
    },
  ]);
  expect(button(element, "charge_now")?.getAttribute("aria-busy")).toBe("true");
  expect(button(element, "pause_now")?.getAttribute("aria-disabled")).toBe("true");
});

test("what follows from it frees the other buttons", async () => {
  const element = await show();
  button(element, "charge_now")?.click();
  await vi.advanceTimersByTimeAsync(10);
  state({ "sensor.status": "charging", "sensor.reason": "override_charge" });
  await home.renew(element, "a");
  expect(button(element, "charge_now")).toBeNull();
  expect(button(element, "pause_now")?.getAttribute("aria-disabled")).toBe("false");
});

test("where nothing follows it can be tapped again after a while", async () => {
  const element = await show();
  button(element, "charge_now")?.click();
  await vi.advanceTimersByTimeAsync(6000);
  button(element, "charge_now")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(home.calls).toHaveLength(2);
});

test("a refusal is a sentence, and the next tap takes it away", async () => {
  const element = await show();
  home.refusal = { code: "x", message: "Only Anna may do this" };
  button(element, "charge_now")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(find(element, "[role=alert]")?.textContent).toBe(
    "That did not work: Only Anna may do this",
  );
  home.refusal = undefined;
  button(element, "charge_now")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(find(element, "[role=alert]")).toBeNull();
  expect(home.calls).toHaveLength(2);
});

test("to resume ends the override and gives the permission, with one tap", async () => {
  state({
    "sensor.status": "paused",
    "sensor.reason": "override_pause",
    "switch.charging_allowed": "off",
  });
  const element = await show();
  button(element, "resume_schedule")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(home.calls.map((one) => [one.service, one.entity])).toEqual([
    ["button.press", home.id("a", "button.resume_schedule")],
    ["switch.turn_on", home.id("a", "switch.charging_allowed")],
  ]);
});

test("to resume after a pause without end only gives the permission", async () => {
  state({
    "sensor.status": "paused",
    "sensor.reason": "paused",
    "switch.charging_allowed": "off",
  });
  const element = await show();
  button(element, "resume_schedule")?.click();
  await vi.advanceTimersByTimeAsync(10);
  expect(home.calls.map((one) => one.service)).toEqual(["switch.turn_on"]);
});

test("a wallbox that has no controls says so", async () => {
  for (const one of [
    "charge_now",
    "pause_now",
    "resume_schedule",
    "skip_random_delay",
    "dsr_opt_out",
  ]) {
    home.disable("a", `button.${one}`);
  }
  const element = await show();
  expect(words(element)).toContain("It can only be looked at");
});
