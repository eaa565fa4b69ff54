"""Somebody cuts a link of a wallbox; power cuts, restarts and failures are told apart."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .actions import map_inputs
from .conftest import StartSimulator
from .flow_texts import LANGUAGES
from .helpers import Surface, eventually
from .meter_house import MeteredHouse, metered
from .security_home import logged
from .stage import Stage, stage
from custom_components.loxone_wallbox import links
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, MeterConfig, Simulator, WallboxConfig

DAY = "2027-01-13T"
METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
LINE = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500, line="shared")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S", "RETRY_NO_SLOT_S"):
        monkeypatch.setattr(backoff, name, 0.05)


def raised(hass: HomeAssistant) -> set[str | None]:
    """Return the repairs of tampering, whose texts can be filled in."""
    found = [
        one
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and (one.translation_key or "").startswith("tamper")
    ]
    for one in found:
        for texts in LANGUAGES.values():
            issue = texts["issues"][str(one.translation_key)]
            assert issue["title"].format(**(one.translation_placeholders or {}))
    return {one.translation_key for one in found}


async def tampering(hass: HomeAssistant, simulator: Simulator) -> list[tuple[str, str]]:
    """Return what the log has of it: the kind and the cause."""
    records = await logged(hass, simulator, "tamper_on", "tamper_off")
    return [(one["kind"], one["detail"]["cause"]) for one in records]


class CutHouse:
    """A house with meters, whose links are looked at by the meters' clock."""

    def __init__(self, home: MeteredHouse, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the house."""
        self.home = home
        monkeypatch.setattr(links, "seconds", home.clock.time)

    async def wait(self, seconds: float) -> None:
        """Let time pass, as the timer of the links would; a silence takes real time."""
        if seconds > 5:
            await self.home.leap(seconds - 1)
        else:
            await self.home.run(seconds)
        for wallbox in self.home.entry.runtime_data.wallboxes.values():
            wallbox.async_refresh_state()
        await self.home.hass.async_block_till_done(wait_background_tasks=False)

    async def restart(self) -> None:
        """Restart Home Assistant's side; only what is on the disk is left."""
        entries = self.home.hass.config_entries
        await entries.async_unload(self.home.entry.entry_id)
        await entries.async_setup(self.home.entry.entry_id)
        await self.wait(1)

    async def fall_silent(self, *meters: int) -> None:
        """Have meters give no answer any more, which is noticed within seconds."""
        for number in meters or (0,):
            self.home.meter(number).fault("silent")
        await self.wait(15)

    async def until_known(self) -> None:
        """Let the meters be read for the first time."""
        await self.wait(3)
        assert {see("meter_connection") for see in self.home.see} == {"on"}


async def test_a_meter_that_is_cut_off(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shown, limited, recorded and told to the owner, until it is back."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        house, see = CutHouse(home, monkeypatch), home.see[0]
        await house.until_known()
        await home.plug()
        await home.run(20)
        await eventually(lambda: see("charging") == "on")
        assert see("tamper") == "off"
        await house.fall_silent()
        assert see("meter_connection") == "off"
        await house.wait(45)
        assert see("tamper") == "off"
        await house.wait(20)
        assert see("tamper") == "on"
        assert see.attribute("tamper", "causes") == ["meter_link"]
        assert see("reason") == "tamper"
        await eventually(lambda: see("power_limit") == "4.16")
        assert raised(hass) == {"tamper_meter_link"}
        await eventually(lambda: see.attribute("security", "event_type") == "tamper_on")
        assert see.attribute("security", "policy") == "limit"
        home.meter().clear()
        await house.wait(3)
        assert see("tamper") == "off"
        assert raised(hass) == set()
        assert await tampering(hass, home.simulator) == [
            ("tamper_on", "meter_link"),
            ("tamper_off", "meter_link"),
        ]


async def test_the_owner_looked_into_it(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_client: Callable[[], Awaitable[Any]],
) -> None:
    """A meter that has failed for good is not tampering for ever; who said so is kept."""
    assert await async_setup_component(hass, REPAIRS, {})
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        house, see = CutHouse(home, monkeypatch), home.see[0]
        await house.until_known()
        await house.fall_silent()
        await house.wait(70)
        assert see("tamper") == "on"
        client = await hass_client()
        issue_id = f"tamper_meter_link_{home.wallbox().subentry_id}"
        response = await client.post(
            "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
        )
        form = await response.json()
        assert form["step_id"] == "looked_into"
        await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
        await eventually(lambda: see("tamper") == "off")
        assert raised(hass) == set()
        assert see("meter_connection") == "off"
        await house.restart()
        assert see("tamper") == "off"
        [record] = await logged(hass, home.simulator, "tamper_off")
        assert record["detail"]["reason"] == "looked_into"
        assert record["source"].startswith("ha_user:")
        home.meter().clear()
        await house.wait(3)
        await house.fall_silent()
        # Things have more time to settle after a start of Home Assistant.
        await house.wait(400)
        assert see("tamper") == "on"


async def test_cut_off_over_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is still known, and recorded once; a meter that was taken out is none."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        house, see = CutHouse(home, monkeypatch), home.see[0]
        await house.until_known()
        await house.fall_silent()
        await house.wait(70)
        await house.restart()
        assert see("tamper") == "on"
        assert raised(hass) == {"tamper_meter_link"}
        assert await tampering(hass, home.simulator) == [("tamper_on", "meter_link")]
        subentry = next(iter(home.entry.subentries.values()))
        data = {key: one for key, one in subentry.data.items() if key != "meter"}
        hass.config_entries.async_update_subentry(home.entry, subentry, data=data)
        await hass.async_block_till_done(wait_background_tasks=False)
        assert raised(hass) == set()
        assert (await tampering(hass, home.simulator))[1:] == [
            ("tamper_off", "meter_link")
        ]


async def test_a_gateway_takes_its_meters_along(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both silent is the gateway; one alone is that one."""
    async with metered(
        hass, start_simulator, monkeypatch, LINE, replace(LINE, unit=2)
    ) as home:
        house, see = CutHouse(home, monkeypatch), home.see
        other = next(
            one
            for one in home.entry.subentries.values()
            if one.unique_id == home.simulator.wallboxes[1].uuid
        )
        data = {**other.data, "meter": {**other.data["meter"], "unit_id": 2}}
        hass.config_entries.async_update_subentry(home.entry, other, data=data)
        await hass.async_block_till_done(wait_background_tasks=False)
        await house.until_known()
        await house.fall_silent(0, 1)
        await house.wait(150)
        assert [one("tamper") for one in see] == ["off", "off"]
        assert [one.attribute("tamper", "outage") for one in see] == [
            "gateway_lost",
            "gateway_lost",
        ]
        assert see[0].attribute("fallback_active", "meter") == "lost"
        home.meter(0).clear()
        await house.wait(70)
        assert [one("tamper") for one in see] == ["off", "off"]
        await house.wait(70)
        assert [one("tamper") for one in see] == ["off", "on"]


@pytest.mark.parametrize(("variant", "late_s"), [("11kw_tree", 0), ("11kw_air", 250)])
async def test_a_circuit_without_power(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    variant: str,
    late_s: float,
) -> None:
    """Wallbox and meter go together: nobody tampers, also where one is missed late."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        [subentry] = home.entry.subentries.values()
        hass.config_entries.async_update_subentry(
            home.entry, subentry, data={**subentry.data, "variant": variant}
        )
        house, see = CutHouse(home, monkeypatch), home.see[0]
        await map_inputs(hass, home.entry, home.simulator)
        await house.until_known()
        await house.fall_silent()
        await house.wait(late_s)
        assert see("tamper") == "off"
        home.simulator.wallboxes[0].set_online(False)
        await eventually(lambda: see("fallback_active") == "on")
        await house.wait(200)
        assert see("tamper") == "off"
        assert see.attribute("tamper", "outage") == "power_cut"
        home.simulator.wallboxes[0].set_online(True)
        await eventually(lambda: see("fallback_active") == "off")
        await house.wait(30)
        home.meter().clear()
        await house.wait(3)
        await house.wait(100)
        assert see("meter_connection") == "on"
        assert await tampering(hass, home.simulator) == []


async def on_stage(play: Stage) -> None:
    """Have the first wallbox watched, and a car charge."""
    await map_inputs(play.hass, play.entry, play.simulator)
    play.deal(*[0] * 9)
    play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
    await play.settle()


async def test_a_wallbox_that_is_cut_off(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Known after a minute, said, recorded, and over when it is back."""
    begin = f"{DAY}23:00:00"
    box = WallboxConfig(name="Garage", contacts=True)
    async with stage(hass, start_simulator, monkeypatch, begin=begin, box=box) as play:
        await on_stage(play)
        assert play.see("fallback_active") == "off"
        play.box.tamper(True)
        await eventually(lambda: play.see("fallback_active") == "on")
        assert play.see.attribute("fallback_active", "wallbox") == "lost"
        assert play.see.attribute("fallback_active", "miniserver") == "up"
        await play.at(f"{DAY}23:00:59")
        assert play.see("tamper") == "off"
        await play.at(f"{DAY}23:01:01")
        assert play.see("tamper") == "on"
        assert raised(hass) == {"tamper_wallbox_link"}
        play.box.set_contact("Tamper", True)
        await eventually(lambda: len(raised(hass)) == 2)
        assert play.see.attribute("tamper", "causes") == ["contact", "wallbox_link"]
        play.box.tamper(False)
        await eventually(lambda: play.see("fallback_active") == "off")
        assert raised(hass) == {"tamper_contact"}
        play.box.set_contact("Tamper", False)
        await eventually(lambda: play.see("tamper") == "off")
        assert await tampering(hass, play.simulator) == [
            ("tamper_on", "wallbox_link"),
            ("tamper_on", "contact"),
            ("tamper_off", "wallbox_link"),
            ("tamper_off", "contact"),
        ]


async def test_a_miniserver_that_restarts(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its wallboxes have five minutes to come back; then it is no restart any more."""
    begin = f"{DAY}23:00:00"
    async with stage(hass, start_simulator, monkeypatch, begin=begin) as play:
        await on_stage(play)
        play.box.set_online(False)
        await play.simulator.restart(down_s=60)
        await eventually(lambda: play.see("miniserver_connection") == "off")
        play.simulator.advance(61)
        await eventually(lambda: play.see("miniserver_connection") == "on", 10)
        await play.at(f"{DAY}23:05:50")
        assert play.see("tamper") == "off"
        assert play.see.attribute("tamper", "outage") == "miniserver_restart"
        await play.at(f"{DAY}23:06:10")
        assert play.see("tamper") == "on"
        play.box.set_online(True)
        await eventually(lambda: play.see("tamper") == "off")


async def test_a_lost_network(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the Miniserver nor the meter can be reached: nobody tampers."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        house, see = CutHouse(home, monkeypatch), home.see[0]
        await house.until_known()
        home.simulator.fault("no_slot")
        await home.simulator.drop()
        await eventually(lambda: see("miniserver_connection") == "off")
        assert see.attribute("tamper", "outage") == "miniserver_lost"
        await home.gateway(on=False)
        await house.wait(200)
        assert see.attribute("tamper", "outage") == "network_lost"
        assert see("tamper") == "off"
        home.simulator.clear("no_slot")
        await eventually(lambda: see("miniserver_connection") == "on", 10)
        await house.wait(200)
        assert see("tamper") == "off"
        await home.gateway(on=True)
        await house.wait(5)
        assert see("meter_connection") == "on"
        await house.wait(200)
        assert await tampering(hass, home.simulator) == []


async def test_all_wallboxes_of_a_branch(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where all go together nobody cut off one of them; the one that stays away is."""
    begin = f"{DAY}23:00:00"
    boxes = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))
    async with stage(
        hass, start_simulator, monkeypatch, begin=begin, boxes=boxes
    ) as play:
        for box in play.simulator.wallboxes:
            await map_inputs(hass, play.entry, play.simulator, box)
        see = [Surface(hass, play.simulator, number) for number in (0, 1)]
        for box in play.simulator.wallboxes:
            box.set_online(False)
        await eventually(lambda: {one("fallback_active") for one in see} == {"on"})
        await play.at(f"{DAY}23:10:00")
        assert [one("tamper") for one in see] == ["off", "off"]
        assert see[1].attribute("tamper", "outage") == "power_cut"
        play.simulator.wallboxes[0].set_online(True)
        await eventually(lambda: see[0]("fallback_active") == "off")
        await play.at(f"{DAY}23:13:00")
        await play.at(f"{DAY}23:16:00")
        assert [one("tamper") for one in see] == ["off", "on"]
