"""A night in which nothing but Home Assistant's own timer wakes the wallbox.

The world's clock is moved without a word from the Miniserver: the car takes no current,
so there is nothing to tell. What the integration asked Home Assistant to be woken after
is noted on its way, and Home Assistant is told that so much time has passed.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed_exact

from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_call_later

from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox import alarm
from simulator import Car

DAY, MORNING = "2027-01-13T", "2027-01-14T"
# A clock that was set is noticed this soon.
LONGEST = timedelta(seconds=60)


class Timer:
    """Home Assistant's timer, as the wallbox sets it."""

    def __init__(self, play: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note from now on when it is set to ring."""
        self.play = play
        self.asked: datetime | None = None

        def noting(hass: HomeAssistant, delay: timedelta, job: Any) -> Any:
            """Set it, and note for when."""
            self.asked = self.now + delay
            return async_call_later(hass, delay, job)

        monkeypatch.setattr(alarm, "async_call_later", noting)

    @property
    def now(self) -> datetime:
        """Return the present instant of the world."""
        return datetime.fromtimestamp(self.play.clock.time(), UTC)

    async def ring(self) -> None:
        """Tell Home Assistant that a minute has passed, which every timer takes."""
        before = self.asked
        async_fire_time_changed_exact(self.play.hass, datetime.now(UTC) + LONGEST)
        await self.play.settle()
        assert self.asked is not None
        assert before is None or self.asked > self.now

    async def jump(self, text: str) -> None:
        """Go on in the other way, and have the timer set from there."""
        await self.play.at(text)
        await self.ring()

    async def wait(self, text: str) -> None:
        """Wait for an instant, ring by ring; the last one is exactly then."""
        end = self.play.instant(text)
        for _ in range(60):
            assert self.asked is not None
            assert self.now < self.asked <= min(end, self.now + LONGEST)
            decided = self.play.wallbox.controller.decision
            commands = list(self.play.see.commands)
            self.play.clock.advance((self.asked - self.now).total_seconds())
            # Nobody else wakes it: without the timer the instant passes by.
            await self.play.settle()
            assert self.play.wallbox.controller.decision is decided
            assert self.play.see.commands == commands
            arrived = self.now == end
            await self.ring()
            if arrived:
                return
        raise AssertionError(f"{text} never comes")


async def test_a_night_by_its_own_timer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The window, the delay, the boundary and its delay: each at its very second."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:58:00"
    ) as play:
        play.deal(437, 123)
        timer = Timer(play, monkeypatch)
        play.box.plug(Car(accepts=False))
        await eventually(lambda: play.see("vehicle_connected") == "on")
        await timer.jump(f"{DAY}21:58:30")
        await timer.wait(f"{DAY}22:00:00")
        assert play.see("status") == "random_delay"
        assert play.see("random_delay_ends") == "2027-01-13T22:07:17+00:00"
        assert play.see("next_change") == "2027-01-13T22:07:17+00:00"
        assert play.see.commands == ["allow/off"]
        await timer.wait(f"{DAY}22:07:17")
        assert play.see("random_delay_active") == "off"
        await eventually(lambda: play.see.commands == ["allow/off", "allow/on"])
        await play.settle()
        await timer.jump(f"{MORNING}07:48:30")
        await timer.wait(f"{MORNING}07:50:00")
        assert play.see("random_delay_ends") == "2027-01-14T07:52:03+00:00"
        await timer.wait(f"{MORNING}07:52:03")
        await eventually(lambda: play.see.commands[2:] == ["allow/off"])
        await play.settle()
        assert play.see("status") == "waiting_for_default_hours"
        assert play.see("next_change") == "2027-01-14T22:00:00+00:00"
