"""Links: what is an answer, what is an error, and what is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import fcntl
import logging
import os
from typing import Any

from modbus_connection import ModbusSerialParams, ModbusTcpParams
import pytest

from .harness import (
    Borrowed,
    House,
    config_of,
    eventually,
    house,
    link_to,
    profile_of,
)
from .loop_time import leaping_time
from custom_components.loxone_wallbox.meter.dedicated import BUDGET_S, DedicatedLink
from custom_components.loxone_wallbox.meter.errors import (
    CannotConnectError,
    LateAnswerError,
    MeterError,
    NoAnswerError,
    RefusedError,
    TargetSilentError,
    WrongAnswerError,
)
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.late import LATE_S
from custom_components.loxone_wallbox.meter.link import GuardedLink, Wire
from custom_components.loxone_wallbox.meter.model import Pace, Read
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from simulator.meters.meter import SimulatedMeter

LINKS = ("shared", "dedicated")
WIRES = ("tcp", "rtu_tcp", "pty")
both_links = pytest.mark.parametrize("kind", LINKS)
all_wires = pytest.mark.parametrize("wire", WIRES)
pytestmark = pytest.mark.usefixtures("socket_enabled")

POWER = Read(space="input", start=0x28, count=2)
ENERGY = Read(space="input", start=0x34, count=2)
MODEL = Read(space="input", start=0x0B, count=1)
SERIAL = Read(space="input", start=0x5000, count=7)
BEYOND = Read(space="input", start=0x200, count=2)


@asynccontextmanager
async def linked(
    kind: str, wire: str, **changes: Any
) -> AsyncIterator[tuple[House, GuardedLink]]:
    """Return a link to a meter; it takes no time to wait for what does not come."""
    with leaping_time(wire) as clock:
        async with (
            house(config_of(link=wire)) as home,
            link_to(home.meter, kind, clock=clock, **changes) as link,
        ):
            yield home, link


def watt(words: list[int]) -> float:
    """Return the power in two words of this meter, the low one first."""
    return (words[1] << 16 | words[0]) / 10


def asked(meter: SimulatedMeter) -> list[int]:
    """Return the counts of what the meter was asked for."""
    return [request.count for request in meter.requests]


def closed(meter: SimulatedMeter) -> bool:
    """Tell whether nobody holds the serial device: a thread closes it in its own time."""
    if meter.config.link != "pty":
        return True
    device = os.open(meter.address, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(device, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(device)
    return True


def clients(home: House) -> int:
    """Return how many connections the meters' line has."""
    return sum(len(line._clients) for line in home.sim.meters._lines)


@all_wires
@both_links
async def test_read(kind: str, wire: str) -> None:
    """A read gives the meter's words."""
    async with linked(kind, wire) as (home, link):
        assert watt(await link.read(POWER)) == pytest.approx(home.power_w, abs=0.06)
        assert await link.read(MODEL) == [341]


@all_wires
@both_links
async def test_refusal(kind: str, wire: str) -> None:
    """A refusal says what was refused and why; the connection stays."""
    async with linked(kind, wire) as (_, link):
        await link.read(MODEL)
        generation = link.generation
        with pytest.raises(RefusedError) as caught:
            await link.read(BEYOND)
        assert (caught.value.code, caught.value.read) == (2, BEYOND)
        assert link.generation == generation


@both_links
async def test_gateway_target_silent(kind: str) -> None:
    """A gateway that answers for a silent meter is told apart."""
    async with linked(kind, "tcp") as (home, link):
        await link.read(MODEL)
        home.meter.fault("exception", code=11, times=1)
        with pytest.raises(TargetSilentError):
            await link.read(POWER)
        assert watt(await link.read(POWER)) == pytest.approx(home.power_w, abs=0.06)
        # Its own late answer may be on the line behind the gateway, without a number.
        assert asked(home.meter)[-2] != POWER.count


@all_wires
@both_links
async def test_no_answer(kind: str, wire: str) -> None:
    """Silence is an error."""
    async with linked(kind, wire) as (home, link):
        await link.read(MODEL)
        home.meter.fault("silent")
        with pytest.raises(NoAnswerError):
            await link.read(POWER)


