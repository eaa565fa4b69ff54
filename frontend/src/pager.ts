import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Page } from "./model/history";

/** Gives some items from the newest on, and how many there are. */
export type Source<T> = (offset: number, limit: number) => Promise<Page<T>>;

/** The pages of a long list, asked for one after the other. */
export class Pager<T> {
  items: T[] = [];
  /** How many there are; undefined before the first answer. */
  total: number | undefined;
  busy = false;
  error: unknown;
  private source: Source<T> | undefined;
  private ids = new Set<string | number>();
  private offset = 0;
  // How many came twice, moved down by new ones that were not seen yet.
  private moved = 0;
  private ended = false;
  private round = 0;

  constructor(
    private readonly host: { requestUpdate(): void },
    private readonly idOf: (item: T) => string | number,
    private readonly limit: number,
  ) {}

  /** Whether more can be asked for. */
  get more(): boolean {
    return this.source !== undefined && !this.ended;
  }

  /** Begin anew with another source. */
  begin(source: Source<T>): Promise<void> {
    this.source = source;
    this.items = [];
    this.ids = new Set();
    this.offset = 0;
    this.moved = 0;
    this.total = undefined;
    this.ended = false;
    this.busy = false;
    return this.next();
  }

  /** Look again at the beginning: what is new there is put in, what changed replaced. */
  async refresh(): Promise<void> {
    if (this.source === undefined || this.busy) return;
    await this.fetch(0, ({ items, total }) => {
      const changed = new Map(items.map((item) => [this.idOf(item), item]));
      const added = items.filter((item) => !this.ids.has(this.idOf(item)));
      const known = this.items.map((item) => changed.get(this.idOf(item)) ?? item);
      for (const item of added) this.ids.add(this.idOf(item));
      this.items = [...added, ...known];
      this.offset += Math.max(0, added.length - this.moved);
      this.moved = Math.max(0, this.moved - added.length);
      this.total = total;
    });
  }

  /** Ask for the next page; nothing where one is on its way or there is none. */
  async next(): Promise<void> {
    if (this.source === undefined || this.busy || this.ended) return;
    await this.fetch(this.offset, ({ items, total }) => {
      // A new one at the top moves all others down: one of them comes twice then.
      const fresh = items.filter((item) => !this.ids.has(this.idOf(item)));
      for (const item of fresh) this.ids.add(this.idOf(item));
      this.items = [...this.items, ...fresh];
      this.offset += items.length;
      this.moved += items.length - fresh.length;
      this.total = total;
      this.ended = items.length === 0 || this.offset >= total;
    });
  }

  private async fetch(offset: number, take: (page: Page<T>) => void): Promise<void> {
    const source = this.source as Source<T>;
    this.round += 1;
    const { round } = this;
    this.busy = true;
    this.error = undefined;
    this.host.requestUpdate();
    try {
      const page = await source(offset, this.limit);
      if (round !== this.round) return;
      take(page);
    } catch (error) {
      if (round !== this.round) return;
      this.error = error;
    }
    this.busy = false;
    this.host.requestUpdate();
  }
}

/** Tells when the end of a list comes into sight. */
export class EndWatch implements ReactiveController {
  private watch: IntersectionObserver | undefined;

  constructor(
    private readonly host: ReactiveControllerHost & { renderRoot: ParentNode },
    private readonly reached: () => void,
  ) {
    host.addController(this);
  }

  /** Watch again where a dashboard has moved the list. */
  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostUpdated(): void {
    const end = this.host.renderRoot.querySelector("[data-end]") ?? undefined;
    // Told anew of each longer list: its end may still be in sight.
    this.hostDisconnected();
    if (end === undefined || typeof IntersectionObserver === "undefined") return;
    this.watch = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.reached();
    });
    this.watch.observe(end);
  }

  hostDisconnected(): void {
    this.watch?.disconnect();
    this.watch = undefined;
  }
}
