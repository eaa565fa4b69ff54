// What an owner does, in a real browser. The job comes as JSON on standard input:
// { browser, url, tokens, pictures, loads, miniserver, control }.
// The last line that is printed is { "passed": N, "failed": N }.
import { readFileSync } from "node:fs";
import { Checks } from "./checks.mjs";
import { putCardOnDashboard } from "./dashboard.mjs";
import { chargeOnce } from "./day.mjs";
import { addIntegration } from "./flow.mjs";
import { loads, looks, quiet } from "./loads.mjs";
import { Session } from "./session.mjs";

const PARTS = [addIntegration, putCardOnDashboard, chargeOnce, looks, loads, quiet];
const job = JSON.parse(readFileSync(0, "utf8"));
const checks = new Checks(job.pictures);
const session = await Session.open(job);
try {
  await checks.story(session, PARTS, job);
} finally {
  await session.close();
}
console.log(JSON.stringify({ passed: checks.passed, failed: checks.failed }));
