"""Child processes that end when the demo ends."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
import contextlib
import os
from pathlib import Path
import signal
import socket
from typing import Any

from scripts.demo_lib.paths import ROOT
from scripts.demo_lib.progress import DemoError

TAIL_LINES = 40


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """Return the wanted port, or any free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # As servers do it: a port in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise DemoError("There is no free port on this machine.")


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the end of a log file, indented."""
    if not path.is_file():
        return "    (nothing was written)"
    text = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in text[-lines:])


class Child:
    """A process of ours in a session of its own, its output in a file.

    In its own session Ctrl-C does not reach it, so that the demo can end its children in
    the right order.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        """Describe the process; start() starts it."""
        self.name = name
        self.log = log
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def returncode(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def alive(self) -> bool:
        """Return whether the process was started and still runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start the process, the environment added to ours."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit code."""
        if self._process is None:
            raise DemoError(f"{self.name} was not started.")
        return await self._process.wait()

    def ensure_running(self) -> None:
        """Raise when the process has ended, with the end of its output."""
        if self.returncode is not None:
            raise DemoError(
                f"{self.name} ended with exit code {self.returncode}. "
                f"Last lines of {self.log}:\n{tail(self.log)}"
            )

    async def stop(self, grace: float) -> None:
        """End the process and whatever it started, by force after the grace period."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._process.wait()
        # The rest of its process group, or all of it when it did not listen.
        await self.kill()

    async def kill(self) -> None:
        """End the process and whatever it started, without a warning."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the process group; the process is its leader."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def run_until_told(main: Coroutine[Any, Any, int]) -> int:
    """Return the exit code of a command that may be told to end before it is done."""
    loop = asyncio.new_event_loop()
    work = loop.create_task(main)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        return loop.run_until_complete(work)
    except asyncio.CancelledError:
        print("\nended", flush=True)
        return os.EX_TEMPFAIL