@pytest.mark.parametrize(
    "fault", ["truncated", "halfway", "short", "other_unit", "garbage"]
)
@all_wires
@both_links
async def test_no_right_answer(kind: str, wire: str, fault: str) -> None:
    """What is not the whole answer is an error, whatever the library makes of it."""
    async with linked(kind, wire) as (home, link):
        await link.read(MODEL)
        name = "closed" if fault == "halfway" else fault
        how = {"garbage": {"instead": True}, "halfway": {"halfway": True}}
        home.meter.fault(name, times=1, **how.get(fault, {}))
        with pytest.raises((NoAnswerError, WrongAnswerError, CannotConnectError)):
            await link.read(POWER)


@pytest.mark.parametrize("wire", ["rtu_tcp", "pty"])
@both_links
async def test_short_answer_is_counted(kind: str, wire: str) -> None:
    """An answer that is sound in itself and too short is a wrong one."""
    async with linked(kind, wire) as (home, link):
        home.meter.fault("short", times=1)
        with pytest.raises(WrongAnswerError):
            await link.read(SERIAL)


async def test_echo_is_no_reading() -> None:
    """An adapter that echoes makes a meter unreadable, not wrong."""
    async with linked("dedicated", "rtu_tcp") as (home, link):
        home.meter.fault("echo")
        for read in (POWER, MODEL, SERIAL):
            with pytest.raises(MeterError):
                await link.read(read)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("cautious", [False, True])
async def test_no_request_looks_like_its_answer(profile: Any, cautious: bool) -> None:
    """No echo has the length of the answer that is waited for.

    Read as an answer, the high byte of the address is the count of bytes.
    """
    for pace in Pace:
        for read in Fit(cautious=cautious).reads(profile, pace):
            assert read.start >> 8 != 2 * read.count


@both_links
async def test_cannot_connect(kind: str) -> None:
    """A closed port is told apart from silence, and leaves no doubt behind."""
    async with linked(kind, "rtu_tcp") as (home, link):
        await link.read(MODEL)
        await home.sim.meters.stop()
        await eventually(lambda: not link._unit.connected)
        for _ in range(5):
            with pytest.raises(CannotConnectError):
                await link.read(POWER)
        assert not link._late


async def test_no_serial_device() -> None:
    """A serial device that is not there is told apart as well."""
    async with house(config_of(link="pty")) as home:
        params = ModbusSerialParams(device=f"{home.meter.address}-gone")
        link = DedicatedLink(params, 1, profile_of(home.meter))
        with pytest.raises(CannotConnectError):
            await link.read(MODEL)
        await link.close()


@asynccontextmanager
async def opening_slowly(seconds: float) -> AsyncIterator[tuple[House, GuardedLink]]:
    """Return a dedicated link to a serial device that takes a while to open."""
    async with linked("dedicated", "pty") as (home, link):
        loop: Any = asyncio.get_running_loop()
        execute = loop.run_in_executor

        async def slowly(*args: Any) -> Any:
            """Let the thread that opens a device wait, as on a busy machine."""
            if os.open in args:
                await asyncio.sleep(seconds)
            return await execute(*args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                loop, "run_in_executor", lambda *args: loop.create_task(slowly(*args))
            )
            yield home, link


async def test_a_serial_device_may_open_slowly() -> None:
    """To open takes longer than an answer may; the wait for answers stays short."""
    async with opening_slowly(1.5) as (home, link):
        assert await link.read(MODEL) == [341]
        home.meter.fault("silent", times=1)
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswerError):
            await link.read(POWER)
        assert asyncio.get_running_loop().time() - began < 1.5


async def test_who_gives_up_opening_finds_it_open() -> None:
    """A read that is cut short while the device opens asked nothing and spoils nothing."""
    async with opening_slowly(1.2) as (home, link):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(BUDGET_S):
                await link.read(MODEL)
        async with asyncio.timeout(BUDGET_S):
            assert await link.read(MODEL) == [341]
        assert asked(home.meter) == [MODEL.count]


@all_wires
async def test_dedicated_drops_after_each_failure(wire: str) -> None:
    """What is no answer costs the dedicated link its connection, and only that."""
    async with linked("dedicated", wire, late_s=0.0) as (home, link):
        for fault in ("silent", "truncated", "short"):
            await link.read(MODEL)
            generation = link.generation
            home.meter.fault(fault, times=1)
            with pytest.raises(MeterError):
                await link.read(POWER)
            assert not link._unit.connected
            await eventually(lambda: closed(home.meter))
            assert watt(await link.read(POWER)) == pytest.approx(home.power_w, abs=0.06)
            assert link.generation == generation + 1


