"""Which readings of the Miniserver's counter to believe.

Takes readings of an energy counter in the order they came, gives a total that never
falls and rises by what the counter rises. A single zero after a restart, a counter that
was reset or exchanged and a reading that no charger could have caused all occur in the
field.

When a reading comes says little of when it was measured. The Miniserver tells of changes
only, and up to a minute late; what an outage has held back comes at one instant; and at
any event the last reading is given again, after an outage too. So a rise is measured
against the time in which it may have flowed, and only where the Miniserver has been
heard for a while is that not the time of its last silence, too.
"""

from dataclasses import dataclass, replace
import math
from typing import Any, Self

# Three readings over ten seconds that agree with each other are no glitch.
CONSISTENT_READINGS = 3
CONSISTENT_S = 10.0
# A charger may draw more than its nominal power for a moment.
POWER_MARGIN = 1.25
# Two last digits of the coarsest meter (0.1 kWh in the app's format).
RESOLUTION_KWH = 0.2
# So late the Miniserver may tell what its counter shows; meters tell it once a minute.
LATE_S = 60.0
# A longer silence may have been an outage, after which old readings are given again.
SILENT_S = 60.0
# Ten times what the registers of such meters can count.
MAX_READING_KWH = 1e7


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergyMemory:
    """What must outlive a restart: the last reading believed, of when, and the offset.

    The total is reading plus offset, in kWh; what flowed since `at` (seconds UTC) may
    not be in the reading.
    """

    reading_kwh: float
    offset_kwh: float
    at: float

    @property
    def total_kwh(self) -> float:
        """Return the total."""
        return self.reading_kwh + self.offset_kwh

    def as_dict(self) -> dict[str, float]:
        """Return plain data for storing."""
        return {
            "reading_kwh": self.reading_kwh,
            "offset_kwh": self.offset_kwh,
            "at": self.at,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self | None:
        """Read stored data, None where it makes no sense."""
        try:
            memory = cls(
                reading_kwh=float(data["reading_kwh"]),
                offset_kwh=float(data["offset_kwh"]),
                at=float(data["at"]),
            )
        except KeyError, TypeError, ValueError, OverflowError:
            return None
        finite = (memory.reading_kwh, memory.offset_kwh, memory.at)
        return memory if all(map(math.isfinite, finite)) else None


class MonotonicEnergy:
    """An energy total that never falls."""

    def __init__(self, max_kw: float, memory: EnergyMemory | None = None) -> None:
        """Continue from what is remembered; `max_kw` is the charger's largest power."""
        self._most_kw = max_kw * POWER_MARGIN
        self.memory = memory
        self._doubtful: list[tuple[float, float]] = []
        self._heard_at = self._listens_since = -math.inf
        self._rose_at = math.inf if memory is None else memory.at
        # The counter before the present one, until that has counted anything.
        self._before: EnergyMemory | None = None

    @property
    def total_kwh(self) -> float | None:
        """Return the total, None before the first reading."""
        return None if self.memory is None else self.memory.total_kwh

    def take(self, reading_kwh: float, at: float) -> float | None:
        """Take a reading that came at an instant in seconds UTC and return the total.

        A reading that falls or jumps is held back until more of its kind have come.
        Then what can have flowed since the counter last rose is booked; of a reading
        that not even that explains, counting goes on from there.
        """
        if not 0 <= reading_kwh <= MAX_READING_KWH:
            return self.total_kwh
        self._hear(at)
        memory, before = self.memory, self._before
        if memory is None:
            self._move(reading_kwh, 0.0, at)
        elif before and self._follows(before.reading_kwh, before.at, reading_kwh, at):
            # The other counter was a glitch, though a long one.
            self._move(reading_kwh, before.offset_kwh, at)
        elif self._follows(memory.reading_kwh, memory.at, reading_kwh, at):
            self._go_on(memory, reading_kwh, at)
        else:
            self._doubt(memory, reading_kwh, at)
        return self.total_kwh

    def carry(self, total_kwh: float) -> None:
        """Let the total go on from a higher one that somebody else counted."""
        if self.memory is not None and total_kwh > self.memory.total_kwh:
            offset = total_kwh - self.memory.reading_kwh
            self.memory = replace(self.memory, offset_kwh=offset)

    def _hear(self, at: float) -> None:
        """Note since when the Miniserver is heard without a long silence."""
        memory, heard_at = self.memory, self._heard_at
        if memory is not None and at < heard_at:
            # The clock was set; nothing is known of the time since.
            self.memory = replace(memory, at=min(memory.at, at))
            self._rose_at = min(self._rose_at, at)
        elif memory is not None and at - heard_at > SILENT_S and self._has_news:
            # What came before this silence was new in the end.
            self.memory = replace(memory, at=max(memory.at, heard_at - LATE_S))
        if not 0 <= at - heard_at <= SILENT_S:
            self._listens_since = at
        self._heard_at = at

    @property
    def _has_news(self) -> bool:
        """Tell whether anything new was heard since the last long silence."""
        return self._rose_at >= self._listens_since

    def _most(self, seconds: float) -> float:
        """Return by how much a counter can rise, its resolution counted."""
        return max(self._most_kw * seconds / 3600 + RESOLUTION_KWH, 0.0)

    def _follows(self, before: float, since: float, reading: float, at: float) -> bool:
        """Tell whether a reading shows what can have flowed since an instant."""
        return before <= reading <= before + self._most(at - since)

    def _go_on(self, memory: EnergyMemory, reading: float, at: float) -> None:
        """Believe a reading that follows the last one.

        It takes the time that its rise needs at least, so that many readings at one
        instant together are not believed more than one.
        """
        rise = reading - memory.reading_kwh
        since = memory.at + rise * 3600 / self._most_kw
        if at - self._listens_since >= SILENT_S + LATE_S:
            # No older than what was heard before the last silence.
            since = max(since, at - SILENT_S - LATE_S)
        if rise:
            self._rose_at, self._before = at, None
        self._doubtful.clear()
        self.memory = replace(memory, reading_kwh=reading, at=since)

    def _move(self, reading: float, offset: float, at: float) -> None:
        """Believe a reading whatever was before."""
        self._rose_at, self._before = at, None
        self._doubtful.clear()
        self.memory = EnergyMemory(
            reading_kwh=reading, offset_kwh=offset, at=at - LATE_S
        )

    def _doubt(self, memory: EnergyMemory, reading: float, at: float) -> None:
        """Hold a reading back, or believe it with others of its kind."""
        if self._doubtful:
            last, then = self._doubtful[-1]
            if at < then or not self._follows(last, then - LATE_S, reading, at):
                self._doubtful.clear()
        self._doubtful.append((reading, at))
        first, since = self._doubtful[0]
        if len(self._doubtful) < CONSISTENT_READINGS or at - since < CONSISTENT_S:
            return
        rose_at = min(self._rose_at - LATE_S, memory.at)
        if self._follows(memory.reading_kwh, rose_at, reading, at):
            self._move(reading, memory.offset_kwh, at)
            return
        self._move(reading, memory.total_kwh - first, at)
        self._before = memory if reading == first else None
