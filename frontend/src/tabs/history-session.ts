import { html, nothing, type TemplateResult } from "lit";
import { formatDuration, formatKw, formatMoney, formatTime } from "../format";
import type { HomeAssistant } from "../ha";
import type { Localize, TextKey } from "../i18n";
import { en } from "../i18n/en";
import type { Session, SessionSlice } from "../model/history";
import { costText, dayAndTime, energyText, spanText } from "./history-words";

/** Return what is seen of a session in the list. */
export function sessionHead(
  hass: HomeAssistant,
  localize: Localize,
  one: Session,
): TemplateResult {
  const cost = costText(hass, localize, one);
  return html`
    <span class="when">${spanText(hass, localize, one)}</span>
    <span class="energy">${energyText(hass, one.energy_kwh)}</span>
    ${one.user === null ? nothing : html`<span class="who">${one.user}</span>`}
    ${cost === undefined ? nothing : html`<span class="cost">${cost}</span>`}
  `;
}

/** Return all that is known of a session. */
export function sessionDetails(
  hass: HomeAssistant,
  localize: Localize,
  one: Session,
): TemplateResult {
  const row = (key: TextKey, value: string | undefined) =>
    value === undefined
      ? nothing
      : html`<div><dt>${localize(key)}</dt><dd>${value}</dd></div>`;
  const { source = "" } = one.quality;
  return html`
    <dl>
      ${row("history.charged", chargedText(hass, one))}
      ${row("history.charged_for", durationText(localize, one.charging_s))}
      ${row("history.plugged_in_for", durationText(localize, one.connected_s))}
      ${row(
        "history.max_power",
        one.max_power_w === null ? undefined : formatKw(hass, one.max_power_w / 1000),
      )}
      ${row("history.vehicle", one.vehicle ?? undefined)}
      ${row("history.stopped", wordOf(localize, "history.stop.", one.stop_reason))}
      ${row("history.measured", wordOf(localize, "history.source.", source))}
    </dl>
    ${one.slices.length === 0 ? nothing : slices(hass, localize, one.slices)}
  `;
}

function chargedText(hass: HomeAssistant, one: Session): string | undefined {
  const { first_import_utc: first, last_import_utc: last } = one;
  if (first === null || last === null) return undefined;
  return `${dayAndTime(hass, first)} – ${formatTime(hass, new Date(last))}`;
}

function durationText(localize: Localize, seconds: number | null): string | undefined {
  return seconds === null ? undefined : formatDuration(localize, seconds);
}

/** Return one of our words in the person's language; undefined for none. */
function wordOf(
  localize: Localize,
  section: "history.stop." | "history.source.",
  word: string | null,
): string | undefined {
  if (!word) return undefined;
  const key = `${section}${word}`;
  // A word of a later version is shown as it is.
  return key in en ? localize(key as TextKey) : word;
}

function slices(
  hass: HomeAssistant,
  localize: Localize,
  parts: readonly SessionSlice[],
): TemplateResult {
  return html`
    <table>
      <caption>${localize("history.slices")}</caption>
      <thead>
        <tr>
          <th scope="col">${localize("history.from")}</th>
          <th scope="col">${localize("history.energy")}</th>
          <th scope="col">${localize("history.price")}</th>
          <th scope="col">${localize("history.cost")}</th>
        </tr>
      </thead>
      <tbody>
        ${parts.map((part) => sliceRow(hass, localize, part))}
      </tbody>
    </table>
  `;
}

function sliceRow(
  hass: HomeAssistant,
  localize: Localize,
  part: SessionSlice,
): TemplateResult {
  const marks = [
    ...(part.in_peak ? [localize("history.peak")] : []),
    ...(part.grid_event === null ? [] : [localize("history.grid_event")]),
  ];
  const { price_per_kwh: price, currency } = part;
  return html`
    <tr>
      <td>
        ${formatTime(hass, new Date(part.start_utc))}
        ${marks.map((mark) => html`<span class="mark">${mark}</span>`)}
      </td>
      <td>${energyText(hass, part.energy_kwh)}</td>
      <td>
        ${price === null ? "–" : formatMoney(hass, price, currency ?? undefined, 4)}
      </td>
      <td>${costText(hass, localize, part) ?? "–"}</td>
    </tr>
  `;
}
