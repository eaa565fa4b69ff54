"""Strangers as processes, and our reader at the other end of the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
import ctypes
from dataclasses import replace
import os
from pathlib import Path
import shutil
import sys
from tempfile import TemporaryDirectory

from modbus_connection import ModbusSerialParams, ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection
import pytest

from .libmodbus_server import LIBRARY
from .registers import Served
from custom_components.loxone_wallbox.meter.dedicated import DedicatedLink
from custom_components.loxone_wallbox.meter.link import GuardedLink, SharedLink, Wire
from custom_components.loxone_wallbox.meter.model import MeterProfile
from custom_components.loxone_wallbox.meter.profiles import PROFILES

ROOT = Path(__file__).parents[3]
WAIT_S = 30.0
# No stranger needs a meter's silence.
SPACING_S = 0.01
type Params = ModbusTcpParams | ModbusSerialParams


def need(what: str, package: str, *, found: bool) -> None:
    """Skip a test whose stranger is not on this machine; where CI runs, fail it."""
    if found:
        return
    text = (
        f"{what} is missing (Debian: apt-get install {package}; scripts/test --setup)"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def program(name: str) -> str:
    """Return the path of a program that is a Debian package of the same name."""
    path = shutil.which(name)
    need(name, name, found=path is not None)
    assert path is not None
    return path


def need_libmodbus() -> None:
    """See that the library is there, which mbpoll comes with."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        need(LIBRARY, "libmodbus5", found=False)


@asynccontextmanager
async def server(stranger: str, wire: str, served: Served) -> AsyncIterator[Params]:
    """Let a stranger serve registers; return how it is reached."""
    if stranger == "libmodbus":
        need_libmodbus()
    async with AsyncExitStack() as stack:
        place = [wire]
        if wire == "rtu":
            theirs, ours = await stack.enter_async_context(serial_line())
            place.append(theirs)
        port = await stack.enter_async_context(process_of(stranger, place, served))
        if wire == "rtu":
            yield ModbusSerialParams(device=ours)
        elif wire == "tcp":
            yield ModbusTcpParams(host="127.0.0.1", port=port)
        else:
            yield ModbusSerialParams(device=f"socket://127.0.0.1:{port}")


@asynccontextmanager
async def process_of(
    stranger: str, place: list[str], served: Served
) -> AsyncIterator[int]:
    """Hold the process of a stranger that is ready; return its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{__package__}.{stranger}_server", *place),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(served.dump())
        async with asyncio.timeout(WAIT_S):
            word, port = (await process.stdout.readline()).decode().split()
        assert word == "ready"
        yield int(port)
    finally:
        await end(process)


@asynccontextmanager
async def serial_line() -> AsyncIterator[tuple[str, str]]:
    """Hold two serial devices that are the ends of one line."""
    with TemporaryDirectory(prefix="strangers-") as folder:
        ends = (f"{folder}/theirs", f"{folder}/ours")
        process = await asyncio.create_subprocess_exec(
            *(program("socat"), "-d", "-d"),
            *(f"pty,raw,echo=0,link={one}" for one in ends),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        held: list[int] = []
        try:
            assert process.stderr is not None
            async with asyncio.timeout(WAIT_S):
                while b"starting data transfer" not in await process.stderr.readline():
                    assert process.returncode is None
            # A pseudo terminal ends when its last user closes it.
            held = [
                os.open(one, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for one in ends
            ]
            yield ends
        finally:
            await end(process)
            for one in held:
                os.close(one)


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process of ours."""
    if process.returncode is None:
        process.kill()
    await process.wait()


def profile_of(name: str) -> MeterProfile:
    """Return a profile of ours, without the silence a real meter wants."""
    profile = PROFILES[name]
    return replace(profile, limits=replace(profile.limits, spacing_s=SPACING_S))


@asynccontextmanager
async def link(
    sharing: str, params: Params, unit: int, profile: MeterProfile
) -> AsyncIterator[GuardedLink]:
    """Hold a link of ours, with all the time a busy machine may need."""
    if sharing == "dedicated":
        own = DedicatedLink(params, unit, profile, timeout_s=WAIT_S)
        own.budget_s = None
        try:
            yield own
        finally:
            await own.close()
        return
    connection = ModbusConnection(params)
    borrowed = SharedLink(
        connection.for_unit(unit), profile, Wire.of(params), timeout_s=WAIT_S
    )
    try:
        yield borrowed
    finally:
        await borrowed.close()
        await connection.close()
