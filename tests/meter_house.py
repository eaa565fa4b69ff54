"""Wallboxes with meters of their own, on a clock that waits for who reads them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Literal, override

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator, entry_data, set_up, subentry
from .helpers import Surface, eventually
from custom_components.loxone_wallbox import meter_coordinator, meter_settings
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter_coordinator import MeterCoordinator
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from simulator import Car, Clock, MeterConfig, Simulator, WallboxConfig
from simulator.meters.meter import SimulatedMeter

# The Wednesday evening of the stories, in seconds UTC.
EVENING = 1_799_876_100.0
# What the simulator's meters are called here, and the wallboxes that suit them.
MODELS = {
    "sdm630": "eastron_sdm630",
    "or_we_504": "orno_we504",
    "ale3": "saia_ale3",
}
VARIANTS: dict[str, Literal["11kw_tree", "7.4kw_air"]] = {
    "sdm630": "11kw_tree",
    "or_we_504": "7.4kw_air",
    "ale3": "11kw_tree",
}
GATEWAY_SAYS_SILENT = 11
# A read is mostly over after so many turns of the loop; who waits longer looks so often.
TURNS = 50
LOOK_S = 0.001


class StepClock(Clock):
    """Stands still until it is moved, and knows who waits for it."""

    def __init__(self, start: float = EVENING) -> None:
        """Begin at an instant."""
        self._now = start
        self.waiting: list[tuple[float, asyncio.Future[None]]] = []

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return self._now

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (self._now + seconds, woken)
        self.waiting.append(waiting)
        try:
            await woken
        finally:
            if waiting in self.waiting:
                self.waiting.remove(waiting)

    def move(self, until: float) -> None:
        """Move to the first instant somebody waits for, or so far if nobody does."""
        self._now = max(self._now, min([until, *(due for due, _ in self.waiting)]))
        due = [one for one in self.waiting if one[0] <= self._now + 1e-6]
        for one in due:
            self.waiting.remove(one)
            if not one[1].done():
                one[1].set_result(None)

    def leap(self, seconds: float) -> None:
        """Move on, over everything that somebody waits for on the way."""
        self._now += seconds
        self.move(self._now)


class MeteredHouse:
    """Wallboxes, their meters, and what is seen of them."""

    def __init__(
        self,
        hass: HomeAssistant,
        simulator: Simulator,
        clock: StepClock,
        entry: MockConfigEntry,
    ) -> None:
        """Take what is set up."""
        self.hass = hass
        self.simulator = simulator
        self.clock = clock
        self.entry = entry
        self.see = [
            Surface(hass, simulator, box) for box in range(len(simulator.wallboxes))
        ]

    def meter(self, box: int = 0) -> SimulatedMeter:
        """Return a simulated meter."""
        return self.simulator.meters[box]

    def wallbox(self, box: int = 0) -> WallboxCoordinator:
        """Return a wallbox in Home Assistant."""
        uuid = self.simulator.wallboxes[box].uuid
        found: WallboxCoordinator = next(
            one
            for one in self.entry.runtime_data.wallboxes.values()
            if one.wallbox_id == uuid
        )
        return found

    def reading(self, box: int = 0) -> MeterCoordinator:
        """Return the meter of a wallbox in Home Assistant."""
        meter = self.wallbox(box).meter
        assert meter is not None
        return meter

    async def run(self, seconds: float) -> None:
        """Let time pass; every reader gets all the time it needs for each second."""
        until = self.clock.time() + seconds
        while True:
            async with asyncio.timeout(30):
                turns = 0
                while not self._all_wait:
                    turns += 1
                    await asyncio.sleep(0 if turns < TURNS else LOOK_S)
            if self.clock.time() >= until:
                return
            self.clock.move(until)
            # The Miniserver tells as often as it would in that time.
            self.simulator.tick()

    async def leap(self, seconds: float) -> None:
        """Let time pass at once: every second of it is a gap, and few are waited for."""
        self.clock.leap(seconds)
        self.simulator.tick()
        await self.run(1)

    @property
    def _all_wait(self) -> bool:
        """Tell whether nobody does anything before the clock moves."""
        waiting = 0
        for wallbox in self.entry.runtime_data.wallboxes.values():
            reader = None if wallbox.meter is None else wallbox.meter._reader
            if wallbox.meter is None or wallbox.meter._task is None:
                continue
            waiting += 1
            if reader is None:
                continue
            if reader._reading is None:
                return False
            waiting += not reader._reading.done()
        woken = sum(not future.done() for _, future in self.clock.waiting)
        return woken == waiting

    async def restart(self) -> None:
        """Restart Home Assistant's side; only what is on the disk is left."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.run(5)

    async def exchange(
        self, serial: str, energy_kwh: float, dark_s: float = 5.0
    ) -> None:
        """Take a meter out and put another in its place, which takes a while."""
        self.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await self.run(dark_s)
        self.meter().replace(serial, energy_kwh)
        self.meter().clear()

    async def gateway(self, *, on: bool) -> None:
        """Switch what is between Home Assistant and the meters on or off."""
        for line in self.simulator.meters._lines:
            if on:
                await line.start()
                continue
            # It comes back under the same address.
            line._port = int(next(iter(line.meters.values())).address.split(":")[1])
            await line.stop()

    async def plug(self, *boxes: int) -> None:
        """Plug cars in and wait until that is seen."""
        for box in boxes or (0,):
            self.simulator.wallboxes[box].plug(Car(capacity_kwh=500, energy_kwh=10))
            await eventually(partial(self._says, box, "on"))

    async def unplug(self, *boxes: int) -> None:
        """Unplug cars and wait until that is seen."""
        for box in boxes or (0,):
            self.simulator.wallboxes[box].unplug()
            await eventually(partial(self._says, box, "off"))

    def _says(self, box: int, plugged: str) -> bool:
        """Tell whether Home Assistant has seen a car come or go."""
        return self.see[box]("vehicle_connected") == plugged


