import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Session } from "../src/model/history";
import type { HistorySessions } from "../src/tabs/history-sessions";
import "../src/tabs/history-sessions";
import { find, findAll, House, session, sessions, settled, words } from "./house";

const LIST = "loxone_wallbox/sessions/list";

/** What sees the end of the list, as a browser does. */
class Sight implements IntersectionObserver {
  static last: Sight | undefined;
  readonly root = null;
  readonly rootMargin = "";
  readonly scrollMargin = "";
  readonly thresholds = [];
  watched: Element | undefined;

  constructor(private readonly callback: IntersectionObserverCallback) {
    Sight.last = this;
  }

  static scrollToEnd(): void {
    const target = Sight.last?.watched;
    if (target === undefined) throw new Error("Nobody waits for the end of the list.");
    const entry = { isIntersecting: true, target } as IntersectionObserverEntry;
    Sight.last?.callback([entry], Sight.last);
  }

  observe(target: Element): void {
    this.watched = target;
  }
  unobserve(): void {}
  disconnect(): void {
    this.watched = undefined;
  }
  takeRecords(): IntersectionObserverEntry[] {
    return [];
  }
}

let house: House;
let saved: { name: string; blob: Blob }[];

beforeEach(() => {
  house = new House("Garage");
  saved = [];
  vi.stubGlobal("IntersectionObserver", Sight);
  let blob: Blob;
  URL.createObjectURL = (made) => {
    blob = made as Blob;
    return "blob:made";
  };
  URL.revokeObjectURL = () => {};
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    expect(this.href).toBe("blob:made");
    saved.push({ name: this.download, blob });
  });
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function show(filter = {}): Promise<HistorySessions> {
  const tag = "loxone-wallbox-history-sessions";
  return house.show<HistorySessions>(tag, "garage", { filter, stamp: "" });
}

const rows = (list: HistorySessions) => findAll(list, "details");

async function open(list: HistorySessions, row: number): Promise<HTMLElement> {
  const details = rows(list)[row] as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  await settled(list);
  return details;
}

function bytesOf(blob: Blob): Promise<Uint8Array> {
  const reader = new FileReader();
  reader.readAsArrayBuffer(blob);
  return new Promise((resolve) => {
    reader.onload = () => resolve(new Uint8Array(reader.result as ArrayBuffer));
  });
}

/** Show a list of one session, opened. */
async function opened(of: Partial<Session>): Promise<string> {
  house.sessions = [session("2027-01-13T18:00:00Z", of)];
  const list = await show();
  return words(await open(list, 0));
}

test("more sessions come when the end of the list comes into sight", async () => {
  house.sessions = sessions(60);
  const list = await show();
  expect(rows(list)).toHaveLength(25);
  expect(words(list)).toContain("60 sessions");
  Sight.scrollToEnd();
  await settled(list);
  expect(rows(list)).toHaveLength(50);
  Sight.scrollToEnd();
  await settled(list);
  expect(rows(list)).toHaveLength(60);
  expect(house.sent(LIST).map((one) => one.offset)).toEqual([0, 25, 50]);
  expect(() => Sight.scrollToEnd()).toThrow("Nobody waits");
});

test("more sessions come by a button, also without such a browser", async () => {
  vi.stubGlobal("IntersectionObserver", undefined);
  house.sessions = sessions(30);
  const list = await show();
  find(list, "[data-end]").click();
  await settled(list);
  expect(rows(list)).toHaveLength(30);
});

test("a page that does not come is a sentence, and nobody asks on and on", async () => {
  house.sessions = sessions(30);
  const list = await show();
  house.refusal = new Error("The database is locked.");
  Sight.scrollToEnd();
  await settled(list);
  expect(find(list, "[role=alert]").textContent).toContain("The database is locked.");
  expect(() => Sight.scrollToEnd()).toThrow("Nobody waits");
  house.refusal = undefined;
  find(list, ".end button").click();
  await settled(list);
  expect(rows(list)).toHaveLength(30);
});

test("nothing watches while the list is off the page", async () => {
  house.sessions = sessions(30);
  const list = await show();
  list.remove();
  expect(() => Sight.scrollToEnd()).toThrow("Nobody waits");
  // A dashboard that moves a card takes it off the page and puts it back.
  document.body.append(list);
  await settled(list);
  Sight.scrollToEnd();
  await settled(list);
  expect(rows(list)).toHaveLength(30);
});

