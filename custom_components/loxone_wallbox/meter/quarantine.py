"""Which reading of a counter can follow which, and the quarantine of those that cannot.

Everything here is in Wh and seconds on a clock that never goes back while the process
runs and is UTC from one process to the next (`steady.SteadyClock`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from .model import MeterProfile
from .plain import finite, sane, text_or_none

# Three polls that agree explain an outage; over ten seconds they prove a new counter.
POLLS = 3
CONFIRM_S = 10.0
# A single reading is believed about a silence no longer than this.
DIRECT_S = 10.0
# Some meters measure power each second and count once a minute.
LUMP_S = 60.0
# An outage whose length nobody knows is no longer.
UNTIMED_S = 86_400.0
# The last digit may be off at either end.
STEPS = 2
# How near to its end a counter was that rolled over, as a part of its range.
NEAR_END = 0.01
# Ten times what the largest meter counts.
MAX_READING_WH = 1e11


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A counter's reading and the smallest step it can make there.

    `serial` is None where the meter has none or it was not read.
    """

    wh: float
    at: float
    step_wh: float
    serial: str | None = None

    @property
    def sane(self) -> bool:
        """Tell whether it is a reading at all."""
        numbers = (self.wh, self.step_wh)
        possible = all(0 <= number <= MAX_READING_WH for number in numbers)
        return possible and sane(self.at)


