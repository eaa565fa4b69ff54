"""Where a counter stood whenever nothing flowed, to find the start of a stay later.

A car that comes while nobody tells of it is known only minutes after it has begun to
charge, and then by the instant at which it came. Before it draws anything the counter
rests: that is where its energy begins. Instants are monotonic seconds here, as the
clock may be set in between.
"""

from collections import deque
from dataclasses import dataclass

from .latch import IDLE_W

# More than cars come and pause while a Miniserver is away.
MOST = 64
# The Miniserver's clock may be wrong by as much as that; further away is another rest.
NEAR_S = 120.0


@dataclass(kw_only=True, slots=True)
class Rest:
    """A time in which nothing flowed; monotonic seconds, Wh at its end."""

    start: float
    end: float
    wh: float

    def distance(self, at: float) -> float:
        """Return how far an instant is from it, 0 within."""
        return max(self.start - at, at - self.end, 0.0)


class Rests:
    """The last times in which nothing flowed; `poll_s` is how often that is looked at."""

    def __init__(self, poll_s: float) -> None:
        """Begin with none."""
        self._longest_s = 2.5 * poll_s
        self._rests: deque[Rest] = deque(maxlen=MOST)
        self._resting = False

    def take(self, counted_wh: float | None, power_w: float | None, at: float) -> None:
        """Take a sample; without a power nothing is known of its second."""
        if power_w is None or counted_wh is None:
            return
        before, self._resting = self._resting, power_w < IDLE_W
        if not self._resting:
            return
        last = self._rests[-1] if self._rests else None
        if before and last is not None and 0 <= at - last.end <= self._longest_s:
            last.end, last.wh = at, counted_wh
        else:
            self._rests.append(Rest(start=at, end=at, wh=counted_wh))

    def wh_at(self, at: float) -> float | None:
        """Return where the counter rested at an instant in Wh, None if it did not."""
        nearest = min(self._rests, key=lambda one: one.distance(at), default=None)
        if nearest is None or nearest.distance(at) > NEAR_S:
            return None
        return nearest.wh
