import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { HomeAssistant } from "../ha";
import type { Wallbox } from "./wallbox";

export interface PlannedSpan {
  start: string;
  end: string;
}

export interface PlannedPrice extends PlannedSpan {
  per_kwh: number;
  currency: string;
  provisional: boolean;
}

export interface PlannedEvent extends PlannedSpan {
  id: string;
  program: string;
  kind: "pause" | "limit" | "increase";
  limit_kw: number | null;
  active: boolean;
}

/** What is planned for a wallbox, as `loxone_wallbox/plan` answers. */
export interface Plan extends PlannedSpan {
  default_hours: PlannedSpan[];
  peak: PlannedSpan[];
  currency: string | null;
  prices: PlannedPrice[];
  events: PlannedEvent[];
  override: { mode: "charge" | "pause"; start: string; end: string | null } | null;
  delay: (PlannedSpan & { cause: string; limit_kw: number }) | null;
}

const HOUR_MS = 3_600_000;
const LOOK_EVERY_MS = 30_000;
// Prices come without any of our entities changing.
const STALE_MS = 300_000;

// What of the wallbox changes when its plan does.
const TELLING = [
  "calendar.plan",
  "sensor.next_change",
  "sensor.reason",
  "sensor.random_delay_ends",
  "sensor.override_ends",
  "sensor.dsr_event",
  "binary_sensor.in_default_hours",
] as const;

/** Keeps the plan of the next 24 hours while its element is on a page. */
export class PlanFeed implements ReactiveController {
  plan: Plan | undefined;
  error: unknown;
  private asked = "";
  private askedAt = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly source: () => Wallbox | undefined,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    // Time goes on in the picture, too.
    this.timer = setInterval(() => this.host.requestUpdate(), LOOK_EVERY_MS);
    // A dashboard that moves the card takes it off the page and puts it back.
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    clearInterval(this.timer);
    this.asked = "";
  }

  hostUpdated(): void {
    const wallbox = this.source();
    if (wallbox === undefined || !wallbox.hass.connected) return;
    const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const key = keyOf(wallbox, start);
    if (key === this.asked && Date.now() - this.askedAt < STALE_MS) return;
    this.asked = key;
    this.askedAt = Date.now();
    void this.ask(wallbox.hass, wallbox.id, start, key);
  }

  private async ask(
    hass: HomeAssistant,
    deviceId: string,
    start: number,
    key: string,
  ): Promise<void> {
    try {
      const plan = await hass.callWS<Plan>({
        type: "loxone_wallbox/plan",
        device_id: deviceId,
        start: new Date(start).toISOString(),
        end: new Date(start + 24 * HOUR_MS).toISOString(),
      });
      if (key !== this.asked) return;
      this.plan = plan;
      this.error = undefined;
    } catch (error) {
      if (key !== this.asked) return;
      this.plan = undefined;
      this.error = error;
    }
    this.host.requestUpdate();
  }
}

function keyOf(wallbox: Wallbox, start: number): string {
  const told = TELLING.map((key) => wallbox.entity(key)).map((one) =>
    one === undefined ? "" : `${one.state}@${one.last_updated}`,
  );
  return [wallbox.id, start, ...told].join("|");
}
