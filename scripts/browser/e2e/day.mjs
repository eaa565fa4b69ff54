// A day of the card: plug in, wait, skip, charge, limit, unplug, look back.
import { readFileSync } from "node:fs";
import { seriousFaults } from "./axe.mjs";
import { BOARD, cardOf } from "./dashboard.mjs";

const STEP_MS = 30_000;
const EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

async function shownDevice(session) {
  const config = await session.command({ type: "lovelace/config", url_path: "wallbox-board" });
  const { device_id } = config.views[0].sections[0].cards[0];
  const devices = await session.command({ type: "config/device_registry/list" });
  return { device_id, name: devices.find((one) => one.id === device_id).name };
}

async function ownEntity(session, device_id, key) {
  const entities = await session.command({ type: "config/entity_registry/list" });
  return entities.find((one) => one.device_id === device_id && one.translation_key === key)
    .entity_id;
}

const kilowatts = async (card) =>
  Number.parseFloat(await card.locator("loxone-wallbox-power .power").innerText());

async function secondsLeft(card) {
  const text = await card.locator("loxone-wallbox-countdown .left").innerText();
  const parts = text.split(":").map(Number);
  if (parts.length < 2 || parts.some(Number.isNaN)) throw new Error(`no countdown: ${text}`);
  return parts.reduce((seconds, part) => seconds * 60 + part, 0);
}

async function accessible(session, card) {
  const faults = await seriousFaults(session.page, card);
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

export async function chargeOnce(checks, session) {
  const { page } = session;
  const card = cardOf(page);
  await session.goto(BOARD);
  await card.getByText("No vehicle is plugged in").waitFor({ timeout: 60_000 });
  const { device_id, name } = await shownDevice(session);

  await checks.check("a car is plugged in, and the card counts its delay down", async () => {
    // Hours that are now, whatever the time is: a delay is drawn when the car comes.
    await session.act("loxone_wallbox", "set_default_hours", {
      device_id: [device_id],
      windows: [{ days: EVERY_DAY, start: "00:00", end: "24:00" }],
    });
    await session.world("plug", {
      wallbox: name,
      car: { capacity_kwh: 60, energy_kwh: 20 },
    });
    await card.getByText("Starting in a moment").waitFor({ timeout: STEP_MS });
    const before = await secondsLeft(card);
    await page.waitForTimeout(3_000);
    const after = await secondsLeft(card);
    if (before - after < 2 || before - after > 5) throw new Error(`${before} s, ${after} s`);
    await checks.picture(session, "random-delay");
    await accessible(session, card);
    return `${before} s, three seconds later ${after} s`;
  });

  await checks.check("one tap skips the delay, and it charges", async () => {
    await card.getByRole("button", { name: "Skip the delay" }).click();
    await card.getByText("Charging", { exact: true }).waitFor({ timeout: STEP_MS });
    if (await card.getByRole("button", { name: "Skip the delay" }).isVisible())
      throw new Error("there is nothing to skip any more");
  });

  await checks.check("the power is shown as it changes", async () => {
    const seen = new Set();
    const until = Date.now() + STEP_MS;
    while (Date.now() < until && ![...seen].some((kw) => kw > 1)) {
      seen.add(await kilowatts(card));
      await page.waitForTimeout(500);
    }
    if (![...seen].some((kw) => kw > 1)) throw new Error([...seen].join(", "));
    // What is less than ten watt-hours is a visit and no charging occasion.
    await page.waitForTimeout(12_000);
    await checks.picture(session, "charging");
    return `${[...seen].join(", ")} kW`;
  });

  await checks.check("the slider limits it", async () => {
    const slider = card.getByRole("slider");
    await slider.focus();
    await slider.press("Home");
    const least = Number(await slider.getAttribute("min"));
    const deadline = Date.now() + STEP_MS;
    while (Math.abs((await kilowatts(card)) - least) > 0.3) {
      if (Date.now() > deadline) throw new Error(`${await kilowatts(card)} kW, not ${least}`);
      await page.waitForTimeout(500);
    }
    await checks.picture(session, "limited");
    await slider.press("End");
    await card.getByText("Charging", { exact: true }).waitFor({ timeout: STEP_MS });
    return `${least} kW`;
  });

  await checks.check("one tap pauses, one resumes", async () => {
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("Paused", { exact: true }).first().waitFor({ timeout: STEP_MS });
    await checks.picture(session, "paused");
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByText("Paused", { exact: true }).first().waitFor({ state: "hidden" });
  });

  await checks.check("unplugged, the session is in the history", async () => {
    await session.world("unplug", { wallbox: name });
    await card.getByText("No vehicle is plugged in").waitFor({ timeout: STEP_MS });
    await card.getByRole("tab", { name: "History" }).click();
    await card.getByRole("heading", { name: /session/ }).first().waitFor({ timeout: STEP_MS });
    await page.waitForTimeout(1_000);
    await card.locator("summary").first().click();
    await checks.picture(session, "history");
    await accessible(session, card);
    return (await card.locator("summary").first().innerText()).replaceAll("\n", " ");
  });

  await checks.check("it is downloaded as a table", async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download", { timeout: STEP_MS }),
      card.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    const lines = readFileSync(await download.path(), "utf8").trim().split(/\r?\n/);
    if (lines.length < 2) throw new Error(`${lines.length} lines: ${lines.join("\n")}`);
    return `${download.suggestedFilename()}, ${lines[0].split(",").length} columns`;
  });

  await checks.check("an administrator reads the security log", async () => {
    const delay = await ownEntity(session, device_id, "max_random_delay");
    await session.act("number", "set_value", { entity_id: delay, value: 300 });
    await card.getByRole("tab", { name: "Security" }).click();
    await card.locator("loxone-wallbox-security li").first().waitFor({ timeout: STEP_MS });
    await page.waitForTimeout(1_000);
    await checks.picture(session, "security");
    await accessible(session, card);
  });
}
