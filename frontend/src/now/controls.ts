import {
  css,
  html,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { act, sentenceOf } from "../calls";
import type { Wallbox } from "../model/wallbox";
import { commonStyles } from "../styles";
import { define, WallboxElement } from "../tabs/tab";

export const CONTROLS = [
  "skip_random_delay",
  "dsr_opt_out",
  "resume_schedule",
  "charge_now",
  "pause_now",
] as const;
export type Control = (typeof CONTROLS)[number];

const ICONS: Record<Control, string> = {
  charge_now: "mdi:flash",
  pause_now: "mdi:pause",
  skip_random_delay: "mdi:skip-next",
  dsr_opt_out: "mdi:transmission-tower-off",
  resume_schedule: "mdi:calendar-check",
};

// Nobody can change anything then, or it would be refused.
const BLOCKED = new Set(["unreachable", "fault", "tamper", "locked", "load_shedding"]);
const HELD = new Set(["outside_default_hours", "paused", "override_pause", "dsr"]);
const OVERRIDDEN = new Set(["override_charge", "override_pause"]);
const SETTLES_MS = 5_000;

/** Return what can be done now, the most likely first. */
export function controlsOf(wallbox: Wallbox): Control[] {
  const status = wallbox.value("sensor.status");
  if (status === undefined || status === "unreachable" || status === "locked")
    return [];
  return CONTROLS.filter(
    (one) => applies(one, wallbox) && wallbox.usable(`button.${one}`),
  );
}

function applies(control: Control, wallbox: Wallbox): boolean {
  const reason = wallbox.value("sensor.reason") ?? "";
  const free =
    wallbox.isOn("binary_sensor.vehicle_connected") &&
    !BLOCKED.has(wallbox.value("sensor.status") ?? "");
  const delayed = wallbox.isOn("binary_sensor.random_delay_active");
  switch (control) {
    case "skip_random_delay":
      return free && delayed;
    case "dsr_opt_out":
      return (
        free && wallbox.isOn("binary_sensor.dsr_active") && !OVERRIDDEN.has(reason)
      );
    case "resume_schedule":
      return OVERRIDDEN.has(reason) || forbidden(wallbox);
    case "charge_now":
      // To skip a delay before a start is to charge now.
      return free && (HELD.has(reason) || (delayed && stops(wallbox)));
    case "pause_now":
      return free && reason !== "override_pause" && reason !== "paused";
  }
}

function forbidden(wallbox: Wallbox): boolean {
  return wallbox.value("switch.charging_allowed") === "off";
}

function stops(wallbox: Wallbox): boolean {
  return wallbox.entity("sensor.random_delay_ends")?.attributes.new_limit === 0;
}

/** The buttons: big, one tap each, and only those that do something now. */
export class Controls extends WallboxElement {
  static override properties: PropertyDeclarations = {
    ...WallboxElement.properties,
    busy: { state: true },
    error: { state: true },
  };

  static override styles = [
    commonStyles,
    css`
      :host {
        display: contents;
      }
      .controls {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
        gap: 8px;
      }
      .controls[hidden] {
        display: none;
      }
      button {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 8px;
        min-height: 56px;
        padding: 8px 12px;
        border: 1px solid var(--lw-line);
        border-radius: 12px;
        background: none;
        font-weight: 500;
        line-height: 1.2;
      }
      button:first-child {
        border-color: transparent;
        /* The theme's own colour is too bright for white letters. */
        background: color-mix(in srgb, var(--lw-accent) 70%, #000);
        color: #fff;
      }
      button[aria-disabled="true"] {
        opacity: 0.6;
        cursor: progress;
      }
      .none {
        margin: 0;
        color: var(--lw-muted);
      }
    `,
  ];

  private declare busy: Control | undefined;
  private declare error: string | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.settle);
    this.busy = undefined;
  }

  protected override render(): TemplateResult {
    const { wallbox, localize } = this;
    const controls = controlsOf(wallbox);
    const none = CONTROLS.every(
      (one) => wallbox.entityId(`button.${one}`) === undefined,
    );
    return html`
      <div
        class="controls"
        role="group"
        aria-label=${localize("now.controls")}
        ?hidden=${controls.length === 0}
      >
        ${controls.map(
          (one) => html`
            <button
              type="button"
              data-control=${one}
              aria-disabled=${this.busy !== undefined}
              aria-busy=${this.busy === one}
              @click=${() => this.press(one)}
            >
              <ha-icon .icon=${ICONS[one]}></ha-icon>
              ${localize(`now.control.${one}`)}
            </button>
          `,
        )}
      </div>
      ${none ? html`<p class="none">${localize("now.no_controls")}</p>` : nothing}
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
    `;
  }

  /** Do what a button says; a second tap before the answer does nothing. */
  private async press(control: Control): Promise<void> {
    if (this.busy !== undefined) return;
    clearTimeout(this.settle);
    this.busy = control;
    this.error = undefined;
    try {
      await this.carryOut(control);
      // Until the state follows, which takes the button away, it stays as pressed.
      this.settle = setTimeout(() => {
        this.busy = undefined;
      }, SETTLES_MS);
    } catch (error) {
      this.error = sentenceOf(error, this.localize);
      this.busy = undefined;
    }
  }

  private async carryOut(control: Control): Promise<void> {
    const { hass, wallbox } = this;
    const resume = control === "resume_schedule";
    const reason = wallbox.value("sensor.reason") ?? "";
    const button = wallbox.entityId(`button.${control}`);
    if (button !== undefined && (!resume || OVERRIDDEN.has(reason))) {
      await act(hass, "button", "press", button);
    }
    const permission = wallbox.entityId("switch.charging_allowed");
    if (resume && permission !== undefined && forbidden(wallbox)) {
      await act(hass, "switch", "turn_on", permission);
    }
  }

  protected override willUpdate(): void {
    if (this.busy !== undefined && !controlsOf(this.wallbox).includes(this.busy)) {
      clearTimeout(this.settle);
      this.busy = undefined;
    }
  }
}

define("loxone-wallbox-controls", Controls);
