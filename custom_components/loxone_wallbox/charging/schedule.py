"""Weekly windows on the wall clock, and when they open and close in UTC.

Takes windows and a time zone, gives spans of UTC instants. Where a clock change hides
or repeats a wall-clock time the rules are: an instant that does not exist is the first
one after the gap, a window opens at the first and closes at the second of two equal
times, so that it opens once; a window that would last no time is left out. A window
belongs to the day on which it opens, for its whole length.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

MINUTES_A_DAY = 1440
DAYS_A_WEEK = 7
WEEKDAYS = frozenset(range(5))
SUNDAY = 6
ALL_DAYS = frozenset(range(DAYS_A_WEEK))
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Looked ahead: a week and its clock change.
LOOK_AHEAD = timedelta(days=9)
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=DAYS_A_WEEK)
# Where what never opens or closes begins and ends: nobody's clock comes there.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(2970, 1, 1, tzinfo=UTC)


class ScheduleError(ValueError):
    """A window that cannot be; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class ClockKind(StrEnum):
    """Which clock the windows follow."""

    LOCAL = "local"
    UTC = "utc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """One weekly window; days 0 (Monday) to 6, minutes since midnight.

    An end at or before the start is on the next day; 1440 is midnight at the end.
    """

    days: frozenset[int]
    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what is no window."""
        if not self.days or not self.days <= ALL_DAYS:
            raise ScheduleError("window_days_invalid")
        if not 0 <= self.start < MINUTES_A_DAY or not 0 <= self.end <= MINUTES_A_DAY:
            raise ScheduleError("window_time_invalid")
        if self.start == self.end:
            raise ScheduleError("window_without_length")

    @property
    def minutes(self) -> int:
        """Return the length on an ordinary day."""
        return (self.end - self.start) % MINUTES_A_DAY or MINUTES_A_DAY

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: names of days and times of day."""
        return {
            "days": [DAY_NAMES[day] for day in sorted(self.days)],
            "start": format_minutes(self.start),
            "end": format_minutes(self.end),
        }

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read plain data; raises `ScheduleError` where it is no window."""
        try:
            days = frozenset(DAY_NAMES.index(str(day)) for day in data["days"])
            start, end = parse_minutes(data["start"]), parse_minutes(data["end"])
        except (KeyError, TypeError, ValueError) as err:
            raise ScheduleError("window_unreadable") from err
        return cls(days=days, start=start, end=end)


def parse_minutes(text: Any) -> int:
    """Read a time of day, `HH:MM` with or without seconds of zero, or `24:00`."""
    hours, minutes, *seconds = str(text).split(":")
    if len(hours) > 2 or len(minutes) != 2 or any(int(part) for part in seconds):  # noqa: PLR2004
        raise ValueError(f"{text!r} is no time of day")
    total = int(hours) * 60 + int(minutes)
    if not 0 <= int(minutes) < 60 or not 0 <= total <= MINUTES_A_DAY:  # noqa: PLR2004
        raise ValueError(f"{text!r} is no time of day")
    return total


def format_minutes(minutes: int) -> str:
    """Return a time of day as text."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From an instant to another, in UTC; the end is no longer part of it."""

    start: datetime
    end: datetime


