"""A home with three metered wallboxes in which anything goes wrong at any time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
import gc
from pathlib import Path
from random import Random
import resource
import sys
from typing import Any, Self, override

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from . import meter_house
from .conftest import StartSimulator, subentry
from .meter_house import MeteredHouse, StepClock, metered
from .recorded import Recorded
from .stage import GB_NIGHT
from .test_meter_away_clock import HomeClock
from custom_components.loxone_wallbox import (
    clock as watched_clock,
    links,
    meter_coordinator,
)
from custom_components.loxone_wallbox.acts import REFUSALS
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, MeterConfig
from simulator.wallbox import Wallbox

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
BOXES = 3
# 22:30 in London, when the default charging hours have begun.
NIGHT = 1_799_879_400.0
# How long the home gets to be as if nothing had been (seconds of its own clock).
RECOVERY_S = 240
SEEN_AGAIN_S = 8
# Ends of sessions are whole Wh, and a meter renews its registers once a second (3 Wh).
RESOLUTION_WH = 10
# What comes and goes: a command or a read under way, and what is kept of a day's cars.
# The memory is the most that the process ever had, with the Miniserver and Home Assistant.
ROOM = {
    "tasks": 8,
    "timers": 16,
    "listeners": 8,
    "files": 8,
    "objects": 1500,
    "memory_mib": 128,
}


@dataclass(frozen=True, kw_only=True)
class Footing:
    """What would grow if something were forgotten."""

    tasks: int
    timers: int
    listeners: int
    # Objects of the integration's own classes, and those of which the history is made.
    objects: int
    history: int
    files: int
    # The most so far.
    memory_mib: int

    @classmethod
    def of(cls, hass: HomeAssistant) -> Footing:
        """Count."""
        gc.collect()
        timers = hass.loop._scheduled  # type: ignore[attr-defined]
        modules = Counter(type(one).__module__ for one in gc.get_objects())
        history = modules.pop(SessionRecord.__module__)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return cls(
            tasks=len(asyncio.all_tasks()),
            timers=sum(not one.cancelled() for one in timers),
            listeners=sum(hass.bus.async_listeners().values()),
            objects=sum(
                count
                for name, count in modules.items()
                if name.startswith("custom_components.loxone_wallbox")
            ),
            history=history,
            files=sum(1 for _ in Path("/dev/fd").iterdir()),
            memory_mib=most // (1 << (20 if sys.platform == "darwin" else 10)),
        )

    def has_outgrown(self, first: Self) -> bool:
        """Tell whether there is more than what comes and goes."""
        now, then = asdict(self), asdict(first)
        return any(now[name] > then[name] + more for name, more in ROOM.items())

    @override
    def __str__(self) -> str:
        """Return the figures for a person."""
        return ", ".join(f"{name} {count}" for name, count in asdict(self).items())


class SoakHome:
    """Does at random to a home what an owner, a thief and bad luck do to it."""

    def __init__(self, home: MeteredHouse, computer: HomeClock, seed: int) -> None:
        """Take a home that is set up, and the clock of its computer."""
        self.home = home
        self.computer = computer
        self.hass = home.hass
        self.random = Random(seed)
        self.came: Counter[str] = Counter()
        self.told: list[str] = []
        self.sessions = 0
        self._recorded = [Recorded(home.hass, home.simulator, n) for n in range(BOXES)]
        self._began = [home.meter(n).import_kwh for n in range(BOXES)]
        self._cures: list[Callable[[], Awaitable[None]]] = []
        self._dark = False
        self._deck: list[Callable[[], Awaitable[None]]] = []
        self._acts = (
            *[self._come] * 6,
            *[self._go] * 2,
            *[self._charge] * 6,
            self._choose,
            self._drop,
            self._restart_miniserver,
            self._lock_out,
            self._cut_link,
            self._lose_meter,
            self._lose_gateway,
            self._lock,
            self._set_clock,
            self._restart,
            *[self._heal] * 4,
        )

    @property
    def boxes(self) -> list[Wallbox]:
        """Return the simulated wallboxes."""
        return self.home.simulator.wallboxes

    @property
    def _up(self) -> bool:
        """Tell whether Home Assistant's side is set up."""
        return self.home.entry.state is ConfigEntryState.LOADED

    def deal(self) -> None:
        """Draw the random delays from the seed as well, and no long ones."""
        if not self._up:
            return
        for number in range(BOXES):
            wallbox = self.home.wallbox(number)
            wallbox.controller.draw = lambda longest: self.random.randint(
                0, min(longest, 30)
            )

    async def spell(self, acts: int) -> None:
        """Let things happen, with some seconds between them."""
        for _ in range(acts):
            # Like cards that are dealt: after one round everything has happened.
            if not self._deck:
                self._deck = self.random.sample(self._acts, len(self._acts))
            act = self._deck.pop()
            self.came[act.__name__.strip("_")] += 1
            self.told.append(f"{self.home.clock.time() - NIGHT:.0f} {act.__name__}")
            await act()
            await self.run(self.random.randint(1, 8))

    async def run(self, seconds: float) -> None:
        """Let time pass, and do what Home Assistant's timers would."""
        if self._up:
            await self.home.run(seconds)
            self.look()
        else:
            # As Home Assistant does now and then, only that nobody waits for it.
            self.home.clock.leap(seconds)
            self.home.simulator.tick()
            await self.hass.config_entries.async_reload(self.home.entry.entry_id)
            self.deal()
        await self.hass.async_block_till_done(wait_background_tasks=False)

    def look(self) -> None:
        """Look at every wallbox, as a timer does."""
        for wallbox in self.home.entry.runtime_data.wallboxes.values():
            wallbox.async_refresh_state()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let time pass until a condition holds; nothing may need long."""
        until = self.home.clock.time() + RECOVERY_S
        while not condition():
            assert self.home.clock.time() < until, f"{what}: {self.state}"
            await self.run(2)

    @property
    def state(self) -> str:
        """Return what is seen, for who has to find out why."""
        see = self.home.see
        keys = ("status", "reason", "vehicle_connected", "charging_allowed", "tamper")
        shown = [{key: see[n](key) for key in keys} for n in range(BOXES)]
        entry = self.home.entry
        return f"{entry.state}, {entry.reason}, {shown}, after {self.told[-30:]}"

    async def recover(self) -> None:
        """Mend everything, and wait until the home is as if nothing had been."""
        for cure in self._cures:
            await cure()
        self._cures.clear()
        self.home.simulator.clear()
        self.told.append("recover")
        await self.run(SEEN_AGAIN_S)
        await self.until(lambda: not self.lost, "unavailable")
        await self.until(lambda: not self.disobedient, "disobedient")

    @property
    def lost(self) -> list[str]:
        """Return the entities that are not there."""
        entry = self.home.entry
        found = er.async_entries_for_config_entry(
            er.async_get(self.hass), entry.entry_id
        )
        states = {one.entity_id: self.hass.states.get(one.entity_id) for one in found}
        return [
            name
            for name, state in states.items()
            if (state is None or state.state == "unavailable")
            and not er.async_get(self.hass).entities[name].disabled
        ]

    @property
    def disobedient(self) -> list[int]:
        """Return the wallboxes that do other things than was decided, or see others."""
        return [n for n in range(BOXES) if not self._obeys(n)]

    def _obeys(self, number: int) -> bool:
        """Tell whether a wallbox does what was decided, and is recorded as it is."""
        if not self._up:
            return False
        box, wallbox = self.boxes[number], self.home.wallbox(number)
        decision = wallbox.controller.decision
        recorded = wallbox.recording and wallbox.recording.book.open
        if decision is None or not wallbox.linked or (box.connected and not recorded):
            return False
        if (self.home.see[number]("vehicle_connected") == "on") is not box.connected:
            return False
        target = decision.target
        if target.allowed is not box.enabled:
            return False
        if not target.allowed or not box.connected:
            return True
        limit = abs(target.limit_kw - box.limit_kw) < 0.1
        assert box.car is not None
        flows = (self.home.see[number]("charging") == "on") is not box.car.full
        return limit and flows

    async def leave(self) -> None:
        """Have all cars drive away, and wait until their sessions have ended."""
        for box in self.boxes:
            if box.connected:
                box.unplug()
        self.told.append("leave")
        await self.until(lambda: not self.disobedient, "a car that has left")
        await self.run(2 * SEEN_AGAIN_S)

    async def amounts(self) -> list[tuple[float, float]]:
        """Return what the sessions add up to and what was counted (Wh), by wallbox."""
        records = [await recorded.records() for recorded in self._recorded]
        self.sessions = sum(map(len, records))
        return [
            (
                sum(record.import_wh for record in of_one),
                (self.home.meter(n).import_kwh - self._began[n]) * 1000,
            )
            for n, of_one in enumerate(records)
        ]

    def _any(self) -> int:
        """Return any wallbox."""
        return self.random.randrange(BOXES)

    async def _go(self) -> None:
        """Have a car drive away.

        A stay that nobody saw is known by the Miniserver's clock alone. Once somebody
        has set ours, that may lie ahead of it and is taken when ours is right: then only
        those leave whose session runs.
        """
        number = self._any()
        recording = self.home.wallbox(number).recording if self._up else None
        seen = recording is not None and recording.book.open is not None
        if self.boxes[number].connected and (seen or not self.came["set_clock"]):
            self.boxes[number].unplug()

    async def _come(self) -> None:
        """Have a car come."""
        box = self.boxes[self._any()]
        if not box.connected:
            box.plug(Car(capacity_kwh=80, energy_kwh=self.random.uniform(5, 79)))

    async def _charge(self) -> None:
        """Let cars charge for a while in which nobody reads the meters."""
        seconds = self.random.randint(60, 400)
        if self._up:
            await self.home.leap(seconds)
        else:
            self.home.clock.leap(seconds)

    async def _choose(self) -> None:
        """Have the owner press something, where there is a wallbox to press it for."""
        number = self._any()
        if not self._up or not self.home.wallbox(number).linked:
            return
        key = self.random.choice(["charge_now", "pause_now", "resume_schedule"])
        try:
            await self.home.see[number].call("button.press", key)
        except ServiceValidationError as err:
            # What may do harm is refused.
            if err.translation_key not in REFUSALS.values():
                raise

    async def _drop(self) -> None:
        """Lose the connection to the Miniserver."""
        await self.home.simulator.drop(hard=self.random.random() < 0.5)

    async def _restart_miniserver(self) -> None:
        """Restart the Miniserver."""
        await self.home.simulator.restart(down_s=self.random.randint(5, 90))

    async def _lock_out(self) -> None:
        """Have the Miniserver block our address.

        Not while a start of Home Assistant's side is tried again, see `_restart`.
        """
        if not self._up:
            return
        self.home.simulator.fault("blocked", seconds=600.0)
        await self.home.simulator.drop()
        self._later(partial(self.home.simulator.clear, "blocked"))

    async def _cut_link(self) -> None:
        """Tamper with the link of a wallbox."""
        box = self.boxes[self._any()]
        box.tamper(on=True)
        self._later(partial(box.tamper, on=False))

    async def _lose_meter(self) -> None:
        """Lose a meter behind its gateway."""
        meter = self.home.meter(self._any())
        meter.fault("exception", code=meter_house.GATEWAY_SAYS_SILENT)
        self._later(meter.clear)

    async def _lose_gateway(self) -> None:
        """Lose all meters with what is between."""
        if self._dark:
            return
        self._dark = True
        await self.home.gateway(on=False)

        async def back() -> None:
            """Have them back."""
            await self.home.gateway(on=True)
            self._dark = False

        self._cures.append(back)

    async def _lock(self) -> None:
        """Lock a wallbox."""
        box = self.boxes[self._any()]
        box.lock("maintenance")
        self._later(box.unlock)

    async def _set_clock(self) -> None:
        """Set the clock of Home Assistant's computer, right or wrong."""
        wrong = self.random.choice([-900.0, -120.0, 20.0, 600.0])
        self.computer.off_s = wrong if self.computer.off_s == 0 else 0.0

    async def _restart(self) -> None:
        """Restart Home Assistant's side.

        Not while it is locked out: how long that lasts is counted in real seconds.
        """
        if self.home.simulator.unit.accounts.remaining_block("127.0.0.1"):
            return
        entries, entry = self.hass.config_entries, self.home.entry
        await entries.async_unload(entry.entry_id)
        if self.random.random() < 0.5:
            self.home.clock.leap(self.random.randint(5, 300))
        await entries.async_setup(entry.entry_id)
        self.deal()

    async def _heal(self) -> None:
        """Mend something, whatever it is."""
        if self._cures:
            await self._cures.pop(self.random.randrange(len(self._cures)))()
            # Nobody drives away in the very second in which all are back.
            await self.run(SEEN_AGAIN_S)

    def _later(self, cure: Callable[[], object]) -> None:
        """Take note of how something is mended."""

        async def cured() -> None:
            """Mend it."""
            cure()

        self._cures.append(cured)


@asynccontextmanager
async def soaked(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> AsyncIterator[SoakHome]:
    """Set the home up at the beginning of a night of default charging hours."""
    world = StepClock(NIGHT)
    computer = HomeClock(world)
    monkeypatch.setattr(meter_house, "StepClock", lambda: world)
    settings: dict[str, Any] = GB_NIGHT
    monkeypatch.setattr(meter_house, "subentry", partial(subentry, **settings))
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(computer.time())
    )
    monkeypatch.setattr(watched_clock, "monotonic", computer.monotonic)
    monkeypatch.setattr(links, "seconds", computer.monotonic)
    # The pauses themselves are tested elsewhere.
    for name in ("MIN", "STARTING", "NO_SLOT"):
        monkeypatch.setattr(backoff, f"RETRY_{name}_S", 0.05)
    monkeypatch.setattr(backoff, "RETRY_MAX_S", 0.2)
    monkeypatch.setattr(backoff, "LOCKED_OUT_MAX_S", 0.2)
    async with metered(hass, start_simulator, monkeypatch, *[METER] * BOXES) as home:
        monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: computer)
        soak = SoakHome(home, computer, seed)
        await home.restart()
        soak.deal()
        yield soak
