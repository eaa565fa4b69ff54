"""The link over a connection that is the neighbours' too: manners and quarantine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from modbus_connection import ModbusTimeoutError
import pytest

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.core import HomeAssistant

from .harness import (
    WE504,
    Borrowed,
    House,
    StepClock,
    config_of,
    house,
    profile_of,
)
from .loop_time import leaping_time
from custom_components.loxone_wallbox.meter.errors import (
    LateAnswerError,
    NoAnswerError,
    RefusedError,
)
from custom_components.loxone_wallbox.meter.late import LATE_S
from custom_components.loxone_wallbox.meter.link import (
    SHARED_DROP_EVERY_S,
    SHARED_TIMEOUT_S,
    SharedLink,
    Wire,
)
from custom_components.loxone_wallbox.meter.model import Read

pytestmark = pytest.mark.usefixtures("socket_enabled")

POWER = Read(space="input", start=0x28, count=2)
ENERGY = Read(space="input", start=0x34, count=2)
MODEL = Read(space="input", start=0x0B, count=1)
FAST = Read(space="input", start=0x28, count=40)
BEYOND = Read(space="input", start=0x200, count=3)


@dataclass
class Neighbourhood:
    """A shared connection with our link on it, whose time stands still."""

    home: House
    borrowed: Borrowed
    link: SharedLink
    clock: StepClock

    @property
    def counts(self) -> list[int]:
        """Return the lengths of what the meter was asked for."""
        return [request.count for request in self.home.meter.requests]

    def connected(self) -> bool:
        """Tell whether there is a connection."""
        return self.borrowed.connection.connected

    async def lose(self, read: Read) -> None:
        """Ask something that is not answered."""
        self.home.meter.fault("silent", times=1)
        with pytest.raises(NoAnswerError):
            await self.link.read(read)


@asynccontextmanager
async def neighbourhood(
    wire: str = "rtu_tcp", profile: str = "em340", **changes: Any
) -> AsyncIterator[Neighbourhood]:
    """Return a link on a shared connection; lost answers take no time."""
    with leaping_time(wire):
        async with house(config_of(profile, wire, **changes)) as home:
            borrowed, clock = Borrowed(home.meter), StepClock()
            link = borrowed.link(home.meter, clock=clock)
            try:
                yield Neighbourhood(home, borrowed, link, clock)
            finally:
                await link.close()
                await borrowed.connection.close()


@pytest.mark.parametrize("wire", ["rtu_tcp", "pty"])
async def test_one_disconnect_in_half_a_minute(wire: str) -> None:
    """The first lost answer costs the connection, the next ones are sat out."""
    async with neighbourhood(wire) as here:
        await here.link.read(MODEL)
        await here.lose(POWER)
        assert not here.connected()
        here.clock.now += LATE_S
        await here.link.read(MODEL)
        for _ in range(3):
            await here.lose(POWER)
            assert here.connected()
            here.clock.now += LATE_S
            await here.link.read(MODEL)
        here.clock.now += SHARED_DROP_EVERY_S - 4 * LATE_S
        await here.lose(POWER)
        assert not here.connected()


async def test_quarantine() -> None:
    """Without a disconnect nothing is asked, then first something of another length."""
    async with neighbourhood() as here:
        await here.link.read(MODEL)
        await here.lose(POWER)
        await here.link.read(MODEL)
        await here.lose(POWER)
        asked = len(here.counts)
        for read in (POWER, MODEL, FAST):
            with pytest.raises(LateAnswerError):
                await here.link.read(read)
        here.clock.now += LATE_S - 0.01
        with pytest.raises(LateAnswerError):
            await here.link.read(POWER)
        assert len(here.counts) == asked
        here.clock.now += 0.01
        await here.link.read(POWER)
        assert here.counts[asked:] == [MODEL.count, POWER.count]
        await here.link.read(POWER)
        assert here.counts[asked:] == [MODEL.count, POWER.count, POWER.count]


async def test_a_read_of_another_length_is_its_own_proof() -> None:
    """What cannot be mistaken is not proven first."""
    async with neighbourhood() as here:
        await here.link.read(MODEL)
        await here.lose(POWER)
        await here.link.read(FAST)
        assert here.counts[-2:] == [POWER.count, FAST.count]
        assert not here.link._late


async def test_quarantine_ends_with_a_disconnect() -> None:
    """As soon as a disconnect is allowed, the wait is over."""
    async with neighbourhood() as here:
        await here.link.read(MODEL)
        await here.lose(POWER)
        await here.link.read(MODEL)
        here.clock.now += SHARED_DROP_EVERY_S - 1
        await here.lose(POWER)
        assert here.connected()
        here.clock.now += 1
        generation = here.link.generation
        await here.link.read(POWER)
        assert here.link.generation == generation + 1


async def test_when_every_length_is_in_doubt() -> None:
    """With nothing left to prove the order by, the connection has to end."""
    async with neighbourhood(profile=WE504, wobble=0.0) as here:
        first = Read(space="holding", start=0, count=9)
        await here.link.read(Read(space="holding", start=0, count=2))
        # Of eleven registers there are eleven lengths; let it have three.
        assert len(here.link._proofs) == 11
        here.link._proofs = here.link._proofs[:3]
        for _ in range(3):
            await here.lose(first)
            here.clock.now += LATE_S
        assert here.connected()
        with pytest.raises(LateAnswerError):
            await here.link.read(first)
        here.clock.now += SHARED_DROP_EVERY_S
        await here.link.read(first)


async def test_a_refusal_in_doubt_is_not_believed() -> None:
    """A late refusal says nothing of what was asked after it."""
    async with neighbourhood() as here:
        await here.link.read(MODEL)
        await here.lose(POWER)
        home, link = here.home, here.link
        # Two reads prove nothing but that something refuses; then all is normal.
        home.meter.fault("exception", code=2, times=2)
        words = await link.read(POWER)
        assert (words[1] << 16 | words[0]) / 10 == pytest.approx(home.power_w, abs=0.06)
        assert len(set(here.counts[-4:-1])) == 3
        with pytest.raises(RefusedError):
            await link.read(BEYOND)


async def test_a_new_link_does_not_trust_an_old_connection() -> None:
    """Whoever had the connection before may have left an answer behind."""
    async with neighbourhood() as here:
        unit = here.borrowed.unit
        here.home.meter.fault("slow", times=1, seconds=1.5 * SHARED_TIMEOUT_S)
        with pytest.raises(ModbusTimeoutError):
            await unit.read_input_registers(FAST.start, FAST.count)
        here.home.pass_time()
        words = await here.link.read(FAST)
        assert here.counts == [FAST.count, MODEL.count, FAST.count]
        assert (words[1] << 16 | words[0]) / 10 == pytest.approx(
            here.home.power_w, abs=0.06
        )


async def test_a_deaf_peer_is_left() -> None:
    """Numbered answers need no disconnect, until nobody answers at all."""
    async with neighbourhood("tcp") as here:
        await here.link.read(MODEL)
        for read in (POWER, ENERGY):
            await here.lose(read)
            assert here.connected()
        await here.lose(FAST)
        assert not here.connected()


@pytest.mark.parametrize("wire", ["tcp", "rtu_tcp"])
async def test_unit_of_home_assistant(hass: HomeAssistant, wire: str) -> None:
    """What Home Assistant lends is what the link expects."""
    async with house(config_of(link=wire)) as home:
        params = Borrowed(home.meter).params
        async with async_get_temporary_unit(hass, params, 1) as unit:
            link = SharedLink(unit, profile_of(home.meter), Wire.of(params))
            assert await link.read(MODEL) == [341]
            words = await link.read(POWER)
            assert (words[1] << 16 | words[0]) / 10 == pytest.approx(
                home.power_w, abs=0.06
            )
            await link.close()
