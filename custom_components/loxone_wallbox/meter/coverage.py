"""How many of the last seconds have a reading, and how old the last one is."""

from collections import deque

SPAN_S = 3600.0


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


class BelievedCoverage(Coverage):
    """The share of ticks whose power was believed: an answer may be garbage."""

    def __init__(self, poll_s: float) -> None:
        """Look back over an hour of ticks that are `poll_s` seconds apart."""
        super().__init__(round(SPAN_S / poll_s))
        self._believed_at: float | None = None

    def take(self, power_w: float | None, at: float) -> None:
        """Take a tick's power, None where there is none to believe."""
        self.add(power_w is not None)
        if power_w is not None:
            self._believed_at = at

    def age_s(self, now: float) -> float | None:
        """Return how old the last power is in seconds, None before the first."""
        return None if self._believed_at is None else now - self._believed_at
