import { css, html, nothing, type TemplateResult } from "lit";
import { wordsOf } from "../calls";
import { PlanFeed } from "../model/plan";
import "../now/controls";
import "../now/countdown";
import { sessionFacts } from "../now/facts";
import "../now/limit";
import "../now/power";
import { moodOf, type Story, tell } from "../now/story";
import "../now/timeline";
import { commonStyles } from "../styles";
import { define, WallboxElement } from "./tab";

/** What the wallbox does at this moment, why, until when, and what can be done. */
export class NowTab extends WallboxElement {
  static override styles = [
    commonStyles,
    css`
      :host {
        display: grid;
        gap: 16px;
        padding: 16px;
        container-type: inline-size;
      }
      .story {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 8px 24px;
        align-items: start;
        padding-left: 12px;
        border-left: 4px solid var(--mood, var(--lw-line));
      }
      .bad {
        --mood: var(--lw-bad);
      }
      .active {
        --mood: var(--lw-good);
      }
      .waiting {
        --mood: var(--lw-warn);
      }
      h2 {
        margin: 0;
        font-size: 1.4rem;
        font-weight: 500;
        line-height: 1.25;
      }
      .because {
        margin: 4px 0 0;
        color: var(--lw-muted);
        line-height: 1.4;
      }
      loxone-wallbox-countdown {
        text-align: right;
      }
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(180px, 1fr));
        gap: 16px 24px;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 16px;
        align-content: start;
        margin: 0;
      }
      .caption {
        margin-bottom: 4px;
        color: var(--lw-muted);
      }
      dd {
        margin: 0;
        text-align: right;
        font-variant-numeric: tabular-nums;
      }
      @container (max-width: 360px) {
        .story {
          grid-template-columns: 1fr;
        }
        loxone-wallbox-countdown {
          text-align: left;
        }
      }
    `,
  ];

  private readonly feed = new PlanFeed(this, () => this.wallbox);

  protected override render(): TemplateResult {
    const { hass, wallbox, localize } = this;
    const now = new Date();
    const story = tell(hass, wallbox, this.feed.plan, localize, now);
    const given = { hass, wallbox, localize };
    return html`
      ${this.story(story)}
      <loxone-wallbox-controls
        .hass=${given.hass} .wallbox=${given.wallbox} .localize=${given.localize}
      ></loxone-wallbox-controls>
      <div class="pair">
        <loxone-wallbox-power
          .hass=${given.hass} .wallbox=${given.wallbox} .localize=${given.localize}
        ></loxone-wallbox-power>
        ${this.session()}
      </div>
      <loxone-wallbox-limit
        .hass=${given.hass} .wallbox=${given.wallbox} .localize=${given.localize}
      ></loxone-wallbox-limit>
      ${this.timeline(now)}
    `;
  }

  /** Only a change of state is read out, not each second of the countdown. */
  private story({ headline, because, until }: Story): TemplateResult {
    const mood = moodOf(this.wallbox.value("sensor.status"));
    return html`
      <div class="story ${mood}">
        <div role="status" aria-live="polite" aria-atomic="true">
          <h2>${headline}</h2>
          ${because ? html`<p class="because">${because}</p>` : nothing}
        </div>
        ${
          until === undefined
            ? nothing
            : html`
                <loxone-wallbox-countdown
                  .label=${until.label} .at=${until.at} .localize=${this.localize}
                ></loxone-wallbox-countdown>
              `
        }
      </div>
    `;
  }

  private session(): TemplateResult | typeof nothing {
    const { hass, wallbox, localize } = this;
    const facts = sessionFacts(hass, wallbox, localize);
    if (facts.length === 0) return nothing;
    const running = wallbox.isOn("binary_sensor.vehicle_connected");
    return html`
      <div>
        <div class="caption">${localize(running ? "now.session" : "now.last_session")}</div>
        <dl>
        ${facts.map((one) => html`<dt>${one.label}</dt><dd>${one.value}</dd>`)}
        </dl>
      </div>
    `;
  }

  private timeline(now: Date): TemplateResult | typeof nothing {
    const { plan, error } = this.feed;
    if (error !== undefined) {
      const message = wordsOf(error, this.localize);
      return html`
        <p class="error">${this.localize("now.plan_failed", { message })}</p>
      `;
    }
    if (plan === undefined) return nothing;
    return html`
      <loxone-wallbox-timeline
        .hass=${this.hass} .wallbox=${this.wallbox} .localize=${this.localize}
        .plan=${plan} .now=${now}
      ></loxone-wallbox-timeline>
    `;
  }
}

define("loxone-wallbox-now", NowTab);
