"""What lasts when a wallbox does not obey, and what is never asked of one."""

from datetime import timedelta

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .stage import stage
from custom_components.loxone_wallbox import commander
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from simulator import Car, WallboxConfig


async def test_a_grid_event_stays_when_the_wallbox_does_not_obey(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the grid asks for is not forgotten because of a command that failed."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.05)
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(0)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.at("2027-01-13T22:10:00")
        play.simulator.fault("command_ignored")
        now = play.instant("2027-01-13T22:10:00")
        await play.wallbox.acts.async_add_event(
            DsrEvent(
                event_id="A",
                start=now,
                end=now + timedelta(minutes=30),
                kind=DsrKind.LIMIT,
                limit_kw=6.0,
                response_service=True,
                heard_at=now,
            )
        )
        assert list(play.wallbox.controller.state.dsr.events) == [("", "A")]
        assert play.see("power_limit") == "11.0"
        play.simulator.clear()
        await play.at("2027-01-13T22:11:30")
        assert play.see("power_limit") == "6.0"


async def test_a_read_only_wallbox_is_asked_for_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A user who may only look decides nothing, and nothing is tried again."""
    box = WallboxConfig(name="Garage", restrictions=2)
    async with stage(hass, start_simulator, monkeypatch, box=box) as play:
        play.deal(0, 0)
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.at("2027-01-13T18:30:00")
        assert play.see("reason") == "outside_default_hours"
        assert play.see.commands == []
        assert play.see.attribute("alert", "event_type") == "plugged_in_peak"
