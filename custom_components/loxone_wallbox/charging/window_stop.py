"""When the stop of a window of the default charging hours becomes due.

Takes the window and how much earlier than its end that is, gives the instant. A stop
that has come may be kept where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from .schedule import Schedule, Span

JUST = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptStop:
    """The end of a window, and the instant `at` which its stop has become due."""

    end: datetime
    at: datetime

    def is_behind(self, end: datetime) -> bool:
        """Tell whether the delay of a window's stop lies behind the window's end."""
        return self.end == end == self.at

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"end": self.end.isoformat(), "at": self.at.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        return cls(
            end=datetime.fromisoformat(data["end"]),
            at=datetime.fromisoformat(data["at"]),
        )


def stop_of(span: Span, end_before: timedelta, kept: KeptStop | None) -> datetime:
    """Return when the stop of a window becomes due.

    A window that the longest delay would fill is open for its first half, not never.
    """
    if kept is not None and kept.end == span.end:
        return kept.at
    return span.end - min(end_before, (span.end - span.start) / 2)


def stop_that_has_come(
    hours: Schedule | None,
    end_before: timedelta,
    kept: KeptStop | None,
    now: datetime,
) -> KeptStop | None:
    """Return the stop of the present window where it is due already, else None."""
    if hours is None:
        return None
    for span in hours.spans(now, now + timedelta(seconds=1)):
        at = stop_of(span, end_before, kept)
        if at <= now < span.end:
            return KeptStop(end=span.end, at=at)
    return None


def stop_behind(
    hours: Schedule | None, relevant_at: datetime, due: datetime, now: datetime
) -> KeptStop | None:
    """Return the stop at the end of a window that is over, where it still waits."""
    if hours is None:
        return None
    for span in hours.spans(relevant_at - JUST, relevant_at + JUST):
        if span.end == relevant_at <= now < due:
            return KeptStop(end=span.end, at=span.end)
    return None
