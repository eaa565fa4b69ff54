import type { DeviceEntry, EntityState, HomeAssistant } from "../ha";

export const DOMAIN = "loxone_wallbox";

/** An entity by its platform and its key, as the integration calls it. */
export type EntityKey = `${string}.${string}`;

/** One wallbox as Home Assistant knows it at this moment. */
export class Wallbox {
  private constructor(
    readonly hass: HomeAssistant,
    readonly device: DeviceEntry,
    private readonly ids: ReadonlyMap<EntityKey, string>,
  ) {}

  /** Return the wallbox of a device; undefined where the device is not one of ours. */
  static of(hass: HomeAssistant, deviceId: string): Wallbox | undefined {
    const device = hass.devices[deviceId];
    if (device === undefined || !isWallbox(hass, deviceId)) return undefined;
    const ids = entityIds(hass).get(deviceId) ?? new Map();
    return new Wallbox(hass, device, ids);
  }

  get id(): string {
    return this.device.id;
  }

  /** Whether there is anything enabled to show. */
  get hasEntities(): boolean {
    return this.ids.size > 0;
  }

  /** Whether what is shown of it differs from an earlier look at it. */
  differs(earlier: Wallbox): boolean {
    return (
      this.ids !== earlier.ids ||
      this.device !== earlier.device ||
      this.hass.locale !== earlier.hass.locale ||
      this.hass.connected !== earlier.hass.connected ||
      [...this.ids.values()].some(
        (id) => this.hass.states[id] !== earlier.hass.states[id],
      )
    );
  }

  get name(): string {
    return this.device.name_by_user || this.device.name || this.device.id;
  }

  /** The id of an entity; undefined where it is disabled or there is none. */
  entityId(key: EntityKey): string | undefined {
    return this.ids.get(key);
  }

  /** The state of an entity, also one that is unavailable or unknown. */
  entity(key: EntityKey): EntityState | undefined {
    const id = this.ids.get(key);
    return id === undefined ? undefined : this.hass.states[id];
  }

  /** The value of an entity; undefined where nothing is known of it. */
  value(key: EntityKey): string | undefined {
    const state = this.entity(key)?.state;
    return state === undefined || state === "unavailable" || state === "unknown"
      ? undefined
      : state;
  }

  number(key: EntityKey): number | undefined {
    const value = Number(this.value(key) ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  isOn(key: EntityKey): boolean {
    return this.value(key) === "on";
  }

  instant(key: EntityKey): Date | undefined {
    const value = Date.parse(this.value(key) ?? "");
    return Number.isNaN(value) ? undefined : new Date(value);
  }

  /** Whether an entity is there and takes commands. */
  usable(key: EntityKey): boolean {
    const entity = this.entity(key);
    return entity !== undefined && entity.state !== "unavailable";
  }
}

type IdsByDevice = ReadonlyMap<string, ReadonlyMap<EntityKey, string>>;

// Each change of a state brings a new `hass`, with the same registry almost always.
const known = new WeakMap<HomeAssistant["entities"], IdsByDevice>();

function entityIds(hass: HomeAssistant): IdsByDevice {
  const found = known.get(hass.entities);
  if (found !== undefined) return found;
  const made = new Map<string, Map<EntityKey, string>>();
  for (const entry of Object.values(hass.entities)) {
    if (entry?.platform !== DOMAIN || !entry.device_id || !entry.translation_key) {
      continue;
    }
    const ids = made.get(entry.device_id) ?? new Map<EntityKey, string>();
    const [platform] = entry.entity_id.split(".");
    ids.set(`${platform}.${entry.translation_key}`, entry.entity_id);
    made.set(entry.device_id, ids);
  }
  known.set(hass.entities, made);
  return made;
}

/** Whether a device is one of our wallboxes; their Miniserver is none. */
export function isWallbox(hass: HomeAssistant, deviceId: string): boolean {
  return hass.devices[deviceId]?.identifiers?.some(isWallboxIdentifier) ?? false;
}

/** The devices that are wallboxes of ours, by name; a Miniserver is none. */
export function wallboxIds(hass: HomeAssistant): string[] {
  const name = (id: string) => hass.devices[id]?.name_by_user ?? hass.devices[id]?.name;
  return Object.values(hass.devices)
    .filter((device) => device?.identifiers?.some(isWallboxIdentifier))
    .map((device) => (device as DeviceEntry).id)
    .sort((a, b) => (name(a) ?? a).localeCompare(name(b) ?? b));
}

// A Miniserver is known by its serial number alone, a wallbox also by its own id.
function isWallboxIdentifier([domain, id]: [string, string]): boolean {
  return domain === DOMAIN && id.includes("_");
}
