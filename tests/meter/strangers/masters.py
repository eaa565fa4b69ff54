"""Clients of strangers, which give registers as they come or the code of a refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
from typing import Protocol

from tmodbus import (
    create_async_rtu_client,
    create_async_rtu_over_tcp_client,
    create_async_tcp_client,
)
from tmodbus.client.async_client import AsyncModbusClient
from tmodbus.exceptions import ModbusResponseError

from .stage import WAIT_S, program
from simulator.meters.meter import SimulatedMeter

# What libmodbus says of the exceptions that meters give.
SAID = {"Illegal function": 1, "Illegal data address": 2, "Illegal data value": 3}


class Master(Protocol):
    """Whoever reads registers."""

    async def read(self, function: int, address: int, count: int) -> list[int] | int:
        """Return the registers of a read, or the code of an exception."""
        ...


class Mbpoll:
    """The program mbpoll, that is libmodbus; a process for each read."""

    def __init__(self, meter: SimulatedMeter) -> None:
        """Take a meter on TCP or on a serial device."""
        serial = meter.config.link == "pty"
        port = meter.address.rpartition(":")[2]
        self._unit = str(meter.config.unit_id)
        self._place = (
            ["-m", "rtu", "-b", "9600", "-P", "none", meter.address]
            if serial
            else ["-m", "tcp", "-p", port, "127.0.0.1"]
        )

    async def read(self, function: int, address: int, count: int) -> list[int] | int:
        """Return the registers of a read, or the code of an exception."""
        process = await asyncio.create_subprocess_exec(
            *(program("mbpoll"), "-0", "-1", "-o", "10", "-a", self._unit),
            *("-r", str(address), "-c", str(count)),
            *("-t", {3: "4:hex", 4: "3:hex"}[function], *self._place),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode()
        if words := re.findall(r"^\[\d+\]:\s+0x(\w+)", text, re.MULTILINE):
            return [int(word, 16) for word in words]
        for said, code in SAID.items():
            if f"failed: {said}" in text:
                return code
        raise AssertionError(text)


class Tmodbus:
    """A client of tmodbus that is connected."""

    def __init__(self, client: AsyncModbusClient) -> None:
        """Take the client."""
        self._client = client

    async def read(self, function: int, address: int, count: int) -> list[int] | int:
        """Return the registers of a read, or the code of an exception."""
        ask = {
            3: self._client.read_holding_registers,
            4: self._client.read_input_registers,
        }[function]
        try:
            return await ask(address, count)
        except ModbusResponseError as err:
            return int(err.error_code)


@asynccontextmanager
async def master(name: str, meter: SimulatedMeter) -> AsyncIterator[Master]:
    """Hold a client of a meter."""
    if name == "mbpoll":
        yield Mbpoll(meter)
        return
    unit = meter.config.unit_id
    if meter.config.link == "pty":
        client = create_async_rtu_client(
            meter.address, unit_id=unit, timeout=WAIT_S, baudrate=9600
        )
    else:
        create = (
            create_async_rtu_over_tcp_client
            if meter.config.rtu
            else create_async_tcp_client
        )
        host, _, port = meter.address.partition(":")
        client = create(host, int(port), unit_id=unit, timeout=WAIT_S)
    async with client:
        yield Tmodbus(client)
