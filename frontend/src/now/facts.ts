import { formatDuration } from "../format";
import type { HomeAssistant } from "../ha";
import type { Localize } from "../i18n";
import type { Wallbox } from "../model/wallbox";
import { shown } from "./story";

export interface Fact {
  label: string;
  value: string;
}

const SECONDS: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400 };

/** Return what is known of the running or last session: energy, cost, time. */
export function sessionFacts(
  hass: HomeAssistant,
  wallbox: Wallbox,
  localize: Localize,
): Fact[] {
  const facts: Fact[] = [];
  for (const [key, label] of [
    ["sensor.session_energy", "now.fact.energy"],
    ["sensor.session_cost", "now.fact.cost"],
  ] as const) {
    if (wallbox.value(key) !== undefined) {
      facts.push({ label: localize(label), value: shown(hass, wallbox, key) });
    }
  }
  const seconds = secondsOf(wallbox);
  if (seconds !== undefined) {
    const value = formatDuration(localize, seconds);
    facts.push({ label: localize("now.fact.charging"), value });
  }
  return facts;
}

/** The charging time in seconds, in whatever unit its owner has it shown. */
function secondsOf(wallbox: Wallbox): number | undefined {
  const key = "sensor.session_charging_time";
  const unit = String(wallbox.entity(key)?.attributes.unit_of_measurement ?? "s");
  const value = wallbox.number(key);
  const factor = SECONDS[unit];
  return value === undefined || factor === undefined ? undefined : value * factor;
}
