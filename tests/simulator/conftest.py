"""A running Miniserver and clients of it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession
import pytest

from .client import Client
from simulator import Clock, Simulator, SimulatorConfig, User, WallboxConfig

CONFIG = SimulatorConfig(
    users=(
        User(name="admin", password="Sehr geheim!", visu_password="4711"),
        User(name="Jürgen Ö", password="pässwörd 8", hash_alg="SHA1"),
        User(name="old", password="no algorithm", hash_alg=None),
        User(name="guest", password="just looking", may_control=False, rights=6),
        User(name="left", password="only the first", sees=("Garage",), rights=6),
        User(name="gone", password="was disabled", disabled=True),
    ),
    wallboxes=(
        WallboxConfig(name="Garage", variant="11kw_tree"),
        WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport"),
    ),
    tick_s=0.1,
    refusal_grace_s=None,
)

type Start = Callable[..., Awaitable[Simulator]]
type Connect = Callable[[Simulator], Client]


@pytest.fixture
async def start(socket_enabled: None) -> AsyncGenerator[Start]:
    """Return a function that starts a Miniserver."""
    async with AsyncExitStack() as stack:

        async def _start(clock: Clock | None = None, **changes: Any) -> Simulator:
            config = replace(CONFIG, **changes)
            return await stack.enter_async_context(Simulator(config, clock=clock))

        yield _start


@pytest.fixture
async def connect(start: Start) -> AsyncGenerator[Connect]:
    """Return a function that makes a client of a Miniserver."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        made: list[Client] = []

        async def _close() -> None:
            for client in made:
                if client._ws is not None:
                    await client._ws.close()

        stack.push_async_callback(_close)

        def _connect(sim: Simulator) -> Client:
            made.append(Client(sim, session))
            return made[-1]

        yield _connect
