// What the wallbox is doing in words, why, and until when.

import { formatMoment } from "../format";
import type { HomeAssistant } from "../ha";
import type { Localize, TextKey } from "../i18n";
import { en } from "../i18n/sections/now";
import type { Plan } from "../model/plan";
import type { Wallbox } from "../model/wallbox";

export interface Story {
  headline: string;
  because: string | undefined;
  until: { label: string; at: Date } | undefined;
}

/** Whether something is wrong, under way, waiting or at rest; gives the colour. */
export type Mood = "bad" | "active" | "waiting" | "idle";

const MOODS: Record<string, Mood> = {
  unreachable: "bad",
  fault: "bad",
  tamper: "bad",
  locked: "bad",
  charging: "active",
  random_delay: "waiting",
  dsr: "waiting",
  load_shedding: "waiting",
  phase_switching: "waiting",
  paused: "waiting",
  waiting_for_default_hours: "waiting",
};

/** Return the mood of a status; one that nobody knows is at rest. */
export function moodOf(status: string | undefined): Mood {
  return status === undefined ? "bad" : (MOODS[status] ?? "idle");
}

/** Tell what the wallbox does now. */
export function tell(
  hass: HomeAssistant,
  wallbox: Wallbox,
  plan: Plan | undefined,
  localize: Localize,
  now: Date,
): Story {
  const status = wallbox.value("sensor.status") ?? "unknown";
  const headline = known(`now.status.${status}`) ?? "now.status.unknown";
  return {
    headline: localize(headline),
    because: because(hass, wallbox, localize, now),
    until: until(wallbox, plan, localize, now),
  };
}

/** Whether a text of this name is there: a newer integration may know more. */
function known(key: string): TextKey | undefined {
  return key in en ? (key as TextKey) : undefined;
}

function because(
  hass: HomeAssistant,
  wallbox: Wallbox,
  localize: Localize,
  now: Date,
): string | undefined {
  const reason = wallbox.value("sensor.reason");
  if (reason === "fault") {
    const fault = faultOf(hass, wallbox);
    return fault === undefined
      ? localize("now.reason.fault")
      : localize("now.reason.fault_named", { fault });
  }
  if (reason === "override_charge" || reason === "override_pause") {
    const end = wallbox.instant("sensor.override_ends");
    return end === undefined
      ? localize(`now.reason.${reason}`)
      : localize(`now.reason.${reason}_until`, { time: formatMoment(hass, end, now) });
  }
  const limit = wallbox.number("sensor.power_limit");
  if (reason === "dsr" && limit !== undefined && limit > 0) {
    return localize("now.reason.dsr_limit", {
      limit: shown(hass, wallbox, "sensor.power_limit"),
    });
  }
  if (reason === "no_vehicle" && wallbox.value("switch.charging_allowed") === "off") {
    return localize("now.reason.paused");
  }
  const key = known(`now.reason.${reason}`);
  return key && localize(key);
}

/** The name of a fault, as Home Assistant translates it. */
function faultOf(hass: HomeAssistant, wallbox: Wallbox): string | undefined {
  const problem = wallbox.entity("binary_sensor.problem");
  if (!problem?.attributes.fault) return undefined;
  return hass.formatEntityAttributeValue?.(problem, "fault");
}

/** Return a state as Home Assistant shows it, with its unit. */
export function shown(
  hass: HomeAssistant,
  wallbox: Wallbox,
  key: Parameters<Wallbox["entity"]>[0],
): string {
  const state = wallbox.entity(key);
  if (state === undefined) return "";
  if (hass.formatEntityState !== undefined) return hass.formatEntityState(state);
  const unit = state.attributes.unit_of_measurement;
  return unit ? `${state.state} ${unit}` : state.state;
}

function until(
  wallbox: Wallbox,
  plan: Plan | undefined,
  localize: Localize,
  now: Date,
): Story["until"] {
  const delay = wallbox.instant("sensor.random_delay_ends");
  if (delay !== undefined) return { label: localize(delayLabel(wallbox)), at: delay };
  const override = wallbox.instant("sensor.override_ends");
  if (override !== undefined && override > now) {
    return { label: localize("now.until.override"), at: override };
  }
  const change = wallbox.instant("sensor.next_change");
  if (change === undefined || change < now) return undefined;
  return { label: localize(changeLabel(plan, change)), at: change };
}

function delayLabel(wallbox: Wallbox): TextKey {
  const facts = wallbox.entity("sensor.random_delay_ends")?.attributes ?? {};
  const [before, after] = [Number(facts.old_limit), Number(facts.new_limit)];
  if (after === 0) return "now.until.delay_stop";
  if (before === 0) return "now.until.delay_start";
  return after > before ? "now.until.delay_more" : "now.until.delay_less";
}

/** Name a change by what the plan has at that instant. */
function changeLabel(plan: Plan | undefined, at: Date): TextKey {
  const is = (text: string | undefined) =>
    text !== undefined && Math.abs(Date.parse(text) - at.getTime()) < 1000;
  if (plan?.events.some((one) => is(one.start))) return "now.until.event_begins";
  if (plan?.events.some((one) => is(one.end))) return "now.until.event_ends";
  if (plan?.default_hours.some((one) => is(one.start))) return "now.until.hours_begin";
  if (plan?.default_hours.some((one) => is(one.end))) return "now.until.hours_end";
  return "now.until.change";
}
