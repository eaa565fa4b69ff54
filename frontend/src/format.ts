// Numbers, times and durations as the person has chosen them in Home Assistant.

import type { HomeAssistant } from "./ha";
import type { Localize } from "./i18n";

type Shown = Pick<HomeAssistant, "locale" | "config">;

const NUMBER_LOCALES: Record<string, string> = {
  comma_decimal: "en-US",
  none: "en-US",
  decimal_comma: "de",
  quote_decimal: "de-CH",
  space_comma: "fr",
};

function numberLocale({ locale }: Shown): string | undefined {
  if (locale.number_format === "system") return undefined;
  return NUMBER_LOCALES[locale.number_format] ?? locale.language;
}

/** Return a number with so many digits after the point. */
export function formatNumber(hass: Shown, value: number, digits: number): string {
  return new Intl.NumberFormat(numberLocale(hass), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: hass.locale.number_format !== "none",
  }).format(value);
}

/** Return a power in kW with its unit. */
export function formatKw(hass: Shown, kilowatts: number): string {
  return `${formatNumber(hass, kilowatts, kilowatts < 10 ? 2 : 1)} kW`;
}

/** Return an amount of money; without a known currency the bare number. */
export function formatMoney(
  hass: Shown,
  amount: number,
  currency: string | undefined,
  digits?: number,
): string {
  if (!currency) return formatNumber(hass, amount, digits ?? 2);
  const exactly =
    digits === undefined
      ? {}
      : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    return new Intl.NumberFormat(numberLocale(hass), {
      style: "currency",
      currency,
      ...exactly,
    }).format(amount);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Not a currency that the browser has heard of.
    return `${formatNumber(hass, amount, digits ?? 2)} ${currency}`;
  }
}

/** The time zone of what is shown: the home's or the browser's, as chosen. */
export function zoneOf({ locale, config }: Shown): string | undefined {
  return locale.time_zone === "server" ? config.time_zone : undefined;
}

function inZone(
  hass: Shown,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormatOptions {
  const zone = zoneOf(hass);
  return zone === undefined ? options : { ...options, timeZone: zone };
}

function timeOptions(hass: Shown): Intl.DateTimeFormatOptions {
  return usesHalves(hass)
    ? { hour: "numeric", hourCycle: "h12" }
    : { hour: "2-digit", hourCycle: "h23" };
}

/** Whether a day is two halves, am and pm. */
function usesHalves(hass: Shown): boolean {
  const chosen = hass.locale.time_format;
  if (chosen === "12" || chosen === "24") return chosen === "12";
  const shown = new Intl.DateTimeFormat(timeLocale(hass), { hour: "numeric" });
  return shown.resolvedOptions().hour12 ?? false;
}

function timeLocale({ locale }: Shown): string | undefined {
  return locale.time_format === "system" ? undefined : locale.language;
}

/** Return a time of day: 22:00, or 10:00 pm. */
export function formatTime(hass: Shown, at: Date): string {
  const options = { ...timeOptions(hass), minute: "2-digit" as const };
  return new Intl.DateTimeFormat(timeLocale(hass), inZone(hass, options)).format(at);
}

/** Return the hour of day, 0 to 23, where the person looks. */
export function hourOf(hass: Shown, at: Date): number {
  const options = inZone(hass, { hour: "2-digit", hourCycle: "h23" });
  return Number(new Intl.DateTimeFormat("en-GB", options).format(at));
}

/** Return a day in a few signs: 13 Jan 2027. */
export function formatDate(hass: Shown, at: Date): string {
  const options = inZone(hass, { day: "numeric", month: "short", year: "numeric" });
  return new Intl.DateTimeFormat(hass.locale.language, options).format(at);
}

/** Return a time of day, with the weekday where it is not that of `now`. */
export function formatMoment(hass: Shown, at: Date, now: Date): string {
  const time = formatTime(hass, at);
  if (formatDate(hass, at) === formatDate(hass, now)) return time;
  const options = inZone(hass, { weekday: "short" });
  return `${new Intl.DateTimeFormat(hass.locale.language, options).format(at)} ${time}`;
}

/** Return a length of time: 45 s, 12 min, 2 h 05 min. */
export function formatDuration(localize: Localize, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return localize("time.seconds", { seconds: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return localize("time.minutes", { minutes });
  return localize("time.hours", {
    hours: Math.floor(minutes / 60),
    minutes: String(minutes % 60).padStart(2, "0"),
  });
}

/** Return what is left until an instant: 4:32, 1:04:32; from a day on in words. */
export function formatCountdown(localize: Localize, seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole >= 86_400) {
    return localize("time.days", {
      days: Math.floor(whole / 86_400),
      hours: Math.floor((whole % 86_400) / 3600),
    });
  }
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
