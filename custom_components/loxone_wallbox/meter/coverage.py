"""How many of the last seconds have a reading."""

from collections import deque


class Coverage:
    """The share of ticks that brought a reading, over the last ones."""

    def __init__(self, ticks: int) -> None:
        """Look back over so many ticks."""
        self._ticks: deque[bool] = deque(maxlen=ticks)
        self._valid = 0

    def add(self, valid: bool) -> None:
        """Count a tick."""
        if len(self._ticks) == self._ticks.maxlen:
            self._valid -= self._ticks[0]
        self._ticks.append(valid)
        self._valid += valid

    @property
    def share(self) -> float | None:
        """Return valid over expected, 0 to 1; None before the first tick."""
        return self._valid / len(self._ticks) if self._ticks else None
