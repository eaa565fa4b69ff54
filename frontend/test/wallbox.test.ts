import { expect, test } from "vitest";
import { isWallbox, Wallbox, wallboxIds } from "../src/model/wallbox";
import { Home } from "./home";

test("entities are found by what they are, not by their id", () => {
  const home = new Home("garage", "carport");
  home.set("carport", "sensor.status", "charging");
  const id = home.id("garage", "sensor.status") ?? "";
  expect(id).not.toContain("status");
  expect(home.box("garage").entityId("sensor.status")).toBe(id);
  expect(home.box("garage").value("sensor.status")).toBe("waiting_for_default_hours");
  expect(home.box("carport").value("sensor.status")).toBe("charging");
});

test("an entity of another integration on the device is none of ours", () => {
  const home = new Home("garage");
  const id = home.id("garage", "sensor.status") ?? "";
  const entry = home.hass.entities[id];
  home.hass.entities = {
    ...home.hass.entities,
    "sensor.foreign": {
      ...entry,
      entity_id: "sensor.foreign",
      platform: "template",
      translation_key: "status",
    },
  };
  expect(home.box("garage").entityId("sensor.status")).toBe(id);
});

test("a key of two platforms is two entities", () => {
  const home = new Home("garage");
  home.set("garage", "sensor.firmware", "15.5");
  home.set("garage", "update.firmware", "off");
  expect(home.box("garage").value("sensor.firmware")).toBe("15.5");
  expect(home.box("garage").value("update.firmware")).toBe("off");
});

test("what is unavailable, unknown or disabled has no value", () => {
  const home = new Home("garage");
  home.set("garage", "sensor.power_limit", "unavailable");
  home.set("garage", "sensor.next_change", "unknown");
  home.disable("garage", "sensor.status");
  const box = home.box("garage");
  expect(box.number("sensor.power_limit")).toBeUndefined();
  expect(box.usable("sensor.power_limit")).toBe(false);
  expect(box.instant("sensor.next_change")).toBeUndefined();
  expect(box.value("sensor.status")).toBeUndefined();
  expect(box.entity("sensor.status")).toBeUndefined();
  expect(box.usable("button.charge_now")).toBe(true);
});

test("values are numbers, instants and switches", () => {
  const box = new Home("garage").box("garage");
  expect(box.number("number.target_power")).toBe(11);
  expect(box.number("sensor.status")).toBeUndefined();
  expect(box.instant("sensor.next_change")?.toISOString()).toBe(
    "2027-01-13T22:00:00.000Z",
  );
  expect(box.isOn("binary_sensor.vehicle_connected")).toBe(true);
  expect(box.isOn("binary_sensor.dsr_active")).toBe(false);
});

test("wallboxes are told from their Miniserver and from strangers", () => {
  const { hass } = new Home("zoo", "attic");
  expect(wallboxIds(hass)).toEqual(["attic", "zoo"]);
  expect(isWallbox(hass, "miniserver")).toBe(false);
  expect(isWallbox(hass, "lamp")).toBe(false);
  expect(isWallbox(hass, "gone")).toBe(false);
  expect(Wallbox.of(hass, "gone")).toBeUndefined();
  expect(Wallbox.of(hass, "lamp")).toBeUndefined();
});

test("it differs where a state of its own changes, and not with a neighbour's", () => {
  const home = new Home("garage", "carport");
  const before = home.box("garage");
  home.set("carport", "sensor.status", "charging");
  expect(home.box("garage").differs(before)).toBe(false);
  home.set("garage", "sensor.status", "charging");
  expect(home.box("garage").differs(before)).toBe(true);
});

test("it differs where the connection, the language or its entities change", () => {
  const home = new Home("garage");
  const before = home.box("garage");
  const { hass } = home;
  home.hass = { ...hass, connected: false };
  expect(home.box("garage").differs(before)).toBe(true);
  home.hass = { ...hass, locale: { ...hass.locale, language: "de" } };
  expect(home.box("garage").differs(before)).toBe(true);
  home.hass = hass;
  home.disable("garage", "calendar.plan");
  expect(home.box("garage").differs(before)).toBe(true);
});

test("a device is called as its owner calls it", () => {
  const home = new Home("garage");
  expect(home.box("garage").name).toBe("Box garage");
  const device = home.hass.devices.garage;
  if (device) device.name_by_user = "Left";
  expect(home.box("garage").name).toBe("Left");
});
