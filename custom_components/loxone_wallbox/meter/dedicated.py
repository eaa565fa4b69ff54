"""A link with a connection of its own, for a meter that shares it with nobody.

Takes in connection parameters and an address on the line; gives what every link gives.
It gives up early, so that the second after a lost answer has its reading again: the
connection is dropped after anything that is no sure answer, and the next read makes a
new one. Nothing is tried twice within a second.

The client is the pymodbus that Home Assistant carries, through `modbus_connection`. It
looks neither at the count of registers nor at the function of an answer, takes a
cancelled request for a lost one, and logs at every lost answer what it also raises; the
first three are seen to in `link`, the last one here.
"""

import contextlib
from contextvars import ContextVar
import logging
from typing import Any, override
from urllib.parse import urlsplit
import warnings

from modbus_connection import (
    ModbusError,
    ModbusSerialParams,
    ModbusTcpParams,
    ModbusUnit,
)
from modbus_connection.pymodbus import ModbusConnection

from .clock import MeterClock
from .errors import CannotConnectError
from .late import LATE_S
from .link import GuardedLink, Wire
from .model import MeterProfile, Read

DEDICATED_TIMEOUT_S = 0.8
# What is left of a second is for the next one to begin on time.
BUDGET_S = 0.9

_OURS: ContextVar[bool] = ContextVar("_OURS", default=False)
_LIBRARY_LOGGER = "pymodbus.logging"


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
        """Take what Home Assistant's shared links take; nothing is opened yet."""
        self._connection = ModbusConnection(_for_pymodbus(params))
        unit: ModbusUnit = self._connection.for_unit(unit_id)
        unit.require_timeout(timeout_s)
        super().__init__(unit, profile, Wire.of(params), clock=clock, late_s=late_s)
        logging.getLogger(_LIBRARY_LOGGER).addFilter(_raised_anyway)

    @override
    async def close(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ModbusError):
            await self._connection.close()

    @override
    async def _ask(self, read: Read) -> list[int]:
        """Send a read, on a new connection if there is none."""
        # The callbacks of the connection run in a copy of this context.
        token = _OURS.set(True)
        try:
            await self._connect()
            return await super()._ask(read)
        finally:
            _OURS.reset(token)

    async def _connect(self) -> None:
        """Connect if there is no connection; raise CannotConnectError."""
        try:
            await self._connection.connect()
        except (ModbusError, OSError, RuntimeError) as err:
            # The last one is what pymodbus raises where pyserial is missing.
            raise CannotConnectError(str(err)) from err

    @override
    async def _relieve(self) -> None:
        """End the connection, which nobody else needs."""
        await self.drop()


def _for_pymodbus(
    params: ModbusTcpParams | ModbusSerialParams,
) -> ModbusTcpParams | ModbusSerialParams:
    """Return the parameters with which pymodbus does not block.

    Given a serial device "socket://", it connects in the event loop's own thread.
    """
    if Wire.of(params) is not Wire.RTU_OVER_TCP:
        return params
    assert isinstance(params, ModbusSerialParams)  # noqa: S101  (the wire says so)
    address = urlsplit(params.device)
    with warnings.catch_warnings():
        # For this backend there is no other way to say it.
        warnings.simplefilter("ignore", DeprecationWarning)
        return ModbusTcpParams(
            host=address.hostname or "", port=address.port or 502, framer=params.framer
        )


def _raised_anyway(record: logging.LogRecord) -> Any:
    """Keep out of the log what a link of ours was told by an exception."""
    return record.levelno <= logging.DEBUG or not _OURS.get()
