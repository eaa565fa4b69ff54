import { ask, inWords } from "../calls";
import type { HomeAssistant } from "../ha";

/** A part of a session of one price. */
export interface SessionSlice {
  start_utc: string;
  end_utc: string;
  energy_kwh: number;
  in_peak: boolean;
  grid_event: string | null;
  price_per_kwh: number | null;
  currency: string | null;
  cost: number | null;
  cost_status: string;
}

/** A session as the integration tells it; times are ISO, energies kWh. */
export interface Session {
  id: string;
  kind: "open" | "occasion" | "visit";
  connected_utc: string;
  disconnected_utc: string | null;
  first_import_utc: string | null;
  last_import_utc: string | null;
  energy_kwh: number;
  /** Seconds; null where the Miniserver's own log does not tell. */
  charging_s: number | null;
  connected_s: number;
  max_power_w: number | null;
  cost: number | null;
  currency: string | null;
  cost_status: string;
  user: string | null;
  vehicle: string | null;
  stop_reason: string | null;
  origin: string;
  quality: { coarse?: boolean; source?: string };
  slices: SessionSlice[];
}

export interface Cost {
  currency: string;
  cost: number;
}

/** What sessions add up to. */
export interface Figures {
  sessions: number;
  energy_kwh: number;
  charging_s: number;
  costs: Cost[];
  provisional_kwh: number;
  unknown_kwh: number;
}

export interface MonthFigures extends Figures {
  /** Year and month: 2027-01. */
  month: string;
  start_utc: string;
  end_utc: string;
}

export interface Summary {
  start_utc: string;
  end_utc: string;
  total: Figures;
  months: MonthFigures[];
  users?: (Figures & { user: string | null })[];
}

/** Which sessions are asked for; everything where nothing is said. */
export interface SessionFilter {
  start?: string;
  end?: string;
  user?: string;
}

/** The months to sum up: the last twelve, or those of a year. */
export type SummarySpan = "rolling_year" | number;

export interface Page<T> {
  items: T[];
  total: number;
}

/** Return some sessions, the newest first, and how many there are. */
export async function listSessions(
  hass: HomeAssistant,
  device: string,
  filter: SessionFilter,
  offset: number,
  limit: number,
): Promise<Page<Session>> {
  const { sessions, total } = await inWords(
    hass,
    hass.callWS<{ sessions: Session[]; total: number }>({
      type: "loxone_wallbox/sessions/list",
      device_id: device,
      ...filter,
      offset,
      limit,
    }),
  );
  return { items: sessions, total };
}

/** Return the months of a span, what they add up to, and who charged. */
export function summarize(
  hass: HomeAssistant,
  device: string,
  span: SummarySpan,
  user: string | undefined,
): Promise<Summary> {
  const asked = {
    type: "loxone_wallbox/sessions/summary",
    device_id: device,
    // Of a year any day will do.
    ...(span === "rolling_year"
      ? { period: span }
      : { period: "year", date: `${span}-07-01` }),
    months: true,
    by_user: true,
    ...(user === undefined ? {} : { user }),
  };
  return inWords(hass, hass.callWS<Summary>(asked));
}

/** Return sessions as a table, the text of a CSV file. */
export async function exportSessions(
  hass: HomeAssistant,
  device: string,
  filter: SessionFilter,
): Promise<string> {
  const answer = await ask<{ content: string }>(hass, "export_sessions", {
    device_id: [device],
    format: "csv",
    ...filter,
  });
  return answer.content;
}
