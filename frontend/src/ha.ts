// What the card knows of Home Assistant's `hass` object, and nothing beyond it.

export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
  last_changed: string;
  last_updated: string;
}

/** An entity as the frontend knows it from the registry. */
export interface EntityEntry {
  entity_id: string;
  device_id?: string | null;
  platform?: string;
  translation_key?: string;
  name?: string | null;
  hidden?: boolean;
}

export interface DeviceEntry {
  id: string;
  name: string | null;
  name_by_user?: string | null;
  identifiers?: [string, string][];
  manufacturer?: string | null;
  model?: string | null;
  disabled_by?: string | null;
}

export interface Locale {
  language: string;
  number_format: string;
  time_format: string;
  time_zone?: string;
  first_weekday?: string;
}

export interface Connection {
  subscribeMessage<T>(
    callback: (message: T) => void,
    message: Record<string, unknown>,
    options?: { resubscribe?: boolean },
  ): Promise<() => Promise<void>>;
}

export interface HomeAssistant {
  states: Record<string, EntityState | undefined>;
  entities: Record<string, EntityEntry | undefined>;
  devices: Record<string, DeviceEntry | undefined>;
  locale: Locale;
  language: string;
  config: { time_zone: string; currency?: string };
  user?: { id: string; name: string; is_admin: boolean };
  connected: boolean;
  connection: Connection;
  formatEntityState?(state: EntityState): string;
  formatEntityAttributeValue?(state: EntityState, attribute: string): string;
  /** A text of Home Assistant or of an integration; empty where there is none. */
  localize?(key: string): string;
  /** Fetch the texts of a kind that an integration has. */
  loadBackendTranslation?(
    category: string,
    integration: string,
  ): Promise<(key: string, values: Record<string, string>) => string>;
  callWS<T>(message: Record<string, unknown>): Promise<T>;
  callService(
    domain: string,
    service: string,
    data?: Record<string, unknown>,
    target?: Record<string, unknown>,
    notifyOnError?: boolean,
    returnResponse?: boolean,
  ): Promise<{ response?: unknown } | undefined>;
}