@all_wires
@both_links
async def test_cancelled_read(kind: str, wire: str) -> None:
    """A read that is cancelled half-way ends, and its answer is nobody's."""
    async with linked(kind, wire) as (home, link):
        await link.read(MODEL)
        home.meter.fault("slow", times=1, seconds=0.7)
        # As long as the answer to it.
        task = asyncio.create_task(link.read(ENERGY))
        await eventually(lambda: asked(home.meter)[-1] == ENERGY.count)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        power = await patiently(link, POWER)
        assert watt(power) == pytest.approx(home.power_w, abs=0.06)


@both_links
async def test_timeout_around_a_read(kind: str) -> None:
    """A time-out of the caller's own is one, though pymodbus swallows cancellations."""
    async with linked(kind, "rtu_tcp", timeout_s=5.0) as (home, link):
        await link.read(MODEL)
        home.meter.fault("silent", times=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await link.read(POWER)
        power = await patiently(link, POWER)
        assert watt(power) == pytest.approx(home.power_w, abs=0.06)


async def patiently(link: GuardedLink, read: Read) -> list[int]:
    """Read as soon as the link lets."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await link.read(read)
            except LateAnswerError:
                await asyncio.sleep(0.01)


@all_wires
@both_links
async def test_close_leaves_nothing(kind: str, wire: str) -> None:
    """A closed link has no task and no connection, even after a lost answer."""
    async with house(config_of(link=wire)) as home:
        # The serial device has a connection of its own.
        idle = int(wire == "pty")
        await eventually(lambda: clients(home) == idle)
        before = asyncio.all_tasks()
        with leaping_time(wire) as clock:
            async with link_to(home.meter, kind, clock=clock) as link:
                await link.read(MODEL)
                home.meter.fault("silent", times=1)
                with pytest.raises(NoAnswerError):
                    await link.read(POWER)
                await patiently(link, POWER)
        await eventually(lambda: clients(home) == idle)
        await eventually(lambda: asyncio.all_tasks() <= before)


async def test_close_while_reading() -> None:
    """A link that is closed in mid-read closes its connection."""
    async with linked("dedicated", "rtu_tcp", timeout_s=5.0) as (home, link):
        await link.read(MODEL)
        home.meter.fault("silent")
        task = asyncio.create_task(link.read(POWER))
        await eventually(lambda: asked(home.meter)[-1] == POWER.count)
        task.cancel()
        await asyncio.wait([task])
        await link.close()
        await eventually(lambda: clients(home) == 0)


async def test_close_gives_the_shared_connection_back() -> None:
    """Neighbours go on without what was asked for the meter.

    The library makes a new connection for them, because they may wait longer now.
    """
    async with house(config_of(link="tcp")) as home:
        borrowed = Borrowed(home.meter)
        link = borrowed.link(home.meter, timeout_s=3.0)
        assert borrowed.connection._timeout == 3.0
        await link.read(MODEL)
        await link.close()
        assert borrowed.connection._timeout == 10.0
        await eventually(lambda: not borrowed.connection.connected)
        assert await borrowed.unit.read_input_registers(0x0B, 1) == [341]
        await borrowed.connection.close()


@all_wires
async def test_the_library_does_not_log(
    wire: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is raised is not also written to the log at every second."""
    async with linked("dedicated", wire) as (home, link):
        await link.read(MODEL)
        with caplog.at_level(logging.INFO, "pymodbus"):
            home.meter.fault("silent", times=1)
            with pytest.raises(NoAnswerError):
                await link.read(POWER)
            await home.sim.meters.stop()
            await asyncio.sleep(LATE_S)
            with pytest.raises(CannotConnectError):
                await link.read(POWER)
        # On a busy machine the loop itself says that something took long.
        told = [one for one in caplog.records if one.name != "asyncio"]
        assert [r.getMessage() for r in told if r.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    ("params", "wire"),
    [
        (ModbusTcpParams(host="gateway"), Wire.TCP),
        (ModbusSerialParams(device="socket://gateway:4001"), Wire.RTU_OVER_TCP),
        (ModbusSerialParams(device="/dev/ttyUSB0"), Wire.SERIAL),
    ],
)
def test_wires(params: ModbusTcpParams | ModbusSerialParams, wire: Wire) -> None:
    """What is between us and a meter follows from the parameters."""
    assert Wire.of(params) is wire
