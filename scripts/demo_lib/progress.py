"""Progress lines in the manner of the setup steps that came before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
import time

# Nobody is left without a sign for longer.
SIGN_OF_LIFE_S = 1.5


class DemoError(Exception):
    """Something the demo cannot go on without; the text is for the reader."""


class Progress:
    """Numbered lines, going on where the shell's steps ended."""

    def __init__(self) -> None:
        """Take over the count from the environment."""
        self._done = int(os.environ.get("PROGRESS_STEP", "0"))
        self._total = int(os.environ.get("PROGRESS_TOTAL", "0"))

    def begin(self, label: str) -> str:
        """Return the beginning of the next line."""
        self._done += 1
        total = max(self._total, self._done)
        return f"[{self._done}/{total}] {label}"

    @asynccontextmanager
    async def step(self, label: str) -> AsyncIterator[None]:
        """Print one line: the label, then how it went and how long it took."""
        print(f"{self.begin(label)} … ", end="", flush=True)
        began = time.monotonic()
        try:
            async with _signs_of_life():
                yield
        except BaseException:
            print(f"failed ({time.monotonic() - began:.0f} s)", flush=True)
            raise
        print(f"ok ({time.monotonic() - began:.0f} s)", flush=True)


@asynccontextmanager
async def dotted() -> AsyncIterator[None]:
    """Show on a line that was begun that something is going on, then end it."""
    try:
        async with _signs_of_life():
            yield
    finally:
        print(flush=True)


@asynccontextmanager
async def _signs_of_life() -> AsyncIterator[None]:
    """Print a dot every now and then."""

    async def dots() -> None:
        """Print until cancelled."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE_S)
            print("· ", end="", flush=True)

    task = asyncio.create_task(dots())
    try:
        yield
    finally:
        task.cancel()
