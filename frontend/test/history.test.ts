import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Session } from "../src/model/history";
import type { HistoryTab } from "../src/tabs/history";
import "../src/tabs/history";
import type { HistorySessions } from "../src/tabs/history-sessions";
import type { WallboxElement } from "../src/tabs/tab";
import {
  figures,
  find,
  findAll,
  House,
  month,
  session,
  sessions,
  settled,
  words,
} from "./house";

const LIST = "loxone_wallbox/sessions/list";
const SUMMARY = "loxone_wallbox/sessions/summary";
const SINCE = "2026-01-14T12:00:00+00:00";

let house: House;

beforeEach(() => {
  house = new House("Garage");
  house.entity("garage", "event.garage_session", "session", "2027-01-13T20:00:00");
  house.sessions = sessions(3);
  house.months = [
    month("2026-12", { sessions: 2, energy_kwh: 20, charging_s: 7200 }),
    month("2027-01", {
      sessions: 1,
      energy_kwh: 40.5,
      charging_s: 3600,
      costs: [{ currency: "GBP", cost: 4.05 }],
    }),
  ];
  house.total = figures({
    sessions: 3,
    energy_kwh: 60.5,
    charging_s: 10_800,
    costs: [
      { currency: "EUR", cost: 1.5 },
      { currency: "GBP", cost: 4.05 },
    ],
    provisional_kwh: 2,
    unknown_kwh: 20,
  });
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const show = () => house.show<HistoryTab>("loxone-wallbox-history", "garage");
const list = (tab: HistoryTab) =>
  find<HistorySessions>(tab, "loxone-wallbox-history-sessions");
const bars = (tab: HistoryTab) =>
  findAll(find(tab, "loxone-wallbox-history-months"), "button");

async function choose(tab: HistoryTab, select: number, value: string): Promise<void> {
  const chosen = findAll(tab, "select")[select] as HTMLSelectElement;
  chosen.value = value;
  expect(chosen.value).toBe(value);
  chosen.dispatchEvent(new Event("change"));
  await settled(tab);
  await settled(list(tab));
}

test("the last twelve months are summed up in words, figures and bars", async () => {
  const tab = await show();
  expect(house.sent(SUMMARY)).toEqual([
    {
      type: SUMMARY,
      device_id: "garage",
      period: "rolling_year",
      months: true,
      by_user: true,
    },
  ]);
  expect(house.sent(LIST).at(-1)).toMatchObject({ start: SINCE });
  const text = words(tab);
  expect(text).toContain("60.50 kWh");
  expect(text).toContain("€1.50 + £4.05");
  expect(text).toContain("3 h 00 min");
  expect(text).toContain("The price of 2.00 kWh may still change.");
  expect(text).toContain("20.00 kWh have no price.");
  const [first, second] = bars(tab);
  expect(first?.querySelector(".hidden")?.textContent).toBe(
    "December 2026: 20.00 kWh, 2 sessions",
  );
  expect(second?.querySelector(".hidden")?.textContent).toBe(
    "January 2027: 40.50 kWh, £4.05, 1 session",
  );
  const heights = bars(tab).map((bar) => bar.querySelector<HTMLElement>(".bar"));
  expect(heights.map((bar) => bar?.style.height)).toEqual(["47.4px", "96px"]);
});

test("a bar shows its month alone, and lets it go when pressed again", async () => {
  const tab = await show();
  bars(tab)[0]?.click();
  await settled(tab);
  expect(bars(tab)[0]?.getAttribute("aria-pressed")).toBe("true");
  expect(words(tab)).toContain("Sessions of December 2026");
  expect(words(tab)).not.toContain("60.50 kWh");
  expect(house.sent(LIST).at(-1)).toMatchObject({
    start: "2026-12-01T00:00:00.000Z",
    end: "2027-01-01T00:00:00.000Z",
  });
  bars(tab)[1]?.click();
  await settled(tab);
  // The last month ends now, which moves on; its list has no end.
  expect(house.sent(LIST).at(-1)).not.toHaveProperty("end");
  bars(tab)[1]?.click();
  await settled(tab);
  expect(words(tab)).toContain("60.50 kWh");
  expect(house.sent(LIST).at(-1)).toMatchObject({ start: SINCE });
});

test("a year can be chosen back to the first session", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2027-01-14T12:00:00Z") });
  house.sessions.push(session("2025-03-01T10:00:00Z"));
  const tab = await show();
  const years = [...find(tab, "select").querySelectorAll("option")];
  expect(years.map((one) => one.value)).toEqual([
    "rolling_year",
    "2027",
    "2026",
    "2025",
  ]);
  await choose(tab, 0, "2025");
  expect(house.sent(SUMMARY).at(-1)).toMatchObject({
    period: "year",
    date: "2025-07-01",
  });
  expect(house.sent(LIST).at(-1)).toMatchObject({
    start: "2025-01-01T00:00:00+00:00",
    end: "2026-01-01T00:00:00+00:00",
  });
  expect(words(list(tab))).toContain("1 session");
});

test("one user's sessions and sums can be looked at", async () => {
  house.sessions = [
    ...sessions(2),
    ...sessions(2, { user: "Ben" }),
    session("2027-01-01", { user: null, id: "x" }),
  ];
  for (const [at, one] of house.sessions.entries()) one.id = `s${at}`;
  const tab = await show();
  const names = [...(findAll(tab, "select")[1]?.querySelectorAll("option") ?? [])];
  expect(names.map((one) => one.textContent?.trim())).toEqual([
    "Everybody",
    "Anna",
    "Ben",
  ]);
  await choose(tab, 1, "Ben");
  expect(house.sent(SUMMARY).at(-1)).toMatchObject({ user: "Ben" });
  expect(house.sent(LIST).at(-1)).toMatchObject({ user: "Ben" });
  expect(words(list(tab))).toContain("2 sessions");
  expect(findAll(tab, "select")[1]?.querySelectorAll("option")).toHaveLength(3);
  await choose(tab, 1, "");
  expect(house.sent(LIST).at(-1)).not.toHaveProperty("user");
});

test("there is no choice of users where nobody is known", async () => {
  house.sessions = sessions(2, { user: null });
  expect(findAll(await show(), "select")).toHaveLength(1);
});

test("a session that ends is put in without asking for all of it anew", async () => {
  const tab = await show();
  const before = house.asked.length;
  await house.renew(tab as WallboxElement, "garage");
  expect(house.asked).toHaveLength(before);
  house.sessions = [session("2027-01-14T18:00:00Z"), ...house.sessions];
  house.entity("garage", "event.garage_session", "session", "2027-01-14T20:00:00");
  await house.renew(tab, "garage");
  await settled(list(tab));
  expect(words(list(tab))).toContain("4 sessions");
  expect(findAll(list(tab), "details")).toHaveLength(4);
  expect(house.asked).toHaveLength(before + 2);
  // The last twelve months moved on meanwhile; the list does not begin anew for it.
  expect(house.sent(LIST).at(-1)).toMatchObject({ start: SINCE, offset: 0 });
});

test("a session that goes on is counted on, and what is open stays open", async () => {
  house.sessions = sessions(2);
  const tab = await show();
  const row = findAll(list(tab), "details")[0] as HTMLDetailsElement;
  row.open = true;
  row.dispatchEvent(new Event("toggle"));
  await settled(list(tab));
  house.sessions = [
    session("2027-01-14T18:00:00Z"),
    { ...(house.sessions[0] as Session), energy_kwh: 8.5 },
    ...house.sessions.slice(1),
  ];
  house.entity("garage", "sensor.garage_energy", "session_energy", "8.5");
  await house.renew(tab, "garage");
  await settled(list(tab));
  const rows = findAll(list(tab), "details") as HTMLDetailsElement[];
  expect(rows.map((one) => one.open)).toEqual([false, true, false]);
  expect(rows[1]).toBe(row);
  expect(words(row)).toContain("8.50 kWh");
});

test("another wallbox begins with its own history", async () => {
  house = new House("Garage", "Yard");
  house.months = [month("2027-01")];
  const tab = await show();
  await choose(tab, 0, String(new Date().getFullYear()));
  await house.renew(tab, "yard");
  expect(house.sent(SUMMARY).at(-1)).toMatchObject({
    device_id: "yard",
    period: "rolling_year",
  });
  expect(find<HTMLSelectElement>(tab, "select").value).toBe("rolling_year");
});

test("a refusal is a sentence, and can be tried again", async () => {
  house.refusal = { code: "unauthorized", message: "You may not see this." };
  const tab = await show();
  expect(find(tab, "[role=alert]").textContent).toContain("You may not see this.");
  expect(findAll(tab, "loxone-wallbox-history-sessions")).toHaveLength(0);
  house.refusal = undefined;
  find(tab, "button").click();
  await settled(tab);
  expect(words(tab)).toContain("60.50 kWh");
});

test("nothing is asked while the connection is lost", async () => {
  house.hass = { ...house.hass, connected: false };
  const tab = await show();
  expect(house.sent(SUMMARY)).toHaveLength(0);
  house.hass = { ...house.hass, connected: true };
  await house.renew(tab, "garage");
  expect(words(tab)).toContain("60.50 kWh");
});
