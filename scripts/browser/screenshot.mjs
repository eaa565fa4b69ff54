// Photograph a page of Home Assistant, signed in. The job comes as JSON on standard input:
// { browser, url, tokens, target }.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath: job.browser,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 2600 },
    locale: "en-GB",
    timezoneId: "Europe/London",
  });
  await page.addInitScript((tokens) => {
    localStorage.setItem("hassTokens", JSON.stringify(tokens));
  }, job.tokens);
  await page.goto(job.url, { waitUntil: "domcontentloaded", timeout: 60_000 });
  // The first page compiles a lot; the cards of the device page come last.
  await page
    .locator("ha-device-entities-card")
    .first()
    .waitFor({ state: "visible", timeout: 90_000 });
  await page.waitForTimeout(8_000);
  // As high as its controls and sensors are, so that none is cut in two.
  const sensors = await page.locator("ha-device-entities-card").nth(1).boundingBox();
  await page.setViewportSize({
    width: 1280,
    height: Math.ceil(sensors.y + sensors.height) + 16,
  });
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: job.target });
} finally {
  await browser.close();
}
