import { css, html, nothing, svg, type TemplateResult } from "lit";
import { formatKw } from "../format";
import { PowerFeed, type PowerPoint, WINDOW_S } from "../model/power";
import { commonStyles } from "../styles";
import { define, WallboxElement } from "../tabs/tab";

const WIDTH = 300;
const HEIGHT = 48;
// Noise of an idle meter is not drawn as if it were power.
const LEAST_W = 100;

/** Return the line of the last minutes, broken where nothing was measured. */
export function trendPath(points: readonly PowerPoint[], most: number): string {
  const last = points.at(-1)?.[0] ?? 0;
  let pen = "M";
  let path = "";
  for (const [at, power] of points) {
    if (power === null) {
      pen = "M";
      continue;
    }
    const x = WIDTH * (1 - (last - at) / WINDOW_S);
    const y = HEIGHT - (HEIGHT - 2) * (Math.max(0, power) / most) - 1;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** The charging power, each second while somebody looks. */
export class Power extends WallboxElement {
  static override styles = [
    commonStyles,
    css`
      .power {
        font-size: 2rem;
        font-variant-numeric: tabular-nums;
        line-height: 1.2;
      }
      .label,
      .source {
        color: var(--lw-muted);
      }
      .source {
        font-size: 0.85rem;
      }
      svg {
        display: block;
        width: 100%;
        height: 48px;
      }
      path {
        fill: none;
        stroke: var(--lw-accent);
        stroke-width: 2;
        stroke-linejoin: round;
        vector-effect: non-scaling-stroke;
      }
    `,
  ];

  private readonly feed = new PowerFeed(this, () => this.wallbox);

  protected override render(): TemplateResult {
    const { hass, localize, feed } = this;
    const watts = feed.watts ?? this.told();
    if (watts === undefined) {
      return html`<p class="source">${localize("now.power_unknown")}</p>`;
    }
    const told = feed.coarse ? "now.power_coarse" : "now.power_measured";
    return html`
      <div class="label">${localize("now.power")}</div>
      <div class="power">${formatKw(hass, watts / 1000)}</div>
      ${feed.live ? html`<div class="source">${localize(told)}</div>` : nothing}
      ${this.trend()}
    `;
  }

  /** What the entity says, while nobody tells each second. */
  private told(): number | undefined {
    if (this.feed.live) return undefined;
    const unit = this.wallbox.entity("sensor.charging_power")?.attributes
      .unit_of_measurement;
    const value = this.wallbox.number("sensor.charging_power");
    return value === undefined ? undefined : value * (unit === "kW" ? 1000 : 1);
  }

  private trend(): TemplateResult | typeof nothing {
    const { hass, localize, feed } = this;
    const most = Math.max(0, ...feed.points.map(([, power]) => power ?? 0));
    if (most < LEAST_W) return nothing;
    const label = localize("now.power_trend", { most: formatKw(hass, most / 1000) });
    return html`
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-label=${label}
      >
        ${svg`<path d=${trendPath(feed.points, most)}></path>`}
      </svg>
    `;
  }
}

define("loxone-wallbox-power", Power);
