import { expect, test } from "vitest";
import { checked } from "../src/config";

const TYPE = "custom:loxone-wallbox-card";

test("a wallbox is all a card needs", () => {
  const config = { type: TYPE, device_id: "abc" };
  expect(checked(config)).toEqual(config);
  expect(checked({ ...config, title: "", tabs: ["history", "now"] }).tabs).toHaveLength(
    2,
  );
});

test.each([
  [undefined, "missing"],
  [null, "missing"],
  [{ type: TYPE }, "device_id"],
  [{ type: TYPE, device_id: "" }, "device_id"],
  [{ type: TYPE, device_id: ["abc"] }, "device_id"],
  [{ type: TYPE, device_id: "abc", title: 7 }, "title"],
  [{ type: TYPE, device_id: "abc", tabs: ["soon"] }, "now, history, security"],
  [{ type: TYPE, device_id: "abc", tabs: "now" }, "now, history, security"],
])("%j is refused in words", (config, words) => {
  expect(() => checked(config)).toThrow(words);
});
