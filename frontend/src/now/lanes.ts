// From a plan to what is drawn of it, one lane for each kind of thing.

import { formatKw, formatMoment, formatMoney, formatTime } from "../format";
import type { HomeAssistant } from "../ha";
import type { Localize, TextKey } from "../i18n";
import type { Plan, PlannedPrice, PlannedSpan } from "../model/plan";

export type LaneKey = "delay" | "override" | "events" | "hours" | "peak";

export interface Bar {
  /** Where it begins and ends, from 0 to 1. */
  from: number;
  to: number;
}

export interface Lane {
  key: LaneKey;
  label: string;
  bars: Bar[];
  /** When, in words. */
  times: string;
}

export interface PriceBar extends Bar {
  /** From 0, nothing or the lowest, to 1, the highest. */
  height: number;
  negative: boolean;
  provisional: boolean;
}

export interface Prices {
  bars: PriceBar[];
  range: string;
  provisional: boolean;
}

/** Return the lanes of a plan; one in which there is nothing is not drawn. */
export function lanesOf(
  hass: HomeAssistant,
  plan: Plan,
  localize: Localize,
  now: Date,
): Lane[] {
  const lane = (
    key: LaneKey,
    label: TextKey,
    spans: (PlannedSpan & Extra)[],
  ): Lane => ({
    key,
    label: localize(label),
    bars: spans.map((span) => barOf(plan, span)).filter((bar) => bar.to > bar.from),
    times: spans.map((span) => timesOf(hass, plan, span, localize, now)).join(", "),
  });
  const { delay, override } = plan;
  const ahead = plan.events.filter((event) => Date.parse(event.end) > now.getTime());
  const events = ahead.map((event) => ({
    ...event,
    note: localize(`now.event.${event.kind}`, {
      limit: formatKw(hass, event.limit_kw ?? 0),
    }),
  }));
  const lanes = [
    lane("delay", "now.lane.delay", delay === null ? [] : [delay]),
    override === null
      ? undefined
      : lane("override", `now.lane.override_${override.mode}`, [
          { start: override.start, end: override.end ?? plan.end, open: !override.end },
        ]),
    lane("events", "now.lane.events", events),
    lane("hours", "now.lane.hours", plan.default_hours),
    lane("peak", "now.lane.peak", plan.peak),
  ];
  return lanes.filter((one) => one !== undefined).filter((one) => one.bars.length > 0);
}

interface Extra {
  note?: string;
  open?: boolean;
}

/** Where an instant is between the ends of the plan, from 0 to 1. */
export function placeOf(plan: PlannedSpan, at: number): number {
  const [start, end] = [Date.parse(plan.start), Date.parse(plan.end)];
  return Math.min(1, Math.max(0, (at - start) / (end - start)));
}

function barOf(plan: Plan, span: PlannedSpan): Bar {
  return {
    from: placeOf(plan, Date.parse(span.start)),
    to: placeOf(plan, Date.parse(span.end)),
  };
}

function timesOf(
  hass: HomeAssistant,
  plan: Plan,
  span: PlannedSpan & Extra,
  localize: Localize,
  now: Date,
): string {
  const note = span.note ? ` (${span.note})` : "";
  if (span.open) return `${localize("now.lane.until_unplugged")}${note}`;
  if (covers(span, plan)) return `${localize("now.lane.all")}${note}`;
  const [begin, until] = [new Date(span.start), new Date(span.end)];
  const start = begin > now ? formatMoment(hass, begin, now) : formatTime(hass, begin);
  const end = formatTime(hass, until);
  return `${localize("time.span", { start, end })}${note}`;
}

function covers(span: PlannedSpan, plan: PlannedSpan): boolean {
  return (
    Date.parse(span.start) <= Date.parse(plan.start) &&
    Date.parse(span.end) >= Date.parse(plan.end)
  );
}

/** Return the prices as bars, undefined where there are none. */
export function pricesOf(hass: HomeAssistant, plan: Plan): Prices | undefined {
  const prices = plan.prices;
  if (prices.length === 0) return undefined;
  const values = prices.map((one) => one.per_kwh);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const whole = high - low || 1;
  const bars = prices.map((one) => ({
    ...barOf(plan, one),
    height: Math.abs(one.per_kwh) / whole,
    negative: one.per_kwh < 0,
    provisional: one.provisional,
  }));
  return {
    bars,
    range: rangeOf(hass, prices),
    provisional: prices.some((one) => one.provisional),
  };
}

function rangeOf(hass: HomeAssistant, prices: PlannedPrice[]): string {
  const values = prices.map((one) => one.per_kwh);
  const currency = prices[0]?.currency;
  const digits = values.every(
    (one) => Math.abs(one * 100 - Math.round(one * 100)) < 1e-9,
  )
    ? 2
    : 4;
  const money = (value: number) => formatMoney(hass, value, currency, digits);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? money(low) : `${money(low)} – ${money(high)}`;
}

/** The full hours of a day's quarters, as they are at the person's place. */
export function ticksOf(
  plan: PlannedSpan,
  hourOf: (at: Date) => number,
  every: number,
): Date[] {
  const HOUR_MS = 3_600_000;
  const end = Date.parse(plan.end);
  const found: Date[] = [];
  for (let at = Date.parse(plan.start); at < end; at += HOUR_MS) {
    const hour = new Date(at);
    if (hourOf(hour) % every === 0) found.push(hour);
  }
  return found;
}
