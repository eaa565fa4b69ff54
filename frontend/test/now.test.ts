import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sessionFacts } from "../src/now/facts";
import type { NowTab } from "../src/tabs/now";
import "../src/tabs/now";
import { arrived, english, find, Home, NO_PLAN, NOW, watchScreen, words } from "./home";

let home: Home;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  watchScreen();
  home = new Home("a");
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function show(): Promise<NowTab> {
  const element = await home.show<NowTab>("loxone-wallbox-now", "a");
  await arrived();
  return element;
}

test("it tells what is, why, until when, and what can be done", async () => {
  home.plan = {
    ...NO_PLAN,
    default_hours: [
      { start: "2027-01-13T22:00:00+00:00", end: "2027-01-14T08:00:00+00:00" },
    ],
  };
  const text = words(await show());
  expect(text).toContain("Waiting for the default charging hours");
  expect(text).toContain("It is outside of the default charging hours.");
  expect(text).toContain("Default hours begin in 1:00:00");
  expect(text).toContain("Charge now Pause");
  expect(text).toContain(
    "This session Energy 1.5 kWh Cost 0.3 GBP Charging time 30 min",
  );
  expect(text).toContain("Power limit 11.0 kW");
  expect(text).toContain("The next 24 hours");
});

test("the seconds go on alone, and nobody has to listen to them", async () => {
  const element = await show();
  const status = find(element, "[role=status]");
  const told = status?.textContent;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(find(element, "[role=timer]")?.textContent).toContain("59:57");
  expect(status?.textContent).toBe(told);
  expect(status?.contains(find(element, "[role=timer]"))).toBe(false);
  expect(status?.getAttribute("aria-live")).toBe("polite");
});

test("what is over is in a moment", async () => {
  const element = await show();
  await vi.advanceTimersByTimeAsync(3_600_000 + 500);
  const countdown = find(element, "[role=timer]");
  expect(countdown?.getAttribute("aria-label")).toMatch(/in a moment$/);
});

test("the colour is that of the state", async () => {
  const element = await show();
  expect(find(element, ".story")?.className).toContain("waiting");
  home.set("a", "sensor.status", "fault");
  await home.renew(element, "a");
  expect(find(element, ".story")?.className).toContain("bad");
});

test("a plan that does not come is a sentence, and the rest is there", async () => {
  home.refusal = { code: "not_found", message: "No such wallbox" };
  const text = words(await show());
  expect(text).toContain("The plan cannot be shown: No such wallbox");
  expect(text).toContain("Waiting for the default charging hours");
});

test("after the unplugging the session is the last one", async () => {
  home.set("a", "binary_sensor.vehicle_connected", "off");
  expect(words(await show())).toContain("Last session Energy");
});

test("with nothing but the state there is still the state", async () => {
  for (const { translation_key, entity_id } of Object.values(home.hass.entities).map(
    (one) => ({ ...one }),
  )) {
    const [domain] = (entity_id ?? "").split(".");
    if (translation_key !== "status") home.disable("a", `${domain}.${translation_key}`);
  }
  const text = words(await show());
  expect(text).toContain("Waiting for the default charging hours");
  expect(text).toContain("The charging power is not known.");
  expect(text).not.toContain("session");
});

test("facts are as Home Assistant shows them, without those that are unknown", () => {
  home.hass.formatEntityState = (state) => `<${state.state}>`;
  home.set("a", "sensor.session_cost", "unknown");
  home.set("a", "sensor.session_charging_time", "95", { unit_of_measurement: "min" });
  expect(sessionFacts(home.hass, home.box("a"), english)).toEqual([
    { label: "Energy", value: "<1.5>" },
    { label: "Charging time", value: "1 h 35 min" },
  ]);
});
