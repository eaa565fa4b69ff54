import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/index";
import { announce } from "../src/announce";
import type { LoxoneWallboxCard } from "../src/card";
import { arrived, find, Home, turn, watchScreen, words } from "./home";

const TYPE = "custom:loxone-wallbox-card";
let home: Home;

beforeEach(() => {
  vi.useFakeTimers();
  watchScreen();
  turn("visible");
  home = new Home("a", "b");
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function show(config: Record<string, unknown> = {}): Promise<LoxoneWallboxCard> {
  const card = document.createElement("loxone-wallbox-card") as LoxoneWallboxCard;
  card.setConfig({ type: TYPE, device_id: "a", tabs: ["now"], ...config });
  card.hass = home.hass;
  document.body.append(card);
  await arrived();
  return card;
}

async function renew(card: LoxoneWallboxCard): Promise<void> {
  card.hass = home.hass;
  await arrived();
}

const tabs = (card: LoxoneWallboxCard) => [
  ...(card.shadowRoot?.querySelectorAll<HTMLElement>("[role=tab]") ?? []),
];

test("it shows its wallbox under its name, or another title, or none", async () => {
  home.set("b", "sensor.status", "charging");
  expect(words(await show())).toContain("Box a");
  const other = words(await show({ device_id: "b", title: "Left" }));
  expect(other).toContain("Left");
  expect(other).toContain("Charging");
  expect(find(await show({ title: "" }), "h1")).toBeNull();
});

test("a configuration that cannot be is refused in words", () => {
  const card = document.createElement("loxone-wallbox-card") as LoxoneWallboxCard;
  expect(() => card.setConfig({ type: TYPE })).toThrow("Choose a wallbox");
});

test("what a person may see is offered, and arrow keys go from view to view", async () => {
  const card = await show({ tabs: ["now", "history", "security"] });
  expect(tabs(card).map((one) => one.textContent?.trim())).toEqual([
    "Now",
    "History",
    "Security",
  ]);
  expect(tabs(card).map((one) => one.tabIndex)).toEqual([0, -1, -1]);
  const press = async (key: string) => {
    const chosen = tabs(card).find((one) => one.tabIndex === 0);
    chosen?.dispatchEvent(new KeyboardEvent("keydown", { key }));
    await arrived();
    return tabs(card).findIndex(
      (one) =>
        one.ariaSelected === "true" || one.getAttribute("aria-selected") === "true",
    );
  };
  expect(await press("ArrowRight")).toBe(1);
  expect(find(card, "loxone-wallbox-history")).not.toBeNull();
  expect(find(card, "loxone-wallbox-now")).toBeNull();
  expect(await press("End")).toBe(2);
  expect(await press("ArrowRight")).toBe(0);
  expect(await press("ArrowLeft")).toBe(2);
  expect(await press("Home")).toBe(0);
  expect(await press("x")).toBe(0);
});

test("who is no administrator has no view of the security log", async () => {
  home.hass.user = { id: "u2", name: "Ben", is_admin: false };
  const card = await show({ tabs: ["now", "security"] });
  expect(tabs(card)).toEqual([]);
  expect(find(card, "loxone-wallbox-now")).not.toBeNull();
});

test("a wallbox that is gone, has nothing enabled or nothing to hear is a sentence", async () => {
  expect(words(await show({ device_id: "gone" }))).toContain(
    "This wallbox is not in Home Assistant any more.",
  );
  const card = await show();
  home.hass = { ...home.hass, connected: false };
  await renew(card);
  expect(words(card)).toContain("The connection to Home Assistant is lost.");
  home.hass = { ...home.hass, entities: {} };
  await renew(card);
  expect(words(card)).toContain("Enable them on the page of its device.");
});

test("a wallbox that is removed while it is shown, and added again", async () => {
  const card = await show();
  const { a, ...devices } = home.hass.devices;
  home.hass = { ...home.hass, devices };
  await renew(card);
  expect(words(card)).toContain("not in Home Assistant any more");
  home.hass = { ...home.hass, devices: { ...devices, a } };
  await renew(card);
  expect(words(card)).toContain("Waiting for the default charging hours");
});

test("a device that is no wallbox is Home Assistant's own error card", async () => {
  const made: unknown[] = [];
  vi.stubGlobal("loadCardHelpers", async () => ({
    createCardElement: (config: unknown) => {
      made.push(config);
      return document.createElement("hui-error-card");
    },
  }));
  const card = await show({ device_id: "miniserver" });
  await arrived();
  expect(find(card, "hui-error-card")).not.toBeNull();
  expect(made).toEqual([
    {
      type: "error",
      error: "Not a Loxone wallbox",
      message:
        "The device of this card is not a Loxone wallbox. Choose another one in its settings.",
    },
  ]);
  card.setConfig({ type: TYPE, device_id: "a", tabs: ["now"] });
  await arrived();
  expect(find(card, "hui-error-card")).toBeNull();
  expect(words(card)).toContain("Box a");
});

test("without that card there is still the sentence", async () => {
  const card = await show({ device_id: "lamp" });
  await arrived();
  expect(find(card, "ha-alert")?.textContent).toContain("not a Loxone wallbox");
});

test("a state of another wallbox draws nothing anew", async () => {
  const card = await show();
  const drawn = vi.spyOn(card as unknown as { render(): unknown }, "render");
  home.set("b", "sensor.status", "charging");
  await renew(card);
  expect(drawn).not.toHaveBeenCalled();
  home.set("a", "sensor.status", "charging");
  await renew(card);
  expect(drawn).toHaveBeenCalledOnce();
});

test("it speaks German to whom Home Assistant does", async () => {
  const { hass } = home;
  home.hass = { ...hass, locale: { ...hass.locale, language: "de" } };
  expect(words(await show())).toContain("Wartet auf die Standardladezeiten");
});

test("it is offered once, with a size, for the entities of wallboxes", () => {
  const offered = window.customCards?.filter(
    (one) => one.type === "loxone-wallbox-card",
  );
  expect(offered).toHaveLength(1);
  const [offer] = offered ?? [];
  const suggested = (id: string) => offer?.getEntitySuggestion(home.hass, id);
  expect(suggested(home.id("b", "sensor.status") ?? "")).toEqual({
    config: { type: TYPE, device_id: "b" },
  });
  home.set("miniserver", "update.firmware", "off");
  expect(suggested(home.id("miniserver", "update.firmware") ?? "")).toBeNull();
  expect(suggested("sensor.nobody")).toBeNull();
  const card = document.createElement("loxone-wallbox-card") as LoxoneWallboxCard;
  expect(card.getCardSize()).toBeGreaterThan(0);
  expect(card.getGridOptions()).toMatchObject({ columns: 12, min_columns: 6 });
  const Card = customElements.get("loxone-wallbox-card") as typeof LoxoneWallboxCard;
  expect(Card.getStubConfig(home.hass)).toEqual({ device_id: "a" });
});

test("it is listed in the very list that Home Assistant looks at", () => {
  const kept: NonNullable<typeof window.customCards> = [];
  window.customCards = kept;
  announce();
  announce();
  expect(window.customCards).toBe(kept);
  expect(kept.map(({ type }) => type)).toEqual(["loxone-wallbox-card"]);
});
