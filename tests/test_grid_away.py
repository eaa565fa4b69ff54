"""Grid events that go on, begin and end while Home Assistant is away."""

from random import SystemRandom
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .stage import Stage
from .test_grid import DAY, check_limits, event, night


async def away(play: Stage, back: str, *draws: int) -> None:
    """Have Home Assistant be away until a local time of the evening."""
    entry_id = play.entry.entry_id
    await play.hass.config_entries.async_unload(entry_id)
    when = play.instant(f"{DAY}{back}").timestamp()
    play.simulator.advance(when - play.clock.time())
    # Many small steps add up to nearly the instant.
    play.clock.step(when - play.clock.time())
    left = list(draws)
    with pytest.MonkeyPatch.context() as patched:
        # It decides before a story could deal it a draw.
        patched.setattr(SystemRandom, "randint", lambda *_: left.pop(0))
        await play.hass.config_entries.async_setup(entry_id)
        await play.settle()
    play.deal(*left)
    await play.at(f"{DAY}{back}")


async def record(act: Actions) -> dict[str, Any]:
    """Return the only event as it is listed."""
    [listed] = (await act("dsr_list", answer=True))[act.devices[0]]
    found: dict[str, Any] = listed
    return found


async def test_an_event_that_ended_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit is let go with a draw from when Home Assistant is back, and once."""
    async with night(hass, start_simulator, monkeypatch, 45) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await check_limits(play, ("23:00:45", "6.0"))
        await play.at(f"{DAY}23:10:00")
        await away(play, "23:50:00", 200)
        assert play.see("power_limit") == "6.0"
        assert play.see("dsr_active") == "off"
        assert play.see("random_delay_ends") == "2027-01-13T23:53:20+00:00"
        listed = await record(act)
        assert listed["delivered"]["outcome"] == "partial"
        assert listed["delivered"]["ended_at"] == "2027-01-13T23:30:00+00:00"
        await away(play, "23:52:00")
        assert play.see("random_delay_ends") == "2027-01-13T23:53:20+00:00"
        await check_limits(play, ("23:53:20", "11.0"))
        assert play.see.commands == ["manualLimit/6", "setmode/3"]
        assert (await record(act))["delivered"]["released_at"] is not None


async def test_an_event_that_came_and_went(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody carried it out: it is listed as missed, and nothing is commanded."""
    async with night(hass, start_simulator, monkeypatch) as (play, act):
        await event(play, act, "A", "23:10:00", "23:30:00")
        await play.at(f"{DAY}23:01:00")
        await away(play, "23:50:00")
        assert play.see("random_delay_active") == "off"
        listed = await record(act)
        assert listed["active"] is False
        assert listed["delivered"]["outcome"] == "missed"
        assert play.see.commands == []


async def test_an_event_that_still_holds(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit is in force already, so nothing waits and nothing is commanded."""
    async with night(hass, start_simulator, monkeypatch, 45) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:10:00")
        await away(play, "23:20:00", 100)
        assert play.see("power_limit") == "6.0"
        assert play.see("random_delay_active") == "off"
        await check_limits(play, ("23:31:40", "11.0"))
        assert play.see.commands == ["manualLimit/6", "setmode/3"]
