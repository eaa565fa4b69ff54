"""A serial device with a meter behind it, which the program socat provides."""

import asyncio
from collections.abc import Callable
import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory
import time

_POLL_S = 0.01
_START_S = 10.0


class SerialDeviceError(OSError):
    """There is no serial device; the text says what to do."""


class SerialDevice:
    """A pseudo terminal, kept for clients that come and go."""

    def __init__(
        self, host: str, port: int, path: str, log: Callable[[str], None]
    ) -> None:
        """Take the port that speaks RTU; an empty path is in a folder of its own."""
        self._host = host
        self._port = port
        self._log = log
        self._folder = None if path else TemporaryDirectory(prefix="meter-")
        self.path = path or str(Path(self._folder.name if self._folder else "") / "tty")
        self._process: asyncio.subprocess.Process | None = None
        self._held: int | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make the device; without socat this raises a SerialDeviceError."""
        await self._open()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Take the device away."""
        if self._keeping:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None
        self._release()
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._process = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    async def _keep(self) -> None:
        """Make the device again whenever the far end of the line has closed it."""
        while self._process:
            await self._process.wait()
            self._log(f"serial device {self.path}: gone, coming back")
            self._release()
            try:
                await self._open()
            except OSError as err:
                self._log(f"serial device {self.path}: {err}")
                return

    async def _open(self) -> None:
        """Start socat and wait until the device is there."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                "socat",
                f"PTY,link={self.path},raw,echo=0",
                f"TCP:{self._host}:{self._port}",
                stdin=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError:
            raise SerialDeviceError(
                "socat is missing, which makes the serial device of a meter "
                "(Debian: apt-get install socat)"
            ) from None
        # In a thread: an event loop whose time leaps must not leap over this.
        if not await asyncio.to_thread(self._appears, self._process):
            said = b""
            if self._process.returncode is not None and self._process.stderr:
                said = await self._process.stderr.read()
            text = said.decode(errors="replace").strip() or "it did not appear"
            raise SerialDeviceError(f"no serial device {self.path}: {text}")
        # Held open, because a pseudo terminal ends when its last user closes it.
        self._held = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def _appears(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the device is there, socat has given up or it takes too long."""
        end = time.monotonic() + _START_S
        while not self._is_there():
            if process.returncode is not None or time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def _is_there(self) -> bool:
        """Return whether the device can be opened."""
        return Path(self.path).exists()

    def _release(self) -> None:
        """Let go of the device."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
