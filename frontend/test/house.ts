// A house with wallboxes whose history and security log answer as the integration does.

import type { DeviceEntry, EntityEntry, EntityState, HomeAssistant } from "../src/ha";
import { localizer } from "../src/i18n";
import type { Figures, MonthFigures, Session } from "../src/model/history";
import type { SecurityRecord } from "../src/model/security";
import { Wallbox } from "../src/model/wallbox";
import type { WallboxElement } from "../src/tabs/tab";

type Message = Record<string, unknown>;

export const english = localizer("en");

export class House {
  sessions: Session[] = [];
  records: SecurityRecord[] = [];
  months: MonthFigures[] = [];
  total: Figures = figures();
  verdict: unknown = { whole: true, records: 0, broken_seq: null };
  /** What was asked, in order. */
  asked: Message[] = [];
  /** An error to answer everything with. */
  refusal: unknown;
  hass: HomeAssistant;
  // The last twelve months begin a little later each time.
  private turn = 0;

  constructor(...names: string[]) {
    const devices: Record<string, DeviceEntry> = {
      miniserver: device("miniserver", "Miniserver", "504F94000001"),
    };
    for (const name of names) {
      devices[name.toLowerCase()] = device(
        name.toLowerCase(),
        name,
        `504F94000001_${name}`,
      );
    }
    this.hass = {
      states: {},
      entities: {},
      devices,
      locale: {
        language: "en",
        number_format: "language",
        time_format: "24",
        time_zone: "server",
      },
      language: "en",
      config: { time_zone: "Europe/London", currency: "GBP" },
      user: { id: "u1", name: "Anna", is_admin: true },
      connected: true,
      connection: { subscribeMessage: async () => async () => {} },
      localize: (key) => (key.endsWith("tamper_on") ? "Tampering began" : ""),
      callWS: async <T>(message: Message) => (await this.answer(message)) as T,
      callService: async (_domain, service, data) => ({
        response: await this.answer({ type: service, ...data }),
      }),
    };
  }

  /** Give a wallbox an entity. */
  entity(box: string, id: string, key: string, state: string): void {
    const entry: EntityEntry = {
      entity_id: id,
      device_id: box,
      platform: "loxone_wallbox",
      translation_key: key,
    };
    const now = "2027-01-13T12:00:00+00:00";
    const made: EntityState = {
      entity_id: id,
      state,
      attributes: {},
      last_changed: now,
      last_updated: now,
    };
    const entities = { ...this.hass.entities, [id]: entry };
    this.hass = { ...this.hass, entities, states: { ...this.hass.states, [id]: made } };
  }

  box(id: string): Wallbox {
    const box = Wallbox.of(this.hass, id);
    if (box === undefined) throw new Error(`There is no wallbox ${id}.`);
    return box;
  }

  /** The messages of a type that were sent. */
  sent(type: string): Message[] {
    return this.asked.filter((one) => one.type === type);
  }

  /** Put an element on the page, given what a view is given. */
  async show<T extends WallboxElement>(
    tag: string,
    box: string,
    more = {},
  ): Promise<T> {
    const element = document.createElement(tag) as T;
    Object.assign(element, { ...this.given(box), ...more });
    document.body.append(element);
    await settled(element);
    return element;
  }

  /** Give an element what there is now. */
  async renew(element: WallboxElement, box: string): Promise<void> {
    Object.assign(element, this.given(box));
    await settled(element);
  }

  private given(box: string) {
    return { hass: this.hass, wallbox: this.box(box), localize: english };
  }

  private async answer(message: Message): Promise<unknown> {
    this.asked.push(message);
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
    if (message.type === "loxone_wallbox/sessions/list") {
      const found = this.found(message);
      return { sessions: page(found, message), total: found.length };
    }
    if (message.type === "loxone_wallbox/sessions/summary")
      return this.summary(message);
    if (message.type === "loxone_wallbox/security/list") {
      const kinds = message.kinds as string[] | undefined;
      const found = this.records.filter((one) => kinds?.includes(one.kind) ?? true);
      return { records: page(found, message), total: found.length };
    }
    if (message.type === "verify_security_log") return this.verdict;
    if (message.type === "export_sessions") {
      const lines = this.found(message).map((one) => `${one.id},${one.energy_kwh}`);
      return { format: "csv", content: ["id,energy_kwh", ...lines].join("\r\n") };
    }
    throw new Error(`Nobody answers ${message.type}.`);
  }

