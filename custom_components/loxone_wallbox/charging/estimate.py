"""Power and energy of a wallbox that nobody measures, from what it is told to give.

Takes when the wallbox says it charges and at which limit, gives a power in kW and a
total in kWh. A car may take less than it is offered, so these are estimates, and said
to be.
"""

from dataclasses import dataclass, replace
from typing import Self

SECONDS_AN_HOUR = 3600


def estimated_kw(
    *, charging: bool | None, limit_kw: float | None, max_kw: float
) -> float | None:
    """Return what flows by the limit in force, None where nobody says whether it does."""
    if charging is None:
        return None
    if not charging:
        return 0.0
    return max_kw if limit_kw is None else min(max(limit_kw, 0.0), max_kw)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """An estimated total in kWh; `kw` flows since `at` (seconds UTC).

    It is not `known` any more while nobody tells; then `kw` is what flowed before.
    """

    total_kwh: float
    kw: float = 0.0
    at: float | None = None
    known: bool = False

    def take(self, now: float, kw: float | None) -> Self:
        """Let time pass, and take what flows now, None for unknown.

        In a time of which nobody tells flowed what flows at either end of it.
        """
        if kw is None and not self.known:
            return self
        flowed = self.kw if self.known or kw is None else min(self.kw, kw)
        seconds = 0.0 if self.at is None else max(now - self.at, 0.0)
        return replace(
            self,
            total_kwh=self.total_kwh + flowed * seconds / SECONDS_AN_HOUR,
            kw=self.kw if kw is None else kw,
            at=now,
            known=kw is not None,
        )
