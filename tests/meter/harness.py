"""A reader on a real link to a simulated meter, tick by tick."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import time
from typing import Any, override

from modbus_connection import ModbusSerialParams, ModbusTcpParams, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection

from .models import OURS
from custom_components.loxone_wallbox.meter.clock import MeterClock
from custom_components.loxone_wallbox.meter.dedicated import DedicatedLink
from custom_components.loxone_wallbox.meter.link import (
    GuardedLink,
    MeterLink,
    SharedLink,
    Wire,
)
from custom_components.loxone_wallbox.meter.model import MeterProfile
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.reader import MeterReader
from custom_components.loxone_wallbox.meter.sample import MeterSample
from simulator import Car, Clock, ManualClock, MeterConfig, Simulator, SimulatorConfig
from simulator.config import WallboxConfig
from simulator.meters.meter import SimulatedMeter

WAIT_S = 10.0
# The names of simulated meters.
EM340, SDM630, WE504, EM24 = "em340", "sdm630", "or_we_504", "em24"


def profile_of(meter: SimulatedMeter) -> MeterProfile:
    """Return our profile of a simulated meter, without its pauses."""
    ours = PROFILES[OURS[meter.config.profile]]
    return replace(ours, limits=replace(ours.limits, spacing_s=0.0))


class House:
    """Simulated meters whose time is in our hands."""

    def __init__(self, *meters: MeterConfig, clock: Clock | None = None) -> None:
        """Install the meters; a car charges through each.

        Without a clock, time stands still until it is made to pass.
        """
        boxes = tuple(
            WallboxConfig(
                name=f"Box {number}",
                variant="11kw_tree" if meter.map.phases == 3 else "7.4kw_air",
                self_test_s=0,
            )
            for number, meter in enumerate(meters)
        )
        placed = tuple(
            replace(meter, wallbox=number) for number, meter in enumerate(meters)
        )
        config = SimulatorConfig(meters=placed, wallboxes=boxes, tick_s=1.0)
        self.sim = Simulator(config, clock=clock or ManualClock())
        for box in self.sim.wallboxes:
            box.plug(Car(max_kw=22.0, capacity_kwh=1e6))
        if clock is None:
            self.pass_time(60)

    @property
    def meter(self) -> SimulatedMeter:
        """Return the first meter."""
        return self.sim.meters[0]

    def pass_time(self, seconds: float = 1.0) -> None:
        """Let the cars charge."""
        self.sim.advance(seconds, step_s=seconds)

    @property
    def power_w(self) -> float:
        """Return the power that the first meter shows at this instant."""
        shown: float = self.meter.truth()["shown"]["power"]
        return shown


def config_of(profile: str = EM340, link: str = "tcp", **changes: Any) -> MeterConfig:
    """Return a meter that needs no pauses and whose power moves every second."""
    usual = {"pause_s": 0.0, "wobble": 0.05, "gateway": False}
    return MeterConfig(profile=profile, link=link, **{**usual, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def house(
    *meters: MeterConfig, clock: Clock | None = None
) -> AsyncIterator[House]:
    """Open the lines of meters."""
    home = House(*(meters or (config_of(),)), clock=clock)
    await home.sim.meters.start()
    try:
        yield home
    finally:
        await home.sim.meters.stop()


def params_of(
    meter: SimulatedMeter, by: str = ""
) -> ModbusTcpParams | ModbusSerialParams:
    """Return what Home Assistant would be given to reach a meter, or a gateway to it.

    A gateway is an address, on RTU through TCP or, after "tcp:", on Modbus TCP.
    """
    if by.startswith("tcp:"):
        _, host, port = by.split(":")
        return ModbusTcpParams(host=host, port=int(port))
    if by:
        return ModbusSerialParams(device=f"socket://{by}")
    if meter.config.link == "pty":
        return ModbusSerialParams(device=meter.address)
    if meter.config.link == "rtu_tcp":
        return ModbusSerialParams(device=f"socket://{meter.address}")
    host, _, port = meter.address.partition(":")
    return ModbusTcpParams(host=host, port=int(port))


class Borrowed:
    """A connection as Home Assistant's modbus integration shares it."""

    def __init__(self, meter: SimulatedMeter, by: str = "") -> None:
        """Describe the connection; it opens with the first read."""
        self.params = params_of(meter, by)
        self.connection = ModbusConnection(self.params)
        self.unit: ModbusUnit = self.connection.for_unit(meter.config.unit_id)

    def link(self, meter: SimulatedMeter, **changes: Any) -> SharedLink:
        """Return a link over it."""
        return SharedLink(
            self.connection.for_unit(meter.config.unit_id),
            profile_of(meter),
            Wire.of(self.params),
            **changes,
        )


