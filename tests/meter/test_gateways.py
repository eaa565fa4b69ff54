"""Gateways with several meters on them: neighbours, strangers, and an hour of silence.

Time-outs, speeds of lines and seconds are those of a real installation; only the waiting
for them takes no time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
import math

from modbus_connection import ModbusError, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection
import pytest

from .gateway import Gateway, gateway
from .harness import (
    EM340,
    SDM630,
    Borrowed,
    House,
    config_of,
    house,
    link_to,
    params_of,
    profile_of,
    running,
)
from .loop_time import LoopTime, leaping_time
from .watched import Stamp, WatchedLink
from custom_components.loxone_wallbox.meter.account import MeterAccount, MeterFacts
from custom_components.loxone_wallbox.meter.checks import Circuit
from custom_components.loxone_wallbox.meter.decode import energy_step_wh
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.link import (
    SHARED_DROP_EVERY_S,
    GuardedLink,
)
from custom_components.loxone_wallbox.meter.reader import MeterReader
from custom_components.loxone_wallbox.meter.sample import MeterSample
from custom_components.loxone_wallbox.meter.series import PowerSeries
from simulator.meters.meter import SimulatedMeter

pytestmark = pytest.mark.usefixtures("socket_enabled")
both_links = pytest.mark.parametrize("kind", ["shared", "dedicated"])

STRANGER = 9
MINUTES_S = 120
HOUR_S = 3600
BEFORE_S, AFTER_S = 300, 200


@dataclass
class Seat:
    """A meter on a gateway, and what is read of it."""

    meter: SimulatedMeter
    watched: WatchedLink
    reader: MeterReader
    samples: list[MeterSample]

    @property
    def gaps(self) -> Counter[Missing]:
        """Return how many seconds have no reading, and why."""
        return Counter(one.missing for one in self.samples if one.missing)

    @property
    def steps(self) -> list[float]:
        """Return the seconds between readings."""
        at = [one.monotonic for one in self.samples if one.missing is None]
        return [later - sooner for sooner, later in pairwise(at)]


@dataclass
class Stranger:
    """Somebody else's device on the same gateway, asked every two seconds."""

    unit: ModbusUnit
    timeout_s: float
    came: Counter[str] = field(default_factory=Counter)

    async def live(self) -> None:
        """Ask for ever, and count what comes of it."""
        self.unit.require_timeout(self.timeout_s)
        while True:
            try:
                words = await self.unit.read_input_registers(0x34, 4)
            except ModbusError as err:
                self.came[type(err).__name__] += 1
            else:
                self.came["answered" if len(words) == 4 else "wrong"] += 1
            await asyncio.sleep(2)


@dataclass
class Bus:
    """Meters behind a gateway, and whoever asks them."""

    home: House
    clock: LoopTime
    kind: str
    between: Gateway | None
    by: str
    stack: AsyncExitStack
    borrowed: Borrowed | None = None

    @property
    def shared(self) -> Borrowed:
        """Return the connection that is shared."""
        if self.borrowed is None:
            self.borrowed = Borrowed(self.home.meter, self.by)
            self.stack.push_async_callback(self.borrowed.connection.close)
        return self.borrowed

    async def link(self, meter: SimulatedMeter) -> GuardedLink:
        """Return a link to a meter."""
        if self.kind == "dedicated":
            one = link_to(meter, self.kind, self.by, clock=self.clock)
            return await self.stack.enter_async_context(one)
        link = self.shared.link(meter, clock=self.clock)
        self.stack.push_async_callback(link.close)
        return link

    async def seat(self, number: int) -> Seat:
        """Read a meter each second from now on; its values tell its answers."""
        meter = self.home.sim.meters[number]
        profile = profile_of(meter)
        stamp = Stamp(meter, profile, first=5000 * number)
        watched = WatchedLink(await self.link(meter), stamp)
        samples: list[MeterSample] = []
        reader = await self.stack.enter_async_context(
            running(watched, profile, self.clock, samples.append)
        )
        return Seat(meter, watched, reader, samples)

    async def stranger(self, timeout_s: float) -> Stranger:
        """Let somebody ask the last meter, over the same connection if it is shared."""
        if self.kind == "dedicated":
            connection = ModbusConnection(params_of(self.home.meter, self.by))
            self.stack.push_async_callback(connection.close)
        else:
            connection = self.shared.connection
        one = Stranger(connection.for_unit(STRANGER), timeout_s)
        task = asyncio.create_task(one.live())
        self.stack.push_async_callback(asyncio.wait, [task])
        self.stack.callback(task.cancel)
        return one


