// A home with a wallbox as Home Assistant's frontend knows it, for the first view.

import { vi } from "vitest";
import type { EntityState, HomeAssistant } from "../src/ha";
import { localizer } from "../src/i18n";
import type { Plan } from "../src/model/plan";
import { type EntityKey, Wallbox } from "../src/model/wallbox";

export const english = localizer("en");
export const NOW = new Date("2027-01-13T21:00:00Z");

type Attributes = Record<string, unknown>;
type Message = Record<string, unknown>;

// What a wallbox shows while it waits for the night.
const WAITING: [EntityKey, string, Attributes?][] = [
  ["sensor.status", "waiting_for_default_hours"],
  ["sensor.reason", "outside_default_hours"],
  ["sensor.next_change", "2027-01-13T22:00:00+00:00"],
  ["sensor.random_delay_ends", "unknown", { old_limit: null, new_limit: null }],
  ["sensor.override_ends", "unknown"],
  ["sensor.dsr_event", "unknown"],
  ["sensor.power_limit", "0", { unit_of_measurement: "kW" }],
  ["sensor.charging_power", "0", { unit_of_measurement: "W" }],
  ["sensor.session_energy", "1.5", { unit_of_measurement: "kWh" }],
  ["sensor.session_cost", "0.3", { unit_of_measurement: "GBP" }],
  ["sensor.session_charging_time", "0.5", { unit_of_measurement: "h" }],
  ["binary_sensor.vehicle_connected", "on"],
  ["binary_sensor.random_delay_active", "off"],
  ["binary_sensor.dsr_active", "off"],
  ["binary_sensor.in_default_hours", "off"],
  ["binary_sensor.problem", "off", { fault: null }],
  ["switch.charging_allowed", "on"],
  [
    "number.target_power",
    "11",
    { min: 4.16, max: 11, step: 0.01, unit_of_measurement: "kW" },
  ],
  ["button.charge_now", "unknown"],
  ["button.pause_now", "unknown"],
  ["button.resume_schedule", "unknown"],
  ["button.skip_random_delay", "unknown"],
  ["button.dsr_opt_out", "unknown"],
  ["calendar.plan", "off"],
];

export const NO_PLAN: Plan = {
  start: "2027-01-13T21:00:00+00:00",
  end: "2027-01-14T21:00:00+00:00",
  default_hours: [],
  peak: [],
  currency: null,
  prices: [],
  events: [],
  override: null,
  delay: null,
};

export interface Subscription {
  message: Message;
  send: (message: unknown) => void;
  ended: boolean;
}

/** A home; its entities have ids that say nothing of what they are. */
export class Home {
  hass: HomeAssistant;
  calls: { service: string; data: Message | undefined; entity: unknown }[] = [];
  asked: Message[] = [];
  subscriptions: Subscription[] = [];
  plan: Plan = NO_PLAN;
  /** What an action or a command is answered with instead. */
  refusal: unknown;
  private made = 0;

  constructor(...boxes: string[]) {
    const devices = Object.fromEntries(
      boxes.map((id) => [
        id,
        { id, name: `Box ${id}`, identifiers: [["loxone_wallbox", `5000_${id}`]] },
      ]),
    );
    this.hass = {
      states: {},
      entities: {},
      devices: {
        miniserver: {
          id: "miniserver",
          name: "Home",
          identifiers: [["loxone_wallbox", "5000"]],
        },
        lamp: { id: "lamp", name: "Lamp", identifiers: [["hue", "1_2"]] },
        ...devices,
      } as HomeAssistant["devices"],
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
      connection: {
        subscribeMessage: async (callback, message) =>
          this.subscribe(callback, message),
      },
      callWS: async <T>(message: Message) => this.answer(message) as T,
      callService: async (domain, service, data, target) => {
        this.calls.push({
          service: `${domain}.${service}`,
          data,
          entity: target?.entity_id,
        });
        if (this.refusal !== undefined) throw this.refusal;
        return undefined;
      },
    };
    for (const id of boxes) {
      for (const [key, state, attributes] of WAITING) {
        this.set(id, key, state, attributes);
      }
    }
  }

  /** Set the state of an entity, which is made where there is none. */
  set(box: string, key: EntityKey, state: string, attributes?: Attributes): void {
    const known = this.id(box, key);
    const [domain, translation_key] = key.split(".") as [string, string];
    const entity_id = known ?? `${domain}.thing_${this.made++}`;
    const before = this.hass.states[entity_id];
    const entity: EntityState = {
      entity_id,
      state,
      attributes: attributes ?? before?.attributes ?? {},
      last_changed: String(this.made),
      last_updated: String(this.made++),
    };
    const entry = {
      entity_id,
      device_id: box,
      platform: "loxone_wallbox",
      translation_key,
    };
    const { entities, states } = this.hass;
    this.hass = {
      ...this.hass,
      entities: known === undefined ? { ...entities, [entity_id]: entry } : entities,
      states: { ...states, [entity_id]: entity },
    };
  }