@asynccontextmanager
async def link_to(
    meter: SimulatedMeter, kind: str, by: str = "", **changes: Any
) -> AsyncIterator[GuardedLink]:
    """Return a link, shared or dedicated, and leave nothing of it."""
    if kind == "dedicated":
        link: GuardedLink = DedicatedLink(
            params_of(meter, by), meter.config.unit_id, profile_of(meter), **changes
        )
        try:
            yield link
        finally:
            await link.close()
        return
    borrowed = Borrowed(meter, by)
    link = borrowed.link(meter, **changes)
    try:
        yield link
    finally:
        await link.close()
        await borrowed.connection.close()


class StepClock(MeterClock):
    """A clock that stands still until the next tick is asked for."""

    def __init__(self) -> None:
        """Start at some instant."""
        self.now = 1000.0
        self._sleeping = asyncio.Event()
        self._wake = asyncio.Event()
        self._slept = 0.0

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return self.now + 1_800_000_000.0

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.now

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait until it is time."""
        self._slept = seconds
        self._wake.clear()
        self._sleeping.set()
        await self._wake.wait()

    async def asleep(self) -> None:
        """Wait until nothing is to be done before the next tick."""
        async with asyncio.timeout(WAIT_S):
            await self._sleeping.wait()

    async def tick(self) -> None:
        """Let the time come that is waited for, and wait for the sleep after it."""
        await self.asleep()
        self._sleeping.clear()
        self.now += self._slept
        self._wake.set()
        await self.asleep()


class Station:
    """A reader with its samples, moved tick by tick."""

    def __init__(self, reader: MeterReader, clock: StepClock) -> None:
        """Take a reader that is running."""
        self.reader = reader
        self.clock = clock
        self.samples: list[MeterSample] = []

    @property
    def last(self) -> MeterSample:
        """Return the newest sample."""
        return self.samples[-1]

    async def over(self) -> None:
        """Wait until the read of this tick is over."""
        await self.clock.asleep()
        if self.reader._reading is not None:
            async with asyncio.timeout(WAIT_S):
                await asyncio.wait([self.reader._reading])

    async def tick(self, times: int = 1) -> MeterSample:
        """Let a tick begin and end; return its sample."""
        for _ in range(times):
            await self.over()
            await self.clock.tick()
            await self.over()
        return self.last


@asynccontextmanager
async def station(
    link: GuardedLink, profile: MeterProfile, **changes: Any
) -> AsyncIterator[Station]:
    """Run a reader; its first tick is over."""
    clock = StepClock()
    samples: list[MeterSample] = []
    reader = MeterReader(link, profile, samples.append, clock=clock, **changes)
    held = Station(reader, clock)
    held.samples = samples
    task = asyncio.create_task(reader.run())
    try:
        await held.over()
        yield held
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def running(
    link: MeterLink,
    profile: MeterProfile,
    clock: MeterClock,
    take: Callable[[MeterSample], None],
    **changes: Any,
) -> AsyncIterator[MeterReader]:
    """Run a reader on a clock of its own."""
    reader = MeterReader(link, profile, take, clock=clock, **changes)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def eventually(true: Callable[[], object]) -> None:
    """Wait in real time until something is so, however the loop's time runs."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until
        await asyncio.to_thread(time.sleep, 0.005)
