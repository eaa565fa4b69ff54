"""The power of each second, in memory: the running visit and the one before.

Takes powers in W with the second they belong to, gives them back as points. A second
without a reading is a hole, marked by None once, never a zero. The database never sees
these: they are too many for it.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import chain, islice
import math

# A visit may last days; the last day and a half of each is kept.
MOST_POINTS = 130_000
# What flows while nothing is plugged in is of little interest.
IDLE_POINTS = 7_200
# So many at a time are dropped, so that dropping costs nothing on average.
SPARE_PART = 32
# Two powers further apart than so many polls have something missing in between.
HOLE_POLLS = 2.5

# Seconds UTC and W, None for a hole that begins there.
type Point = tuple[float, float | None]


@dataclass(slots=True)
class PowerSeries:
    """Points in the order of their times (seconds UTC), a hole as NaN.

    `step_s` is how far apart two readings are where nothing is missing.
    """

    most: int = MOST_POINTS
    step_s: float = 1.0
    times: array[float] = field(default_factory=lambda: array("d"))
    powers: array[float] = field(default_factory=lambda: array("f"))

    @property
    def hole_s(self) -> float:
        """Return from which distance on something is missing between two points."""
        return HOLE_POLLS * self.step_s

    def add(self, at: float, power_w: float | None) -> list[Point]:
        """Take a second and return the points it made.

        One that is not after the last is left out. On a clock that was set back what
        lies ahead has not happened yet: it goes, and a hole says so.
        """
        set_back = bool(self.times) and self.times[-1] - at > self.hole_s
        if self.times and at <= self.times[-1] and not set_back:
            return []
        if set_back:
            return [*self._set_back(at), *self.add(at, power_w)]
        if power_w is None or not math.isfinite(power_w):
            return self._begin_hole(at)
        added: list[Point] = []
        if self.times and at - self.times[-1] > self.hole_s:
            added = self._begin_hole(at)
        self._append(at, power_w)
        return [*added, (at, round(power_w, 1))]

    def _set_back(self, at: float) -> list[Point]:
        """Forget what lies ahead, and mark that something is missing."""
        ahead = bisect_left(self.times, at)
        del self.times[ahead:]
        del self.powers[ahead:]
        if not self.times or self._in_hole:
            return []
        hole = math.nextafter(at, -math.inf)
        self._append(hole, math.nan)
        return [(hole, None)]

    def _begin_hole(self, at: float) -> list[Point]:
        """Mark that something is missing, from where on it is known to be."""
        if not self.powers or self._in_hole:
            return []
        silent = at - self.times[-1] > self.hole_s
        hole = self.times[-1] + self.step_s if silent else at
        self._append(hole, math.nan)
        return [(hole, None)]

    @property
    def _in_hole(self) -> bool:
        """Tell whether the last point says that something is missing."""
        return bool(self.powers) and math.isnan(self.powers[-1])

    def _append(self, at: float, power_w: float) -> None:
        """Keep a point, and forget the oldest where there are too many."""
        self.times.append(at)
        self.powers.append(power_w)
        spare = self.most // SPARE_PART
        if len(self.times) > self.most + spare:
            del self.times[:spare]
            del self.powers[:spare]

    def between(self, start: float, end: float) -> list[Point]:
        """Return the points from an instant up to another, None for a hole."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return [
            (at, None if math.isnan(power) else round(power, 1))
            for at, power in zip(
                self.times[first:last], self.powers[first:last], strict=True
            )
        ]

    def cut(self, at: float) -> PowerSeries:
        """Return what is from an instant on as a series of its own; it goes here."""
        first = bisect_left(self.times, at)
        rest = PowerSeries(
            step_s=self.step_s, times=self.times[first:], powers=self.powers[first:]
        )
        del self.times[first:]
        del self.powers[first:]
        return rest

    def sliced(self, start: float, end: float) -> PowerSeries:
        """Return a copy of what is from an instant up to another, made in no time."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return PowerSeries(
            most=self.most,
            step_s=self.step_s,
            times=self.times[first:last],
            powers=self.powers[first:last],
        )


@dataclass(kw_only=True, slots=True)
class VisitPower:
    """A car's stay and its power; instants in seconds UTC, no end while it lasts."""

    start: float
    series: PowerSeries
    end: float | None = None

    def sliced(self, start: float, end: float) -> VisitPower:
        """Return it with a copy of what is from an instant up to another."""
        series = self.series.sliced(start, end)
        return VisitPower(start=self.start, series=series, end=self.end)


@dataclass(slots=True)
class VisitSeries:
    """The series of the running visit, of the one before, and of what is between."""

    step_s: float = 1.0
    current: VisitPower | None = None
    last: VisitPower | None = None
    idle: PowerSeries = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing plugged in."""
        self.idle = PowerSeries(most=IDLE_POINTS, step_s=self.step_s)

    def begin(self, at: float) -> None:
        """Begin a visit; one that still runs ends with that.

        Of one that is told late the points are there already.
        """
        series = self.running.cut(at)
        self.end(at)
        self.current = VisitPower(start=at, series=series)

    def end(self, at: float) -> None:
        """End the running visit, which is the one before from now on."""
        if self.current is None:
            return
        self.current.end = at
        self.last, self.current = self.current, None
        self.idle = PowerSeries(most=IDLE_POINTS, step_s=self.step_s)

    @property
    def running(self) -> PowerSeries:
        """Return the series that grows now."""
        return self.idle if self.current is None else self.current.series

    def add(self, at: float, power_w: float | None) -> list[Point]:
        """Take a second and return the points it made."""
        return self.running.add(at, power_w)

    def between(self, start: float, end: float) -> list[Point]:
        """Return all points from an instant up to another.

        What is not remembered of that time is a hole, too.
        """
        parts = [self.idle]
        if self.last is not None:
            parts.insert(0, self.last.series)
        if self.current is not None:
            parts.append(self.current.series)
        points = list(chain.from_iterable(one.between(start, end) for one in parts))
        return self._with_holes(points, start, end)

    def sliced(self, start: float, end: float) -> VisitSeries:
        """Return a copy of what is from an instant up to another, made in no time.

        It gives the same points `between` those, in a thread if need be.
        """
        copy = VisitSeries(self.step_s)
        copy.idle = self.idle.sliced(start, end)
        copy.last = self.last and self.last.sliced(start, end)
        copy.current = self.current and self.current.sliced(start, end)
        return copy

    def _with_holes(self, points: list[Point], start: float, end: float) -> list[Point]:
        """Mark what is missing at either end and between two visits."""
        if not points:
            return [(start, None)] if end > start else []
        hole_s = self.idle.hole_s
        whole: list[Point] = []
        if points[0][0] - start > hole_s:
            whole.append((start, None))
        before = points[0]
        if not (whole and before[1] is None):
            whole.append(before)
        for point in islice(points, 1, None):
            gap = point[0] - before[0] > hole_s
            if gap and None not in (before[1], point[1]):
                whole.append((before[0] + self.step_s, None))
            if point[1] is not None or before[1] is not None:
                whole.append(point)
            before = point
        if before[1] is not None and end - before[0] > hole_s:
            whole.append((before[0] + self.step_s, None))
        return whole
