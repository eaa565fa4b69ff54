import { afterEach, beforeEach, expect, test } from "vitest";
import type { SecurityRecord } from "../src/model/security";
import { TABS } from "../src/tabs";
import type { SecurityTab } from "../src/tabs/security";
import { find, findAll, House, settled, words } from "./house";

const LIST = "loxone_wallbox/security/list";

let house: House;

function record(seq: number, of: Partial<SecurityRecord> = {}): SecurityRecord {
  return {
    seq,
    utc: "2027-07-13T18:00:00.123Z",
    kind: "auth_failed",
    outcome: "attempt_failed",
    source: "network",
    detail: { address: "192.0.2.7" },
    hash: "ab".repeat(32),
    ...of,
  };
}

beforeEach(() => {
  house = new House("Garage");
  house.entity("garage", "event.garage_security", "security", "2027-07-13T18:00:00");
  house.records = [
    record(4, { kind: "tamper_on", outcome: "info", source: "miniserver" }),
    record(3, { source: "ha_user:p7f3" }),
    record(2, { source: "ha_user:deleted", outcome: "attempt_succeeded" }),
    record(1, { kind: "made_up", source: "moon", outcome: "odd" }),
  ];
});

afterEach(() => document.body.replaceChildren());

const show = () => house.show<SecurityTab>("loxone-wallbox-security", "garage");
const rows = (tab: SecurityTab) => findAll(tab, "summary").map((row) => words(row));

test("the view is for administrators only", () => {
  const admins = TABS.filter((tab) => tab.admin).map((tab) => tab.key);
  expect(admins).toEqual(["security"]);
});

test("each record is told in words", async () => {
  const tab = await show();
  expect(house.sent(LIST)).toEqual([
    { type: LIST, device_id: "garage", offset: 0, limit: 50 },
  ]);
  expect(words(tab)).toContain("4 records");
  expect(rows(tab)).toEqual([
    "Tampering began Jul 13, 2027, 19:00 Information Miniserver",
    "auth failed Jul 13, 2027, 19:00 Refused User p7f3",
    "auth failed Jul 13, 2027, 19:00 Carried out User, deleted",
    "made up Jul 13, 2027, 19:00 odd moon",
  ]);
});

test("a record that is opened shows all of it", async () => {
  const tab = await show();
  const details = findAll(tab, "details")[1] as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  await settled(tab);
  const text = words(details);
  for (const part of ["3", "2027-07-13T18:00:00.123Z", "address", "192.0.2.7"]) {
    expect(text).toContain(part);
  }
  expect(text).toContain("ab".repeat(32));
  details.open = false;
  details.dispatchEvent(new Event("toggle"));
  await settled(tab);
  expect(words(details)).not.toContain("192.0.2.7");
});

test("one kind can be looked at", async () => {
  const tab = await show();
  const select = find<HTMLSelectElement>(tab, "select");
  select.value = "tamper_on";
  select.dispatchEvent(new Event("change"));
  await settled(tab);
  expect(house.sent(LIST).at(-1)).toMatchObject({ kinds: ["tamper_on"], offset: 0 });
  expect(words(tab)).toContain("1 record");
  expect(rows(tab)).toHaveLength(1);
});

test("a new record comes to the top by itself", async () => {
  const tab = await show();
  house.records = [record(5), ...house.records];
  await house.renew(tab, "garage");
  expect(rows(tab)).toHaveLength(4);
  house.entity("garage", "event.garage_security", "security", "2027-07-13T18:05:00");
  await house.renew(tab, "garage");
  expect(rows(tab)).toHaveLength(5);
  expect(house.sent(LIST)).toHaveLength(2);
});

test("the log is checked, and found whole", async () => {
  const tab = await show();
  house.verdict = { whole: true, records: 4, broken_seq: null };
  find(tab, ".head button").click();
  await settled(tab);
  expect(house.sent("verify_security_log")).toEqual([
    { type: "verify_security_log", device_id: ["garage"] },
  ]);
  expect(find(tab, ".verdict").textContent).toBe(
    "The log is whole: 4 records, none changed and none missing.",
  );
  expect(find(tab, ".verdict").getAttribute("role")).toBe("status");
});

test("the log is checked, and the record that was changed is named", async () => {
  const tab = await show();
  house.verdict = { whole: false, records: 4, broken_seq: 3 };
  find(tab, ".head button").click();
  await settled(tab);
  expect(find(tab, ".verdict.broken").textContent).toContain("record 3");
});

test("what was said of one log is not said of another one's", async () => {
  house = new House("Garage", "Yard");
  const tab = await show();
  find(tab, ".head button").click();
  await settled(tab);
  expect(find(tab, ".verdict").textContent).toContain("The log is whole");
  await house.renew(tab, "yard");
  expect(find(tab, ".verdict").textContent).toBe("");
  expect(house.sent(LIST).at(-1)).toMatchObject({ device_id: "yard" });
});

test("what is refused is a sentence", async () => {
  house.refusal = new Error("Only an administrator may do this.");
  const tab = await show();
  expect(words(tab)).toContain("Only an administrator may do this.");
  find(tab, ".head button").click();
  await settled(tab);
  expect(findAll(tab, "[role=alert]")).toHaveLength(2);
  expect(find<HTMLButtonElement>(tab, ".head button").disabled).toBe(false);
});

test("an empty log says so", async () => {
  house.records = [];
  expect(words(await show())).toContain("Nothing was recorded.");
});
