import { expect, test } from "vitest";
import { act, ask, inWords, sentenceOf } from "../src/calls";
import type { HomeAssistant } from "../src/ha";
import { english, House } from "./house";

const REFUSED = {
  code: "service_validation_error",
  message: "Only an administrator may do this.",
  translation_domain: "loxone_wallbox",
  translation_key: "administrator_needed",
  translation_placeholders: { act: "x" },
};

type Load = NonNullable<HomeAssistant["loadBackendTranslation"]>;

/** A home that refuses everything, with what it has of texts. */
function refusing(load?: Load, refusal: unknown = REFUSED): HomeAssistant {
  const house = new House("Garage");
  house.refusal = refusal;
  return load ? { ...house.hass, loadBackendTranslation: load } : house.hass;
}

async function sentence(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return sentenceOf(error, english);
  }
  throw new Error("It was not refused.");
}

const german: Load = async (category, integration) => (key, values) =>
  category === "exceptions" &&
  key === `component.${integration}.exceptions.administrator_needed.message`
    ? `Nur Administratoren: ${values.act}`
    : "";

test("a refusal is told in the person's language", async () => {
  const hass = refusing(german);
  const told = "That did not work: Nur Administratoren: x";
  expect(await sentence(ask(hass, "verify_security_log", {}))).toBe(told);
  expect(await sentence(act(hass, "button", "press", "button.x"))).toBe(told);
  expect(await sentence(inWords(hass, hass.callWS({ type: "x" })))).toBe(told);
});

test.each([
  ["a frontend that has no texts", refusing()],
  ["a text that is not there", refusing(async () => () => "")],
  ["texts that do not come", refusing(() => Promise.reject(new Error("lost")))],
])("the English words are told with %s", async (_what, hass) => {
  const told = "That did not work: Only an administrator may do this.";
  expect(await sentence(ask(hass, "verify_security_log", {}))).toBe(told);
});

test("an error of another kind is told as it is", async () => {
  const lost = refusing(german, new Error("Connection lost"));
  expect(await sentence(ask(lost, "x", {}))).toBe("That did not work: Connection lost");
  const odd = refusing(german, 3);
  expect(await sentence(ask(odd, "x", {}))).toBe("That did not work: unknown error");
});
