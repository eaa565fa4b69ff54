// Photograph the card while a car comes, waits and charges. The job comes as JSON on
// standard input: { browser, url, control, tokens, ahead_ms, pictures, device_id, wallbox }.
// The last line that is printed lists the pictures: { file, at, height }.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cardOf } from "./e2e/dashboard.mjs";
import { Session } from "./e2e/session.mjs";

const BOARD = "/wallbox-film/0";
const STEP_MS = 60_000;
const MARGIN = 8;
const HIGHEST = 900;

// A clock that is ahead by as much as Home Assistant's, or the countdown would be wrong.
function ahead(milliseconds) {
  const There = Date;
  globalThis.Date = class extends There {
    constructor(...given) {
      super(...(given.length > 0 ? given : [There.now() + milliseconds]));
    }

    static now() {
      return There.now() + milliseconds;
    }
  };
}

// A fingertip, so far to the right on its target: photographs have no pointer.
async function tap(page, target, share = 0.5) {
  const box = await target.boundingBox();
  const at = { x: box.x + box.width * share, y: box.y + box.height / 2 };
  await page.evaluate(({ x, y }) => {
    const tip = document.createElement("div");
    tip.style.cssText = `position:fixed;left:${x - 18}px;top:${y - 18}px;width:36px;
      height:36px;border-radius:50%;background:#0008;z-index:99;pointer-events:none`;
    document.body.append(tip);
    setTimeout(() => tip.remove(), 900);
  }, at);
  await page.waitForTimeout(500);
  await page.mouse.click(at.x, at.y);
}

class Camera {
  constructor(page, card, folder) {
    Object.assign(this, { page, card, folder, shots: [], runs: false });
  }

  async shoot() {
    const box = await this.card.boundingBox();
    const clip = {
      x: Math.max(0, box.x - MARGIN),
      y: Math.max(0, box.y - MARGIN),
      width: box.width + 2 * MARGIN,
      height: HIGHEST,
    };
    const number = String(this.shots.length).padStart(3, "0");
    const shot = {
      file: join(this.folder, `${number}.png`),
      at: Math.round(performance.now()),
      height: Math.ceil(box.height) + 2 * MARGIN,
    };
    await this.page.screenshot({ path: shot.file, clip });
    this.shots.push(shot);
  }

  roll() {
    this.runs = true;
    this.done = (async () => {
      while (this.runs) {
        await this.shoot();
        await this.page.waitForTimeout(250);
      }
    })();
  }

  async cut() {
    this.runs = false;
    await this.done;
  }
}

async function board(session, device_id) {
  await session.goto("/profile");
  await session.page.waitForFunction(
    () => document.querySelector("home-assistant")?.hass?.connected,
    undefined,
    { timeout: STEP_MS },
  );
  await session.command({
    type: "lovelace/dashboards/create",
    url_path: "wallbox-film",
    title: "Wallbox",
    mode: "storage",
  });
  const cards = [{ type: "custom:loxone-wallbox-card", device_id }];
  await session.command({
    type: "lovelace/config/save",
    url_path: "wallbox-film",
    config: { views: [{ title: "Wallbox", type: "sections", sections: [{ cards }] }] },
  });
  await session.goto(BOARD);
}

async function kilowatts(card, wanted) {
  const until = Date.now() + STEP_MS;
  for (;;) {
    const text = await card.locator("loxone-wallbox-power .power").innerText();
    if (wanted(Number.parseFloat(text))) return;
    if (Date.now() > until) throw new Error(`the power stays at ${text}`);
    await card.page().waitForTimeout(200);
  }
}

async function play(session, card, job) {
  const { page } = session;
  await page.waitForTimeout(1_500);
  await session.world("plug", {
    wallbox: job.wallbox,
    car: { capacity_kwh: 60, energy_kwh: 20 },
  });
  await card.getByText("Starting in a moment").waitFor({ timeout: STEP_MS });
  await page.waitForTimeout(5_000);
  await tap(page, card.getByRole("button", { name: "Skip the delay" }));
  await card.getByText("Charging", { exact: true }).waitFor({ timeout: STEP_MS });
  await kilowatts(card, (kw) => kw > 10);
  await page.waitForTimeout(4_000);
  await tap(page, card.getByRole("slider"), 0.3);
  await kilowatts(card, (kw) => kw < 10);
  await page.waitForTimeout(4_000);
}

const job = JSON.parse(readFileSync(0, "utf8"));
const session = await Session.open(job, { viewport: { width: 500, height: 1000 } });
try {
  await session.context.addInitScript(ahead, job.ahead_ms);
  await board(session, job.device_id);
  const card = cardOf(session.page);
  await card.getByText("No vehicle is plugged in").waitFor({ timeout: 90_000 });
  // Fonts and icons come a little later than the words.
  await session.page.waitForTimeout(3_000);
  const camera = new Camera(session.page, card, job.pictures);
  camera.roll();
  try {
    await play(session, card, job);
  } finally {
    await camera.cut();
  }
  console.log(JSON.stringify(camera.shots));
} finally {
  await session.close();
}
