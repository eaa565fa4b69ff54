"""What is shown of a random delay, and who changed what decides it."""

import json

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .actions import Actions, user_id
from .conftest import StartSimulator
from .helpers import Surface, entity_id
from .security_home import logged
from .stage import Stage, stage
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"


async def test_what_a_delay_is_for(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cause, draw and limits are shown while it runs, and recorded nowhere."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:50:00"
    ) as play:
        play.deal(437, 45)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()

        def shown() -> dict[str, object]:
            """Return what is shown besides the end."""
            names = (
                "cause",
                "seconds_drawn",
                "relevant_time",
                "old_limit",
                "new_limit",
            )
            attribute = play.see.attribute
            return {name: attribute("random_delay_ends", name) for name in names}

        assert set(shown().values()) == {None}
        await play.at(f"{DAY}22:01:00")
        assert shown() == {
            "cause": "default_hours",
            "seconds_drawn": 437,
            "relevant_time": "2027-01-13T22:00:00+00:00",
            "old_limit": 0.0,
            "new_limit": 11.0,
        }
        state = hass.states.get(entity_id(hass, play.simulator, "random_delay_ends"))
        assert state is not None
        assert state.state_info is not None
        assert set(shown()) <= state.state_info["unrecorded_attributes"]
        await play.at(f"{DAY}22:30:00")
        assert set(shown().values()) == {None}
        act = Actions(hass, play.simulator)
        end = play.instant(f"{DAY}23:00:00").isoformat()
        await act("dsr_start", event_id="A", end=end, kind="limit", limit_kw=6)
        assert shown() == {
            "cause": "dsr",
            "seconds_drawn": 45,
            "relevant_time": "2027-01-13T22:30:00+00:00",
            "old_limit": 11.0,
            "new_limit": 6.0,
        }
        # What a person lowers meanwhile holds at once.
        await play.at(f"{DAY}22:30:10")
        await play.see.call("number.set_value", "target_power", value=8)
        assert (shown()["old_limit"], shown()["new_limit"]) == (8.0, 6.0)


async def diagnosed(play: Stage, user: str) -> None:
    """Check that the diagnostics name nobody."""
    report = await async_get_config_entry_diagnostics(play.hass, play.entry)
    text = json.dumps(report, default=str)
    assert "changed_by" in text
    assert user not in text


def short_window(play: Stage) -> tuple[str, str]:
    """Return the repair of a window that a delay may outlast."""
    subentry = next(iter(play.entry.subentries))
    return DOMAIN, f"window_shorter_than_delay_{subentry}"


async def test_a_window_that_a_delay_may_outlast(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told of as it is now, however it came about, until it is mended."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}12:00:00"
    ) as play:
        act, issue = Actions(hass, play.simulator), short_window(play)
        issues = ir.async_get(hass).issues
        assert issue not in issues
        noon = {"days": ["mon", "sun"], "start": "12:00", "end": "12:20"}
        await act("set_default_hours", windows=[noon])
        assert issue not in issues
        await play.see.call("number.set_value", "max_random_delay", value=1200)
        assert issues[issue].translation_placeholders == {
            "wallbox": "Garage",
            "seconds": "1200",
            "hours": "Monday, Sunday 12:00-12:20",
        }
        await play.see.call("number.set_value", "max_random_delay", value=1199)
        assert issue not in issues
        noon = {"days": ["wed"], "start": "12:00", "end": "12:05"}
        night = {"days": ["wed"], "start": "23:50", "end": "00:10"}
        touching = {"days": ["wed"], "start": "12:05", "end": "12:10"}
        await act("set_default_hours", windows=[noon, night])
        assert issues[issue].translation_placeholders == {
            "wallbox": "Garage",
            "seconds": "1199",
            "hours": "Wednesday 12:00-12:05",
        }
        await play.see.call("switch.turn_off", "default_hours")
        assert issue not in issues
        await play.see.call("switch.turn_on", "default_hours")
        assert issue in issues
        await play.see.call("number.set_value", "max_random_delay", value=599)
        await act("set_default_hours", windows=[noon, touching])
        assert issue not in issues
        await act("set_default_hours", windows=[noon])
        assert issue in issues
        await act("remove_default_hours")
        assert issue not in issues


