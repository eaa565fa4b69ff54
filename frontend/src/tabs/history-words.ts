import { formatDate, formatMoney, formatNumber, formatTime } from "../format";
import type { HomeAssistant } from "../ha";
import type { Localize } from "../i18n";
import type { Cost, Session } from "../model/history";

/** Return an energy in kWh, as exactly as the sensors show it. */
export function energyText(hass: HomeAssistant, kwh: number): string {
  return `${formatNumber(hass, kwh, 2)} kWh`;
}

/** Return costs, one for each currency; undefined where there is none. */
export function moneyText(
  hass: HomeAssistant,
  costs: readonly Cost[],
): string | undefined {
  if (costs.length === 0) return undefined;
  return costs.map((one) => formatMoney(hass, one.cost, one.currency)).join(" + ");
}

export function countText(localize: Localize, count: number): string {
  return count === 1
    ? localize("history.count_one")
    : localize("history.count", { count });
}

/** Return the name of a month such as 2027-01; a long one has its year. */
export function monthText(
  hass: HomeAssistant,
  month: string,
  width: "long" | "short" | "narrow",
): string {
  const year = width === "long" ? ({ year: "numeric" } as const) : {};
  // The month is the home's already; its first day is never moved to another zone.
  const options = { month: width, ...year, timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(hass.locale.language, options).format(
    new Date(`${month}-01T00:00:00Z`),
  );
}

/** Return a day and a time of day. */
export function dayAndTime(hass: HomeAssistant, instant: string): string {
  const at = new Date(instant);
  return `${formatDate(hass, at)}, ${formatTime(hass, at)}`;
}

/** Return from when to when a car was there; the second day only if it is another. */
export function spanText(
  hass: HomeAssistant,
  localize: Localize,
  { connected_utc, disconnected_utc }: Session,
): string {
  const start = dayAndTime(hass, connected_utc);
  if (disconnected_utc === null) return `${start} · ${localize("history.still_open")}`;
  const [from, to] = [new Date(connected_utc), new Date(disconnected_utc)];
  const sameDay = formatDate(hass, from) === formatDate(hass, to);
  const end = sameDay ? formatTime(hass, to) : dayAndTime(hass, disconnected_utc);
  return `${start} – ${end}`;
}

/** Return what a session cost; undefined where no price was known. */
export function costText(
  hass: HomeAssistant,
  localize: Localize,
  one: Pick<Session, "cost" | "currency" | "cost_status">,
): string | undefined {
  if (one.cost === null) return undefined;
  const text = formatMoney(hass, one.cost, one.currency ?? undefined);
  return one.cost_status === "final"
    ? text
    : `${text} (${localize("history.cost_open")})`;
}
