"""Time comes from one object, so that a whole world can be sped up or stopped."""

import time
from typing import Protocol, override


class Clock(Protocol):
    """Where the simulator reads every instant."""

    def time(self) -> float:
        """Return UTC seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


class SystemClock(Clock):
    """The clock of the process."""

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return time.time()

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class ManualClock(Clock):
    """A clock that stands still until it is advanced."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        """Start at an instant (UTC seconds)."""
        self._time = start
        self._monotonic = 1000.0

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return self._time

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._time += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Move only the wall clock, as a correction by a time server does."""
        self._time += seconds
