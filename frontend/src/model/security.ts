import { ask, inWords } from "../calls";
import type { HomeAssistant } from "../ha";
import type { Page } from "./history";

/** A record of the security log. */
export interface SecurityRecord {
  seq: number;
  /** ISO, UTC to the millisecond. */
  utc: string;
  kind: string;
  outcome: string;
  /** Who or what it came from; of a user with the pseudonym behind a colon. */
  source: string;
  detail: Record<string, unknown>;
  hash: string;
}

/** What came of looking at the whole log. */
export interface Verdict {
  whole: boolean;
  records: number;
  broken_seq: number | null;
}

// Every kind there is, in the order of the integration.
export const KINDS = [
  "tamper_on",
  "tamper_off",
  "meter_link_lost",
  "meter_link_restored",
  "meter_replaced",
  "auth_failed",
  "auth_locked",
  "action_denied",
  "override_refused",
  "invalid_input",
  "identity_changed",
  "firmware_changed",
  "tls_changed",
  "config_security_changed",
  "clock_step",
  "data_deleted",
  "log_rotated",
  "chain_broken",
  "fallback_test",
] as const;

/** Return some records, the newest first, and how many there are. */
export async function listRecords(
  hass: HomeAssistant,
  device: string,
  kind: string | undefined,
  offset: number,
  limit: number,
): Promise<Page<SecurityRecord>> {
  const { records, total } = await inWords(
    hass,
    hass.callWS<{ records: SecurityRecord[]; total: number }>({
      type: "loxone_wallbox/security/list",
      device_id: device,
      ...(kind === undefined ? {} : { kinds: [kind] }),
      offset,
      limit,
    }),
  );
  return { items: records, total };
}

/** Look whether the log is as it was written. */
export function verifyLog(hass: HomeAssistant, device: string): Promise<Verdict> {
  return ask<Verdict>(hass, "verify_security_log", { device_id: [device] });
}

/** Return the name of a kind; Home Assistant has them with the event entity. */
export function kindText(hass: HomeAssistant, kind: string): string {
  const texts = "component.loxone_wallbox.entity.event.security.state_attributes";
  const name = hass.localize?.(`${texts}.event_type.state.${kind}`);
  return name || kind.replaceAll("_", " ");
}
