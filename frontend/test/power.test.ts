import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Power, trendPath } from "../src/now/power";
import { arrived, find, Home, scroll, turn, watchScreen, words } from "./home";

let home: Home;

beforeEach(() => {
  vi.useFakeTimers();
  watchScreen();
  turn("visible");
  home = new Home("a", "b");
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function seen(): Promise<Power> {
  const element = await home.show<Power>("loxone-wallbox-power", "a");
  scroll(element, true);
  await arrived();
  return element;
}

const first = { source: "meter", coarse: false };

test("nothing is asked before somebody can see it", async () => {
  const element = await home.show<Power>("loxone-wallbox-power", "a");
  await arrived();
  expect(home.subscriptions).toEqual([]);
  scroll(element, true);
  await arrived();
  expect(home.subscriptions.map((one) => one.message)).toEqual([
    { type: "loxone_wallbox/power/subscribe", device_id: "a", seconds: 600 },
  ]);
});

test("each second is shown as it comes", async () => {
  const element = await seen();
  const [subscription] = home.subscriptions;
  subscription?.send({ ...first, points: [[100, 7360]] });
  await arrived();
  expect(words(element)).toContain("7.36 kW Measured each second");
  subscription?.send({ points: [[101, 11_000]] });
  await arrived();
  expect(words(element)).toContain("11.0 kW");
  expect(find(element, "svg")?.getAttribute("aria-label")).toBe(
    "The last ten minutes, at most 11.0 kW",
  );
  subscription?.send({ points: [[102, null]] });
  await arrived();
  expect(words(element)).toContain("not known");
});

test("what only the Miniserver tells is said so", async () => {
  const element = await seen();
  home.subscriptions[0]?.send({ source: "miniserver", coarse: true, points: [[1, 5]] });
  await arrived();
  expect(words(element)).toContain("As told by the Miniserver");
  expect(find(element, "svg")).toBeNull();
});

test.each<[string, (element: Power) => void, (element: Power) => void]>([
  ["it is scrolled away", (one) => scroll(one, false), (one) => scroll(one, true)],
  ["another tab is in front", () => turn("hidden"), () => turn("visible")],
  [
    "its view is left",
    (one) => one.remove(),
    (one) => {
      document.body.append(one);
      scroll(one, true);
    },
  ],
])("when %s the subscription ends, and begins anew", async (_name, leave, back) => {
  const element = await seen();
  leave(element);
  await arrived();
  expect(home.subscriptions.map((one) => one.ended)).toEqual([true]);
  back(element);
  await arrived();
  expect(home.subscriptions.map((one) => one.ended)).toEqual([true, false]);
});

test("what is left before it was answered ends with the answer", async () => {
  const element = await home.show<Power>("loxone-wallbox-power", "a");
  scroll(element, true);
  scroll(element, false);
  await arrived();
  expect(home.subscriptions.map((one) => one.ended)).toEqual([true]);
});

test("a state that changes begins nothing anew", async () => {
  const element = await seen();
  home.set("a", "sensor.status", "charging");
  await home.renew(element, "a");
  await arrived();
  expect(home.subscriptions).toHaveLength(1);
});

test("another wallbox is another subscription", async () => {
  const element = await seen();
  home.subscriptions[0]?.send({ ...first, points: [[100, 7360]] });
  await home.renew(element, "b");
  await arrived();
  expect(home.subscriptions.map((one) => [one.message.device_id, one.ended])).toEqual([
    ["a", true],
    ["b", false],
  ]);
  home.subscriptions[0]?.send({ points: [[101, 1000]] });
  await arrived();
  expect(words(element)).not.toContain("1.00 kW");
});

test("a connection that was made anew begins with the window again", async () => {
  const element = await seen();
  const [subscription] = home.subscriptions;
  subscription?.send({ ...first, points: [[100, 9000]] });
  subscription?.send({ ...first, points: [[300, 2000]] });
  await arrived();
  expect(words(element)).toContain("2.00 kW");
  expect(find(element, "svg")?.getAttribute("aria-label")).toContain("at most 2.00 kW");
});

test("older seconds than ten minutes are let go", async () => {
  const element = await seen();
  const [subscription] = home.subscriptions;
  subscription?.send({ ...first, points: [[100, 9000]] });
  subscription?.send({ points: [[701, 2000]] });
  await arrived();
  expect(find(element, "svg")?.getAttribute("aria-label")).toContain("at most 2.00 kW");
});

test("a refused or ended subscription is asked for again, and the entity is shown", async () => {
  home.refusal = new Error("not found");
  home.set("a", "sensor.charging_power", "1234");
  const element = await seen();
  expect(words(element)).toContain("1.23 kW");
  home.refusal = undefined;
  await vi.advanceTimersByTimeAsync(9_000);
  expect(home.subscriptions).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(home.subscriptions).toHaveLength(1);
  home.subscriptions[0]?.send({ ended: "unloaded", message: "…" });
  await vi.advanceTimersByTimeAsync(11_000);
  // The server has ended the first by itself.
  expect(home.subscriptions.map((one) => one.ended)).toEqual([false, false]);
});

test("nothing is asked again where nobody looks any more", async () => {
  home.refusal = new Error("not found");
  const element = await seen();
  scroll(element, false);
  home.refusal = undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(home.subscriptions).toEqual([]);
});

test("the entity's own unit is understood, and its silence", async () => {
  home.set("a", "sensor.charging_power", "3.5", { unit_of_measurement: "kW" });
  const element = await home.show<Power>("loxone-wallbox-power", "a");
  expect(words(element)).toContain("3.50 kW");
  home.set("a", "sensor.charging_power", "unavailable");
  await home.renew(element, "a");
  expect(words(element)).toContain("not known");
});

test("the line is broken where nothing was measured", () => {
  const path = trendPath(
    [
      [0, 0],
      [300, 1000],
      [400, null],
      [600, -50],
    ],
    1000,
  );
  expect(path).toBe("M0.0 47.0L150.0 1.0M300.0 47.0");
});
