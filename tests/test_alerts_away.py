"""What happened while nobody looked is told afterwards, once and with its time."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import entity_id, eventually
from .stage import Stage, stage
from .test_alerts import Heard
from custom_components.loxone_wallbox import standing_repairs
from custom_components.loxone_wallbox.alert_desk import MOST_UNTOLD, AlertDesk
from custom_components.loxone_wallbox.firmware_news import FirmwareNews
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.standing_repairs import UNREACHABLE
from simulator import Car

DAY = "2027-01-13T"
ALWAYS: dict[str, Any] = {
    "begin": f"{DAY}12:00:00",
    "profile": "none",
    "first_use": None,
}


@pytest.fixture(autouse=True)
async def _at_home(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live where the stories play, and reconnect at once."""
    await hass.config.async_set_time_zone("Europe/London")
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


async def away(play: Stage) -> None:
    """Stop Home Assistant's side."""
    await play.hass.config_entries.async_unload(play.entry.entry_id)


async def back(play: Stage) -> None:
    """Start it again."""
    await play.hass.config_entries.async_setup(play.entry.entry_id)
    await play.settle()


async def test_a_car_that_left(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It charged as Home Assistant stopped, and is gone when it is back."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        heard = Heard(hass, play.simulator)
        play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}12:30:00")
        await away(play)
        play.simulator.advance(1800, step_s=60)
        play.box.unplug()
        play.simulator.advance(3600, step_s=600)
        await back(play)
        await play.at(f"{DAY}14:31:00")
        [finished] = heard.of("charge_finished")
        assert finished["time"] == "2027-01-13T13:00:00+00:00"
        assert finished["unplugged"] is True
        assert finished["energy"] == pytest.approx(11, abs=0.5)
        await play.restart()
        await play.at(f"{DAY}14:40:00")
        assert len(heard.of("charge_finished")) == 1


async def test_a_car_that_is_full(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stopped by itself before or after Home Assistant did, and is still there."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        heard = Heard(hass, play.simulator)
        play.box.plug(Car(capacity_kwh=77, energy_kwh=75.0))
        await play.settle()
        await play.at(f"{DAY}12:05:00")
        assert play.see("status") == "charging"
        await away(play)
        play.simulator.advance(3600, step_s=30)
        await back(play)
        await play.at(f"{DAY}13:20:00")
        assert play.see("status") == "finished"
        [finished] = heard.of("charge_finished")
        assert finished["unplugged"] is False
        assert finished["time"] is not None
        assert "2027-01-13T12:0" < finished["time"] < "2027-01-13T13:06"
        play.box.unplug()
        await play.at(f"{DAY}14:00:00")
        assert len(heard.of("charge_finished")) == 1


async def test_a_stay_that_nobody_saw(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The Miniserver's log tells of it; of what was before the first use nobody hears."""

    def live(simulator: Any) -> None:
        """Charge for two hours."""
        simulator.wallboxes[0].plug(Car(capacity_kwh=100, energy_kwh=10))
        simulator.advance(7200, step_s=3600)
        simulator.wallboxes[0].unplug()
        simulator.advance(3600, step_s=3600)

    async def start(**changes: Any) -> Any:
        """Start a Miniserver that has seen something already."""
        simulator = await start_simulator(**changes)
        live(simulator)
        return simulator

    async with stage(hass, start, monkeypatch, **ALWAYS) as play:
        heard = Heard(hass, play.simulator)
        await eventually(lambda: play.see("last_session_energy") != "unknown")
        await play.at(f"{DAY}15:30:00")
        assert play.see.attribute("alert", "event_type") != "charge_finished"
        await away(play)
        left = play.clock.time() + 7200
        live(play.simulator)
        await back(play)
        await eventually(lambda: bool(heard.of("charge_finished")))
        await play.settle()
        [finished] = heard.of("charge_finished")
        assert finished["time"] == dt_util.utc_from_timestamp(left).isoformat()
        assert finished["unplugged"] is True


async def test_a_firmware(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told as soon as it is known, though nothing happens at the wallbox."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    heard = Heard(hass, simulator)
    monkeypatch.setattr(FirmwareNews, "newest", "99.1.2.3")
    entry.runtime_data.miniserver.news.async_update_listeners()
    await hass.async_block_till_done()
    assert heard.kinds == ["firmware_available"]
    await hass.config_entries.async_unload(entry.entry_id)


def test_before_anybody_shows_them() -> None:
    """What is told then waits for the first who does, as much of it as is news."""
    desk = AlertDesk()
    shown: list[int] = []
    for number in range(MOST_UNTOLD + 1):
        desk.tell("tamper", {"number": number})
    leave = desk.listen(lambda _kind, details: shown.append(details["number"]))
    desk.tell("tamper", {"number": 99})
    assert shown == [*range(1, MOST_UNTOLD + 1), 99]
    leave()
    desk.listen(lambda _kind, details: shown.append(details["number"]))
    assert shown[-1] == 99


async def test_nobody_shows_alerts(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entity is disabled: repairs come all the same, and what is told is kept."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 60.0)
    simulator = await start_simulator()
    entry = make_entry(simulator)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"unavailable_after": 0})
    entry = await set_up(hass, entry)
    alert = entity_id(hass, simulator, "alert")
    er.async_get(hass).async_update_entity(
        alert, disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(alert) is None
    await simulator.drop()
    miniserver = entry.runtime_data.miniserver
    await eventually(lambda: not miniserver.available)
    later = dt_util.utcnow() + standing_repairs.OUT_OF_REACH_AFTER
    monkeypatch.setattr(dt_util, "utcnow", lambda: later)
    async_fire_time_changed(hass, later)
    issues = ir.async_get(hass).issues.values()
    await eventually(lambda: UNREACHABLE in {one.translation_key for one in issues})
    er.async_get(hass).async_update_entity(alert, disabled_by=None)
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    heard = Heard(hass, simulator)
    await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: heard.kinds == ["link_restored"])
    await hass.config_entries.async_unload(entry.entry_id)
