import { LitElement } from "lit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PlanFeed } from "../src/model/plan";
import type { Wallbox } from "../src/model/wallbox";
import { Home, NO_PLAN } from "./home";

class Host extends LitElement {
  wallbox: Wallbox | undefined;
  readonly feed = new PlanFeed(this, () => this.wallbox);
}
customElements.define("test-host", Host);

let home: Home;
let host: Host;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2027-01-13T21:20:00Z") });
  home = new Home("a");
  host = new Host();
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

/** Let the host be drawn with what is so now. */
async function drawn(): Promise<void> {
  host.wallbox = home.box("a");
  if (!host.isConnected) document.body.append(host);
  host.requestUpdate();
  await vi.advanceTimersByTimeAsync(10);
}

test("the next 24 hours are asked for, from the full hour on", async () => {
  await drawn();
  expect(home.asked).toEqual([
    {
      type: "loxone_wallbox/plan",
      device_id: "a",
      start: "2027-01-13T21:00:00.000Z",
      end: "2027-01-14T21:00:00.000Z",
    },
  ]);
  expect(host.feed.plan).toBe(NO_PLAN);
});

test("what says nothing of the plan asks nothing", async () => {
  await drawn();
  home.set("a", "sensor.charging_power", "7000");
  await drawn();
  expect(home.asked).toHaveLength(1);
});

test.each([
  "calendar.plan",
  "sensor.next_change",
  "sensor.override_ends",
  "sensor.random_delay_ends",
  "sensor.dsr_event",
] as const)("%s says that the plan is another", async (key) => {
  await drawn();
  home.set("a", key, "2027-01-13T23:00:00+00:00");
  await drawn();
  expect(home.asked).toHaveLength(2);
});

test("it is asked again with each hour and for later prices", async () => {
  await drawn();
  await vi.advanceTimersByTimeAsync(4 * 60_000);
  expect(home.asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2 * 60_000);
  expect(home.asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(35 * 60_000);
  expect(home.asked.at(-1)?.start).toBe("2027-01-13T22:00:00.000Z");
});

test("nothing is asked without a connection or away from the page", async () => {
  home.hass = { ...home.hass, connected: false };
  await drawn();
  host.remove();
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(home.asked).toEqual([]);
});

test("an error is kept until a plan comes", async () => {
  home.refusal = new Error("no wallbox");
  await drawn();
  expect(host.feed.error).toBe(home.refusal);
  home.refusal = undefined;
  home.set("a", "sensor.next_change", "unknown");
  await drawn();
  expect([host.feed.error, host.feed.plan]).toEqual([undefined, NO_PLAN]);
});

test("an answer that comes too late is not taken for the newer one", async () => {
  const answers: ((plan: unknown) => void)[] = [];
  home.hass.callWS = () =>
    new Promise((resolve) => {
      answers.push(resolve as (plan: unknown) => void);
    });
  await drawn();
  home.set("a", "sensor.next_change", "unknown");
  await drawn();
  const newer = { ...NO_PLAN, currency: "GBP" };
  answers[1]?.(newer);
  answers[0]?.(NO_PLAN);
  await vi.advanceTimersByTimeAsync(0);
  expect(host.feed.plan).toBe(newer);
});

test("a dashboard that moves the card meanwhile does not lose the plan", async () => {
  host.wallbox = home.box("a");
  document.body.append(host);
  await host.updateComplete;
  expect(home.asked).toHaveLength(1);
  document.body.append(document.createElement("div"), host);
  await vi.advanceTimersByTimeAsync(10);
  expect(host.feed.plan).toBe(NO_PLAN);
});