@asynccontextmanager
async def bus(kind: str, wire: str, *profiles: str) -> AsyncIterator[Bus]:
    """Put meters on a line, with units 1, 2, ... or that of the stranger."""
    meters = [
        config_of(
            profile,
            "rtu_tcp",
            line="A",
            name=f"{number} {profile}",
            unit=STRANGER if profile == SDM630 else number + 1,
            serial=f"4711{number}",
        )
        for number, profile in enumerate(profiles)
    ]
    with leaping_time() as clock:
        async with AsyncExitStack() as stack:
            home = await stack.enter_async_context(house(*meters, clock=clock))
            between, by = None, ""
            if wire == "gateway":
                line = gateway(home.meter.address)
                between = await stack.enter_async_context(line)
                by = f"tcp:{between.address}"
            yield Bus(home, clock, kind, between, by, stack)


@pytest.mark.parametrize("wire", ["gateway", "rtu_tcp"])
@both_links
async def test_two_wallboxes_on_one_gateway(kind: str, wire: str) -> None:
    """Each meter is read every second, and no answer is the neighbour's."""
    async with bus(kind, wire, EM340, EM340) as line:
        seats = [await line.seat(0), await line.seat(1)]
        await line.clock.sleep(MINUTES_S)
        for seat in seats:
            assert seat.watched.wrong == []
            assert len(seat.samples) in {MINUTES_S, MINUTES_S + 1}
            assert not seat.gaps
            assert max(seat.steps) < 1.5
            assert seat.reader.identification.serial == seat.meter.serial
            assert seat.watched.came["right"] >= 2 * MINUTES_S
        if line.between is not None:
            assert line.between.connections == (1 if kind == "shared" else 2)


@pytest.mark.parametrize(
    ("wire", "late_s"),
    [
        ("gateway", None),
        ("gateway", 0.7),
        ("rtu_tcp", None),
        ("rtu_tcp", 1.8),
        # Later than its own time-out, so that it comes while we are asking.
        ("rtu_tcp", 3.2),
    ],
)
@both_links
async def test_a_slow_stranger(kind: str, wire: str, late_s: float | None) -> None:
    """Seconds in which it is waited for are gaps; none is made up for, none is wrong."""
    async with bus(kind, wire, EM340, SDM630) as line:
        slow = line.home.sim.meters[1]
        if late_s is None:
            slow.fault("silent")
        else:
            slow.fault("slow", seconds=late_s)
        stranger = await line.stranger(3.0)
        seat = await line.seat(0)
        await line.clock.sleep(MINUTES_S)
        assert seat.watched.wrong == []
        assert len(seat.samples) in {MINUTES_S, MINUTES_S + 1}
        assert len(seat.steps) >= 0.3 * MINUTES_S
        if kind == "shared":
            # A tick reads two things at most; what a gap missed is not asked later.
            assert seat.watched.came["asked"] <= 2 * len(seat.steps) + 4
            assert set(seat.gaps) <= {Missing.UNDER_WAY}
            assert stranger.came["wrong"] == 0
        if late_s is not None and late_s < 3:
            assert set(stranger.came) == {"answered"}
        if line.between is not None:
            # What was given up waits at the gateway no more than once.
            assert line.between.most_waiting[1] <= 2


async def test_a_neighbour_is_not_starved() -> None:
    """A meter that fails every few seconds costs it one connection in half a minute."""
    async with bus("shared", "rtu_tcp", EM340, SDM630) as line:
        neighbour = await line.stranger(2.0)
        seat = await line.seat(0)
        seat.meter.fault("storm", silent=1, answered=6)
        asked = line.clock.monotonic()
        connections = Connections(line.home)
        while line.clock.monotonic() - asked < 10 * MINUTES_S:
            await line.clock.sleep(0.5)
            connections.look()
        assert seat.watched.wrong == []
        assert seat.watched.came["NoAnswerError"] >= 50
        most = 10 * MINUTES_S / SHARED_DROP_EVERY_S + 1
        assert most / 2 < connections.seen <= most
        answered = neighbour.came.pop("answered")
        assert answered >= 200
        assert neighbour.came.total() <= 0.02 * answered


