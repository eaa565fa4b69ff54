import type { HomeAssistant } from "./ha";
import type { Localize } from "./i18n";

/** Return a sentence for an error that a call was answered with. */
export function sentenceOf(error: unknown, localize: Localize): string {
  return localize("error.call", { message: wordsOf(error, localize) });
}

/** Return the words of an error, to be put into a sentence. */
export function wordsOf(error: unknown, localize: Localize): string {
  return messageOf(error) ?? localize("error.unknown");
}

function messageOf(error: unknown): string | undefined {
  if (typeof error === "string" && error !== "") return error;
  if (typeof error !== "object" || error === null) return undefined;
  const { message, error: inner } = error as { message?: unknown; error?: unknown };
  if (typeof message === "string" && message !== "") return message;
  return inner === undefined ? undefined : messageOf(inner);
}

/** What an error of Home Assistant may say besides its English message. */
interface Translatable {
  translation_key?: string;
  translation_domain?: string;
  translation_placeholders?: Record<string, string> | null;
}

/** Await a call; the words of its error are in the person's language if there are any. */
export async function inWords<T>(hass: HomeAssistant, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw (await translated(hass, error)) ?? error;
  }
}

async function translated(
  hass: HomeAssistant,
  error: unknown,
): Promise<Error | undefined> {
  const { translation_key, translation_domain, translation_placeholders } = (error ??
    {}) as Translatable;
  if (!translation_key || !translation_domain) return undefined;
  try {
    const load = hass.loadBackendTranslation?.("exceptions", translation_domain);
    const key = `component.${translation_domain}.exceptions.${translation_key}.message`;
    const text = (await load)?.(key, translation_placeholders ?? {});
    return text ? new Error(text, { cause: error }) : undefined;
  } catch {
    // The error itself still has its English words.
    return undefined;
  }
}

/** Carry out an action; the caller shows the error, so Home Assistant shows none. */
export async function act(
  hass: HomeAssistant,
  domain: string,
  service: string,
  entityId: string,
  data: Record<string, unknown> = {},
): Promise<void> {
  const target = { entity_id: entityId };
  await inWords(hass, hass.callService(domain, service, data, target, false));
}

/** Ask one of our own actions for its answer. */
export async function ask<T>(
  hass: HomeAssistant,
  service: string,
  data: Record<string, unknown>,
): Promise<T> {
  const answer = await inWords(
    hass,
    hass.callService("loxone_wallbox", service, data, undefined, false, true),
  );
  return answer?.response as T;
}
