import { CARD_TYPE } from "./card";
import type { HomeAssistant } from "./ha";
import { languageOf, localizer } from "./i18n";
import { DOMAIN, isWallbox } from "./model/wallbox";
import { STRATEGY_TYPE } from "./strategy";

interface CustomCard {
  type: string;
  name: string;
  description: string;
  preview: boolean;
  documentationURL: string;
  getEntitySuggestion(
    hass: HomeAssistant,
    entityId: string,
  ): { config: Record<string, unknown> } | null;
}

interface CustomStrategy {
  type: string;
  strategyType: "dashboard";
  name: string;
  description: string;
  documentationURL: string;
}

declare global {
  interface Window {
    customCards?: CustomCard[];
    customStrategies?: CustomStrategy[];
  }
}

const DOCUMENTATION =
  "https://github.com/loxone-wallbox/loxone-wallbox/blob/main/docs/card.md";

const localize = localizer(
  languageOf({ language: navigator.language } as HomeAssistant),
);

/**
 * List something once, also where a page loads the module twice.
 *
 * The list stays the same array: Home Assistant keeps the one it found or made.
 */
function offer<T extends { type: string }>(list: T[], one: T): void {
  if (!list.some(({ type }) => type === one.type)) list.push(one);
}

/** List the card and the strategy where Home Assistant looks for them. */
export function announce(): void {
  window.customCards ??= [];
  offer(window.customCards, {
    type: CARD_TYPE,
    name: localize("card.name"),
    description: localize("card.description"),
    preview: true,
    documentationURL: DOCUMENTATION,
    getEntitySuggestion: (hass, entityId) => {
      const entry = hass.entities[entityId];
      const device = entry?.platform === DOMAIN ? entry.device_id : undefined;
      if (!device || !isWallbox(hass, device)) return null;
      return { config: { type: `custom:${CARD_TYPE}`, device_id: device } };
    },
  });

  window.customStrategies ??= [];
  offer(window.customStrategies, {
    type: STRATEGY_TYPE,
    strategyType: "dashboard",
    name: localize("strategy.name"),
    description: localize("strategy.description"),
    documentationURL: DOCUMENTATION,
  });
}