class Connections:
    """Counts the connections that the line of a house has had."""

    def __init__(self, home: House) -> None:
        """Begin with those there are."""
        self._line = home.sim.meters._lines[0]
        self._known: set[object] = set()

    def look(self) -> None:
        """Note which ones there are now."""
        self._known |= self._line._clients

    @property
    def seen(self) -> int:
        """Return how many there were."""
        return len(self._known)


@pytest.mark.parametrize("deaf", [False, True], ids=["gone", "deaf"])
@both_links
async def test_a_gateway_that_is_dead_for_an_hour(kind: str, deaf: bool) -> None:
    """Energy is complete, the power has one hole and no zero, coverage tells of it."""
    async with bus(kind, "gateway", EM340) as line:
        assert line.between is not None
        meter = line.home.meter
        facts = MeterFacts(
            profile=profile_of(meter), circuit=Circuit(phases=3, rated_a=16)
        )
        night = Night(facts)
        link = await line.link(meter)
        reader = await line.stack.enter_async_context(
            running(link, facts.profile, line.clock, night.take)
        )
        await line.clock.sleep(BEFORE_S)
        assert night.powers[-1] is not None
        begun_wh, begun_kwh = night.account.total_wh, meter.import_kwh
        line.between.deaf = deaf
        if not deaf:
            await line.between.switch_off()
        died = line.clock.monotonic()
        await line.clock.sleep(HOUR_S)
        assert night.powers[-HOUR_S + 60 :] == [None] * (HOUR_S - 60)
        assert reader.power_w is None
        assert night.account.total_wh == pytest.approx(begun_wh, abs=200)
        line.between.deaf = False
        if not deaf:
            await line.between.switch_on()
        back = line.clock.monotonic()
        await line.clock.sleep(AFTER_S)
        counted = (meter.import_kwh - begun_kwh) * 1000
        assert counted == pytest.approx(11_000 * (HOUR_S + AFTER_S) / 3600, rel=0.05)
        assert night.account.total_wh is not None
        assert begun_wh is not None
        step = energy_step_wh(facts.profile, begun_wh)
        assert night.account.total_wh - begun_wh == pytest.approx(counted, abs=step)
        night.check_hole(died, back)
        missed = HOUR_S / (BEFORE_S + HOUR_S + AFTER_S)
        assert reader.coverage == pytest.approx(AFTER_S / HOUR_S, abs=0.01)
        assert night.account.integral.coverage == pytest.approx(1 - missed, abs=0.01)


class Night:
    """What is kept of a session's samples, as the coordinator keeps it."""

    def __init__(self, facts: MeterFacts) -> None:
        """Begin with nothing."""
        self.facts = facts
        self.account = MeterAccount()
        self.series = PowerSeries()
        self.powers: list[float | None] = []

    def take(self, sample: MeterSample) -> None:
        """Take a second."""
        self.account, finding = self.account.take(sample, self.facts, sample.monotonic)
        assert finding is None
        self.powers.append(self.account.power_w)
        self.series.add(sample.monotonic, self.account.power_w)

    def check_hole(self, died: float, back: float) -> None:
        """See that the series has one hole, just there, and charging around it."""
        # The car needs some seconds at first until it draws what it may.
        points = self.series.between(died - BEFORE_S / 2, math.inf)
        holes = [place for place, (_, power) in enumerate(points) if power is None]
        assert len(holes) == 1
        (hole,) = holes
        assert points[hole - 1][0] == pytest.approx(died, abs=1.1)
        assert points[hole + 1][0] == pytest.approx(back, abs=5)
        assert min(power for _, power in points if power is not None) > 10_000
        assert len(points) == pytest.approx(BEFORE_S / 2 + AFTER_S, abs=10)
