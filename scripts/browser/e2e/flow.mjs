// Add the integration by clicking through its flow, with one mistake on the way.
const STEP_MS = 20_000;

// The labels of Home Assistant's inputs are not tied to them, so they are looked up.
async function input(dialog, label) {
  const all = dialog.locator("ha-input");
  const labels = await all.evaluateAll((found) => found.map((one) => one.label));
  const index = labels.indexOf(label);
  if (index < 0) throw new Error(`no field ${label} among ${labels.join(", ")}`);
  return all.nth(index).locator("input");
}

const heading = (page, text) =>
  page.getByText(text, { exact: true }).first().waitFor({ timeout: STEP_MS });

async function press(dialog, name) {
  await dialog.getByRole("button", { name, exact: true }).click();
}

export async function addIntegration(checks, session, job) {
  const { page } = session;
  const dialog = page.locator("dialog-data-entry-flow");
  const open = page.locator("ha-button", { hasText: "Add integration" }).first();

  await checks.check("the integration is found by its name", async () => {
    await session.goto("/config/integrations/dashboard");
    await open.waitFor({ timeout: 90_000 });
    await open.click();
    const search = page.locator("dialog-add-integration input").first();
    await search.waitFor({ timeout: STEP_MS });
    await search.fill("loxone wall");
    await page.locator("ha-integration-list-item").first().click();
    await heading(page, "Connect to the Miniserver");
    await checks.picture(session, "connect");
  });

  await checks.check("a certificate that nobody knows is refused in words", async () => {
    await (await input(dialog, "Host")).fill(job.miniserver.host);
    await (await input(dialog, "Port")).fill(String(job.miniserver.port));
    await (await input(dialog, "Username")).fill(job.miniserver.username);
    await (await input(dialog, "Password")).fill(job.miniserver.password);
    await dialog.getByRole("heading", { name: "Encryption and password" }).click();
    await (await input(dialog, "TLS port")).fill(String(job.miniserver.tls_port));
    await press(dialog, "Next");
    await dialog
      .getByText("The TLS certificate of the Miniserver is not the one it should have")
      .waitFor({ timeout: STEP_MS });
    await checks.picture(session, "certificate");
  });

  await checks.check("encrypted commands are taken, and the wallboxes are found", async () => {
    await (await input(dialog, "Password")).fill(job.miniserver.password);
    await dialog.getByRole("heading", { name: "Encryption and password" }).click();
    await dialog.getByRole("radio", { name: "Encrypted commands" }).click();
    await press(dialog, "Next");
    await heading(page, "Pick the wallboxes");
    await checks.picture(session, "wallboxes");
    await press(dialog, "Next");
  });

  await checks.check("the default charging hours have to be chosen", async () => {
    await heading(page, "Garage (1 of 2)");
    await press(dialog, "Next");
    await heading(page, "Garage: default charging hours");
    await press(dialog, "Submit");
    await dialog.getByText("Please choose one of the three").waitFor({ timeout: STEP_MS });
    await checks.picture(session, "hours");
    await dialog.getByRole("radio", { name: "Accept" }).click();
    await press(dialog, "Submit");
  });

  await checks.check("the second wallbox takes the answers of the first", async () => {
    await heading(page, "Carport (2 of 2)");
    await checks.picture(session, "same");
    await press(dialog, "Next");
  });

  await checks.check("there are two wallboxes and their Miniserver", async () => {
    await dialog
      .getByRole("button", { name: "Finish", exact: true })
      .click({ timeout: STEP_MS });
    await page.getByText("Loxone Wallbox").first().waitFor({ timeout: STEP_MS });
    const devices = await session.command({ type: "config/device_registry/list" });
    const ours = devices.filter((one) =>
      one.identifiers.some(([domain]) => domain === "loxone_wallbox"),
    );
    const names = ours.map((one) => one.name).sort();
    for (const wanted of ["Garage", "Carport"]) {
      if (!names.includes(wanted)) throw new Error(`only ${names.join(", ")}`);
    }
    await checks.picture(session, "integration");
    return names.join(", ");
  });
}
