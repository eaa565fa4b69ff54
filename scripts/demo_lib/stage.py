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
from scripts.demo_lib.entities import Wallbox, wallbox_of
from scripts.demo_lib.flow import Answer, options_of, run_flow
from scripts.demo_lib.home import NAME, PASSWORD, USERNAME, Home
from scripts.demo_lib.pace import Pace
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
METER_PORT = 5020


@dataclass(kw_only=True)
class Stage:
    """A demo that is up."""

    home: Home
    world: World
    tokens: dict[str, Any] = field(default_factory=dict)
    wallboxes: list[Wallbox] = field(default_factory=list)
    clock: Clock | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def pace(self) -> Pace:
        """Return who moves the shared clock."""
        if self.clock is None:
            raise DemoError("There is no shared clock.")
        return Pace(self.clock)

    async def find_wallboxes(self) -> None:
        """Look the wallboxes up in Home Assistant."""
        self.wallboxes = [
            await wallbox_of(self.home.api, name, prefix)
            for name, prefix in (await self.world.prefixes()).items()
        ]

    def ensure_running(self) -> None:
        """Raise when a process has ended, with the end of its output."""
        self.home.child.ensure_running()
        self.world.child.ensure_running()


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
        # All wallboxes the Miniserver has, under the same rules.
        "wallboxes": options_of,
        "profile": "gb_2021",
        # The default charging hours that are suggested.
        "choice": "accept",
    }


@asynccontextmanager
async def staged(
    options: Namespace,
    folder: Path,
    progress: Progress,
    start: datetime | None = None,
    *,
    add: bool = True,
) -> AsyncIterator[Stage]:
    """Start the simulator and Home Assistant, add the integration, end it all after.

    Their time begins at `start`, on a shared clock; without one they have the real time.
    Whoever adds the integration in another way says so by `add`.
    """
    async with AsyncExitStack() as stack:
        stack.callback(os.close, claim(folder))
        home = Home(folder, options.host, free_port(options.port, options.host))
        home.prepare(hurried=start is not None)
        world = World(
            folder,
            port=free_port(MINISERVER_PORT),
            tls_port=free_port(MINISERVER_TLS_PORT),
            control_port=free_port(CONTROL_PORT),
            meter_port=free_port(METER_PORT),
            wallboxes=options.wallboxes,
        )
        await stack.enter_async_context(world)
        await stack.enter_async_context(home.api)
        stage = Stage(home=home, world=world)
        if start is not None:
            stage.clock, stage.environment = shared_clock(folder / "clock", start)
        stack.push_async_callback(world.stop)
        async with progress.step("Miniserver simulator"):
            await world.start(stage.environment)
        stack.push_async_callback(home.stop)
        async with progress.step("Home Assistant 2026.11.0"):
            await home.start(stage.environment)
        async with progress.step("first user"):
            stage.tokens = await home.api.sign_up(NAME, USERNAME, PASSWORD)
            await home.wait_running()
        if add:
            async with progress.step("integration, through its config flow"):
                await run_flow(
                    home.api, DOMAIN, answers(world.port), menu=("user", "manual")
                )
                await stage.find_wallboxes()
        try:
            yield stage
        except DemoError:
            # A process that died is the better explanation.
            stage.ensure_running()
            raise
        finally:
            if stage.clock is not None:
                # Home Assistant's patience while it stops is measured on this clock.
                stage.clock.set_rate(1)
