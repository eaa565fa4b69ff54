// What axe-core says of the card alone; the pages around it are Home Assistant's.
import { createRequire } from "node:module";

const { source } = createRequire(import.meta.url)("axe-core");

export async function seriousFaults(page, card) {
  await page.evaluate(source);
  const { violations } = await card.evaluate((element) => window.axe.run(element));
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
}
