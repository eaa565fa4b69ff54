import { expect, test } from "vitest";
import {
  formatCountdown,
  formatDuration,
  formatKw,
  formatMoment,
  formatMoney,
  formatNumber,
  formatTime,
  hourOf,
} from "../src/format";
import { localizer } from "../src/i18n";
import { english, Home } from "./home";

const AT = new Date("2027-01-13T21:05:00Z");

function shown(locale = {}, zone = "Europe/London") {
  const { hass } = new Home();
  return {
    locale: { ...hass.locale, ...locale },
    config: { ...hass.config, time_zone: zone },
  };
}

test.each([
  ["comma_decimal", "1,234.50"],
  ["decimal_comma", "1.234,50"],
  ["quote_decimal", "1'234.50"],
  ["none", "1234.50"],
  ["language", "1,234.50"],
])("numbers as in %s", (number_format, text) => {
  // Which apostrophe it is differs from browser to browser.
  const plain = formatNumber(shown({ number_format }), 1234.5, 2).replace("’", "'");
  expect(plain).toBe(text);
});

test("numbers follow the language where nothing else is chosen", () => {
  expect(formatKw(shown({ language: "de" }), 7.36)).toBe("7,36 kW");
  expect(formatKw(shown(), 11)).toBe("11.0 kW");
  const space = formatNumber(shown({ number_format: "space_comma" }), 1234.5, 2);
  expect(space.replace(/\s/g, " ")).toBe("1 234,50");
});

test("money has its currency, also one that nobody knows", () => {
  expect(formatMoney(shown(), 1.2, "GBP")).toBe("£1.20");
  expect(formatMoney(shown(), 0.0712, "GBP", 4)).toBe("£0.0712");
  expect(formatMoney(shown(), 1.2, "no money")).toBe("1.20 no money");
  expect(formatMoney(shown(), 1.2, undefined)).toBe("1.20");
});

test("times as chosen, at home or where the browser is", () => {
  expect(formatTime(shown({ time_format: "24" }), AT)).toBe("21:05");
  expect(formatTime(shown({ time_format: "12" }), AT).toLowerCase()).toMatch(
    /^9:05\spm$/,
  );
  const berlin = shown({ language: "de", time_format: "language" }, "Europe/Berlin");
  expect(formatTime(berlin, AT)).toBe("22:05");
  expect(hourOf(berlin, AT)).toBe(22);
  const american = shown({ language: "en-US", time_format: "language" });
  expect(formatTime(american, AT)).toMatch(/^9:05/);
});

test("another day is named", () => {
  expect(formatMoment(shown(), AT, AT)).toBe("21:05");
  expect(formatMoment(shown(), AT, new Date("2027-01-12T12:00:00Z"))).toBe("Wed 21:05");
});

test.each([
  [59.4, "59 s"],
  [60, "1 min"],
  [3599, "59 min"],
  [7500, "2 h 05 min"],
  [-3, "0 s"],
])("%d seconds last %s", (seconds, text) => {
  expect(formatDuration(english, seconds)).toBe(text);
});

test.each([
  [0.2, "0:01"],
  [272, "4:32"],
  [3872, "1:04:32"],
  [-1, "0:00"],
  [90_000, "1 d 1 h"],
])("%d seconds are left as %s", (seconds, text) => {
  expect(formatCountdown(english, seconds)).toBe(text);
});

test("a language of ours has its own words", () => {
  expect(formatCountdown(localizer("de"), 180_000)).toBe("2 d 2 h");
});
