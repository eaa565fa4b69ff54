"""P3: from a state event of the Miniserver to our command on the wire."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
import struct
import time
from typing import Any
from unittest.mock import patch

import aiohttp
from aiohttp import web

from homeassistant.core import HomeAssistant

from .house import PASSWORD, SERIAL, USERNAME, home_assistant, make_entry
from .report import Figure
from custom_components.loxone_wallbox.charging.schedule import DAY_NAMES
from simulator import Simulator, SimulatorConfig, User, WallboxConfig

ROUNDS = 200
REST_S = 0.05
TARGET_MS = 2.0


def command_latency() -> Figure:
    """Measure the way of an event through us, beside a bare websocket's."""
    return asyncio.run(_measure())


async def _measure() -> Figure:
    """Plug a car in outside the default charging hours and out again, many times.

    The rules answer with `allow/off` and `allow/on`, both exempt from the delay.
    """
    config = SimulatorConfig(
        serial=SERIAL,
        generation=1,
        tls_port=None,
        users=(User(name=USERNAME, password=PASSWORD),),
        wallboxes=(WallboxConfig(name="Garage"),),
    )
    async with Simulator(config) as simulator, home_assistant() as hass:
        entry = make_entry(simulator.port, [simulator.wallboxes[0].uuid], **_closed())
        await hass.config_entries.async_add(entry)
        with _watching() as wire:
            for _ in range(ROUNDS):
                await _react(hass, simulator)
        times = wire.took
        await hass.config_entries.async_unload(entry.entry_id)
    floor = await _bare_websocket()
    slow = sorted(times)[int(ROUNDS * 0.95)] * 1000
    return Figure(
        id="P3",
        name="event_to_command_ms",
        value=median(times) * 1000,
        target=TARGET_MS,
        floor=floor * 1000,
        floor_name="a bare websocket that answers an event, ms",
        notes=(
            f"median of {ROUNDS}, 95 % under {slow:.3g} ms",
            "command encryption; from a message received to the command handed over",
        ),
    )


def _closed() -> dict[str, Any]:
    """Return settings whose default charging hours are three days away."""
    day = (datetime.now(UTC).weekday() + 3) % 7
    hours = {"days": [DAY_NAMES[day]], "start": "00:00", "end": "24:00"}
    return {
        "profile": "gb_2021",
        "first_use": {"choice": "change", "windows": [hours], "clock": "utc"},
    }


@dataclass(kw_only=True)
class Wire:
    """When our side of the websocket last got a message, and what each command took."""

    received: float = 0.0
    took: list[float] = field(default_factory=list)


@contextmanager
def _watching() -> Iterator[Wire]:
    """Take note of when messages come in and commands go out.

    The simulator shares the loop with Home Assistant here; what it needs to make an
    event and to read a command is not ours.
    """
    wire = Wire()
    socket = aiohttp.ClientWebSocketResponse
    send, receive = socket.send_str, socket.receive

    async def sent(websocket: Any, text: str, compress: int | None = None) -> None:
        """Send, and take note."""
        await send(websocket, text, compress)
        wire.took.append(time.perf_counter() - wire.received)

    async def received(websocket: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """Receive, and take note."""
        message = await receive(websocket, timeout)
        wire.received = time.perf_counter()
        return message

    with patch.multiple(socket, send_str=sent, receive=received):
        yield wire


async def _react(hass: HomeAssistant, simulator: Simulator) -> None:
    """Let a car come or go, and wait for the command that follows."""
    box = simulator.wallboxes[0]
    before = len(simulator.commands)
    if box.car is None:
        box.plug()
    else:
        box.unplug()
    async with asyncio.timeout(10):
        while len(simulator.commands) == before:
            await asyncio.sleep(0)
    # As in life, the next one comes when this one is over.
    await asyncio.sleep(REST_S)
    await hass.async_block_till_done()


async def _bare_websocket() -> float:
    """Return the same way through two aiohttp websockets and nothing else."""
    arrived = asyncio.Event()
    peers: list[web.WebSocketResponse] = []

    async def serve(request: web.Request) -> web.WebSocketResponse:
        """Take answers."""
        peer = web.WebSocketResponse()
        await peer.prepare(request)
        peers.append(peer)
        async for _ in peer:
            arrived.set()
        return peer

    application = web.Application()
    application.router.add_get("/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    times = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/") as websocket,
    ):

        async def answer() -> None:
            """Answer every event."""
            async for _ in websocket:
                await websocket.send_str("jdev/sps/io/uuid/allow/on")

        answering = asyncio.ensure_future(answer())
        event = struct.pack("<16sd", bytes(16), 1.0)
        await asyncio.sleep(0.05)
        for _ in range(ROUNDS):
            arrived.clear()
            start = time.perf_counter()
            await peers[0].send_bytes(event)
            await arrived.wait()
            times.append(time.perf_counter() - start)
        answering.cancel()
    await runner.cleanup()
    return median(times)
