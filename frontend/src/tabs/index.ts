import { html, type TemplateResult } from "lit";
import type { View } from "../config";
import type { HomeAssistant } from "../ha";
import type { Localize, TextKey } from "../i18n";
import type { Wallbox } from "../model/wallbox";
import "./history";
import "./now";
import "./security";

/** What every view of the card is given. */
export interface TabContext {
  hass: HomeAssistant;
  wallbox: Wallbox;
  localize: Localize;
}

/** A view of the card. */
export interface Tab {
  key: View;
  label: TextKey;
  icon: string;
  /** Whether it is for administrators only. */
  admin: boolean;
  render: (context: TabContext) => TemplateResult;
}

export const TABS: readonly Tab[] = [
  {
    key: "now",
    label: "now.tab",
    icon: "mdi:ev-station",
    admin: false,
    render: ({ hass, wallbox, localize }) => html`
      <loxone-wallbox-now
        .hass=${hass}
        .wallbox=${wallbox}
        .localize=${localize}
      ></loxone-wallbox-now>
    `,
  },
  {
    key: "history",
    label: "history.tab",
    icon: "mdi:history",
    admin: false,
    render: ({ hass, wallbox, localize }) => html`
      <loxone-wallbox-history
        .hass=${hass}
        .wallbox=${wallbox}
        .localize=${localize}
      ></loxone-wallbox-history>
    `,
  },
  {
    key: "security",
    label: "security.tab",
    icon: "mdi:shield-outline",
    admin: true,
    render: ({ hass, wallbox, localize }) => html`
      <loxone-wallbox-security
        .hass=${hass}
        .wallbox=${wallbox}
        .localize=${localize}
      ></loxone-wallbox-security>
    `,
  },
];
