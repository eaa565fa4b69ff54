"""P3: from a state event of the Miniserver to our command on the wire."""

import asyncio
from statistics import median
import struct
import time

import aiohttp
from aiohttp import web

from homeassistant.core import HomeAssistant, callback

from .house import PASSWORD, SERIAL, USERNAME, home_assistant, make_entry
from .report import Figure
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.miniserver import Allow
from simulator import Simulator, SimulatorConfig, User, WallboxConfig

ROUNDS = 200
TARGET_MS = 2.0


def command_latency() -> Figure:
    """Measure the way of an event through us, beside a bare websocket's."""
    return asyncio.run(_measure())


async def _measure() -> Figure:
    """Let a load-shedding event be answered with a command, many times."""
    config = SimulatorConfig(
        serial=SERIAL,
        generation=1,
        tls_port=None,
        users=(User(name=USERNAME, password=PASSWORD),),
        wallboxes=(WallboxConfig(name="Garage"),),
    )
    async with Simulator(config) as simulator, home_assistant() as hass:
        entry = make_entry(simulator.port, [simulator.wallboxes[0].uuid])
        await hass.config_entries.async_add(entry)
        wallbox = next(iter(entry.runtime_data.wallboxes.values()))
        times = [await _react(hass, simulator, wallbox) for _ in range(ROUNDS)]
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
            "command encryption; simulator and Home Assistant in one process",
        ),
    )


async def _react(
    hass: HomeAssistant, simulator: Simulator, wallbox: WallboxCoordinator
) -> float:
    """Return the time from a state event to the command it causes."""
    box = simulator.wallboxes[0]
    wanted = not wallbox.state.allowed
    before = len(simulator.commands)
    shed = not wallbox.state.load_shedding

    @callback
    def react() -> None:
        """Answer the event with a command, as an exempt change is."""
        if wallbox.state.load_shedding is shed:
            stop()
            hass.async_create_task(wallbox.commander.async_execute(Allow(wanted)))

    stop = wallbox.async_add_listener(react)
    start = time.perf_counter()
    box.set_loadshed(shed)
    while len(simulator.commands) == before:
        await asyncio.sleep(0)
    elapsed = time.perf_counter() - start
    await hass.async_block_till_done()
    return elapsed


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
