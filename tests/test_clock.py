"""The clock is set while a car waits, and what is kept stays the right one's."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import eventually
from .security_home import logged
from .stage import Stage, stage
from custom_components.loxone_wallbox import clock as watched_clock
from simulator import Car

DAY = "2027-01-13T"


def set_clock(play: Stage, monkeypatch: pytest.MonkeyPatch, step: timedelta) -> None:
    """Set Home Assistant's clock; the time that passes is the same as before."""
    monkeypatch.setattr(
        dt_util,
        "utcnow",
        lambda: datetime.fromtimestamp(play.clock.time(), UTC) + step,
    )
    monkeypatch.setattr(watched_clock, "monotonic", play.clock.time)


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
async def test_clock_is_set_during_a_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    hours: int,
) -> None:
    """As many seconds are left, no second draw, and it is said."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}23:30:00"
    ) as play:
        play.deal(437)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        assert play.see("status") == "random_delay"
        await play.at(f"{DAY}23:32:00")
        step = timedelta(hours=hours)
        caplog.set_level(logging.INFO)
        set_clock(play, monkeypatch, step)
        play.wallbox.async_refresh_state()
        await play.settle()
        assert "clock_step" in caplog.text
        [record] = await logged(hass, play.simulator, "clock_step")
        assert record["detail"]["wallbox"] == "Garage"
        assert record["detail"]["seconds"] == pytest.approx(3600 * hours, abs=5)
        due = play.instant(f"{DAY}23:37:17") + step
        assert play.see("random_delay_ends") == due.isoformat()
        assert play.see("vehicle_connected") == "on"
        await play.at(f"{DAY}23:37:16")
        assert play.see("status") == "random_delay"
        await play.at(f"{DAY}23:37:17")
        await eventually(lambda: play.see("status") == "charging")


async def test_clock_is_set_beyond_the_window(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The default charging hours are those of the new time."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}22:30:00"
    ) as play:
        play.deal(0, 10, 20)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:40:00")
        assert play.see("status") == "charging"
        set_clock(play, monkeypatch, timedelta(hours=-1))
        play.wallbox.async_refresh_state()
        await play.settle()
        assert play.see("in_default_hours") == "off"
        # Whatever the clock shows, the contactor rests for five minutes.
        await play.at(f"{DAY}22:45:00")
        await eventually(lambda: play.see("status") != "charging")
        assert play.see("status") == "waiting_for_default_hours"
        assert play.see("next_change") == "2027-01-13T22:00:00+00:00"


async def test_a_small_correction_is_no_step(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A time server that moves the clock by seconds disturbs nobody."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}23:30:00"
    ) as play:
        play.deal(437)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        ends = play.see("random_delay_ends")
        set_clock(play, monkeypatch, timedelta(seconds=-3))
        play.wallbox.async_refresh_state()
        await play.settle()
        assert play.see("random_delay_ends") == ends
        assert "clock_step" not in caplog.text
        assert await logged(hass, play.simulator, "clock_step") == []


async def test_a_predecessor_writes_nothing_any_more(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After changed settings and a restart the newest state stands, not the oldest."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        (subentry,) = play.entry.subentries.values()
        changed: dict[str, Any] = {**subentry.data, "priority": 80}
        hass.config_entries.async_update_subentry(play.entry, subentry, data=changed)
        await play.settle()
        await play.see.call("number.set_value", "max_random_delay", value=120)
        await play.see.call("switch.turn_off", "charging_allowed")
        await play.restart()
        assert play.see("max_random_delay") == "120"
        assert play.see("charging_allowed") == "off"


async def test_a_car_that_comes_and_goes(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However fast it goes, the wallbox ends where the rules want it."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        for _ in range(9):
            play.box.plug(Car())
            await asyncio.sleep(0.01)
            play.box.unplug()
            await asyncio.sleep(0.01)
        await eventually(lambda: play.box.enabled)
        play.box.plug(Car())
        await eventually(lambda: not play.box.enabled)
        await play.settle()
        assert play.see("status") == "waiting_for_default_hours"
