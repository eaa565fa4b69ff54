"""What others do to the wallbox is taken up and not fought."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox import commander
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Car, WallboxConfig

EVENING, NIGHT = "2027-01-13T21:30:00", "2027-01-13T23:00:00"


@asynccontextmanager
async def plugged(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    begin: str,
    *draws: int,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """Play from a local time with a car that was just plugged in."""
    async with stage(hass, start, monkeypatch, begin=begin, **changes) as play:
        play.deal(*draws)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        play.simulator.commands.clear()
        yield play


async def test_on_in_the_app(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Allowed in the app, it charges until the next boundary and on in the night."""
    async with plugged(hass, start_simulator, monkeypatch, EVENING, 33) as play:
        assert play.see("status") == "waiting_for_default_hours"
        play.box.set_allowed(True)
        await play.settle()
        assert play.see("reason") == "override_charge"
        assert play.see("override_ends") == "2027-01-13T22:00:00+00:00"
        override = play.wallbox.controller.state.override
        assert override is not None
        assert (override.source, override.by) == ("miniserver", None)
        await play.at("2027-01-13T22:10:00")
        assert play.see("reason") == "default_hours"
        assert play.see("status") == "charging"
        assert play.see.commands == []
        await play.at("2027-01-14T07:50:32")
        assert play.see.commands == []
        await play.at("2027-01-14T07:50:33")
        assert play.see.commands == ["allow/off"]