@dataclass(frozen=True, kw_only=True, slots=True)
class CounterRules:
    """What is possible: the power in W that no charger exceeds, and the meter's ways.

    `ready_s` is how long a meter may answer zero after power-up, `rollover_wh` where it
    begins at zero again, None where it never does. `kept_at` is when it was read last
    before this process, by a clock that may have been set since; None where it was not.
    """

    reject_w: float
    refresh_s: float = 1.0
    ready_s: float = 0.0
    rollover_wh: float | None = None
    kept_at: float | None = None

    @classmethod
    def of(
        cls, profile: MeterProfile, reject_w: float, kept_at: float | None = None
    ) -> Self:
        """Return the rules for a model of meter."""
        return cls(
            reject_w=reject_w,
            refresh_s=profile.refresh_s or 1.0,
            ready_s=profile.ready_s or 0.0,
            rollover_wh=profile.rollover_wh,
            kept_at=kept_at,
        )

    @property
    def direct_s(self) -> float:
        """Return about how long a silence a single reading is believed."""
        return max(DIRECT_S, POLLS * self.refresh_s)

    def confirm_s(self, first_wh: float) -> float:
        """Return how long readings are watched before they prove a new counter."""
        return CONFIRM_S if first_wh else max(CONFIRM_S, self.ready_s)

    def most_wh(self, seconds: float, step_wh: float) -> float:
        """Return by how much a counter can rise; what it shows may be a refresh old."""
        flowed = self.reject_w * (max(seconds, 0.0) + self.refresh_s) / 3600
        return flowed + STEPS * step_wh


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch on one counter: its last reading, and what makes a total of it.

    `at` is when it was last read, `rose_at` when it last rose.
    """

    wh: float
    offset_wh: float
    at: float
    rose_at: float
    serial: str | None

    @property
    def total_wh(self) -> float:
        """Return what it adds up to with the segments before."""
        return self.wh + self.offset_wh

    def continued_by(self, reading: Reading, rules: CounterRules) -> bool:
        """Tell whether a single reading is believed after the last one."""
        seconds = min(reading.at - self.at, rules.direct_s)
        return self._holds(reading, rules.most_wh(seconds, reading.step_wh))

    def explains(self, reading: Reading, rules: CounterRules) -> bool:
        """Tell whether what could flow since the last reading explains another."""
        seconds = max(reading.at - self.at, 0.0)
        seconds += min(max(self.at - self.rose_at, 0.0), LUMP_S)
        return self._holds(reading, rules.most_wh(seconds, reading.step_wh))

    def explains_untimed(self, reading: Reading, rules: CounterRules) -> bool:
        """Tell whether an outage of a length that nobody knows explains a reading.

        Time goes back, or is set, only from one process to the next: the machine
        started without the right time, or had it wrong before. Only a counter that is
        known to be the same is believed for that.
        """
        known = known_serial(self.serial) and known_serial(reading.serial)
        untimed = reading.at < self.at or self.at == rules.kept_at
        return bool(known) and untimed and self.in_reach(reading, rules)

    def in_reach(self, reading: Reading, rules: CounterRules) -> bool:
        """Tell whether a reading is of this meter and no more than a day away."""
        return self._holds(reading, rules.most_wh(UNTIMED_S, reading.step_wh))

    def _holds(self, reading: Reading, most_wh: float) -> bool:
        """Tell whether a reading is of this meter and within bounds."""
        rise = reading.wh - self.wh
        possible = -reading.step_wh <= rise <= most_wh
        return possible and same_meter(self.serial, reading.serial)

    def moved_to(self, reading: Reading) -> Self:
        """Return it at a reading that is believed."""
        wh = max(self.wh, reading.wh)
        return replace(
            self,
            wh=wh,
            at=reading.at,
            rose_at=reading.at if wh > self.wh else self.rose_at,
            serial=known_serial(reading.serial) or self.serial,
        )

    def rolled_over(self, reading: Reading, rules: CounterRules) -> Self | None:
        """Return it as if it had counted on where it began at zero again.

        None where it did not: it was not near its end, the reading is not near zero, or
        nothing explains what would have flowed.
        """
        modulus = rules.rollover_wh
        if modulus is None or not modulus * (1 - NEAR_END) < self.wh <= modulus:
            return None
        rolled = replace(self, wh=self.wh - modulus, offset_wh=self.offset_wh + modulus)
        small = reading.wh < modulus * NEAR_END
        return rolled if small and rolled.explains(reading, rules) else None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises one of `plain.UNREADABLE` where it makes no sense."""
        return cls(
            wh=finite(data["wh"]),
            offset_wh=finite(data["offset_wh"]),
            at=finite(data["at"]),
            rose_at=finite(data["rose_at"]),
            serial=text_or_none(data["serial"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Readings in quarantine that agree with each other: the first and the last."""

    first_wh: float
    first_at: float
    wh: float
    at: float
    serial: str | None
    polls: int = 1

    @classmethod
    def begun(cls, reading: Reading) -> Self:
        """Return a quarantine of one reading."""
        return cls(
            first_wh=reading.wh,
            first_at=reading.at,
            wh=reading.wh,
            at=reading.at,
            serial=known_serial(reading.serial),
        )

    def joined(self, reading: Reading, rules: CounterRules) -> Self:
        """Return it with one more reading, begun anew where that does not agree."""
        if reading.at == self.at:
            # The same poll proves nothing more.
            return self
        seconds = reading.at - self.first_at
        most = self.first_wh + rules.most_wh(seconds, reading.step_wh)
        agrees = self.wh - reading.step_wh <= reading.wh <= most
        known = same_meter(self.serial, reading.serial)
        if not (agrees and known and reading.at > self.at):
            return self.begun(reading)
        return replace(
            self,
            wh=max(self.wh, reading.wh),
            at=reading.at,
            serial=known_serial(reading.serial) or self.serial,
            polls=self.polls + 1,
        )

    def confirmed(self, rules: CounterRules) -> bool:
        """Tell whether it is no glitch."""
        long = self.at - self.first_at >= rules.confirm_s(self.first_wh)
        return long and self.polls >= POLLS

    def segment(self, total_wh: float, serial: str | None) -> Segment:
        """Return the segment it opens above a total: its first reading adds nothing."""
        return Segment(
            wh=self.wh,
            offset_wh=total_wh - self.first_wh,
            at=self.at,
            rose_at=self.at,
            serial=self.serial or serial,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises one of `plain.UNREADABLE` where it makes no sense."""
        return cls(
            first_wh=finite(data["first_wh"]),
            first_at=finite(data["first_at"]),
            wh=finite(data["wh"]),
            at=finite(data["at"]),
            serial=text_or_none(data["serial"]),
            polls=int(data["polls"]),
        )


def known_serial(serial: str | None) -> str | None:
    """Return a serial number, None for what meters without one give."""
    if serial is None or not serial.strip(" 0\0"):
        return None
    return serial.strip(" \0")


def same_meter(serial: str | None, other: str | None) -> bool:
    """Tell whether two serial numbers may be of one meter: an unknown one is any."""
    one, two = known_serial(serial), known_serial(other)
    return one is None or two is None or one == two