async def test_nothing_outlasts_a_window_where_somebody_else_delays(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a delay of ours there is nothing to tell."""
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=f"{DAY}12:00:00",
        who_delays="miniserver",
    ) as play:
        act = Actions(hass, play.simulator)
        noon = {"days": ["wed"], "start": "12:00", "end": "12:05"}
        await act("set_default_hours", windows=[noon])
        assert short_window(play) not in ir.async_get(hass).issues


@pytest.mark.parametrize("by_hand", [True, False])
async def test_who_took_the_hours_away(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    by_hand: bool,
) -> None:
    """It is kept and told; what follows is delayed, whoever it was."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:50:00"
    ) as play:
        play.deal(50, 70)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}18:00:00")
        act, who = Actions(hass, play.simulator), await user_id(hass)
        by = who if by_hand else None
        await act("remove_default_hours", by=by)
        hours = play.wallbox.controller.state.hours
        assert (hours.changed_by, hours.changed_by_hand) == (by, by_hand)
        [told] = [one for one in caplog.messages if "default_hours" in one]
        assert told.startswith("config_security_changed: info")
        assert "'change': 'removed'" in told
        assert play.see("status") == "random_delay"
        cause = "default_hours" if by_hand else "automation"
        assert play.see.attribute("random_delay_ends", "cause") == cause
        await play.at(f"{DAY}18:00:50")
        assert play.see.commands == ["allow/off", "allow/on"]
        await act("set_default_hours", preset="gb_night", by=by)
        await play.see.call("switch.turn_off", "default_hours")
        told = [one for one in caplog.messages if "'what': 'default_hours'" in one][-1]
        assert "'change': 'suspended'" in told
        records = await logged(hass, play.simulator, "config_security_changed")
        hours_told = [
            one for one in records if one["detail"]["what"] == "default_hours"
        ]
        changes = [one["detail"]["change"] for one in hours_told]
        assert (changes[0], changes[-1]) == ("removed", "suspended")
        assert hours_told[0]["source"].startswith("ha_user:") is by_hand
        assert play.wallbox.controller.state.hours.changed_by is not None
        await diagnosed(play, who)


@pytest.mark.parametrize("by_hand", [True, False])
async def test_who_ended_an_override(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    by_hand: bool,
) -> None:
    """Going back to the schedule is delayed, with the cause that it has."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:35:00"
    ) as play:
        play.deal(60)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}17:40:00")
        await play.see.call("button.press", "charge_now")
        await play.at(f"{DAY}18:00:00")
        act, who = Actions(hass, play.simulator), await user_id(hass)
        await act("cancel_override", by=who if by_hand else None)
        override = play.wallbox.controller.state.override
        assert override is not None
        assert override.ended_by == (who if by_hand else None)
        assert override.ended_source == ("user" if by_hand else "automation")
        await diagnosed(play, who)
        cause = "override_end" if by_hand else "automation"
        assert play.see.attribute("random_delay_ends", "cause") == cause
        await play.at(f"{DAY}18:00:59")
        assert play.see("status") == "charging"
        await play.at(f"{DAY}18:01:00")
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]


async def test_two_wallboxes_tell_of_their_own_windows(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One wallbox's window is not the other's."""
    boxes = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}12:00:00", boxes=boxes
    ) as play:
        noon = {"days": ["wed"], "start": "12:00", "end": "12:05"}
        await Actions(hass, play.simulator, 1)("set_default_hours", windows=[noon])
        found = [
            one.translation_placeholders
            for key, one in ir.async_get(hass).issues.items()
            if key[1].startswith("window_shorter_than_delay_")
        ]
        assert [one and one["wallbox"] for one in found] == ["Carport"]
        carport = Surface(hass, play.simulator, 1)
        await carport.call("number.set_value", "max_random_delay", value=60)
        assert not any(
            key[1].startswith("window_shorter") for key in ir.async_get(hass).issues
        )
