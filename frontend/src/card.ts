import {
  html,
  LitElement,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { type CardConfig, checked, VIEWS } from "./config";
import { type ConfigForm, configForm } from "./editor";
import { errorCard } from "./error-card";
import type { HomeAssistant } from "./ha";
import { type Localize, languageOf, localizer } from "./i18n";
import { isWallbox, Wallbox, wallboxIds } from "./model/wallbox";
import { cardStyles } from "./styles";
import { TABS, type Tab } from "./tabs";
import { define } from "./tabs/tab";

export const CARD_TYPE = "loxone-wallbox-card";

/** The card of one wallbox: its title, its views, and sentences where there is none. */
export class LoxoneWallboxCard extends LitElement {
  static override properties = {
    hass: { attribute: false },
    config: { state: true },
    chosen: { state: true },
    failure: { state: true },
  };

  static override styles = cardStyles;

  declare hass?: HomeAssistant;
  private declare config?: CardConfig;
  private declare chosen: string | undefined;
  private declare failure: HTMLElement | undefined;
  private wallbox: Wallbox | undefined;
  private localize: Localize = localizer("en");

  static getStubConfig(hass: HomeAssistant): Partial<CardConfig> {
    const [device] = wallboxIds(hass);
    return { device_id: device ?? "" };
  }

  /** Return what the visual editor of the card is built of. */
  static getConfigForm(): ConfigForm {
    return configForm();
  }

  /** Take the configuration; throws a sentence where it cannot be used. */
  setConfig(config: unknown): void {
    this.config = checked(config);
    this.chosen = undefined;
    this.failure = undefined;
    this.wallbox = undefined;
  }

  getCardSize(): number {
    return 8;
  }

  getGridOptions(): Record<string, number | string> {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  protected override shouldUpdate(changed: PropertyValues): boolean {
    if (this.hass === undefined || this.config === undefined) return false;
    this.localize = localizer(languageOf(this.hass));
    const earlier = this.wallbox;
    this.wallbox = Wallbox.of(this.hass, this.config.device_id);
    if (changed.size > 1 || !changed.has("hass")) return true;
    return (
      this.wallbox === undefined ||
      earlier === undefined ||
      this.wallbox.differs(earlier)
    );
  }

  protected override willUpdate(): void {
    const { hass, config } = this;
    if (hass === undefined || config === undefined) return;
    const strange =
      hass.devices[config.device_id] !== undefined &&
      !isWallbox(hass, config.device_id);
    if (!strange) this.failure = undefined;
    else if (this.failure === undefined) void this.showFailure();
  }

  private async showFailure(): Promise<void> {
    const { localize } = this;
    this.failure = await errorCard(
      localize("card.not_ours_title"),
      localize("card.not_ours"),
    );
  }

  protected override render(): TemplateResult {
    const { hass, wallbox, localize } = this;
    if (this.failure !== undefined) return html`${this.failure}`;
    if (hass === undefined || wallbox === undefined) {
      return this.sentence(localize("card.removed"));
    }
    if (!wallbox.hasEntities) return this.sentence(localize("card.no_entities"));
    const tabs = this.tabs();
    const shown = tabs.find((tab) => tab.key === this.chosen) ?? tabs[0];
    const title = this.config?.title ?? wallbox.name;
    return html`
      <ha-card>
        ${title === "" ? nothing : html`<h1 class="title">${title}</h1>`}
        ${tabs.length > 1 ? this.tabBar(tabs, shown) : nothing}
        ${
          hass.connected
            ? nothing
            : html`<p class="sentence" role="status">${localize("card.disconnected")}</p>`
        }
        <div id="view" role=${tabs.length > 1 ? "tabpanel" : nothing}>
          ${
            shown?.render({ hass, wallbox, localize }) ??
            html`<p class="sentence" role="status">${localize("card.only_admin")}</p>`
          }
        </div>
      </ha-card>
    `;
  }

  /** The views that are asked for and that the person may see. */
  private tabs(): Tab[] {
    const { tabs = [] } = this.config ?? {};
    const asked = tabs.length === 0 ? VIEWS : tabs;
    const admin = this.hass?.user?.is_admin ?? false;
    return TABS.filter((tab) => asked.includes(tab.key) && (admin || !tab.admin));
  }

  private tabBar(tabs: Tab[], shown: Tab | undefined): TemplateResult {
    return html`
      <div class="tabs" role="tablist" aria-label=${this.localize("card.tabs")}>
        ${tabs.map(
          (tab) => html`
            <button
              role="tab"
              aria-selected=${tab === shown}
              aria-controls="view"
              tabindex=${tab === shown ? 0 : -1}
              @click=${() => this.choose(tab)}
              @keydown=${(event: KeyboardEvent) => this.walk(event, tabs, tab)}
            >
              <ha-icon .icon=${tab.icon}></ha-icon>
              <span>${this.localize(tab.label)}</span>
            </button>
          `,
        )}
      </div>
    `;
  }

  private choose(tab: Tab): void {
    this.chosen = tab.key;
  }

  /** Go from view to view with the arrow keys. */
  private walk(event: KeyboardEvent, tabs: Tab[], from: Tab): void {
    const at = tabs.indexOf(from);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[
      event.key
    ];
    const tab = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (tab === undefined) return;
    event.preventDefault();
    this.choose(tab);
    const buttons = this.renderRoot.querySelectorAll<HTMLElement>("[role=tab]");
    buttons[tabs.indexOf(tab)]?.focus();
  }

  private sentence(text: string): TemplateResult {
    return html`<ha-card><p class="sentence" role="status">${text}</p></ha-card>`;
  }
}

define(CARD_TYPE, LoxoneWallboxCard);
