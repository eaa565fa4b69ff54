// Put the card on a dashboard with Home Assistant's own editor.
const STEP_MS = 20_000;
export const BOARD = "/wallbox-board/0";
export const TITLE = "Drive";

export const cardOf = (page) => page.locator("hui-view loxone-wallbox-card").first();

export async function putCardOnDashboard(checks, session) {
  const { page } = session;
  const create = page.locator("hui-dialog-create-card");
  const edit = page.locator("hui-dialog-edit-card");

  await checks.check("the card is offered where cards are picked", async () => {
    await session.command({
      type: "lovelace/dashboards/create",
      url_path: "wallbox-board",
      title: "Drive",
      mode: "storage",
      require_admin: false,
      show_in_sidebar: true,
    });
    await session.command({
      type: "lovelace/config/save",
      url_path: "wallbox-board",
      config: {
        views: [{ title: "Home", type: "sections", sections: [{ type: "grid", cards: [] }] }],
      },
    });
    await session.goto(`${BOARD}?edit=1`);
    await page.locator("hui-grid-section .add").first().waitFor({ timeout: 60_000 });
    // The picker shows what was there when it opened; nobody is as quick as a script.
    await page.waitForFunction(
      () => window.customCards?.some(({ type }) => type === "loxone-wallbox-card"),
      undefined,
      { timeout: STEP_MS },
    );
    await page.locator("hui-grid-section .add").first().click();
    await create.getByText("By card").click({ timeout: STEP_MS });
    // What is searched for before all cards are listed is not found.
    await create.locator("hui-card-picker .card").nth(9).waitFor({ timeout: STEP_MS });
    await page.waitForTimeout(1_000);
    await create.locator("hui-card-picker input").first().fill("loxone");
    const offered = create.locator("hui-card-picker .card", { hasText: "Loxone Wallbox" });
    await offered.first().waitFor({ timeout: STEP_MS });
    await page.waitForTimeout(1_500);
    await checks.picture(session, "picker");
    await offered.first().click();
  });

  await checks.check("its editor shows a wallbox, and takes a title", async () => {
    const editor = edit.locator("ha-input");
    await editor.first().waitFor({ timeout: STEP_MS });
    const labels = await editor.evaluateAll((found) => found.map((one) => one.label));
    const title = editor.nth(labels.indexOf("Title")).locator("input");
    await title.fill(TITLE);
    await edit.getByText(TITLE, { exact: true }).last().waitFor({ timeout: STEP_MS });
    await page.waitForTimeout(1_500);
    await checks.picture(session, "editor");
    await edit.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Done", exact: true }).click();
  });

  await checks.check("the card is on the dashboard, and stays there", async () => {
    await session.goto(BOARD);
    await cardOf(page).getByText("No vehicle is plugged in").waitFor({ timeout: 60_000 });
    const config = await session.command({ type: "lovelace/config", url_path: "wallbox-board" });
    const [card] = config.views[0].sections[0].cards;
    if (card.title !== TITLE) throw new Error(JSON.stringify(card));
    await checks.picture(session, "no-vehicle");
    return JSON.stringify(card);
  });
}
