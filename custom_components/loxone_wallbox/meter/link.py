"""A way to a meter on which an answer belongs to its request, or is an error.

Takes in a unit of `modbus_connection` and a profile; gives the words of a read. What may
go wrong is in `errors`, and all of it is final: a link never asks twice by itself.

What must not go wrong is that a late answer passes for another one; `late` says how that
happens and what keeps it from happening. For it a link remembers every read that was
given up: because its time was over, because the caller was cancelled, because what came
in was no answer to it, or because the connection broke. While such an answer may come,
the link asks nothing or, before a read whose answer it could be mistaken for, a read of
another length; and it believes no refusal, since that has no length. A new link on a
shared connection begins like that, because whoever had it before may have left an
answer behind.

An answer may also come twice. So no read follows another one of the same length: one
that the meter has answered before comes between, or where there is none a silence.

`SharedLink` borrows a connection that its neighbours use as well, `DedicatedLink` (in
`dedicated`) has its own.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable
import contextlib
from enum import Enum
from typing import Protocol, override

from modbus_connection import (
    ExceptionCode,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusTimeoutError,
    ModbusUnit,
)

from .clock import MeterClock, SystemClock
from .errors import (
    CannotConnectError,
    LateAnswerError,
    MeterError,
    NoAnswerError,
    RefusedError,
    TargetSilentError,
    WrongAnswerError,
)
from .fit import Fit, proofs
from .late import LATE_S, LateAnswers
from .model import MeterProfile, Pace, Read
from .unhurried import unhurried

SHARED_TIMEOUT_S = 3.0
# An answer that comes twice does so within this silence; one that comes while nothing
# is asked is nobody's.
REPEATED_S = 0.25
# Reads of so long ago are no neighbours.
FORGOTTEN_S = 1.0
# A disconnect hits the neighbours too.
SHARED_DROP_EVERY_S = 30.0
# On Modbus TCP late answers do no harm, but a peer may be up and deaf.
DEAF_AFTER = 3
GATEWAY_CODES = (
    ExceptionCode.GATEWAY_PATH_UNAVAILABLE,
    ExceptionCode.GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND,
)
SOCKET = "socket://"


class Wire(Enum):
    """What is between us and a meter."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    SERIAL = "serial"

    @classmethod
    def of(cls, params: ModbusTcpParams | ModbusSerialParams) -> Wire:
        """Return what connection parameters describe.

        RTU through TCP is written as a serial device "socket://host:port".
        """
        if isinstance(params, ModbusTcpParams):
            return cls.TCP
        socket = params.device.startswith(SOCKET)
        return cls.RTU_OVER_TCP if socket else cls.SERIAL


class MeterLink(Protocol):
    """How meters are read."""

    # How long the reads of a second may take together; None where to cut them short
    # does more harm than to wait.
    budget_s: float | None
    # How many requests were sent.
    requests: int

    @property
    def generation(self) -> int:
        """Return the number of the connection that the next read will be on."""
        ...

    async def read(self, read: Read) -> list[int]:
        """Return the words of a read; raise MeterError."""
        ...

    async def drop(self) -> None:
        """End the connection; the next read makes a new one."""
        ...

    async def close(self) -> None:
        """Leave nothing behind."""
        ...


