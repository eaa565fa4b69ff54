import { css, html, type TemplateResult } from "lit";
import { formatNumber } from "../format";
import type { MonthFigures } from "../model/history";
import { commonStyles } from "../styles";
import { countText, energyText, moneyText, monthText } from "./history-words";
import { define, WallboxElement } from "./tab";

const BAR_PX = 96;

/** A bar a month; one that is pressed is the month that the person looks at. */
export class HistoryMonths extends WallboxElement {
  static override properties = {
    ...WallboxElement.properties,
    months: { attribute: false },
    chosen: { attribute: false },
  };

  static override styles = [
    commonStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      .most {
        border-bottom: 1px dashed var(--lw-line);
        color: var(--lw-muted);
        font-size: 0.75rem;
        text-align: end;
      }
      .bars {
        display: flex;
        align-items: stretch;
        height: ${BAR_PX + 26}px;
      }
      .bars button {
        position: relative;
        display: flex;
        flex: 1 1 0;
        flex-direction: column;
        justify-content: flex-end;
        min-width: 0;
        padding: 0 2px;
        border: none;
        border-bottom: 2px solid var(--lw-line);
        background: none;
      }
      .bar {
        flex: none;
        min-height: 1px;
        border-radius: 3px 3px 0 0;
        background: var(--lw-accent);
        opacity: 0.75;
      }
      .some .bar {
        opacity: 0.35;
      }
      button:hover .bar,
      button[aria-pressed="true"] .bar {
        opacity: 1;
      }
      .bars button[aria-pressed="true"] {
        border-bottom-color: var(--lw-accent);
      }
      .name {
        flex: none;
        overflow: hidden;
        height: 24px;
        line-height: 24px;
        color: var(--lw-muted);
        font-size: 0.75rem;
        text-align: center;
      }
      .hidden {
        position: absolute;
        overflow: hidden;
        width: 1px;
        height: 1px;
        clip-path: inset(50%);
        white-space: nowrap;
      }
      .letter {
        display: none;
      }
      @container (max-width: 460px) {
        .short {
          display: none;
        }
        .letter {
          display: inline;
        }
      }
    `,
  ];

  declare months: readonly MonthFigures[];
  declare chosen: string | undefined;

  protected override render(): TemplateResult {
    const most = Math.max(...this.months.map((one) => one.energy_kwh), 0);
    const label = this.localize("history.months");
    return html`
      <div class="most" aria-hidden="true">
        ${most < 10 ? energyText(this.hass, most) : `${formatNumber(this.hass, most, 0)} kWh`}
      </div>
      <div
        class="bars ${this.chosen === undefined ? "" : "some"}"
        role="group"
        aria-label=${label}
      >
        ${this.months.map((one) => this.bar(one, most))}
      </div>
    `;
  }

  private bar(one: MonthFigures, most: number): TemplateResult {
    const height = most > 0 ? (BAR_PX * Math.max(one.energy_kwh, 0)) / most : 0;
    const words = this.words(one);
    return html`
      <button
        aria-pressed=${one.month === this.chosen}
        title=${words}
        @click=${() => this.choose(one.month)}
      >
        <span class="bar" style="height: ${height.toFixed(1)}px"></span>
        <span class="hidden">${words}</span>
        <span class="name" aria-hidden="true">
          <span class="short">${monthText(this.hass, one.month, "short")}</span>
          <span class="letter">${monthText(this.hass, one.month, "narrow")}</span>
        </span>
      </button>
    `;
  }

  private words(one: MonthFigures): string {
    const cost = moneyText(this.hass, one.costs);
    return this.localize(cost === undefined ? "history.month_free" : "history.month", {
      month: monthText(this.hass, one.month, "long"),
      energy: energyText(this.hass, one.energy_kwh),
      cost: cost ?? "",
      sessions: countText(this.localize, one.sessions),
    });
  }

  /** Choose a month; the one that is chosen already is let go. */
  private choose(month: string): void {
    const detail = month === this.chosen ? undefined : month;
    this.dispatchEvent(new CustomEvent("month-chosen", { detail }));
  }
}

define("loxone-wallbox-history-months", HistoryMonths);
