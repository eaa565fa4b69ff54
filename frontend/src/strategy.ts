import type { HomeAssistant } from "./ha";
import { type Localize, languageOf, localizer } from "./i18n";
import { type EntityKey, Wallbox, wallboxIds } from "./model/wallbox";
import { define } from "./tabs/tab";

export const STRATEGY_TYPE = "loxone-wallbox";

const CARD = "custom:loxone-wallbox-card";

/** What is written of the strategy in a dashboard. */
export interface StrategyConfig {
  type: string;
  /** The devices to show, in this order; all wallboxes where none is named. */
  devices?: string[];
}

type Card = { type: string } & Record<string, unknown>;

interface Section {
  type: "grid";
  column_span?: number;
  cards: Card[];
}

interface View {
  title: string;
  path: string;
  type: "sections";
  max_columns: number;
  sections: Section[];
}

/** Makes a dashboard of all wallboxes: a view for each, an overview of several. */
export class LoxoneWallboxStrategy extends HTMLElement {
  // Made anew where a wallbox comes or goes, and not with each state.
  static readonly registryDependencies = ["entities", "devices"];
  static readonly noEditor = true;

  static getCreateSuggestions(hass: HomeAssistant): { title: string; icon: string } {
    const localize = localizer(languageOf(hass));
    return { title: localize("strategy.name"), icon: "mdi:ev-station" };
  }

  static async generate(
    config: StrategyConfig,
    hass: HomeAssistant,
  ): Promise<{ title: string; views: View[] }> {
    const localize = localizer(languageOf(hass));
    const boxes = chosen(config, hass);
    const views = boxes.map((box) => boxView(box, localize));
    if (boxes.length === 0) views.push(emptyView(localize));
    if (boxes.length > 1) views.unshift(overview(boxes, localize));
    return { title: localize("strategy.name"), views };
  }
}

/** The wallboxes to show; one that was removed leaves the others in place. */
function chosen(config: StrategyConfig, hass: HomeAssistant): Wallbox[] {
  const ids = config.devices ?? wallboxIds(hass);
  return ids
    .map((id) => Wallbox.of(hass, id))
    .filter((box): box is Wallbox => box !== undefined);
}

// Without icons: in the bar of views they would stand in place of the names.
function view(title: string, path: string, sections: Section[]): View {
  return { title, path, type: "sections", max_columns: 3, sections };
}

function emptyView(localize: Localize): View {
  const card = { type: "markdown", content: localize("strategy.none") };
  return view(localize("strategy.name"), "none", [{ type: "grid", cards: [card] }]);
}

function overview(boxes: Wallbox[], localize: Localize): View {
  const energies = boxes.flatMap((box) => box.entityId("sensor.energy_total") ?? []);
  const powers = boxes.flatMap((box) => box.entityId("sensor.charging_power") ?? []);
  return view(
    localize("strategy.overview"),
    "overview",
    sections(
      ...boxes.map((box) => [
        { type: CARD, device_id: box.id, tabs: ["now"], ...WIDE },
        ...tiles(box, "sensor.month_energy", "sensor.rolling_year_energy"),
      ]),
      titled(localize("strategy.energy"), [
        ...dayGraph(energies, localize),
        ...powerGraph(powers, localize),
      ]),
    ),
  );
}

function boxView(box: Wallbox, localize: Localize): View {
  return view(
    box.name,
    `wallbox-${box.id}`,
    sections(
      [{ type: CARD, device_id: box.id, ...WIDE }],
      titled(localize("strategy.controls"), controls(box)),
      titled(localize("strategy.energy"), energy(box, localize)),
      titled(localize("strategy.plan"), plan(box)),
      titled(localize("strategy.logbook"), [
        {
          type: "logbook",
          target: { device_id: [box.id] },
          hours_to_show: 48,
          ...WIDE,
        },
      ]),
    ),
  );
}

const WIDE = { grid_options: { columns: "full" } };

/** Sections of those that have anything to show. */
function sections(...all: Card[][]): Section[] {
  return all
    .filter((cards) => cards.length > 0)
    .map((cards) => ({ type: "grid", cards }));
}

function titled(heading: string, cards: Card[]): Card[] {
  return cards.length === 0 ? [] : [{ type: "heading", heading }, ...cards];
}

function controls(box: Wallbox): Card[] {
  const slider = { features: [{ type: "numeric-input", style: "slider" }], ...WIDE };
  const options = { features: [{ type: "select-options" }], ...WIDE };
  return [
    ...tiles(box, "switch.charging_allowed", "switch.default_hours"),
    ...tiles(box, "number.target_power").map((card) => ({ ...card, ...slider })),
    ...tiles(box, "select.charge_mode").map((card) => ({ ...card, ...options })),
  ];
}

function energy(box: Wallbox, localize: Localize): Card[] {
  const total = box.entityId("sensor.energy_total");
  const power = box.entityId("sensor.charging_power");
  return [
    ...tiles(
      box,
      "sensor.session_energy",
      "sensor.session_cost",
      "sensor.month_energy",
      "sensor.rolling_year_energy",
    ),
    ...dayGraph(total === undefined ? [] : [total], localize),
    ...powerGraph(power === undefined ? [] : [power], localize),
  ];
}

function plan(box: Wallbox): Card[] {
  const ids = [box.entityId("calendar.plan"), box.entityId("calendar.sessions")];
  const entities = ids.filter((id) => id !== undefined);
  if (entities.length === 0) return [];
  return [{ type: "calendar", entities, initial_view: "listWeek", ...WIDE }];
}

function dayGraph(entities: string[], localize: Localize): Card[] {
  if (entities.length === 0) return [];
  return [
    {
      type: "statistics-graph",
      title: localize("strategy.by_day"),
      entities,
      chart_type: "bar",
      period: "day",
      days_to_show: 30,
      stat_types: ["change"],
      ...WIDE,
    },
  ];
}

function powerGraph(entities: string[], localize: Localize): Card[] {
  if (entities.length === 0) return [];
  return [
    {
      type: "history-graph",
      title: localize("strategy.power"),
      entities,
      hours_to_show: 24,
      ...WIDE,
    },
  ];
}

/** A tile for each entity that is enabled, by its name without the wallbox's. */
function tiles(box: Wallbox, ...keys: EntityKey[]): Card[] {
  return keys.flatMap((key) => {
    const entity = box.entityId(key);
    return entity === undefined
      ? []
      : [{ type: "tile", entity, name: { type: "entity" } }];
  });
}

define(`ll-strategy-dashboard-${STRATEGY_TYPE}`, LoxoneWallboxStrategy);