async def test_off_in_the_app(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forbidden in the app, it pauses until the next boundary or the owner's word."""
    async with plugged(hass, start_simulator, monkeypatch, NIGHT, 0, 20) as play:
        await play.at("2027-01-13T23:05:00")
        assert play.see("status") == "charging"
        play.simulator.commands.clear()
        play.box.set_allowed(False)
        await play.settle()
        assert play.see("reason") == "override_pause"
        assert play.see("override_ends") == "2027-01-14T08:00:00+00:00"
        assert play.see("charging_allowed") == "on"
        await play.at("2027-01-13T23:30:00")
        assert play.see.commands == []
        await play.see.call("button.press", "resume_schedule")
        await play.at("2027-01-13T23:30:20")
        assert play.see.commands == ["allow/on"]


async def test_until_unplugging(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a boundary ahead it lasts until the car leaves."""
    async with plugged(
        hass, start_simulator, monkeypatch, NIGHT, 0, 15, first_use=None
    ) as play:
        await play.at("2027-01-13T23:05:00")
        play.box.set_allowed(False)
        await play.settle()
        assert play.see("override_ends") == "unknown"
        play.box.unplug()
        await play.settle()
        assert play.wallbox.controller.state.override is None


async def test_without_a_car(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a car it is the owner's permission, and stands for the next one."""
    async with stage(hass, start_simulator, monkeypatch, begin=NIGHT) as play:
        play.deal()
        play.box.set_allowed(False)
        await play.settle()
        assert play.see("charging_allowed") == "off"
        assert play.see.commands == []
        play.box.plug(Car())
        await play.settle()
        assert play.see("status") == "paused"
        await play.at("2027-01-13T23:30:00")
        assert play.see.commands == []
        play.box.unplug()
        await play.settle()
        play.box.set_allowed(True)
        await play.settle()
        assert play.see("charging_allowed") == "on"
        assert play.see.commands == []


async def test_mode_and_limit(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mode and a limit of the app are the owner's, at once and without commands."""
    async with plugged(hass, start_simulator, monkeypatch, NIGHT, 0) as play:
        await play.at("2027-01-13T23:05:00")
        play.simulator.commands.clear()
        play.box.set_mode(2)
        await play.settle()
        assert play.see("charge_mode") == "Normal"
        play.box.set_manual_limit(8)
        await play.settle()
        assert play.see("charge_mode") == "manual"
        assert play.see("target_power") == "8.0"
        play.box.set_manual_limit(6)
        await play.settle()
        assert play.see("target_power") == "6.0"
        await play.at("2027-01-13T23:30:00")
        assert play.see("power_limit") == "6.0"
        assert play.see("random_delay_active") == "off"
        assert play.see.commands == []


async def test_load_shedding(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a protection does is nobody's wish; it is not fought either."""
    async with plugged(hass, start_simulator, monkeypatch, NIGHT, 0) as play:
        await play.at("2027-01-13T23:05:00")
        play.simulator.commands.clear()
        play.box.set_loadshed(True)
        play.box.set_allowed(False)
        await play.settle()
        await play.at("2027-01-13T23:10:00")
        assert play.see("status") == "load_shedding"
        assert play.see("override_ends") == "unknown"
        assert play.wallbox.controller.state.override is None
        assert play.see.commands == []
        play.box.set_loadshed(False)
        await play.settle()
        assert play.see.commands == ["allow/on"]
        assert play.wallbox.controller.state.override is None


async def test_lock(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What happens under a lock is the lock's doing; afterwards there is a draw."""
    async with plugged(hass, start_simulator, monkeypatch, NIGHT, 0, 25) as play:
        await play.at("2027-01-13T23:05:00")
        play.simulator.commands.clear()
        play.box.lock("maintenance", by=2)
        play.box.set_allowed(False)
        await play.settle()
        assert play.see("status") == "locked"
        assert play.wallbox.controller.state.override is None
        await play.at("2027-01-13T23:20:00")
        play.box.unlock()
        await play.settle()
        assert play.see("status") == "random_delay"
        await play.at("2027-01-13T23:20:25")
        assert play.see.commands == ["allow/on"]


async def test_manager(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A manager is no owner: its limits are its own, and it is not fought for ever."""
    box = WallboxConfig(name="Garage", managed=True)
    async with plugged(
        hass, start_simulator, monkeypatch, NIGHT, 0, box=box, manager=True
    ) as play:
        await play.at("2027-01-13T23:05:00")
        play.simulator.commands.clear()
        play.box.set_manager_mode(1)
        await play.settle()
        state = play.wallbox.controller.state
        assert state.override is None
        assert state.target_at is None
        for _ in range(5):
            play.box.set_allowed(False)
            await play.settle()
        assert play.wallbox.controller.state.override is None
        assert play.see.commands == ["allow/on"] * 2


@pytest.mark.parametrize(("after", "adopted"), [(5, False), (15, True)])
async def test_a_late_confirmation(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    adopted: bool,
) -> None:
    """What we asked for a moment ago is ours, even if it comes after the patience."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.03)
    async with plugged(
        hass, start_simulator, monkeypatch, "2027-01-13T21:59:00", 0
    ) as play:
        play.simulator.fault("command_ignored")
        await play.at("2027-01-13T22:00:00")
        await eventually(
            lambda: play.see.attribute("alert", "event_type") == "command_failed"
        )
        assert play.see.commands == ["allow/on"] * 3
        play.simulator.advance(after)
        play.box.set_allowed(True)
        await play.settle()
        assert (play.wallbox.controller.state.override is not None) is adopted
        assert play.see.commands == ["allow/on"] * 3


async def test_not_obeyed_is_tried_again(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wallbox that does not obey is asked again a minute later."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.03)
    async with plugged(
        hass, start_simulator, monkeypatch, "2027-01-13T21:59:00", 0
    ) as play:
        play.simulator.fault("command_ignored")
        await play.at("2027-01-13T22:00:00")
        await eventually(
            lambda: play.see.attribute("alert", "event_type") == "command_failed"
        )
        await play.at("2027-01-13T22:00:59")
        assert play.see.commands == ["allow/on"] * 3
        play.simulator.clear()
        await play.at("2027-01-13T22:01:00")
        assert play.see.commands == ["allow/on"] * 4
        assert play.box.enabled


async def test_two_masters(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After three reversals we command nothing until the owner says something."""
    async with plugged(hass, start_simulator, monkeypatch, EVENING, 0) as play:
        for minute, allowed in ((31, True), (33, False), (35, True)):
            await play.at(f"2027-01-13T21:{minute}:00")
            play.box.set_allowed(allowed)
            await play.settle()
        assert play.wallbox.controller.adoption.two_masters
        issue = (DOMAIN, f"two_masters_{play.wallbox.subentry_id}")
        assert issue in ir.async_get(hass).issues
        play.box.set_allowed(False)
        await play.settle()
        await play.at("2027-01-13T22:20:00")
        play.deal()
        assert play.see("status") != "charging"
        assert play.see.commands == []
        await play.see.call("button.press", "charge_now")
        assert play.see.commands == ["allow/on"]
        assert issue not in ir.async_get(hass).issues
        assert not play.wallbox.controller.adoption.two_masters


async def test_three_slow_reversals(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody who changes their mind now and then is no second master."""
    async with plugged(
        hass, start_simulator, monkeypatch, "2027-01-13T20:00:00", 0
    ) as play:
        for minute, allowed in (("01", True), ("07", False), ("12", True)):
            await play.at(f"2027-01-13T20:{minute}:00")
            play.box.set_allowed(allowed)
            await play.settle()
        assert not play.wallbox.controller.adoption.two_masters
