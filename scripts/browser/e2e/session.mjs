// A signed-in browser, and what goes wrong in its console.
import { chromium } from "playwright-core";

// Home Assistant's own: the pictures of all integrations, and those of its picture cards
// in the card picker.
const NOT_OURS = ["/api/brands/", "https://demo.home-assistant.io/"];

export class Session {
  static async open(job, more = {}) {
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
    const session = new Session(browser, job);
    await session.renew(more);
    return session;
  }

  constructor(browser, job) {
    this.browser = browser;
    this.job = job;
    this.errors = [];
    this.foreign = new Set();
  }

  // A new context is a browser without cache: a cold load.
  async renew(more = {}) {
    await this.context?.close();
    this.context = await this.browser.newContext({
      viewport: { width: 1280, height: 1000 },
      locale: "en-GB",
      timezoneId: "Europe/London",
      acceptDownloads: true,
      ...more,
    });
    await this.context.addInitScript((tokens) => {
      localStorage.setItem("hassTokens", JSON.stringify(tokens));
    }, this.job.tokens);
    this.page = await this.context.newPage();
    this.watch(this.page);
  }

  watch(page) {
    const note = (text) => {
      if (!NOT_OURS.some((known) => text.includes(known))) this.errors.push(text);
    };
    page.on("pageerror", (error) => note(`page error: ${error.stack ?? error}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      note(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      const own = url.origin === this.job.url || ["data:", "blob:"].includes(url.protocol);
      if (!own && !NOT_OURS.some((known) => request.url().startsWith(known)))
        this.foreign.add(request.url());
    });
  }

  async goto(path) {
    await this.page.goto(`${this.job.url}${path}`, {
      waitUntil: "domcontentloaded",
      timeout: 60_000,
    });
  }

  // A command of Home Assistant's WebSocket API, with the page's own connection.
  async command(message) {
    return this.page.evaluate(
      (sent) => document.querySelector("home-assistant").hass.callWS(sent),
      message,
    );
  }

  async act(domain, action, data) {
    await this.command({
      type: "call_service",
      domain,
      service: action,
      service_data: data,
    });
  }

  // Something that happens in the simulated world.
  async world(path, data = {}) {
    const answer = await fetch(`${this.job.control}/${path}`, {
      method: "POST",
      body: JSON.stringify(data),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }

  async close() {
    await this.browser.close();
  }
}
