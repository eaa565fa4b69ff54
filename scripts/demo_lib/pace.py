"""How fast the shared clock runs: as fast as everybody who shares it can follow."""

import asyncio
from datetime import datetime

from scripts.clock.clockctl import Clock

FASTEST = 600.0
# For what shall be seen at its instant.
SLOW = 20.0
# No process may be further behind than this, in shown seconds: patience with a peer ends
# after ten or twelve.
MOST_BEHIND_S = 2.5
# A rate is lent for so long, and lent again a little earlier; both in real seconds.
LOAN_S = 0.006
LOOK_S = 0.002
# Whoever waits in real time sleeps at most for so long before the clock is asked again.
LONGEST_SLICE_S = 0.012


class Pace:
    """Moves the clock; between two moves it keeps real time."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        self._clock = clock

    def now(self) -> datetime:
        """Return the shown time."""
        return self._clock.now()

    async def run_to(self, when: datetime, rate: float = FASTEST) -> None:
        """Hurry to an instant, at a rate at most; an instant that has passed is there.

        The rate is only ever lent, and not lent again while a process is behind, so
        that time waits for the slowest. Ends in real time.
        """
        if when <= self.now():
            return
        # Slices that were begun in real time would be slept on.
        self._clock.lend(rate, 0)
        await asyncio.sleep(LONGEST_SLICE_S)
        while (left := (when - self.now()).total_seconds()) > 0:
            if max(self._clock.behind(), default=0.0) <= MOST_BEHIND_S / rate:
                self._clock.lend(rate, min(left / rate, LOAN_S))
            await asyncio.sleep(min(left / rate, LOOK_S))
        self._clock.set_rate(1)