  private found(message: Message): Session[] {
    const { user, start, end } = message as Record<string, string | undefined>;
    const at = (text: string | undefined, other: number) =>
      text === undefined ? other : Date.parse(text);
    return this.sessions.filter((one) => {
      const connected = Date.parse(one.connected_utc);
      return (
        (user === undefined || one.user === user) &&
        connected >= at(start, -Infinity) &&
        connected < at(end, Infinity)
      );
    });
  }

  private summary({ period, date, user: asked }: Message) {
    const found = this.sessions.map((one) => one.user);
    const names = new Set(found.filter((one) => asked === undefined || one === asked));
    const users = [...names].map((user) => ({ user, ...figures() }));
    const year = Number(String(date).slice(0, 4));
    const [start_utc, end_utc] =
      period === "year"
        ? [`${year}-01-01T00:00:00+00:00`, `${year + 1}-01-01T00:00:00+00:00`]
        : [`2026-01-14T12:00:0${this.turn++}+00:00`, "2027-01-14T12:00:00+00:00"];
    return { start_utc, end_utc, total: this.total, months: this.months, users };
  }
}

function page<T>(items: T[], { offset, limit }: Message): T[] {
  return items.slice(offset as number, (offset as number) + (limit as number));
}

function device(id: string, name: string, identifier: string): DeviceEntry {
  return { id, name, identifiers: [["loxone_wallbox", identifier]] };
}

export function figures(of: Partial<Figures> = {}): Figures {
  return {
    sessions: 0,
    energy_kwh: 0,
    charging_s: 0,
    costs: [],
    provisional_kwh: 0,
    unknown_kwh: 0,
    ...of,
  };
}

export function month(name: string, of: Partial<Figures> = {}): MonthFigures {
  const [year, number] = name.split("-").map(Number) as [number, number];
  return {
    month: name,
    start_utc: new Date(Date.UTC(year, number - 1, 1)).toISOString(),
    end_utc: new Date(Date.UTC(year, number, 1)).toISOString(),
    ...figures(of),
  };
}

/** A session of two hours that begins at an instant. */
export function session(connected: string, of: Partial<Session> = {}): Session {
  const start = new Date(connected);
  return {
    id: connected,
    kind: "occasion",
    connected_utc: start.toISOString(),
    disconnected_utc: new Date(start.getTime() + 7_200_000).toISOString(),
    first_import_utc: start.toISOString(),
    last_import_utc: new Date(start.getTime() + 3_600_000).toISOString(),
    energy_kwh: 7.25,
    charging_s: 3600,
    connected_s: 7200,
    max_power_w: 7360,
    cost: 0.87,
    currency: "GBP",
    cost_status: "final",
    user: "Anna",
    vehicle: null,
    stop_reason: "unplugged",
    origin: "home_assistant",
    quality: { source: "meter" },
    slices: [],
    ...of,
  };
}

/** Sessions of as many days, the newest first. */
export function sessions(count: number, of: Partial<Session> = {}): Session[] {
  const last = Date.parse("2027-01-13T18:00:00Z");
  return Array.from({ length: count }, (_, back) =>
    session(new Date(last - back * 86_400_000).toISOString(), of),
  );
}

/** Wait until an element and what is in it has taken all answers. */
export async function settled(element: WallboxElement): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
    await element.updateComplete;
  }
}

/** The words of an element, as one line. */
export function words(element: Element): string {
  const found: string[] = [];
  const walker = document.createTreeWalker(element.shadowRoot ?? element, 4);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (parentElement?.localName !== "style") found.push(textContent ?? "");
  }
  return found.join(" ").replace(/\s+/g, " ").trim();
}

/** The first element in another's shadow that a selector finds. */
export function find<T extends Element = HTMLElement>(
  element: Element,
  selector: string,
): T {
  const found = element.shadowRoot?.querySelector<T>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

export function findAll(element: Element, selector: string): HTMLElement[] {
  return [...(element.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])];
}