def unending(span: Span) -> bool:
    """Tell whether a span never begins or never ends."""
    return span.start <= BEGINNING or span.end >= END


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Weekly windows on one clock; no windows means never.

    `days_off` are dates on that clock; from Monday to Friday they count as a Sunday.
    """

    windows: tuple[Window, ...]
    zone: tzinfo
    clock: ClockKind = ClockKind.LOCAL
    days_off: frozenset[date] = frozenset()

    @property
    def _zone(self) -> tzinfo:
        """Return the zone of the windows' own clock."""
        return UTC if self.clock is ClockKind.UTC else self.zone

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        """Return when it is open between two instants, touching spans as one.

        The first and last may reach beyond the two instants: a span is the same,
        whoever asks for it. One that never begins or ends does so at `BEGINNING` and
        `END`.
        """
        if not self.windows:
            return []
        zone = self._zone
        monday, last = (_monday(at.astimezone(zone).date()) for at in (start, end))
        found: dict[Span, None] = {}
        while monday <= last:
            week = _spans_of_week(self.windows, zone, monday, self.days_off)
            found |= dict.fromkeys(
                span for span in week if span.end > start and span.start < end
            )
            monday += A_WEEK
        return list(found)

    def is_open(self, at: datetime) -> bool:
        """Tell whether an instant is within a window."""
        return any(
            span.start <= at < span.end
            for span in self.spans(at, at + timedelta(seconds=1))
        )

    def boundaries(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the openings and closings after one instant and up to another."""
        found = {
            edge
            for span in self.spans(start, end + timedelta(seconds=1))
            for edge in (span.start, span.end)
        }
        return sorted(edge for edge in found if start < edge <= end)

    def next_boundary(self, after: datetime) -> datetime | None:
        """Return the next opening or closing, None where it never changes."""
        edges = self.boundaries(after, after + LOOK_AHEAD)
        return edges[0] if edges else None

    def overlap(self, other: Self, week_of: datetime) -> list[Span]:
        """Return where two schedules are both open in the week after an instant."""
        end = week_of + timedelta(days=DAYS_A_WEEK)
        theirs = other.spans(week_of, end)
        return [
            Span(max(mine.start, their.start, week_of), min(mine.end, their.end, end))
            for mine in self.spans(week_of, end)
            for their in theirs
            if max(mine.start, their.start) < min(mine.end, their.end)
        ]


def _monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=512)
def _spans_of_week(
    windows: tuple[Window, ...], zone: tzinfo, monday: date, days_off: frozenset[date]
) -> tuple[Span, ...]:
    """Return the whole spans of which some part is in a week of the zone.

    Looks further and further to both sides until neither the first nor the last span
    can be part of a longer one, or until nothing but ordinary weeks that are always
    open lie there.
    """
    begin = wall_clock(zone, monday, 0, second=False)
    end = wall_clock(zone, monday + A_WEEK, 0, second=True)
    endless = _always_open(windows)
    first, last = monday - 2 * A_DAY, monday + A_WEEK
    while True:
        found = [
            span
            for span in _spans_between(windows, zone, first, last, days_off)
            if span.end > begin and span.start < end
        ]
        if not found:
            return ()
        # Windows of the day before the first end on it, and may join what starts there.
        cut_before = found[0].start <= wall_clock(zone, first + A_DAY, 0, second=True)
        cut_after = found[-1].end >= wall_clock(zone, last + A_DAY, 0, second=False)
        if cut_before and endless and all(day > first + A_DAY for day in days_off):
            cut_before = False
            found[0] = Span(BEGINNING, found[0].end)
        if cut_after and endless and all(day < last for day in days_off):
            cut_after = False
            found[-1] = Span(found[-1].start, END)
        if not cut_before and not cut_after:
            return tuple(found)
        first -= A_WEEK if cut_before else timedelta(0)
        last += A_WEEK if cut_after else timedelta(0)


@lru_cache(maxsize=256)
def _always_open(windows: tuple[Window, ...]) -> bool:
    """Tell whether ordinary weeks are open throughout."""
    # A window of the Sunday before may reach into the week, one of its own beyond it.
    monday = BEGINNING.date() - timedelta(days=BEGINNING.weekday())
    week = wall_clock(UTC, monday, 0, second=False)
    found = _spans_between(windows, UTC, monday - A_DAY, monday + A_WEEK, frozenset())
    return any(span.start <= week and span.end >= week + A_WEEK for span in found)


def _spans_between(
    windows: tuple[Window, ...],
    zone: tzinfo,
    first: date,
    last: date,
    days_off: frozenset[date],
) -> list[Span]:
    """Return the spans of the windows that open on some days of the zone."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return list(
        _merged(
            sorted(
                span
                for day in days
                for span in _spans_of_day(windows, zone, day, off=day in days_off)
            )
        )
    )


@lru_cache(maxsize=2048)
def _spans_of_day(
    windows: tuple[Window, ...], zone: tzinfo, day: date, *, off: bool
) -> tuple[Span, ...]:
    """Return the spans of the windows that open on a day of the zone."""
    weekday = SUNDAY if off and day.weekday() in WEEKDAYS else day.weekday()
    spans = []
    for window in windows:
        if weekday not in window.days:
            continue
        end_day = day if window.end > window.start else day + timedelta(days=1)
        start = wall_clock(zone, day, window.start, second=False)
        end = wall_clock(zone, end_day, window.end, second=True)
        if start < end:
            spans.append(Span(start, end))
    return tuple(spans)


def wall_clock(zone: tzinfo, day: date, minutes: int, *, second: bool) -> datetime:
    """Return the UTC instant of a wall-clock time.

    Of two equal times `second` takes the later one.
    """
    naive = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    instant = naive.replace(tzinfo=zone, fold=int(second)).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    return _end_of_gap(zone, naive)


def _end_of_gap(zone: tzinfo, naive: datetime) -> datetime:
    """Return the first instant after the clock change that hides a time.

    Read with the offset of after the change the time lies before it, with that of
    before the change behind it; in between the offset changes once.
    """
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = after.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Join spans that overlap or touch; they come in order."""
    current: Span | None = None
    for span in spans:
        if current is None:
            current = span
        elif span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
        else:
            yield current
            current = span
    if current is not None:
        yield current
