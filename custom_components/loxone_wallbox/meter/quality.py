"""Which meter readings to believe.

Takes readings of an energy counter in the order of their times, gives a total that
never falls and never jumps. A single zero after a restart, a counter that was reset or
exchanged and a reading that no charger could have caused all occur in the field.
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
# Ten times what the registers of such meters can count.
MAX_READING_KWH = 1e7


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergyMemory:
    """What must outlive a restart: the last reading believed, when, and the offset.

    The total is reading plus offset, in kWh; `at` is in seconds UTC.
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
        self._max_kw = max_kw
        self.memory = memory
        self._doubtful: list[tuple[float, float]] = []

    @property
    def total_kwh(self) -> float | None:
        """Return the total, None before the first reading."""
        return None if self.memory is None else self.memory.total_kwh

    def take(self, reading_kwh: float, at: float) -> float | None:
        """Take a reading at a time in seconds UTC and return the total.

        A reading that falls or jumps is held back until more of its kind have come;
        then counting goes on from there, and what was between is not booked.
        """
        if not 0 <= reading_kwh <= MAX_READING_KWH:
            return self.total_kwh
        if self.memory is None:
            self.memory = EnergyMemory(reading_kwh=reading_kwh, offset_kwh=0.0, at=at)
        elif self._follows(self.memory.reading_kwh, self.memory.at, reading_kwh, at):
            self._doubtful.clear()
            self.memory = replace(self.memory, reading_kwh=reading_kwh, at=at)
        else:
            self._doubt(self.memory, reading_kwh, at)
        return self.total_kwh

    def carry(self, total_kwh: float) -> None:
        """Let the total go on from a higher one that somebody else counted."""
        if self.memory is not None and total_kwh > self.memory.total_kwh:
            offset = total_kwh - self.memory.reading_kwh
            self.memory = replace(self.memory, offset_kwh=offset)

    def _follows(self, before: float, then: float, reading: float, at: float) -> bool:
        """Tell whether a reading can come after another."""
        hours = max(at - then, 0.0) / 3600
        most = self._max_kw * POWER_MARGIN * hours + RESOLUTION_KWH
        return before <= reading <= before + most

    def _doubt(self, memory: EnergyMemory, reading: float, at: float) -> None:
        """Hold a reading back, or believe it as a new start."""
        if self._doubtful and not self._follows(*self._doubtful[-1], reading, at):
            self._doubtful.clear()
        self._doubtful.append((reading, at))
        first, since = self._doubtful[0]
        if len(self._doubtful) < CONSISTENT_READINGS or at - since < CONSISTENT_S:
            return
        self.memory = EnergyMemory(
            reading_kwh=reading, offset_kwh=memory.total_kwh - first, at=at
        )
        self._doubtful.clear()
