"""How many seconds of charging were measured, and what most of the others lack.

Takes each tick's power, or why it has none; tells whether the last hour of charging has
fewer readings than a proof for every second needs. A gap counts where the car charged
before it or after it; what lies between two charges does not.
"""

from collections import Counter, deque
from enum import StrEnum, auto
import math

from .errors import Missing
from .findings import Data, Finding, FindingKind
from .integral import CHARGING_W

SPAN_S = 3600.0
# Once so much of the span is missed, its rest cannot make good for it.
MOST_MISSED = 0.01
# It is over at half of that: at the limit itself it would come and go.
OVER = 0.5


class Cause(StrEnum):
    """What most likely keeps readings away."""

    GATEWAY = auto()
    METER = auto()
    ANSWERS = auto()
    SLOW = auto()
    BUSY = auto()


_CAUSES = {
    Missing.CANNOT_CONNECT: Cause.GATEWAY,
    Missing.NO_ANSWER: Cause.METER,
    Missing.TARGET_SILENT: Cause.METER,
    Missing.UNDER_WAY: Cause.SLOW,
    Missing.TICK_MISSED: Cause.BUSY,
}


class ChargingCoverage:
    """The ticks of the last hour of charging."""

    def __init__(self, poll_s: float) -> None:
        """Look back over an hour of ticks that are `poll_s` seconds apart."""
        self._most = round(SPAN_S / poll_s)
        self._ticks: deque[Cause | None] = deque(maxlen=self._most)
        self._missed: Counter[Cause] = Counter()
        # Gaps of which the next reading tells whether the car charged.
        self._open: deque[Cause] = deque(maxlen=self._most)
        self._power_w = 0.0
        self._low = False

    @property
    def share(self) -> float | None:
        """Return the part of the charging that was measured, 0 to 1, None without any."""
        if not self._ticks:
            return None
        return 1 - self._missed.total() / len(self._ticks)

    @property
    def _measured_pct(self) -> float:
        """Return the same in %, to a tenth; rounded down, as 100 would be a lie."""
        return math.floor((self.share or 0.0) * 1000) / 10

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return that too much is missed, with the cause of most of it."""
        if not self._low:
            return ()
        cause, _ = self._missed.most_common(1)[0]
        data: Data = {"cause": cause.value, "measured_pct": self._measured_pct}
        return (Finding(kind=FindingKind.COVERAGE_LOW, data=data),)

    def take(
        self, power_w: float | None, missing: Missing | None, *, present: bool
    ) -> None:
        """Take a tick; without a car that is `present` nothing is charged."""
        if power_w is None:
            self._gap(Cause.ANSWERS if missing is None else _cause(missing), present)
        else:
            charged = max(power_w, self._power_w) > CHARGING_W
            for cause in self._open if charged else ():
                self._add(cause)
            self._open.clear()
            self._power_w = power_w
            if charged:
                self._add(None)
        missed = self._missed.total() / self._most
        self._low = missed > MOST_MISSED * (OVER if self._low else 1)

    def _gap(self, cause: Cause, present: bool) -> None:
        """Take a tick without a reading."""
        if not present:
            return
        if self._power_w > CHARGING_W:
            self._add(cause)
        else:
            self._open.append(cause)

    def _add(self, cause: Cause | None) -> None:
        """Count a tick of charging, and forget the oldest where there are too many."""
        if len(self._ticks) == self._most and (oldest := self._ticks[0]) is not None:
            self._missed[oldest] -= 1
        self._ticks.append(cause)
        if cause is not None:
            self._missed[cause] += 1


def _cause(missing: Missing) -> Cause:
    """Return what most likely is behind a reason."""
    return _CAUSES.get(missing, Cause.ANSWERS)