test("a session is told in one line: when, whose, how much and at what cost", async () => {
  house.sessions = [
    session("2027-01-13T23:30:00Z"),
    session("2026-07-01T10:00:00Z", { cost_status: "provisional", user: null }),
    session("2026-06-01T10:00:00Z", {
      kind: "open",
      disconnected_utc: null,
      cost: null,
    }),
  ];
  const list = await show();
  const [night, summer, now] = rows(list).map((row) => words(row));
  expect(night).toBe(
    "13 Jan 2027, 23:30 – 14 Jan 2027, 01:30 7.25 kWh Anna £0.87".replace(
      /(\d+) Jan 2027/g,
      "Jan $1, 2027",
    ),
  );
  expect(summer).toBe("Jul 1, 2026, 11:00 – 13:00 7.25 kWh £0.87 (not final)");
  expect(now).toBe("Jun 1, 2026, 11:00 · still plugged in 7.25 kWh Anna");
});

test("an opened session tells all that is known of it", async () => {
  const text = await opened({
    vehicle: "Zoe",
    slices: [
      {
        start_utc: "2027-01-13T18:00:00Z",
        end_utc: "2027-01-13T18:30:00Z",
        energy_kwh: 3.25,
        in_peak: true,
        grid_event: "saving",
        price_per_kwh: 0.2512,
        currency: "GBP",
        cost: 0.82,
        cost_status: "final",
      },
      {
        start_utc: "2027-01-13T18:30:00Z",
        end_utc: "2027-01-13T19:00:00Z",
        energy_kwh: 4,
        in_peak: false,
        grid_event: null,
        price_per_kwh: null,
        currency: null,
        cost: null,
        cost_status: "unknown",
      },
    ],
  });
  expect(text).toContain("Charged for 1 h 00 min");
  expect(text).toContain("Plugged in for 2 h 00 min");
  expect(text).toContain("Highest power 7.36 kW");
  expect(text).toContain("Vehicle Zoe");
  expect(text).toContain("Ended by unplugging");
  expect(text).toContain("Measured by the energy meter");
  expect(text).toContain("18:00 peak grid event 3.25 kWh £0.2512 £0.82");
  expect(text).toContain("18:30 4.00 kWh – –");
});

test("what the Miniserver's own log does not tell is left out", async () => {
  const text = await opened({
    charging_s: null,
    max_power_w: null,
    first_import_utc: null,
    stop_reason: null,
    quality: {},
  });
  expect(text).toContain("Plugged in for");
  for (const word of ["Charged", "Highest", "Ended by", "Measured", "null"]) {
    expect(text).not.toContain(word);
  }
});

test("a word of a later version is shown as it is", async () => {
  expect(await opened({ stop_reason: "moonlight" })).toContain("Ended by moonlight");
});

test("all sessions of the filter are saved as a table", async () => {
  house.sessions = [...sessions(30), session("2020-01-01", { user: "Ben" })];
  const list = await show({ user: "Anna", start: "2026-01-01T00:00:00" });
  find(list, ".head button").click();
  await settled(list);
  expect(house.sent("export_sessions")).toEqual([
    {
      type: "export_sessions",
      device_id: ["garage"],
      format: "csv",
      user: "Anna",
      start: "2026-01-01T00:00:00",
    },
  ]);
  expect(saved.map((one) => one.name)).toEqual(["Garage_Anna_2026-01-01.csv"]);
  const bytes = await bytesOf(saved[0]?.blob as Blob);
  // Without these three a table program takes umlauts for something else.
  expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  expect(new TextDecoder().decode(bytes).split("\r\n")).toHaveLength(31);
  expect(find(list, "[role=status]").textContent).toContain("handed to the browser");
});

test("a table that is refused is a sentence", async () => {
  house.sessions = sessions(1);
  const list = await show();
  house.refusal = new Error("These are 6000 sessions.");
  find(list, ".head button").click();
  await settled(list);
  expect(find(list, "[role=alert]").textContent).toContain("These are 6000 sessions.");
  expect(saved).toHaveLength(0);
  expect(find<HTMLButtonElement>(list, ".head button").disabled).toBe(false);
});

test("an empty history says so and offers no table", async () => {
  const list = await show();
  expect(words(list)).toContain("No session here yet.");
  expect(find<HTMLButtonElement>(list, ".head button").disabled).toBe(true);
});
