import { css, html, nothing, svg, type TemplateResult } from "lit";
import { formatTime, hourOf } from "../format";
import type { Plan } from "../model/plan";
import { commonStyles } from "../styles";
import { define, WallboxElement } from "../tabs/tab";
import { type Lane, lanesOf, type Prices, placeOf, pricesOf, ticksOf } from "./lanes";

const PRICES_HEIGHT = 44;
const LANE_HEIGHT = 14;
const GAP = 4;
const AXIS_HEIGHT = 20;
const TICK_HOURS = 6;

// The peak is told from the rest without its colour, too.
const HATCH = svg`
  <pattern id="peak" width="5" height="5" patternUnits="userSpaceOnUse"
    patternTransform="rotate(45)">
    <path d="M1.5 0V5"></path>
  </pattern>
`;

/** The next 24 hours as a picture, and the same in words beneath it. */
export class Timeline extends WallboxElement {
  static override properties = {
    ...WallboxElement.properties,
    plan: { attribute: false },
    now: { attribute: false },
  };

  static override styles = [
    commonStyles,
    css`
      figure {
        margin: 0;
      }
      figcaption {
        margin-bottom: 8px;
        color: var(--lw-muted);
      }
      svg {
        display: block;
        width: 100%;
        overflow: visible;
      }
      text {
        fill: var(--lw-muted);
        font-size: 12px;
      }
      .grid {
        stroke: var(--lw-line);
      }
      .now {
        stroke: var(--primary-text-color);
        stroke-width: 2;
      }
      .hours {
        fill: var(--green-color, #4caf50);
        background: var(--green-color, #4caf50);
      }
      .peak {
        --peak: var(--red-color, #f44336);
        fill: url(#peak);
        background: repeating-linear-gradient(
          135deg,
          var(--peak) 0 3px,
          transparent 3px 5px
        );
      }
      #peak path {
        stroke: var(--red-color, #f44336);
        stroke-width: 3;
      }
      .events {
        fill: var(--orange-color, #ff9800);
        background: var(--orange-color, #ff9800);
      }
      .override {
        fill: var(--blue-color, #2196f3);
        background: var(--blue-color, #2196f3);
      }
      .delay {
        fill: var(--purple-color, #926bc7);
        background: var(--purple-color, #926bc7);
      }
      .prices {
        fill: var(--cyan-color, #00bcd4);
        background: var(--cyan-color, #00bcd4);
      }
      .provisional {
        opacity: 0.45;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(220px, 1fr));
        gap: 4px 16px;
        margin: 8px 0 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: baseline;
        gap: 8px;
        line-height: 1.4;
      }
      i {
        flex: none;
        width: 12px;
        height: 12px;
        border-radius: 3px;
      }
      .times {
        color: var(--lw-muted);
      }
    `,
  ];

  declare plan: Plan;
  declare now: Date;

  protected override render(): TemplateResult {
    const { hass, plan, localize } = this;
    const lanes = lanesOf(hass, plan, localize, this.now);
    const prices = pricesOf(hass, plan);
    const empty = lanes.length === 0 && prices === undefined;
    return html`
      <figure>
        <figcaption>${localize("now.plan")}</figcaption>
        ${empty ? html`<p>${localize("now.plan_empty")}</p>` : this.picture(lanes, prices)}
        <ul>
          ${lanes.map((lane) => this.words(lane.key, lane.label, lane.times))}
          ${prices === undefined ? nothing : this.priceWords(prices)}
        </ul>
      </figure>
    `;
  }

  private words(key: string, label: string, times: string): TemplateResult {
    return html`
      <li><i class=${key}></i><span>${label} <span class="times">${times}</span></span></li>
    `;
  }

  private priceWords({ range, provisional }: Prices): TemplateResult {
    const note = provisional ? ` (${this.localize("now.lane.provisional")})` : "";
    return this.words("prices", this.localize("now.lane.prices"), range + note);
  }

  private picture(lanes: Lane[], prices: Prices | undefined): TemplateResult {
    const top = prices === undefined ? 0 : PRICES_HEIGHT + GAP;
    const bottom = top + lanes.length * (LANE_HEIGHT + GAP);
    const at = `${placeOf(this.plan, this.now.getTime()) * 100}%`;
    return html`
      <svg height=${bottom + AXIS_HEIGHT} aria-hidden="true">
        ${HATCH}
        ${this.axis(bottom)}
        ${prices === undefined ? nothing : priceBars(prices)}
        ${lanes.map((lane, number) => bars(lane, top + number * (LANE_HEIGHT + GAP)))}
        ${svg`<line class="now" x1=${at} x2=${at} y1="0" y2=${bottom}></line>`}
      </svg>
    `;
  }

  private axis(bottom: number) {
    const { hass, plan } = this;
    return ticksOf(plan, (at) => hourOf(hass, at), TICK_HOURS).map((tick) => {
      const place = placeOf(plan, tick.getTime());
      const x = `${place * 100}%`;
      // What would stick out at the sides turns inwards.
      const anchor = place < 0.05 ? "start" : place > 0.95 ? "end" : "middle";
      return svg`
        <line class="grid" x1=${x} x2=${x} y1="0" y2=${bottom}></line>
        <text x=${x} y=${bottom + 14} text-anchor=${anchor}>${formatTime(hass, tick)}</text>
      `;
    });
  }
}

function bars(lane: Lane, y: number) {
  return lane.bars.map(
    ({ from, to }) => svg`
      <rect
        class=${lane.key} x="${from * 100}%" y=${y} rx="3"
        width="${Math.max(0.4, (to - from) * 100)}%" height=${LANE_HEIGHT}
      ></rect>
    `,
  );
}

function priceBars({ bars: all }: Prices) {
  const below = Math.max(0, ...all.map((one) => (one.negative ? one.height : 0)));
  const zero = PRICES_HEIGHT * (1 - below);
  return all.map((one) => {
    const height = Math.max(1, one.height * PRICES_HEIGHT);
    return svg`
      <rect
        class="prices ${one.provisional ? "provisional" : ""}"
        x="${one.from * 100}%" y=${one.negative ? zero : zero - height}
        width="${(one.to - one.from) * 100}%" height=${height}
      ></rect>
    `;
  });
}

define("loxone-wallbox-timeline", Timeline);
