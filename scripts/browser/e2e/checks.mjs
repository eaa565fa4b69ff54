// Named checks, one line each; a story ends at the first that fails.
import { join } from "node:path";

export class Checks {
  constructor(pictures) {
    this.pictures = pictures;
    this.passed = 0;
    this.failed = 0;
    this.began = Date.now();
    this.shots = 0;
  }

  line(word, text) {
    const seconds = ((Date.now() - this.began) / 1000).toFixed(1).padStart(6);
    console.log(`${seconds} s  ${word}  ${text}`);
  }

  async check(name, work) {
    try {
      const found = await work();
      this.passed += 1;
      this.line("ok", found === undefined ? name : `${name}: ${found}`);
    } catch (error) {
      this.failed += 1;
      this.line("FAILED", `${name}: ${error.stack ?? error}`);
      throw error;
    }
  }

  async picture(session, name, options = {}) {
    this.shots += 1;
    const number = String(this.shots).padStart(2, "0");
    await session.page.screenshot({
      path: join(this.pictures, `${number}-${name}.png`),
      animations: "disabled",
      ...options,
    });
  }

  async story(session, parts, job) {
    try {
      for (const part of parts) await part(this, session, job);
    } catch {
      await this.picture(session, "failed").catch(() => undefined);
    }
  }
}
