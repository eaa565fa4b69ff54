"""The power of each second, in memory: the running visit and the one before.

Takes powers in W with the second they belong to, gives them back as points. A second
without a reading is a hole, marked by None once, never a zero. The database never sees
these: they are too many for it.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
import math

# A visit may last days; the last day and a half of each is kept.
MOST_POINTS = 130_000
# Drop many at a time, so that dropping costs nothing on average.
SPARE = 4096
# Two powers further apart than this have something missing in between.
HOLE_S = 2.5


@dataclass(slots=True)
class PowerSeries:
    """Points in the order of their times (seconds UTC), a hole as NaN."""

    times: array[float] = field(default_factory=lambda: array("d"))
    powers: array[float] = field(default_factory=lambda: array("f"))

    def add(self, at: float, power_w: float | None) -> None:
        """Take a second; one that is not after the last is left out."""
        if self.times and at <= self.times[-1]:
            return
        if power_w is None or not math.isfinite(power_w):
            if self.powers and not math.isnan(self.powers[-1]):
                self._append(at, math.nan)
            return
        if self.times and at - self.times[-1] > HOLE_S and not self._in_hole:
            self._append(math.nextafter(self.times[-1], math.inf), math.nan)
        self._append(at, power_w)

    @property
    def _in_hole(self) -> bool:
        """Tell whether the last point says that something is missing."""
        return bool(self.powers) and math.isnan(self.powers[-1])

    def _append(self, at: float, power_w: float) -> None:
        """Keep a point, and forget the oldest where there are too many."""
        self.times.append(at)
        self.powers.append(power_w)
        if len(self.times) > MOST_POINTS + SPARE:
            del self.times[:SPARE]
            del self.powers[:SPARE]

    def between(self, start: float, end: float) -> list[tuple[float, float | None]]:
        """Return the points from an instant up to another, None for a hole."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return [
            (at, None if math.isnan(power) else round(power, 1))
            for at, power in zip(
                self.times[first:last], self.powers[first:last], strict=True
            )
        ]


@dataclass(slots=True)
class VisitSeries:
    """The series of the running visit and of the one before."""

    current: PowerSeries = field(default_factory=PowerSeries)
    last: PowerSeries = field(default_factory=PowerSeries)

    def begin(self) -> None:
        """Begin a visit: what ran until now is the one before."""
        if self.current.times:
            self.last, self.current = self.current, PowerSeries()

    def add(self, at: float, power_w: float | None) -> None:
        """Take a second of the running visit."""
        self.current.add(at, power_w)

    def between(self, start: float, end: float) -> list[tuple[float, float | None]]:
        """Return the points of both from an instant up to another."""
        return [*self.last.between(start, end), *self.current.between(start, end)]
