"""Days in the life of a wallbox, through Home Assistant and a real Miniserver's face."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, refused
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .stage import stage
from custom_components.loxone_wallbox.charging.schedule import DAY_NAMES
from simulator import Car


async def test_an_ordinary_night(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waits for the hours and its delay, charges, stops before the peak."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(437, 123)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        assert play.see("status") == "waiting_for_default_hours"
        assert play.see("reason") == "outside_default_hours"
        assert play.see("next_change") == "2027-01-13T22:00:00+00:00"
        assert play.see("in_peak_hours") == "on"
        assert play.see("in_default_hours") == "off"
        assert play.see.commands == ["allow/off"]
        await play.at("2027-01-13T22:00:00")
        assert play.see("status") == "random_delay"
        assert play.see("random_delay_active") == "on"
        assert play.see("random_delay_ends") == "2027-01-13T22:07:17+00:00"
        assert play.see("next_change") == "2027-01-13T22:07:17+00:00"
        assert play.see("in_default_hours") == "on"
        await play.at("2027-01-13T22:07:16")
        assert play.see.commands == ["allow/off"]
        await play.at("2027-01-13T22:07:17")
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at("2027-01-13T22:07:18")
        assert play.see("status") == "charging"
        await play.at("2027-01-14T07:52:02")
        assert play.see("status") == "charging"
        await play.at("2027-01-14T07:52:03")
        assert play.see.commands[2:] == ["allow/off"]
        before = play.see("energy_total")
        await play.at("2027-01-14T11:00:00")
        assert play.see("energy_total") == before
        assert play.see("status") == "waiting_for_default_hours"
        assert play.see("next_change") == "2027-01-14T22:00:00+00:00"


async def test_skip_the_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The button starts at once, is recorded, and does nothing a second time."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(437)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T22:03:00")
        await play.see.call("button.press", "skip_random_delay")
        assert play.see.commands == ["allow/off", "allow/on"]
        assert play.see("random_delay_active") == "off"
        record = play.wallbox.controller.state.delay.draws[-1]
        assert record.outcome == "skipped"
        assert record.at == play.instant("2027-01-13T22:03:00")
        assert record.by is not None
        await play.see.call("button.press", "skip_random_delay")
        assert play.see.commands == ["allow/off", "allow/on"]


async def test_charge_now_and_resume(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An override acts at once; what follows its end has its delay."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(60)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T17:40:00")
        await play.see.call("button.press", "charge_now")
        assert play.see.commands == ["allow/off", "allow/on"]
        assert play.see("reason") == "override_charge"
        assert play.see("override_ends") == "unknown"
        await play.at("2027-01-13T18:00:00")
        await play.see.call("button.press", "resume_schedule")
        await play.at("2027-01-13T18:00:59")
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at("2027-01-13T18:01:00")
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]
        assert play.see("status") == "waiting_for_default_hours"


@pytest.mark.parametrize(
    ("back", "expected"), [("22:05:00", "22:07:17"), ("22:09:00", "22:09:00")]
)
async def test_restart_in_the_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    back: str,
    expected: str,
) -> None:
    """The same deadline stands without a second draw."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(437)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T22:02:00")
        await hass.config_entries.async_unload(play.entry.entry_id)
        seconds = play.instant(f"2027-01-13T{back}").timestamp() - play.clock.time()
        play.simulator.advance(seconds)
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        play.deal()
        if expected != back:
            assert play.see("status") == "random_delay"
            assert play.see("random_delay_ends") == f"2027-01-13T{expected}+00:00"
            assert play.see.commands == ["allow/off"]
            await play.at(f"2027-01-13T{expected}")
        assert play.see.commands == ["allow/off", "allow/on"]


async def test_plug_in_without_default_hours(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plug-in itself is the relevant time."""
    removed: dict[str, object] = {
        "choice": "remove",
        "windows": [],
        "clock": "local",
        "preset": None,
    }
    async with stage(hass, start_simulator, monkeypatch, first_use=removed) as play:
        play.deal(210)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.settle()
        assert play.see("status") == "random_delay"
        assert play.see.commands == ["allow/off"]
        await play.at("2027-01-13T17:33:30")
        assert play.see.commands == ["allow/off", "allow/on"]


async def test_settings(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hours are suspended and kept, the delay is set from afar, all of it is kept."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(0)
        assert play.see("max_random_delay") == "600"
        await play.see.call("number.set_value", "max_random_delay", value=1800)
        await play.see.call(
            "select.select_option", "end_delay", option="after_boundary"
        )
        await play.see.call("select.select_option", "handover", option="leave")
        await play.see.call("switch.turn_off", "default_hours")
        await play.restart()
        assert play.see("max_random_delay") == "1800"
        assert play.see("end_delay") == "after_boundary"
        assert play.see("handover") == "leave"
        assert play.see("default_hours") == "off"
        await play.see.call("switch.turn_on", "default_hours")
        play.box.plug(Car())
        await play.settle()
        assert play.see("status") == "waiting_for_default_hours"


async def test_an_automation_ends_no_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither by skipping nor by a shorter maximum; on behalf of a person it may."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(437)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T22:03:00")
        act = Actions(hass, play.simulator)
        async with refused(play.entry, "skip_needs_person"):
            await act("skip_delay", by=None)
        await hass.services.async_call(
            "number",
            "set_value",
            {
                "entity_id": entity_id(hass, play.simulator, "max_random_delay"),
                "value": 0,
            },
            blocking=True,
        )
        assert play.see("max_random_delay") == "0"
        assert play.see("random_delay_ends") == "2027-01-13T22:07:17+00:00"
        assert play.see.commands == ["allow/off"]
        await act("skip_delay", by=None, on_behalf_of_user=True)
        await eventually(lambda: play.see.commands == ["allow/off", "allow/on"])


async def test_stop_after_the_boundary(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who chose so draws at the end of the hours, not before it."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-14T06:00:00"
    ) as play:
        play.deal(0, 123)
        await play.see.call(
            "select.select_option", "end_delay", option="after_boundary"
        )
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-14T08:00:00")
        assert play.see("status") == "charging"
        assert play.see("next_change") == "2027-01-14T08:02:03+00:00"
        await play.at("2027-01-14T08:02:02")
        assert play.see("status") == "charging"
        await play.at("2027-01-14T08:02:03")
        await eventually(lambda: play.see("status") == "waiting_for_default_hours")


SPRING: dict[str, Any] = {
    "first_use": {
        "choice": "change",
        "windows": [
            {"days": list(DAY_NAMES), "start": "00:30", "end": "04:30"},
        ],
        "clock": "local",
        "at": "2027-03-01T12:00:00+00:00",
        "by": None,
    }
}


async def test_spring_forward(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The night the clocks go forward has hours of three hours, open in GMT."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-03-27T20:00:00", **SPRING
    ) as play:
        play.deal(100, 50)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        assert play.see("next_change") == "2027-03-28T00:30:00+00:00"
        await play.at("2027-03-28T00:30:00")
        assert play.see("random_delay_ends") == "2027-03-28T00:31:40+00:00"
        await play.at("2027-03-28T00:31:40")
        await eventually(lambda: play.see("status") == "charging")
        # 04:30 BST is 03:30 GMT; the stop is due within the ten minutes before.
        await play.at("2027-03-28T04:20:49")
        assert play.see("status") == "charging"
        await play.at("2027-03-28T04:20:50")
        await eventually(lambda: play.see("status") == "waiting_for_default_hours")
        assert play.see("next_change") == "2027-03-28T23:30:00+00:00"
