"""Seconds UTC that never go back, and do go on while the machine sleeps."""

from datetime import datetime

# Where UTC runs ahead by more, the machine slept or its clock was set. The monotonic
# seconds stand still in a sleep.
AHEAD_S = 3.0


class SteadyClock:
    """Seconds UTC when it began and monotonic from then on, but never far behind UTC."""

    def __init__(self, utc: datetime, monotonic: float) -> None:
        """Take both clocks at the same instant."""
        self._offset = utc.timestamp() - monotonic

    def at(self, monotonic: float) -> float:
        """Return the instant of a monotonic one."""
        return self._offset + monotonic

    def follow(self, utc: datetime, monotonic: float) -> bool:
        """Catch up with UTC, both taken at the same instant; tell whether that was so.

        Back it does not go: what was read already would lie ahead.
        """
        offset = utc.timestamp() - monotonic
        if offset - self._offset <= AHEAD_S:
            return False
        self._offset = offset
        return True