def settings_of(meter: SimulatedMeter, **changes: Any) -> MeterSettings:
    """Return the settings under which a simulated meter is found."""
    host, _, port = meter.address.partition(":")
    usual = {
        "profile_id": MODELS[meter.config.profile],
        "host": host,
        "port": int(port),
        "sharing": Sharing.DEDICATED,
        # As the test at setup found it.
        "refresh_s": 1.0,
    }
    return MeterSettings(**{**usual, **changes})


@asynccontextmanager
async def metered(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *configs: MeterConfig,
    **changes: Any,
) -> AsyncIterator[MeteredHouse]:
    """Set wallboxes up, each with a meter; `changes` are those of its settings."""
    clock = StepClock()
    monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: clock)
    # Silences on the line take real time, in which the clock stands still.
    at_once = {
        name: replace(profile, limits=replace(profile.limits, spacing_s=0.0))
        for name, profile in PROFILES.items()
    }
    monkeypatch.setattr(meter_settings, "PROFILES", at_once)
    meters = [
        replace(config, wallbox=number, name=f"Meter {number}", pause_s=0.0)
        for number, config in enumerate(configs or (MeterConfig(profile="sdm630"),))
    ]
    simulator = await start_simulator(
        clock=clock,
        wallboxes=tuple(
            WallboxConfig(name=f"Box {number}", variant=VARIANTS[config.profile])
            for number, config in enumerate(meters)
        ),
        meters=tuple(meters),
        # As often as a real Miniserver does.
        power_every_s=5.0,
        energy_every_s=60.0,
        idle_timeout_s=1e9,
        token_lifetime_s=1e9,
    )
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=simulator.config.name,
        unique_id=simulator.config.serial,
        data=entry_data(simulator),
        subentries_data=[
            subentry(
                box, meter=settings_of(simulator.meters[number], **changes).as_dict()
            )
            for number, box in enumerate(simulator.wallboxes)
        ],
    )
    await set_up(hass, entry)
    # Where each callback's origin is kept, a night takes minutes.
    hass.loop.set_debug(False)
    playing = MeteredHouse(hass, simulator, clock, entry)
    await playing.run(5)
    yield playing
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        await hass.config_entries.async_unload(entry.entry_id)
