import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Wallbox } from "./wallbox";

/** Seconds UTC and W; null where nothing was measured. */
export type PowerPoint = [at: number, power: number | null];

interface PowerMessage {
  points?: PowerPoint[];
  source?: string;
  coarse?: boolean;
  ended?: "removed" | "unloaded";
}

export const WINDOW_S = 600;
const AGAIN_MS = 10_000;

/** The power of each second, asked for only while somebody can see it. */
export class PowerFeed implements ReactiveController {
  points: PowerPoint[] = [];
  coarse: boolean | undefined;
  private inView = false;
  private attached = false;
  private deviceId: string | undefined;
  private unsubscribe: (() => void) | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private observer: IntersectionObserver | undefined;

  constructor(
    private readonly host: ReactiveControllerHost & Element,
    private readonly source: () => Wallbox | undefined,
  ) {
    host.addController(this);
  }

  /** Whether each second is being told. */
  get live(): boolean {
    return this.unsubscribe !== undefined && this.coarse !== undefined;
  }

  /** The power now in W; undefined where nobody tells it. */
  get watts(): number | undefined {
    return this.live ? (this.points.at(-1)?.[1] ?? undefined) : undefined;
  }

  hostConnected(): void {
    this.attached = true;
    document.addEventListener("visibilitychange", this.look);
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries.at(-1)?.isIntersecting ?? false;
      this.look();
    });
    this.observer.observe(this.host);
  }

  hostDisconnected(): void {
    this.attached = false;
    this.inView = false;
    document.removeEventListener("visibilitychange", this.look);
    this.observer?.disconnect();
    this.look();
  }

  hostUpdated(): void {
    this.look();
  }

  /** Subscribe where somebody looks and end it where nobody does. */
  private readonly look = (): void => {
    const wallbox = this.source();
    const seen = this.attached && this.inView && document.visibilityState === "visible";
    if (!seen || wallbox === undefined || wallbox.id !== this.deviceId) this.stop();
    if (seen && wallbox !== undefined && this.deviceId === undefined) {
      this.start(wallbox);
    }
  };

  private start(wallbox: Wallbox): void {
    this.deviceId = wallbox.id;
    let wanted = true;
    let end: (() => Promise<void>) | undefined;
    const finish = () => {
      // The connection may be gone, and the subscription with it.
      void end?.().catch(() => undefined);
      end = undefined;
    };
    this.unsubscribe = () => {
      wanted = false;
      finish();
    };
    wallbox.hass.connection
      .subscribeMessage<PowerMessage>((message) => wanted && this.take(message), {
        type: "loxone_wallbox/power/subscribe",
        device_id: wallbox.id,
        seconds: WINDOW_S,
      })
      .then((unsubscribe) => {
        end = unsubscribe;
        if (!wanted) finish();
      })
      .catch(() => {
        if (wanted) this.retry();
      });
  }

  private stop(): void {
    clearTimeout(this.again);
    this.again = undefined;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.deviceId = undefined;
    this.points = [];
    this.coarse = undefined;
  }

  /** Ask again after a while: a wallbox that is set up anew is soon back. */
  private retry(): void {
    const deviceId = this.deviceId;
    this.stop();
    // Until then it counts as asked.
    this.deviceId = deviceId;
    this.again = setTimeout(() => {
      this.deviceId = undefined;
      this.look();
    }, AGAIN_MS);
    this.host.requestUpdate();
  }

  private take(message: PowerMessage): void {
    if (message.ended !== undefined) {
      // The server has ended the subscription; to end it again would be an error.
      this.unsubscribe = undefined;
      this.retry();
      return;
    }
    if (message.coarse !== undefined) {
      // The first message, also of a connection that was lost and made anew.
      this.coarse = message.coarse;
      this.points = [];
    }
    this.points = [...this.points, ...(message.points ?? [])];
    const since = (this.points.at(-1)?.[0] ?? 0) - WINDOW_S;
    this.points = this.points.filter(([at]) => at >= since);
    this.host.requestUpdate();
  }
}