class GuardedLink(ABC):
    """What links have in common: one read at a time, and no late answer believed."""

    budget_s: float | None = None

    def __init__(
        self,
        unit: ModbusUnit,
        profile: MeterProfile,
        wire: Wire,
        *,
        clock: MeterClock | None,
        late_s: float,
    ) -> None:
        """Take a unit; nothing is opened yet."""
        self._unit = unit
        self._clock = clock or SystemClock()
        self._proofs = proofs(profile)
        self._late = LateAnswers(
            numbered=wire is Wire.TCP,
            outlives_drop=wire is Wire.SERIAL,
            late_s=late_s,
        )
        self._lock = asyncio.Lock()
        self._spacing_s = profile.limits.spacing_s
        # What was answered last and when, and of each length what was.
        self._last: tuple[Read, float] | None = None
        self._answered: dict[int, Read] = {}
        self._connections = 0
        # Reads in a row without a sure answer.
        self._silences = 0
        self.requests = 0
        unit.set_message_spacing(profile.limits.spacing_s)

    @property
    def generation(self) -> int:
        """Return the number of the connection that the next read will be on."""
        return self._connections + (not self._unit.connected)

    async def read(self, read: Read) -> list[int]:
        """Return the words of a read; raise MeterError.

        While an answer may come late, other reads may be made before this one; whoever
        cancels costs the link its certainty, and mostly its connection.
        """
        async with self._lock:
            await self._settle()
            while self._late:
                asked = await self._provable(read)
                try:
                    words = await self._request(asked)
                except RefusedError:
                    # It could be the late answer to something else.
                    self._late.doubt(asked.count, self._clock.monotonic())
                    continue
                self._late.clear()
                if asked is read:
                    return words
            return await self._request(read)

    async def drop(self) -> None:
        """End the connection; the next read makes a new one."""
        # A broken connection may fail to close; it is gone all the same.
        with contextlib.suppress(ModbusError):
            await self._unit.disconnect()
        self._late.drop()

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.drop()

    async def _settle(self) -> None:
        """Make sure that something may be asked; raise LateAnswerError if not."""
        if not self._late.quiet(self._clock.monotonic()):
            await self._relieve()
        if not self._unit.connected:
            self._late.drop()
        if not self._late.quiet(self._clock.monotonic()):
            raise LateAnswerError("A late answer may still come")

    async def _provable(self, read: Read) -> Read:
        """Return the read to ask while answers may come late: this one or another."""
        for _ in range(2):
            for asked in (read, *self._proofs):
                if not self._late.could_be(asked.count):
                    return asked
            await self._relieve()
            self._late.forget_old(self._clock.monotonic())
        raise LateAnswerError("A late answer could pass for any read there is")

    async def _request(self, read: Read) -> list[int]:
        """Ask once, not directly after another read of the same length."""
        await self._keep_apart(read)
        words = await self._ask_once(read)
        self._last = (read, self._clock.monotonic())
        self._answered[read.count] = read
        return words

    async def _keep_apart(self, read: Read) -> None:
        """Let something else come between a read and one that is as long."""
        if self._last is None:
            return
        last, at = self._last
        passed = self._clock.monotonic() - at
        quiet = self._spacing_s >= REPEATED_S or passed >= FORGOTTEN_S
        if quiet or last == read or last.count != read.count:
            return
        others = (one for count, one in self._answered.items() if count != read.count)
        if (other := next(others, None)) is not None:
            await self._request(other)
        elif passed < REPEATED_S:
            await asyncio.sleep(REPEATED_S - passed)

    async def _ask_once(self, read: Read) -> list[int]:
        """Ask, and remember what may come of it later."""
        self._connections = self.generation
        await self._open()
        self.requests += 1
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        try:
            words = await self._ask(read)
        except CannotConnectError:
            raise
        except ModbusExceptionError as err:
            self._silences = 0
            raise self._refusal(err, read) from err
        except BaseException as err:
            self._silences += 1
            self._late.give_up(read.count, self._clock.monotonic())
            await self._given_up()
            # The pymodbus of Home Assistant takes a cancellation for a lost answer.
            if task and task.cancelling() > cancelled:
                raise asyncio.CancelledError from err
            if isinstance(err, ModbusError):
                raise _translated(err) from err
            raise
        self._silences = 0
        return words

    @abstractmethod
    async def _open(self) -> None:
        """Connect before a request; nothing is in doubt if that fails."""

    async def _ask(self, read: Read) -> list[int]:
        """Send a read and return its answer; an answer of another length is none."""
        unit = self._unit
        if read.space == "input":
            words = await unit.read_input_registers(read.start, read.count)
        else:
            words = await unit.read_holding_registers(read.start, read.count)
        if len(words) != read.count:
            raise WrongAnswerError(f"{len(words)} of {read.count} registers")
        return words

    def _refusal(self, err: ModbusExceptionError, read: Read) -> MeterError:
        """Return what an exception code means."""
        if err.exception_code in GATEWAY_CODES:
            # The meter may answer yet, to a gateway that waits for another answer.
            self._late.give_up(read.count, self._clock.monotonic())
            return TargetSilentError(str(err))
        return RefusedError(err.exception_code, read)

    async def _given_up(self) -> None:
        """Do what is to be done after a read without a sure answer."""
        await self._relieve()

    @abstractmethod
    async def _relieve(self) -> None:
        """End the connection if it may be ended, and with it what is under way."""


