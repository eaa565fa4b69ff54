import {
  css,
  html,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { act, sentenceOf } from "../calls";
import { formatNumber } from "../format";
import { commonStyles } from "../styles";
import { define, WallboxElement } from "../tabs/tab";
import { shown } from "./story";

const NUMBER = "number.target_power";
const IN_FORCE = "sensor.power_limit";
// Somebody who goes from step to step is waited for.
const SEND_AFTER_MS = 600;
const SETTLES_MS = 5_000;

export interface Range {
  min: number;
  max: number;
  /** What one step of the slider is: as fine as somebody wants to choose. */
  step: number;
  unit: string;
}

/** Return the range of the wallbox's own variant, as its entity tells it. */
export function rangeOf(attributes: Record<string, unknown>): Range | undefined {
  const { min, max, step } = attributes;
  if (typeof min !== "number" || typeof max !== "number" || max <= min)
    return undefined;
  const unit = String(attributes.unit_of_measurement ?? "kW");
  const coarse = unit === "W" ? 100 : 0.1;
  return { min, max, step: Math.max(Number(step) || 0, coarse), unit };
}

/** Return the nearest step, or the end of the range where that is nearer. */
export function snapped({ min, max, step }: Range, value: number): number {
  if (value - min < step / 2) return min;
  if (max - value < step / 2) return max;
  const near = Math.round(value / step) * step;
  // Without the dust of binary fractions.
  return Math.min(max, Math.max(min, Number(near.toFixed(3))));
}

/** The owner's power limit, within what the wallbox can do. */
export class Limit extends WallboxElement {
  static override properties: PropertyDeclarations = {
    ...WallboxElement.properties,
    wish: { state: true },
    error: { state: true },
  };

  static override styles = [
    commonStyles,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 4px 16px;
      }
      .value {
        font-variant-numeric: tabular-nums;
      }
      .force {
        color: var(--lw-muted);
      }
      input {
        width: 100%;
        height: 44px;
        margin: 0;
        appearance: none;
        background: none;
        cursor: pointer;
      }
      input::-webkit-slider-runnable-track {
        height: 6px;
        border-radius: 3px;
        background: linear-gradient(
          to right,
          var(--lw-accent) var(--share),
          var(--lw-line) var(--share)
        );
      }
      input::-moz-range-track {
        height: 6px;
        border-radius: 3px;
        background: var(--lw-line);
      }
      input::-moz-range-progress {
        height: 6px;
        border-radius: 3px;
        background: var(--lw-accent);
      }
      input::-webkit-slider-thumb {
        width: 24px;
        height: 24px;
        margin-top: -9px;
        border-radius: 50%;
        appearance: none;
        background: var(--lw-accent);
      }
      input::-moz-range-thumb {
        width: 24px;
        height: 24px;
        border: none;
        border-radius: 50%;
        background: var(--lw-accent);
      }
      /* Around the whole it would lie over the figures beneath. */
      input:focus-visible {
        outline: none;
      }
      input:focus-visible::-webkit-slider-thumb {
        outline: 2px solid var(--lw-accent);
        outline-offset: 2px;
      }
      input:focus-visible::-moz-range-thumb {
        outline: 2px solid var(--lw-accent);
        outline-offset: 2px;
      }
      input:disabled {
        opacity: 0.5;
        cursor: not-allowed;
      }
      .ends {
        display: flex;
        justify-content: space-between;
        margin-top: -8px;
        color: var(--lw-muted);
        font-size: 0.85rem;
      }
    `,
  ];

  private declare wish: number | undefined;
  private declare error: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private unsent: number | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    if (this.unsent !== undefined) void this.send(this.unsent);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { hass, wallbox, localize } = this;
    const entity = wallbox.entity(NUMBER);
    const range = entity && rangeOf(entity.attributes);
    if (range === undefined) return nothing;
    const value = this.wish ?? wallbox.number(NUMBER) ?? range.max;
    const text = this.text(value, range);
    const share = (100 * (value - range.min)) / (range.max - range.min);
    return html`
      <div class="head">
        <label for="limit">${localize("now.limit")}</label>
        <span class="value">${text}</span>
      </div>
      <input
        id="limit"
        type="range"
        min=${range.min}
        max=${range.max}
        step="any"
        style="--share: ${share}%"
        .value=${String(value)}
        ?disabled=${!wallbox.usable(NUMBER)}
        aria-valuetext=${text}
        @input=${(event: Event) => this.move(event, range)}
        @change=${() => this.sendSoon()}
        @keydown=${(event: KeyboardEvent) => this.walk(event, value, range)}
      />
      <div class="ends" aria-hidden="true">
        <span>${this.text(range.min, range)}</span>
        ${this.force(hass)}
        <span>${this.text(range.max, range)}</span>
      </div>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
    `;
  }

  /** The limit in force, where another than the owner's holds. */
  private force(hass: typeof this.hass): TemplateResult | typeof nothing {
    const [wish, force] = [this.wallbox.number(NUMBER), this.wallbox.number(IN_FORCE)];
    if (force === undefined || wish === undefined || Math.abs(force - wish) < 0.005) {
      return nothing;
    }
    const limit = shown(hass, this.wallbox, IN_FORCE);
    return html`<span class="force">${this.localize("now.limit_in_force", { limit })}</span>`;
  }

  private text(value: number, { unit }: Range): string {
    const digits =
      unit === "W" ? 0 : Math.abs(value * 10 - Math.round(value * 10)) < 1e-6 ? 1 : 2;
    return `${formatNumber(this.hass, value, digits)} ${unit}`;
  }

  private move(event: Event, range: Range): void {
    const input = event.target as HTMLInputElement;
    this.choose(snapped(range, Number(input.value)));
  }

  /** A browser's own step would be a hundredth of the range or none. */
  private walk(event: KeyboardEvent, value: number, range: Range): void {
    const far = (range.max - range.min) / 5;
    const by = {
      ArrowRight: range.step,
      ArrowUp: range.step,
      ArrowLeft: -range.step,
      ArrowDown: -range.step,
      PageUp: far,
      PageDown: -far,
      Home: range.min - value,
      End: range.max - value,
    }[event.key];
    if (by === undefined || !this.wallbox.usable(NUMBER)) return;
    event.preventDefault();
    this.choose(snapped(range, value + by));
    this.sendSoon();
  }

  private choose(value: number): void {
    clearTimeout(this.timer);
    this.wish = value;
    this.error = undefined;
  }

  private sendSoon(): void {
    if (this.wish === undefined) return;
    clearTimeout(this.timer);
    this.unsent = this.wish;
    this.timer = setTimeout(() => void this.send(this.unsent), SEND_AFTER_MS);
  }

  private async send(value: number | undefined): Promise<void> {
    const entityId = this.wallbox.entityId(NUMBER);
    this.unsent = undefined;
    if (value === undefined || entityId === undefined) return;
    try {
      await act(this.hass, "number", "set_value", entityId, { value });
      // Then the state says what holds, whatever that is.
      this.timer = setTimeout(() => {
        this.wish = undefined;
      }, SETTLES_MS);
    } catch (error) {
      this.wish = undefined;
      this.error = sentenceOf(error, this.localize);
    }
  }

  protected override willUpdate(): void {
    const told = this.wallbox.number(NUMBER);
    const arrived =
      told !== undefined &&
      this.wish !== undefined &&
      Math.abs(told - this.wish) < 0.005;
    if (arrived && this.unsent === undefined) this.wish = undefined;
  }
}

define("loxone-wallbox-limit", Limit);
