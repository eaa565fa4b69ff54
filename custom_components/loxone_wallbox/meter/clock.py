"""Time for whatever reads a meter, so that tests can run an hour in seconds."""

import asyncio
import time
from typing import Protocol, override


class MeterClock(Protocol):
    """Where readers and links take their time from."""

    def time(self) -> float:
        """Return UTC seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        ...


class SystemClock(MeterClock):
    """The clock of the machine."""

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return time.time()

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        await asyncio.sleep(seconds)
