"""A link with a connection of its own, for a meter that shares it with nobody.

Takes in connection parameters and an address on the line; gives what every link gives.
It gives up early, so that the second after a lost answer has its reading again: the
connection is dropped after anything that is no sure answer, and the next read makes a
new one. Nothing is tried twice within a second.

On the network the client is the pymodbus that Home Assistant carries, through
`modbus_connection`. It looks neither at the count of registers nor at the function of an
answer and takes a cancelled request for a lost one; `link` sees to that. Serial devices
are read with tmodbus, since pymodbus needs pyserial for them, which not every Home
Assistant has. Both log at each lost answer what they also raise, which is kept out of
the log here.

A library has one time-out for the opening and for the answers. On the network that will
do: a connection that takes long is tried anew each second. A serial device is opened by
a thread, which a busy machine lets wait; so there the library has the time to open and
the answers are waited for here.
"""

import asyncio
from collections.abc import Iterator
import contextlib
from contextvars import ContextVar
import logging
from typing import Any, override
from urllib.parse import urlsplit
import warnings

from modbus_connection import (
    ModbusConnection,
    ModbusError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusUnit,
)

from .clock import MeterClock
from .errors import CannotConnectError, NoAnswerError
from .late import LATE_S
from .link import GuardedLink, Wire
from .model import MeterProfile, Read
from .unhurried import unhurried

DEDICATED_TIMEOUT_S = 0.8
# What is left of a second is for the next one to begin on time.
BUDGET_S = 0.9
# A thread opens a serial device; a busy machine lets it wait.
OPEN_S = 5.0

_OURS: ContextVar[bool] = ContextVar("_OURS", default=False)
_LIBRARY_LOGGERS = ("pymodbus.logging", "tmodbus.transport.async_rtu")


def backend_of(params: ModbusTcpParams | ModbusSerialParams) -> str:
    """Return the module with the client for connection parameters.

    It is not loaded here: that reads files, which is no work for the event loop, and it
    may fail, which must not keep anything else from being loaded.
    """
    serial = Wire.of(params) is Wire.SERIAL
    return f"modbus_connection.{'tmodbus' if serial else 'pymodbus'}"


class DedicatedLink(GuardedLink):
    """A link over a connection of its own."""

    budget_s: float | None = BUDGET_S

    def __init__(
        self,
        params: ModbusTcpParams | ModbusSerialParams,
        unit_id: int,
        profile: MeterProfile,
        *,
        clock: MeterClock | None = None,
        timeout_s: float = DEDICATED_TIMEOUT_S,
        late_s: float = LATE_S,
    ) -> None:
        """Take what Home Assistant's shared links take; nothing is opened yet.

        Loads the client, see `backend_of`; raises `ImportError` where it cannot.
        """
        self._connection = _connection(params)
        unit: ModbusUnit = self._connection.for_unit(unit_id)
        wire = Wire.of(params)
        serial = wire is Wire.SERIAL
        unit.require_timeout(max(timeout_s, OPEN_S) if serial else timeout_s)
        # The silence before a request counts here, which the library's time does not.
        self._answer_s = timeout_s + profile.limits.spacing_s if serial else None
        super().__init__(unit, profile, wire, clock=clock, late_s=late_s)
        for name in _LIBRARY_LOGGERS:
            logging.getLogger(name).addFilter(_raised_anyway)

    @override
    async def close(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ModbusError):
            await self._connection.close()

    @override
    async def _open(self) -> None:
        """Connect if there is no connection; raise CannotConnectError.

        Who is cancelled here leaves the connection to open for the next read.
        """
        with _quietly():
            try:
                await unhurried(self._connection.connect())
            except (ModbusError, OSError) as err:
                raise CannotConnectError(str(err)) from err

    @override
    async def _ask(self, read: Read) -> list[int]:
        """Send a read and return its answer."""
        with _quietly():
            try:
                async with asyncio.timeout(self._answer_s):
                    return await super()._ask(read)
            except ModbusError:
                raise
            except TimeoutError as err:
                raise NoAnswerError("No answer in time") from err

    @override
    async def _relieve(self) -> None:
        """End the connection, which nobody else needs."""
        await self.drop()


def _connection(params: ModbusTcpParams | ModbusSerialParams) -> ModbusConnection:
    """Return a connection that is not open yet.

    Given a serial device "socket://", pymodbus would connect in the event loop's own
    thread; it has a way of its own to say RTU through TCP.
    """
    wire = Wire.of(params)
    # Not at the top: a meter needs one of the two, and a wallbox without a meter none.
    if wire is Wire.SERIAL:
        from modbus_connection.tmodbus import TmodbusConnection  # noqa: PLC0415

        return TmodbusConnection(params)
    from modbus_connection.pymodbus import PymodbusConnection  # noqa: PLC0415

    if wire is Wire.TCP:
        return PymodbusConnection(params)
    assert isinstance(params, ModbusSerialParams)  # noqa: S101  (the wire says so)
    address = urlsplit(params.device)
    with warnings.catch_warnings():
        # For this backend there is no other way to say it.
        warnings.simplefilter("ignore", DeprecationWarning)
        through_tcp = ModbusTcpParams(
            host=address.hostname or "", port=address.port or 502, framer=params.framer
        )
    return PymodbusConnection(through_tcp)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Mark what the libraries log, in callbacks too: those run in a copy of this."""
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)


def _raised_anyway(record: logging.LogRecord) -> Any:
    """Keep out of the log what a link of ours was told by an exception."""
    return record.levelno <= logging.DEBUG or not _OURS.get()
