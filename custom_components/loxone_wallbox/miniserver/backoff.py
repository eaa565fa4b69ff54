"""How long to wait before the next attempt to reach a Miniserver.

Takes what went wrong, gives seconds: doubling, jittered where nothing says how long,
and as long as the Miniserver asks for where it does.
"""

from collections.abc import Callable

from .errors import (
    LockedOutError,
    MiniserverError,
    MiniserverStartingError,
    NoSlotError,
)

RETRY_MIN_S = 2.0
RETRY_MAX_S = 300.0
# A Miniserver needs about a minute to restart, longer for a firmware update.
RETRY_STARTING_S = 10.0
RETRY_NO_SLOT_S = 60.0
# The length of a block is not documented; it seems to grow with repetition.
LOCKED_OUT_DEFAULT_S = 300.0
LOCKED_OUT_MAX_S = 86_400.0


class Backoff:
    """The pauses between attempts; `jitter` gives a number between two."""

    def __init__(self, jitter: Callable[[float, float], float]) -> None:
        """Start with the shortest pauses."""
        self._jitter = jitter
        self.reset()

    def reset(self) -> None:
        """Start again with the shortest pauses: the link held."""
        self._pause = RETRY_MIN_S
        self._block = LOCKED_OUT_DEFAULT_S

    def next(self, error: MiniserverError) -> float:
        """Return the seconds until the next attempt."""
        if isinstance(error, LockedOutError):
            return self._next_block(error.remaining)
        pause = self._pause
        self._pause = min(pause * 2, RETRY_MAX_S)
        match error:
            case NoSlotError():
                pause = max(pause, RETRY_NO_SLOT_S)
            case MiniserverStartingError():
                pause = max(pause, RETRY_STARTING_S)
        return self._jitter(pause / 2, pause)

    def _next_block(self, remaining: float | None) -> float:
        """Wait for a block to end; an attempt too early may prolong it."""
        if remaining is not None:
            return min(max(remaining, 0.0) + 1, LOCKED_OUT_MAX_S)
        block = self._block
        self._block = min(block * 2, LOCKED_OUT_MAX_S)
        return block
