import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { sentenceOf } from "../calls";
import { fileName, saveTable } from "../download";
import {
  exportSessions,
  listSessions,
  type Session,
  type SessionFilter,
} from "../model/history";
import { EndWatch, Pager } from "../pager";
import { commonStyles, listStyles } from "../styles";
import { sessionDetails, sessionHead } from "./history-session";
import { sessionStyles } from "./history-styles";
import { countText } from "./history-words";
import { listEnd } from "./list-end";
import { define, WallboxElement } from "./tab";

const PAGE = 25;

/** The sessions that a filter lets through: more of them as one scrolls, and as a file. */
export class HistorySessions extends WallboxElement {
  static override properties = {
    ...WallboxElement.properties,
    filter: { attribute: false },
    stamp: { attribute: false },
    open: { state: true },
    saving: { state: true },
    said: { state: true },
    failure: { state: true },
  };

  static override styles = [commonStyles, listStyles, sessionStyles];

  declare filter: SessionFilter;
  /** Changes when there may be a new session. */
  declare stamp: string;
  private declare open: ReadonlySet<string>;
  private declare saving: boolean;
  private declare said: string;
  private declare failure: unknown;
  private asked = "";
  private readonly pager = new Pager<Session>(this, (one) => one.id, PAGE);

  constructor() {
    super();
    new EndWatch(this, () => void this.pager.next());
    this.open = new Set();
    this.saving = false;
    this.said = "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    const asked = JSON.stringify([this.wallbox.id, this.filter]);
    if (asked !== this.asked) {
      this.asked = asked;
      this.said = "";
      this.failure = undefined;
      const { id } = this.wallbox;
      const { filter } = this;
      void this.pager.begin((offset, limit) =>
        listSessions(this.hass, id, filter, offset, limit),
      );
    } else if (changed.has("stamp")) {
      void this.pager.refresh();
    }
  }

  protected override render(): TemplateResult {
    const { localize, pager } = this;
    return html`
      <div class="head">
        <h2>
          ${pager.total === undefined ? localize("history.sessions") : countText(localize, pager.total)}
        </h2>
        <button
          class="plain"
          ?disabled=${this.saving || !pager.total}
          @click=${() => void this.save()}
        >
          <ha-icon icon="mdi:download" aria-hidden="true"></ha-icon>
          ${localize(this.saving ? "history.downloading" : "history.download")}
        </button>
      </div>
      <p class="hidden" role="status">${this.said}</p>
      ${
        this.failure === undefined
          ? nothing
          : html`<p class="error" role="alert">${sentenceOf(this.failure, localize)}</p>`
      }
      ${pager.total === 0 ? html`<p class="muted">${localize("history.none")}</p>` : nothing}
      <ul aria-label=${localize("history.list")} aria-busy=${pager.busy}>
        ${repeat(
          pager.items,
          (one) => one.id,
          (one) => this.row(one),
        )}
        <li class="end">${listEnd(pager, localize)}</li>
      </ul>
    `;
  }

  private row(one: Session): TemplateResult {
    const { hass, localize } = this;
    const open = this.open.has(one.id);
    return html`
      <li>
        <details .open=${open} @toggle=${(event: Event) => this.toggled(event, one.id)}>
          <summary>${sessionHead(hass, localize, one)}</summary>
          ${open ? sessionDetails(hass, localize, one) : nothing}
        </details>
      </li>
    `;
  }

  private toggled(event: Event, id: string): void {
    const open = new Set(this.open);
    if ((event.target as HTMLDetailsElement).open) open.add(id);
    else open.delete(id);
    this.open = open;
  }

  /** Let the person save the sessions of the filter, all of them, as a table. */
  private async save(): Promise<void> {
    const { filter, hass, localize, wallbox } = this;
    this.saving = true;
    this.failure = undefined;
    this.said = localize("history.downloading");
    try {
      const table = await exportSessions(hass, wallbox.id, filter);
      const { start = "", user = "" } = filter;
      const day = (start === "" ? new Date().toISOString() : start).slice(0, 10);
      saveTable(`${fileName(wallbox.name, user, day)}.csv`, table);
      this.said = localize("history.downloaded");
    } catch (error) {
      this.failure = error;
      this.said = "";
    }
    this.saving = false;
  }
}

define("loxone-wallbox-history-sessions", HistorySessions);
