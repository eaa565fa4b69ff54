import { css, html, LitElement, type TemplateResult } from "lit";
import { formatCountdown } from "../format";
import type { Localize } from "../i18n";
import { define } from "../tabs/tab";

const SECOND_MS = 1000;

/** What is left until an instant, second by second; nothing else is drawn for it. */
export class Countdown extends LitElement {
  static override properties = {
    label: { attribute: false },
    at: { attribute: false },
    localize: { attribute: false },
  };

  static override styles = css`
    :host {
      display: block;
    }
    .left {
      font-size: 1.75rem;
      font-variant-numeric: tabular-nums;
      line-height: 1.2;
    }
    .label {
      color: var(--secondary-text-color);
    }
  `;

  declare label: string;
  declare at: Date;
  declare localize: Localize;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => this.requestUpdate(), SECOND_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  protected override render(): TemplateResult {
    const seconds = (this.at.getTime() - Date.now()) / SECOND_MS;
    const left =
      seconds > 0
        ? formatCountdown(this.localize, seconds)
        : this.localize("now.until.moment");
    // A timer is not read out by itself; who asks for it hears it whole.
    return html`
      <div role="timer" aria-label="${this.label} ${left}">
        <div class="label">${this.label}</div>
        <div class="left">${left}</div>
      </div>
    `;
  }
}

define("loxone-wallbox-countdown", Countdown);
