import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Limit, rangeOf, snapped } from "../src/now/limit";
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

const show = () => home.show<Limit>("loxone-wallbox-limit", "a");

function slider(element: Element): HTMLInputElement {
  const found = find<HTMLInputElement>(element, "input");
  if (found === null) throw new Error("There is no slider.");
  return found;
}

async function drag(element: Limit, value: number): Promise<void> {
  slider(element).value = String(value);
  slider(element).dispatchEvent(new Event("input"));
  await element.updateComplete;
}

async function key(element: Limit, name: string): Promise<void> {
  slider(element).dispatchEvent(new KeyboardEvent("keydown", { key: name }));
  await element.updateComplete;
}

test("the range is that of the wallbox's variant", () => {
  const range = { min: 1.38, max: 7.4, step: 0.01 };
  expect(rangeOf({ ...range, unit_of_measurement: "kW" })).toEqual({
    ...range,
    step: 0.1,
    unit: "kW",
  });
  const watts = { min: 1380, max: 7400, step: 10, unit_of_measurement: "W" };
  expect(rangeOf(watts)?.step).toBe(100);
  expect(rangeOf({})).toBeUndefined();
  expect(rangeOf({ min: 7, max: 7, step: 0.1 })).toBeUndefined();
});

test.each([
  [1.4, 1.38],
  [1.44, 1.4],
  [3.33, 3.3],
  [7.36, 7.4],
  [99, 7.4],
  [-1, 1.38],
])("%d is chosen as %d", (value, chosen) => {
  expect(snapped({ min: 1.38, max: 7.4, step: 0.1, unit: "kW" }, value)).toBe(chosen);
});

test("it shows the wish, its ends and what is in force instead", async () => {
  const element = await show();
  expect(slider(element).min).toBe("4.16");
  expect(slider(element).max).toBe("11");
  expect(slider(element).value).toBe("11");
  expect(slider(element).getAttribute("aria-valuetext")).toBe("11.0 kW");
  expect(words(element)).toContain("4.16 kW In force: 0 kW 11.0 kW");
  home.set("a", "sensor.power_limit", "11");
  await home.renew(element, "a");
  expect(words(element)).not.toContain("In force");
});

test("a drag is sent once, when it has come to rest", async () => {
  const element = await show();
  await drag(element, 9.04);
  await drag(element, 7.96);
  expect(words(element)).toContain("8.0 kW");
  await vi.advanceTimersByTimeAsync(2000);
  expect(home.calls).toEqual([]);
  slider(element).dispatchEvent(new Event("change"));
  await vi.advanceTimersByTimeAsync(2000);
  expect(home.calls).toEqual([
    {
      service: "number.set_value",
      data: { value: 8 },
      entity: home.id("a", "number.target_power"),
    },
  ]);
});

test("keys go by steps and are waited for", async () => {
  const element = await show();
  for (const name of ["ArrowLeft", "ArrowDown", "ArrowRight", "Home"]) {
    await key(element, name);
  }
  expect(words(element)).toContain("4.16 kW");
  await key(element, "PageUp");
  await key(element, "Tab");
  await vi.advanceTimersByTimeAsync(2000);
  expect(home.calls.map((one) => one.data)).toEqual([{ value: 5.5 }]);
  await key(element, "End");
  await vi.advanceTimersByTimeAsync(2000);
  expect(home.calls.at(-1)?.data).toEqual({ value: 11 });
});

test("what is chosen stays until the wallbox has it, then follows the wallbox", async () => {
  const element = await show();
  await key(element, "Home");
  await vi.advanceTimersByTimeAsync(700);
  await home.renew(element, "a");
  expect(slider(element).value).toBe("4.16");
  home.set("a", "number.target_power", "4.16");
  await home.renew(element, "a");
  home.set("a", "number.target_power", "6");
  await home.renew(element, "a");
  expect(slider(element).value).toBe("6");
});

test("what the wallbox does not take is forgotten", async () => {
  const element = await show();
  await key(element, "Home");
  await vi.advanceTimersByTimeAsync(7000);
  expect(slider(element).value).toBe("11");
});

test("a refusal is a sentence and the old limit is back", async () => {
  home.refusal = new Error("It is locked");
  const element = await show();
  await key(element, "Home");
  await vi.advanceTimersByTimeAsync(700);
  expect(find(element, "[role=alert]")?.textContent).toBe(
    "That did not work: It is locked",
  );
  expect(slider(element).value).toBe("11");
});

test("what was chosen last is sent also when somebody leaves at once", async () => {
  const element = await show();
  await key(element, "Home");
  element.remove();
  await vi.advanceTimersByTimeAsync(0);
  expect(home.calls.map((one) => one.data)).toEqual([{ value: 4.16 }]);
});

test("it cannot be moved while it is unavailable, and is away where it is disabled", async () => {
  home.set("a", "number.target_power", "unavailable");
  const element = await show();
  expect(slider(element).disabled).toBe(true);
  await key(element, "Home");
  await vi.advanceTimersByTimeAsync(2000);
  expect(home.calls).toEqual([]);
  home.disable("a", "number.target_power");
  await home.renew(element, "a");
  expect(find(element, "input")).toBeNull();
});
