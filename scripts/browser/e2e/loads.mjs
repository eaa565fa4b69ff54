// The card in other lights and sizes, and loaded again and again: it is always there.
import { seriousFaults } from "./axe.mjs";
import { BOARD, cardOf } from "./dashboard.mjs";

const PATIENCE_MS = 60_000;
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "phone-light": { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  "phone-dark": {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    colorScheme: "dark",
  },
  german: { locale: "de-DE" },
};

// Home Assistant shows a card that it does not know as an error card.
async function present(page) {
  const card = cardOf(page);
  await card.locator("loxone-wallbox-now").waitFor({ timeout: PATIENCE_MS });
  if (await page.locator("hui-error-card").count()) throw new Error("an error card");
  return card;
}

export async function looks(checks, session) {
  for (const [name, options] of Object.entries(LOOKS)) {
    await checks.check(`the card: ${name}`, async () => {
      await session.renew(options);
      if (name === "german")
        await session.context.addInitScript(() =>
          localStorage.setItem("selectedLanguage", '"de"'),
        );
      await session.goto(BOARD);
      const card = await present(session.page);
      await session.page.waitForTimeout(1_500);
      const { width } = session.page.viewportSize();
      const box = await card.boundingBox();
      if (box.x < 0 || box.x + box.width > width + 1) throw new Error(JSON.stringify(box));
      await checks.picture(session, `card-${name}`);
      const faults = await seriousFaults(session.page, card);
      if (faults.length > 0) throw new Error(faults.join("\n"));
    });
  }
}

export async function loads(checks, session, job) {
  await checks.check(`${job.loads} cold loads`, async () => {
    for (let count = 0; count < job.loads; count += 1) {
      await session.renew();
      await session.goto(BOARD);
      await present(session.page);
    }
  });
  await checks.check(`${job.loads} hot loads`, async () => {
    for (let count = 0; count < job.loads; count += 1) {
      await session.page.reload({ waitUntil: "domcontentloaded" });
      await present(session.page);
    }
  });
}

export async function quiet(checks, session) {
  await checks.check("nothing in the browser's console, no request to anybody else", () => {
    const found = [...session.errors, ...session.foreign];
    if (found.length > 0) throw new Error(found.join("\n"));
  });
}
