"""Energy from power, for what a counter does not show: each second, each watt-hour.

Takes powers in W and the total of the counter in Wh, each with the instant it was read
in seconds as in `quarantine`. Energy that matters is the counter's; the integral fills
the time between two of its ticks and is what the counter is compared with.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from .plain import UNREADABLE, finite, finite_or_none, sane

# What lies between two samples further apart than this is not known.
MAX_STEP_S = 2.5
# More than this is charging; what is missed of it is missed of a session.
CHARGING_W = 50.0
# As much of a counter's step is shown before it ticks.
SHOWN_PART = 0.99


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A stretch without power: a hole in the series, to be filled with nothing."""

    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Integral:
    """The energy of all samples so far, by the trapezoidal rule.

    `wh` leaves the gaps out; `gaps` counts them, `gap` is the one that the last sample
    ended. `covered_s` and `missed_s` are the time of charging in samples and in gaps.
    """

    wh: float = 0.0
    power_w: float | None = None
    at: float | None = None
    covered_s: float = 0.0
    missed_s: float = 0.0
    gaps: int = 0
    gap: Gap | None = None

    @property
    def coverage(self) -> float | None:
        """Return the part of the time of charging that was measured, 0 to 1."""
        charged_s = self.covered_s + self.missed_s
        return self.covered_s / charged_s if charged_s else None

    def take(
        self, power_w: float | None, at: float, max_step_s: float = MAX_STEP_S
    ) -> Self:
        """Take a sample; an unknown power changes nothing.

        `max_step_s` is for meters that measure anew less often than each second. Power
        from the car is not taken off: the counter of the import does not either.
        """
        if power_w is None or not sane(power_w, at):
            return replace(self, gap=None)
        if self.power_w is None or self.at is None or at < self.at:
            # A clock that went back hides how long it was.
            gaps = self.gaps + (self.at is not None)
            return replace(self, power_w=power_w, at=at, gaps=gaps, gap=None)
        seconds = at - self.at
        charging = max(power_w, self.power_w) > CHARGING_W
        charged_s = seconds if charging else 0.0
        if seconds > max_step_s:
            return replace(
                self,
                power_w=power_w,
                at=at,
                missed_s=self.missed_s + charged_s,
                gaps=self.gaps + 1,
                gap=Gap(start=self.at, end=at),
            )
        mean_w = (max(power_w, 0.0) + max(self.power_w, 0.0)) / 2
        return replace(
            self,
            wh=self.wh + mean_w * seconds / 3600,
            power_w=power_w,
            at=at,
            covered_s=self.covered_s + charged_s,
            gap=None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            gap = data["gap"]
            return cls(
                wh=finite(data["wh"]),
                power_w=finite_or_none(data["power_w"]),
                at=finite_or_none(data["at"]),
                covered_s=finite(data["covered_s"]),
                missed_s=finite(data["missed_s"]),
                gaps=int(data["gaps"]),
                gap=gap and Gap(start=finite(gap["start"]), end=finite(gap["end"])),
            )
        except UNREADABLE:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class FineTotal:
    """The counter's total to the watt-hour: what flowed since its last tick on top.

    That part is less than a step of the counter, so the sum never runs backwards. The
    difference of two of them is right to what flows between two samples, that of two
    readings of the counter only to its step.
    """

    total_wh: float
    part_wh: float = 0.0
    integral_wh: float = 0.0

    @property
    def wh(self) -> float:
        """Return the sum."""
        return self.total_wh + self.part_wh

    @classmethod
    def begun(cls, total_wh: float, integral_wh: float) -> Self:
        """Return it at a total, the integral standing where it stands."""
        return cls(total_wh=total_wh, integral_wh=integral_wh)

    def take(self, total_wh: float, integral_wh: float, step_wh: float) -> Self:
        """Take what the counter (`Counter.total_wh`) and the integral stand at now.

        `step_wh` is the smallest step of the counter there.
        """
        if not sane(total_wh, integral_wh, step_wh):
            return self
        rise = max(total_wh - self.total_wh, 0.0)
        flowed = max(integral_wh - self.integral_wh, 0.0)
        left = max(self.part_wh - rise, 0.0)
        # What the tick brings has flowed already; a part is never taken back.
        part = 0.0 if rise else left + flowed
        return replace(
            self,
            total_wh=self.total_wh + rise,
            part_wh=max(left, min(part, step_wh * SHOWN_PART)),
            integral_wh=integral_wh,
        )

    def as_dict(self) -> dict[str, float]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            return cls(
                total_wh=finite(data["total_wh"]),
                part_wh=finite(data["part_wh"]),
                integral_wh=finite(data["integral_wh"]),
            )
        except UNREADABLE:
            return None