  /** Disable an entity: the frontend hears nothing more of it. */
  disable(box: string, key: EntityKey): void {
    const id = this.id(box, key) ?? "";
    const { [id]: _entry, ...entities } = this.hass.entities;
    const { [id]: _state, ...states } = this.hass.states;
    this.hass = { ...this.hass, entities, states };
  }

  id(box: string, key: EntityKey): string | undefined {
    const [domain, name] = key.split(".");
    const found = Object.values(this.hass.entities).find(
      (one) =>
        one?.device_id === box &&
        one.platform === "loxone_wallbox" &&
        one.translation_key === name &&
        one.entity_id.startsWith(`${domain}.`),
    );
    return found?.entity_id;
  }

  box(id: string): Wallbox {
    const found = Wallbox.of(this.hass, id);
    if (found === undefined) throw new Error(`${id} is no wallbox.`);
    return found;
  }

  given(id: string) {
    return { hass: this.hass, wallbox: this.box(id), localize: english };
  }

  /** Put an element of the view on the page. */
  async show<T extends HTMLElement & { updateComplete: Promise<boolean> }>(
    tag: string,
    id: string,
    more = {},
  ): Promise<T> {
    const element = document.createElement(tag) as T;
    Object.assign(element, this.given(id), more);
    document.body.append(element);
    await element.updateComplete;
    return element;
  }

  /** Give an element what is so now. */
  async renew<T extends HTMLElement & { updateComplete: Promise<boolean> }>(
    element: T,
    id: string,
  ): Promise<void> {
    Object.assign(element, this.given(id));
    await element.updateComplete;
  }

  private async subscribe<T>(
    callback: (message: T) => void,
    message: Message,
  ): Promise<() => Promise<void>> {
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
    const made: Subscription = {
      message,
      send: (one) => callback(one as T),
      ended: false,
    };
    this.subscriptions.push(made);
    return async () => {
      made.ended = true;
    };
  }

  private async answer(message: Message): Promise<unknown> {
    this.asked.push(message);
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
    if (message.type === "loxone_wallbox/plan") return this.plan;
    throw new Error(`Nobody answers ${message.type}.`);
  }
}

// Which elements are watched, and by whom.
const watched = new Map<Element, Set<() => void>>();
const onScreen = new WeakSet<Element>();

/** An observer that sees what a test scrolls to; jsdom draws nothing. */
class Observer {
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly told: (entries: { isIntersecting: boolean }[]) => void,
  ) {}

  observe(element: Element): void {
    const tell = () => this.told([{ isIntersecting: onScreen.has(element) }]);
    const all = watched.get(element) ?? new Set();
    watched.set(element, all.add(tell));
    this.stops.push(() => all.delete(tell));
    tell();
  }

  disconnect(): void {
    for (const stop of this.stops) stop();
  }
}

export function watchScreen(): void {
  vi.stubGlobal("IntersectionObserver", Observer);
}

/** Scroll to an element, or away from it. */
export function scroll(element: Element, seen: boolean): void {
  if (seen) onScreen.add(element);
  else onScreen.delete(element);
  for (const tell of watched.get(element) ?? []) tell();
}

/** Have the page come to the front or go to the back. */
export function turn(state: "visible" | "hidden"): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

/** Let what has been answered arrive. */
export async function arrived(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** All words below an element, through every shadow, without the styles. */
export function words(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? "";
  if (!(node instanceof Element) && !(node instanceof ShadowRoot)) return "";
  if (node instanceof Element && node.localName === "style") return "";
  const inner = node instanceof Element ? (node.shadowRoot ?? []) : [];
  const nodes =
    inner instanceof ShadowRoot ? [inner, ...node.childNodes] : node.childNodes;
  return [...nodes].map(words).join(" ").replace(/\s+/g, " ").trim();
}

/** The first element a selector finds, through every shadow. */
export function find<T extends Element = HTMLElement>(
  root: ParentNode,
  selector: string,
): T | null {
  const here = root.querySelector<T>(selector);
  if (here !== null) return here;
  for (const one of [
    ...(root instanceof Element ? [root] : []),
    ...root.querySelectorAll("*"),
  ]) {
    const found = one.shadowRoot && find<T>(one.shadowRoot, selector);
    if (found) return found;
  }
  return null;
}
