// Render docs/brand/icon.svg to the images Home Assistant looks for in brand/.
// Usage: node icons.mjs [path of a Chromium]
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const target = join(root, "custom_components", "loxone_wallbox", "brand");
const drawing = readFileSync(join(root, "docs", "brand", "icon.svg"), "utf8");

mkdirSync(target, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.argv[2] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  for (const [prefix, theme] of [["", "light"], ["dark_", "dark"]]) {
    for (const [suffix, scale] of [["", 1], ["@2x", 2]]) {
      const page = await browser.newPage({
        viewport: { width: 256, height: 256 },
        deviceScaleFactor: scale,
      });
      await page.setContent(
        `<html class="${theme}"><body style="margin:0">${drawing}</body></html>`,
      );
      await page.screenshot({
        path: join(target, `${prefix}icon${suffix}.png`),
        omitBackground: true,
      });
      await page.close();
    }
  }
} finally {
  await browser.close();
}
