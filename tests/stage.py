"""A stage for days in the life: one clock for the world and Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface
from custom_components.loxone_wallbox import clock as watched_clock
from custom_components.loxone_wallbox.charging.regulation import PRESETS, Preset
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from simulator import ManualClock, Simulator, WallboxConfig

LONDON = ZoneInfo("Europe/London")
SETTLE_S = 0.06
ROUNDS = 30

GB_NIGHT = {
    "profile": "gb_2021",
    "who_delays": "home_assistant",
    "first_use": {
        "choice": "accept",
        "windows": [window.as_dict() for window in PRESETS[Preset.GB_NIGHT]],
        "clock": "local",
        "preset": "gb_night",
        "at": "2027-01-01T12:00:00+00:00",
        "by": None,
    },
}


class Stage:
    """A Miniserver, a Home Assistant and a clock that all three share."""

    def __init__(
        self,
        hass: HomeAssistant,
        simulator: Simulator,
        clock: ManualClock,
        entry: MockConfigEntry,
    ) -> None:
        """Take what plays."""
        self.hass = hass
        self.simulator = simulator
        self.clock = clock
        self.entry = entry
        self.see = Surface(hass, simulator)
        self.draws: list[int] = []

    @property
    def box(self) -> Any:
        """Return the simulated wallbox."""
        return self.simulator.wallboxes[0]

    @property
    def wallbox(self) -> WallboxCoordinator:
        """Return the wallbox in Home Assistant."""
        wallboxes = self.entry.runtime_data.wallboxes
        found: WallboxCoordinator = next(iter(wallboxes.values()))
        return found

    def deal(self, *draws: int) -> None:
        """Give the next draws of the random delay."""
        self.draws = list(draws)
        for wallbox in self.entry.runtime_data.wallboxes.values():
            wallbox.controller.draw = lambda _longest: self.draws.pop(0)

    def instant(self, text: str) -> datetime:
        """Return a local time of the story as an instant; an offset may be given."""
        return _instant(text)

    async def settle(self) -> None:
        """Let what is on its way arrive, however busy the machine is."""
        for _ in range(ROUNDS):
            await asyncio.sleep(SETTLE_S)
            await self.hass.async_block_till_done()
            if self._agree:
                return

    @property
    def _agree(self) -> bool:
        """Tell whether Home Assistant knows all that the wallboxes do."""
        runtime = getattr(self.entry, "runtime_data", None)
        if runtime is None or not runtime.miniserver.connected:
            return True
        boxes = {box.uuid: box for box in self.simulator.wallboxes}
        return all(
            wallbox.wallbox_id not in boxes
            or (
                wallbox.state.connected is boxes[wallbox.wallbox_id].connected
                and wallbox.state.allowed is boxes[wallbox.wallbox_id].enabled
                and wallbox.state.limit_kw
                == pytest.approx(boxes[wallbox.wallbox_id].limit_kw, abs=1e-3)
            )
            for wallbox in runtime.wallboxes.values()
        )

    async def at(self, text: str) -> None:
        """Go on to a local time, waking Home Assistant whenever it asked for it."""
        end = self.instant(text)
        while True:
            decision = self.wallbox.controller.decision
            wake = None if decision is None else decision.wake_at
            now = datetime.fromtimestamp(self.clock.time(), UTC)
            target = end if wake is None or wake >= end or wake <= now else wake
            await self._go(target)
            if target == end:
                return

    async def _go(self, when: datetime) -> None:
        """Let time pass without a stop."""
        seconds = when.timestamp() - self.clock.time()
        if seconds > 0:
            self.simulator.advance(seconds, step_s=max(0.1, seconds / 40))
            # Many small steps add up to nearly the instant.
            self.clock.step(when.timestamp() - self.clock.time())
        await self.settle()
        # Home Assistant's own timers cannot be moved alone: those of the link would
        # be fired with them. So this does what the timer does.
        for wallbox in self.entry.runtime_data.wallboxes.values():
            wallbox.async_refresh_state()
        await self.settle()

    async def restart(self) -> None:
        """Restart Home Assistant's side; only what is on the disk is left."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        self.deal(*self.draws)


def _instant(text: str) -> datetime:
    """Return a local time as an instant."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC)


@asynccontextmanager
async def stage(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    begin: str = "2027-01-13T17:25:00",
    box: WallboxConfig | None = None,
    boxes: tuple[WallboxConfig, ...] = (),
    manager: bool = False,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Set the stage at a local time, by default with one wallbox, at night's preset."""
    start = _instant(begin)
    clock = ManualClock(start.timestamp())
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(clock.time())
    )
    monkeypatch.setattr(watched_clock, "monotonic", clock.time)
    simulator = await start_simulator(
        clock=clock,
        wallboxes=boxes or (box or WallboxConfig(name="Garage"),),
        manager=manager,
        idle_timeout_s=timedelta(days=9).total_seconds(),
        token_lifetime_s=timedelta(days=99).total_seconds(),
    )
    entry = await set_up(hass, make_entry(simulator, **{**GB_NIGHT, **settings}))
    playing = Stage(hass, simulator, clock, entry)
    await playing.settle()
    yield playing
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        await hass.config_entries.async_unload(entry.entry_id)
