import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { sentenceOf } from "../calls";
import { formatDuration } from "../format";
import {
  type Figures,
  listSessions,
  type SessionFilter,
  type Summary,
  type SummarySpan,
  summarize,
} from "../model/history";
import { commonStyles, listStyles } from "../styles";
import "./history-months";
import "./history-sessions";
import { energyText, moneyText, monthText } from "./history-words";
import { define, WallboxElement } from "./tab";

const ROLLING = "rolling_year";

/** What was charged: by month, in sum and session by session, of one user or of all. */
export class HistoryTab extends WallboxElement {
  static override properties = {
    ...WallboxElement.properties,
    span: { state: true },
    user: { state: true },
    month: { state: true },
    summary: { state: true },
    people: { state: true },
    firstYear: { state: true },
    failure: { state: true },
  };

  static override styles = [
    commonStyles,
    listStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 16px;
        padding: 16px;
      }
      .sum {
        grid-template-columns: repeat(auto-fit, minmax(100px, 1fr));
        margin: 0;
      }
      .sum dd {
        font-size: 1.125rem;
        font-variant-numeric: tabular-nums;
      }
      .notes {
        padding: 0;
        font-size: 0.875rem;
      }
    `,
  ];

  private declare span: SummarySpan;
  private declare user: string | undefined;
  private declare month: string | undefined;
  private declare summary: Summary | undefined;
  private declare people: readonly string[];
  private declare firstYear: number | undefined;
  private declare failure: unknown;
  private of = "";
  // Where the last twelve months began when they were chosen: that moves on.
  private since: string | undefined;
  private stamp = "";
  private round = 0;

  constructor() {
    super();
    this.span = ROLLING;
    this.people = [];
  }

  protected override willUpdate(_changed: PropertyValues): void {
    if (!this.hass.connected) return;
    const { wallbox } = this;
    if (wallbox.id !== this.of) {
      this.of = wallbox.id;
      this.span = ROLLING;
      this.user = this.month = this.summary = this.firstYear = undefined;
      this.since = undefined;
      this.people = [];
      void this.findFirstYear();
    }
    // What may be another sum now: another wallbox, span or user, or a new session.
    const stamp = JSON.stringify([wallbox.id, this.span, this.user, this.news()]);
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    void this.load();
  }

  /** What changes when a session begins, goes on or ends. */
  private news(): string {
    const { wallbox } = this;
    const told = [
      wallbox.value("event.session"),
      wallbox.value("sensor.session_energy"),
      wallbox.value("sensor.last_session_energy"),
    ];
    return told.join(" ");
  }

  private async load(): Promise<void> {
    this.round += 1;
    const { round, hass, wallbox, span, user } = this;
    try {
      const summary = await summarize(hass, wallbox.id, span, user);
      if (round !== this.round) return;
      this.summary = summary;
      this.since ??= summary.start_utc;
      this.failure = undefined;
      if (user === undefined) this.people = named(summary);
    } catch (error) {
      if (round !== this.round) return;
      this.failure = error;
    }
  }

  /** Look up with which year the history begins; without an answer it is this one. */
  private async findFirstYear(): Promise<void> {
    const { hass, of } = this;
    try {
      const { total } = await listSessions(hass, of, {}, 0, 1);
      if (total === 0) return;
      const { items } = await listSessions(hass, of, {}, total - 1, 1);
      const [oldest] = items;
      if (oldest === undefined || of !== this.of) return;
      this.firstYear = new Date(oldest.connected_utc).getFullYear();
    } catch {
      // The list below asks the same and says what is wrong.
    }
  }

  protected override render(): TemplateResult {
    const { localize, summary, failure } = this;
    if (failure !== undefined) return html`${this.choices()} ${this.failed(failure)}`;
    return html`
      ${this.choices()}
      ${
        summary === undefined
          ? html`<p class="muted">${localize("list.loading")}</p>`
          : html`${this.sums(summary)} ${this.sessions(summary)}`
      }
    `;
  }

  private sessions(summary: Summary): TemplateResult {
    return html`
      <loxone-wallbox-history-sessions
        .hass=${this.hass}
        .wallbox=${this.wallbox}
        .localize=${this.localize}
        .filter=${this.filter(summary)}
        .stamp=${this.news()}
      ></loxone-wallbox-history-sessions>
    `;
  }

  private failed(error: unknown): TemplateResult {
    const { localize } = this;
    return html`
      <p class="error" role="alert">${sentenceOf(error, localize)}</p>
      <button class="plain" @click=${() => void this.load()}>
        ${localize("list.again")}
      </button>
    `;
  }

  private choices(): TemplateResult {
    const { localize } = this;
    const years = yearsSince(this.firstYear);
    return html`
      <div class="choices">
        <label>
          ${localize("history.period")}
          <select @change=${this.spanChosen}>
            <option value=${ROLLING} .selected=${this.span === ROLLING}>
              ${localize("history.rolling_year")}
            </option>
            ${years.map(
              (year) =>
                html`<option value=${year} .selected=${this.span === year}>${year}</option>`,
            )}
          </select>
        </label>
        ${this.people.length === 0 && this.user === undefined ? nothing : this.userChoice()}
      </div>
    `;
  }

  private userChoice(): TemplateResult {
    const { localize, people, user } = this;
    const names =
      user === undefined || people.includes(user) ? people : [...people, user];
    return html`
      <label>
        ${localize("history.user")}
        <select @change=${this.userChosen}>
          <option value="" .selected=${user === undefined}>
            ${localize("history.everybody")}
          </option>
          ${names.map(
            (name) =>
              html`<option value=${name} .selected=${name === user}>${name}</option>`,
          )}
        </select>
      </label>
    `;
  }

  private sums(summary: Summary): TemplateResult {
    const { hass, localize } = this;
    const month = summary.months.find((one) => one.month === this.month);
    return html`
      ${this.figures(month ?? summary.total)}
      <loxone-wallbox-history-months
        .hass=${hass}
        .localize=${localize}
        .months=${summary.months}
        .chosen=${month?.month}
        @month-chosen=${this.monthChosen}
      ></loxone-wallbox-history-months>
      ${
        month === undefined
          ? nothing
          : html`
            <div class="head">
              <span role="status">
                ${localize("history.chosen_month", { month: monthText(hass, month.month, "long") })}
              </span>
              <button class="plain" @click=${() => this.letMonthGo()}>
                ${localize("history.all")}
              </button>
            </div>
          `
      }
    `;
  }

  private figures(of: Figures): TemplateResult {
    const { hass, localize } = this;
    const { provisional_kwh: provisional, unknown_kwh: unknown } = of;
    return html`
      <dl class="sum" aria-label=${localize("history.figures")}>
        <div>
          <dt>${localize("history.energy")}</dt>
          <dd>${energyText(hass, of.energy_kwh)}</dd>
        </div>
        <div>
          <dt>${localize("history.cost")}</dt>
          <dd>${moneyText(hass, of.costs) ?? "–"}</dd>
        </div>
        <div>
          <dt>${localize("history.sessions")}</dt>
          <dd>${of.sessions}</dd>
        </div>
        <div>
          <dt>${localize("history.charging_time")}</dt>
          <dd>${formatDuration(localize, of.charging_s)}</dd>
        </div>
      </dl>
      ${this.note("history.provisional", provisional)}
      ${of.costs.length === 0 ? nothing : this.note("history.no_price", unknown)}
    `;
  }

  private note(
    key: "history.provisional" | "history.no_price",
    kwh: number,
  ): TemplateResult | typeof nothing {
    if (kwh <= 0) return nothing;
    const energy = energyText(this.hass, kwh);
    return html`<p class="muted notes">${this.localize(key, { energy })}</p>`;
  }

  /** The sessions to list, those that were summed up. */
  private filter(summary: Summary): SessionFilter {
    const of = this.user === undefined ? {} : { user: this.user };
    const rolling = this.span === ROLLING;
    const month = summary.months.find((one) => one.month === this.month);
    if (month !== undefined) {
      // What begins now is in the last month, too.
      const last = rolling && month === summary.months.at(-1);
      return { start: month.start_utc, ...(last ? {} : { end: month.end_utc }), ...of };
    }
    if (rolling) return { ...(this.since ? { start: this.since } : {}), ...of };
    return { start: summary.start_utc, end: summary.end_utc, ...of };
  }

  private readonly spanChosen = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.span = value === ROLLING ? ROLLING : Number(value);
    this.month = undefined;
    this.summary = this.since = undefined;
  };

  private readonly userChosen = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.user = value === "" ? undefined : value;
  };

  private readonly monthChosen = ({
    detail,
  }: CustomEvent<string | undefined>): void => {
    this.month = detail;
  };

  private letMonthGo(): void {
    this.month = undefined;
  }
}

/** Everybody who charged and has a name. */
function named(summary: Summary): string[] {
  return (summary.users ?? []).flatMap(({ user }) => user ?? []);
}

/** The years from this one back to the first. */
function yearsSince(first: number | undefined): number[] {
  const last = new Date().getFullYear();
  const count = Math.max(0, last - (first ?? last)) + 1;
  return Array.from({ length: count }, (_, back) => last - back);
}

define("loxone-wallbox-history", HistoryTab);
