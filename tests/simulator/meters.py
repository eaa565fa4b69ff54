"""Masters that read simulated meters: pymodbus, mbpoll, and bare bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
import shutil
import struct
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU
import pytest

from .conftest import Start
from simulator import Car, ManualClock, MeterConfig, Simulator, WallboxConfig
from simulator.meters.meter import SimulatedMeter

HOUSE = (
    WallboxConfig(name="Garage", variant="11kw_tree"),
    WallboxConfig(name="Carport", variant="7.4kw_air"),
)
PATIENCE_S = 5.0


async def house(start: Start, *meters: MeterConfig, **changes: Any) -> Simulator:
    """Return a unit with two wallboxes and these meters, on a clock that stands still."""
    changes = {"wallboxes": HOUSE, **changes}
    return await start(
        ManualClock(), generation=1, tls_port=None, meters=meters, **changes
    )


def charge(sim: Simulator, seconds: float = 3600.0) -> None:
    """Let a car charge at each wallbox for a while."""
    for box in sim.wallboxes:
        if not box.connected:
            box.plug(Car(max_kw=22.0, capacity_kwh=1000))
    # In big steps: energy is exact whatever the step.
    sim.advance(seconds, step_s=max(seconds / 5, 1))


class Master:
    """Reads over TCP with pymodbus, which gives exceptions as numbers."""

    def __init__(self, client: AsyncModbusTcpClient, meter: SimulatedMeter) -> None:
        """Take a client that is connected."""
        self.client = client
        self.meter = meter

    async def read(
        self, function: int, address: int, count: int, unit: int | None = None
    ) -> list[int] | int:
        """Return registers, or the code of an exception."""
        read = {
            3: self.client.read_holding_registers,
            4: self.client.read_input_registers,
        }[function]
        unit = self.meter.config.unit_id if unit is None else unit
        answer: ModbusPDU = await read(address, count=count, device_id=unit)
        return answer.exception_code if answer.isError() else answer.registers

    async def value(
        self,
        function: int,
        address: int,
        kind: str,
        *,
        low_word_first: bool = False,
        unit: int | None = None,
    ) -> Any:
        """Return the number in registers as pymodbus reads it."""
        layout = AsyncModbusTcpClient.DATATYPE[kind]
        words = await self.read(function, address, layout.value[1], unit)
        assert isinstance(words, list), f"exception {words}"
        return self.client.convert_from_registers(
            words, layout, word_order="little" if low_word_first else "big"
        )


@asynccontextmanager
async def master(meter: SimulatedMeter) -> AsyncIterator[Master]:
    """Connect to a meter on TCP."""
    host, _, port = meter.address.partition(":")
    client = AsyncModbusTcpClient(
        host,
        port=int(port),
        framer=FramerType.RTU if meter.config.rtu else FramerType.SOCKET,
        timeout=PATIENCE_S,
        retries=0,
        reconnect_delay=0,
    )
    assert await client.connect()
    try:
        yield Master(client, meter)
    finally:
        client.close()


class Wire:
    """Bare bytes to a meter and back."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take a connection."""
        self._reader = reader
        self._writer = writer

    def send(self, frame: bytes) -> None:
        """Put bytes on the wire."""
        self._writer.write(frame)

    async def take(self, size: int, *, patience_s: float = PATIENCE_S) -> bytes:
        """Return exactly so many bytes; nothing is lost if they do not come in time."""
        async with asyncio.timeout(patience_s):
            return await self._reader.readexactly(size)

    async def rest(self) -> bytes:
        """Return what comes until the far end closes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read()


@asynccontextmanager
async def wire(meter: SimulatedMeter) -> AsyncIterator[Wire]:
    """Connect to a meter on TCP without any library."""
    host, _, port = meter.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def tcp(transaction: int, unit: int, *pdu: int) -> bytes:
    """Return a frame of Modbus TCP."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + bytes(pdu)


def rtu(unit: int, *pdu: int) -> bytes:
    """Return a frame of RTU; the checksum is the specification's own example code."""
    body = bytes([unit, *pdu])
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            odd = value & 1
            value >>= 1
            if odd:
                value ^= 0xA001
    return body + struct.pack("<H", value)


def read_pdu(function: int, address: int, count: int) -> tuple[int, ...]:
    """Return the bytes of a read."""
    return (function, *address.to_bytes(2), *count.to_bytes(2))


def program(name: str) -> str:
    """Return the path of a program; without it the suite fails."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(
            f"{name} is missing: the suite checks the simulated meters with it. "
            f"Debian and Ubuntu: apt-get install {name}"
        )
    return found


async def mbpoll(
    meter: SimulatedMeter, function: int, address: int, *options: str, count: int = 1
) -> list[str]:
    """Return what libmodbus reads; `options` follow those for the place."""
    where = ["-m", "tcp", "-p", meter.address.rpartition(":")[2], "127.0.0.1"]
    if meter.config.link == "pty":
        where = ["-m", "rtu", "-b", "9600", "-P", "none", meter.address]
    kind = "3" if function == 4 else "4"
    form = next((option for option in options if option.startswith(":")), "")
    process = await asyncio.create_subprocess_exec(
        program("mbpoll"),
        *("-0", "-1", "-a", str(meter.config.unit_id), "-o", "3"),
        *("-r", str(address), "-c", str(count), "-t", kind + form),
        *(option for option in options if not option.startswith(":")),
        *where,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    return re.findall(r"^\[\d+\]:\s+(\S+)", text, re.MULTILINE)
