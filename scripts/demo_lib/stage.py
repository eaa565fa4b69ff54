"""Everything a demo consists of, started in order and ended in reverse."""

from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
import fcntl
import os
from pathlib import Path
from typing import Any

from scripts.clock.clockctl import Clock
from scripts.demo_lib.flow import Answer, options_of, run_flow
from scripts.demo_lib.home import NAME, PASSWORD, USERNAME, Home
from scripts.demo_lib.paths import DOMAIN, RUNS
from scripts.demo_lib.processes import free_port
from scripts.demo_lib.progress import DemoError, Progress
from scripts.demo_lib.shim import shared_clock
from scripts.demo_lib.world import (
    PASSWORD as MINISERVER_PASSWORD,
    USERNAME as MINISERVER_USER,
    World,
)

MINISERVER_PORT = 8080
MINISERVER_TLS_PORT = 8443
CONTROL_PORT = 8081


@dataclass(kw_only=True)
class Stage:
    """A demo that is up."""

    home: Home
    world: World
    entry: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def claim(folder: Path) -> int:
    """Take the folder for this run, or say that another run has it."""
    RUNS.mkdir(exist_ok=True)
    lock = os.open(RUNS / f"{folder.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise DemoError(f"Another demo is running in {folder}: end that one.") from None
    return lock


def answers(port: int) -> dict[str, Answer]:
    """Return what the demo's owner fills in, by field name."""
    return {
        "host": "127.0.0.1",
        "port": port,
        "username": MINISERVER_USER,
        "password": MINISERVER_PASSWORD,
        # Whatever else was found on the network, the demo is about its own Miniserver.
        "miniserver": "enter_address",
        # The simulator's certificate is its own.
        "encryption": "commands",
        # All wallboxes the Miniserver has.
        "wallboxes": options_of,
        # Charging shall begin when it is told to, not after a delay.
        "profile": "none",
    }


def start_clock(
    options: Namespace, folder: Path
) -> tuple[Clock | None, Mapping[str, str]]:
    """Make the shared clock when one was asked for; real time where that fails."""
    if options.rate is None and options.start is None:
        return None, {}
    made = shared_clock(
        folder / "clock", options.start or datetime.now().astimezone(), 1
    )
    if isinstance(made, str):
        print(f"      in real time: {made}", flush=True)
        return None, {}
    return made


@asynccontextmanager
async def staged(
    options: Namespace, folder: Path, progress: Progress
) -> AsyncIterator[Stage]:
    """Start the simulator and Home Assistant, add the integration, end it all after."""
    async with AsyncExitStack() as stack:
        stack.callback(os.close, claim(folder))
        home = Home(folder, options.host, free_port(options.port, options.host))
        home.prepare()
        clock, environment = start_clock(options, folder)
        world = World(
            folder,
            port=free_port(MINISERVER_PORT),
            tls_port=free_port(MINISERVER_TLS_PORT),
            control_port=free_port(CONTROL_PORT),
            wallboxes=options.wallboxes,
        )
        await stack.enter_async_context(world)
        await stack.enter_async_context(home.api)
        stage = Stage(home=home, world=world, clock=clock, environment=environment)
        stack.push_async_callback(world.stop)
        with progress.step("Miniserver simulator"):
            await world.start(environment)
        stack.push_async_callback(home.stop)
        with progress.step("Home Assistant 2026.11.0"):
            await home.start(environment)
        with progress.step("first user"):
            stage.tokens = await home.api.sign_up(NAME, USERNAME, PASSWORD)
            await home.wait_running()
        with progress.step("integration, through its config flow"):
            stage.entry = await run_flow(
                home.api, DOMAIN, answers(world.port), menu=("user", "manual")
            )
        if clock is not None and options.rate is not None:
            clock.set_rate(options.rate)
        try:
            yield stage
        finally:
            if clock is not None:
                # Home Assistant's patience while it stops is measured on this clock.
                clock.set_rate(1)
