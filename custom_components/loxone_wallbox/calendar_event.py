"""An event of a calendar that is right also where the clock is set back."""

from datetime import datetime, timedelta, timezone
from typing import override

from homeassistant.components.calendar import CalendarEvent
from homeassistant.util import dt as dt_util


class PlanEvent(CalendarEvent):
    """An event with the offset that holds at its times.

    Home Assistant compares local times of one zone, in which the hour that comes twice
    is the same both times: an event in it may seem to end before it starts. So the
    times here carry the offset that holds at them, and are not checked once more.
    """

    @override
    def __post_init__(self) -> None:
        """Take the times as they are."""

    @property
    @override
    def start_datetime_local(self) -> datetime:
        """Return the start in local time."""
        return local(dt_util.as_utc(super().start_datetime_local))

    @property
    @override
    def end_datetime_local(self) -> datetime:
        """Return the end in local time."""
        return local(dt_util.as_utc(super().end_datetime_local))


def local(at: datetime) -> datetime:
    """Return an instant in local time with the offset that holds at it."""
    offset = dt_util.as_local(at).utcoffset()
    return at.astimezone(timezone(offset or timedelta(0)))
