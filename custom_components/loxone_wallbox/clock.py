"""Notice when the clock is set: by a time server, by hand, after a sleep."""

from datetime import datetime, timedelta
from time import monotonic

# More is no drift any more: the clock was set. A crystal is off by less than a second
# in a thousand.
STEP_S = 5.0
DRIFT = 0.001


def seconds() -> float:
    """Return the seconds of a clock that nobody can set."""
    return monotonic()


class ClockWatch:
    """Compares the clock on the wall with one that nobody can set."""

    def __init__(self) -> None:
        """Start without a look."""
        self._last: tuple[datetime, float] | None = None

    def step(self, now: datetime) -> timedelta | None:
        """Return by how much the clock was set since the last look, None if not."""
        passed, last = monotonic(), self._last
        self._last = (now, passed)
        if last is None:
            return None
        real = passed - last[1]
        step = (now - last[0]).total_seconds() - real
        return timedelta(seconds=step) if abs(step) > STEP_S + DRIFT * real else None
