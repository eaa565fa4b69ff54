import { LitElement, type PropertyDeclarations } from "lit";
import type { HomeAssistant } from "../ha";
import type { Localize } from "../i18n";
import type { Wallbox } from "../model/wallbox";

/** A part of the card that is given a wallbox; a view of it, or a piece of a view. */
export class WallboxElement extends LitElement {
  static override properties: PropertyDeclarations = {
    hass: { attribute: false },
    wallbox: { attribute: false },
    localize: { attribute: false },
  };

  declare hass: HomeAssistant;
  declare wallbox: Wallbox;
  declare localize: Localize;
}

/** Define an element once, also where two dashboards load the card. */
export function define(tag: string, element: CustomElementConstructor): void {
  if (!customElements.get(tag)) customElements.define(tag, element);
}
