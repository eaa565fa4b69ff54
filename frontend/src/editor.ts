import { VIEWS } from "./config";
import type { HomeAssistant } from "./ha";
import { languageOf, localizer, type TextKey } from "./i18n";
import { DOMAIN } from "./model/wallbox";

interface Field {
  name: string;
  required?: boolean;
  selector: Record<string, unknown>;
}

/** What Home Assistant builds the card's visual editor of. */
export interface ConfigForm {
  schema: Field[];
  computeLabel: (field: Field) => string | undefined;
  computeHelper: (field: Field) => string | undefined;
}

/** Return the visual editor of the card in the language of the page. */
export function configForm(): ConfigForm {
  // An editor is asked for without `hass`; the page says whose language it has.
  const { lang } = document.documentElement;
  const localize = localizer(languageOf({ language: lang } as HomeAssistant));
  const text = (key: string): string => localize(key as TextKey);
  const tabs = VIEWS.map((view) => ({ value: view, label: text(`${view}.tab`) }));
  return {
    schema: [
      {
        name: "device_id",
        required: true,
        // Only a wallbox has switches, so that its Miniserver is not offered.
        selector: {
          device: { entity: [{ integration: DOMAIN, domain: "switch" }] },
        },
      },
      { name: "title", selector: { text: {} } },
      {
        name: "tabs",
        selector: { select: { multiple: true, mode: "list", options: tabs } },
      },
    ],
    computeLabel: ({ name }) => LABELS[name] && text(LABELS[name]),
    computeHelper: ({ name }) => HELPS[name] && text(HELPS[name]),
  };
}

const LABELS: Record<string, TextKey> = {
  device_id: "editor.device_id",
  title: "editor.title",
  tabs: "editor.tabs",
};

const HELPS: Record<string, TextKey> = {
  title: "editor.title_help",
  tabs: "editor.tabs_help",
};
