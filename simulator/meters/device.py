"""The meters of one line as a server of pymodbus, which nobody but the line talks to.

pymodbus puts values into sound frames. What a client sees goes through line.py, because
real meters are also silent, late and wrong, which no library offers.
"""

import asyncio
from collections.abc import Iterable
from typing import cast

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from .frames import Framing
from .limits import refusal
from .meter import SimulatedMeter

_LOCAL = "127.0.0.1"
_ALL_ADDRESSES = 0x10000


class Station:
    """The server, and the one connection to it."""

    def __init__(
        self, meters: Iterable[SimulatedMeter], framing: Framing, *, rtu: bool
    ) -> None:
        """Take the meters; nothing is opened yet."""
        self._meters = list(meters)
        self._framing = framing
        self._framer = FramerType.RTU if rtu else FramerType.SOCKET
        self._lock = asyncio.Lock()
        self._server: ModbusTcpServer | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        """Open the server and connect to it."""
        self._server = ModbusTcpServer(
            [_device(meter) for meter in self._meters],
            framer=self._framer,
            address=(_LOCAL, 0),
        )
        await self._server.serve_forever(background=True)
        listening = cast(asyncio.Server, self._server.transport)
        port = listening.sockets[0].getsockname()[1]
        self._reader, self._writer = await asyncio.open_connection(_LOCAL, port)

    async def stop(self) -> None:
        """Close both."""
        if self._writer:
            self._writer.close()
            await self._writer.wait_closed()
            self._reader = self._writer = None
        if self._server:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

    async def ask(self, frame: bytes) -> bytes:
        """Return the answer to a request that a meter of this line takes."""
        async with self._lock:
            assert self._reader and self._writer  # noqa: S101, PT018  (the line is open)
            self._writer.write(frame)
            answer = b""
            while missing := self._framing.missing(answer):
                answer += await self._reader.readexactly(missing)
            return answer


def _device(meter: SimulatedMeter) -> SimDevice:
    """Return a meter as a device of pymodbus: registers are made when they are read."""

    async def read(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        _written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Fill in what is read, or refuse it as the meter would."""
        code = refusal(meter.config, function, address, count)
        if code is not None:
            return ExcCodes(code)
        at = address - start
        registers[at : at + count] = meter.words(function, address, count)
        return None

    blank = SimData(address=0, count=_ALL_ADDRESSES, datatype=DataType.REGISTERS)
    return SimDevice(id=meter.config.unit_id, simdata=[blank], action=read)
