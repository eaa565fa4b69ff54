"""Dates on which the default charging hours of Sunday apply, as the owner wants them.

Only the owner's own hours follow them; the peak of a regulation knows no such dates.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from .schedule import Schedule
from .wish import Situation


@dataclass(frozen=True, kw_only=True, slots=True)
class DaysOff:
    """The dates, and when they last changed whether it is within the hours.

    That they changed is an instant like one at which the owner changed the hours: what
    begins or ends by it has a random delay of its own.
    """

    dates: frozenset[date] = frozenset()
    changed_at: datetime | None = None

    def on(self, hours: Schedule | None) -> Schedule | None:
        """Return the hours with these dates."""
        return None if hours is None else replace(hours, days_off=self.dates)

    def now_known(
        self, dates: AbstractSet[date], hours: Schedule | None, now: datetime
    ) -> Self:
        """Return other dates, as they became known at an instant."""
        after = replace(self, dates=frozenset(dates))
        here, there = self.on(hours), after.on(hours)
        if here is None or there is None or here.is_open(now) == there.is_open(now):
            return after
        return replace(after, changed_at=now)

    def applied(self, situation: Situation) -> Situation:
        """Return a situation under these dates."""
        changes = (situation.hours_changed_at, self.changed_at)
        return replace(
            situation,
            hours=self.on(situation.hours),
            hours_changed_at=max(
                (at for at in changes if at is not None), default=None
            ),
        )