class SharedLink(GuardedLink):
    """A link over a connection that belongs to the neighbours as well.

    It waits as long as the slowest of them needs and is never cut short: a cancelled
    read would cost a disconnect, and that everybody. After a lost answer it disconnects
    if it has not done so lately, and otherwise keeps silent until a late answer cannot
    come any more or a disconnect is allowed.
    """

    def __init__(
        self,
        unit: ModbusUnit,
        profile: MeterProfile,
        wire: Wire,
        *,
        clock: MeterClock | None = None,
        timeout_s: float = SHARED_TIMEOUT_S,
        drop_every_s: float = SHARED_DROP_EVERY_S,
        late_s: float = LATE_S,
    ) -> None:
        """Take a borrowed unit; nothing is sent yet."""
        super().__init__(unit, profile, wire, clock=clock, late_s=late_s)
        self._numbered = wire is Wire.TCP
        self._drop_every_s = drop_every_s
        self._dropped_at = float("-inf")
        self._lost = False
        self._forget: Callable[[], None] = unit.on_connection_lost(self._on_lost)
        unit.require_timeout(timeout_s)
        if not self._numbered:
            for read in Fit().reads(profile, Pace.FAST):
                self._late.doubt(read.count, self._clock.monotonic())

    @override
    async def drop(self) -> None:
        """End the connection of all who share it; the next read makes a new one."""
        self._dropped_at = self._clock.monotonic()
        self._silences = 0
        await super().drop()

    @override
    async def close(self) -> None:
        """Take back what was asked of the connection; the neighbours keep it."""
        self._forget()
        self._unit.set_message_spacing(0)
        self._unit.require_timeout(None)

    @override
    async def _relieve(self) -> None:
        """Disconnect if there is something to, and the neighbours have had their time."""
        if self._unit.connected and self._may_drop:
            await self.drop()

    @override
    async def _open(self) -> None:
        """Leave it to the library, which connects when it is asked."""

    @override
    async def _ask(self, read: Read) -> list[int]:
        """Send a read and return its answer."""
        connected = self._unit.connected
        self._lost = False
        try:
            if connected:
                return await super()._ask(read)
            return await unhurried(super()._ask(read))
        except (ModbusConnectionError, ModbusTimeoutError) as err:
            if connected or self._lost or self._unit.connected:
                raise
            # There was no connection at any time, so nothing was sent.
            raise CannotConnectError(str(err)) from err

    @override
    async def _given_up(self) -> None:
        """Disconnect where that helps, if it is allowed again."""
        if not self._numbered or self._silences >= DEAF_AFTER:
            await self._relieve()

    @property
    def _may_drop(self) -> bool:
        """Tell whether the neighbours have had their time."""
        return self._clock.monotonic() - self._dropped_at >= self._drop_every_s

    def _on_lost(self) -> None:
        """Note that the connection broke; what was under way broke with it."""
        self._lost = True
        self._connections += 1


def _translated(err: ModbusError) -> MeterError:
    """Return what a failure of the library means."""
    if isinstance(err, ModbusTimeoutError):
        return NoAnswerError(str(err))
    if isinstance(err, ModbusConnectionError):
        return CannotConnectError(str(err))
    return WrongAnswerError(str(err))
