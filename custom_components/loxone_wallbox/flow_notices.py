"""What an owner should know before default charging hours are kept; nothing forbidden.

Takes windows, a time zone and a regulation profile; times in texts are on the zone's
wall clock.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from .charging.regulation import Profile
from .charging.schedule import (
    DAY_NAMES,
    ClockKind,
    Schedule,
    Span,
    Window,
    wall_clock,
)

DAYS_A_YEAR = 366
SECONDS_A_MINUTE = 60
# A week in winter and one in summer: windows on UTC are at another time of day then.
MONTHS_LOOKED_AT = (1, 7)


def in_peak(schedule: Schedule, profile: Profile, year: int) -> list[Span]:
    """Return where a schedule is open in the peak, in two weeks of a year."""
    peak = Schedule(windows=profile.peak, zone=schedule.zone)
    found = []
    for month in MONTHS_LOOKED_AT:
        # From a Sunday, which has no peak, so that none is cut in two.
        day = datetime(year, month, 10, 12, tzinfo=UTC)
        sunday = day + timedelta(days=6 - day.weekday())
        found += schedule.overlap(peak, sunday)
    return found


def in_words(spans: Iterable[Span], zone: tzinfo, day_names: Mapping[str, str]) -> str:
    """Return spans of a week as text: days first, equal times together."""
    times: dict[str, set[int]] = {}
    for span in spans:
        start, end = span.start.astimezone(zone), span.end.astimezone(zone)
        times.setdefault(f"{start:%H:%M}-{end:%H:%M}", set()).add(start.weekday())
    texts = []
    for time, days in sorted(times.items()):
        names = [DAY_NAMES[day] for day in sorted(days)]
        texts.append(f"{', '.join(day_names.get(one, one) for one in names)} {time}")
    return "; ".join(texts)


def minutes_of_delay(window: Window, profile: Profile) -> int | None:
    """Return the longest delay, in minutes, that a window would not outlive."""
    if window.minutes * SECONDS_A_MINUTE > profile.default_delay_s:
        return None
    return profile.default_delay_s // SECONDS_A_MINUTE


def hidden_on(
    window: Window, clock: ClockKind, zone: tzinfo, today: date
) -> date | None:
    """Return the next day on which a clock change leaves nothing of a window."""
    if clock is ClockKind.UTC:
        return None
    for offset in range(DAYS_A_YEAR):
        day = today + timedelta(days=offset)
        end_day = day if window.end > window.start else day + timedelta(days=1)
        if day.weekday() in window.days and (
            wall_clock(zone, day, window.start, second=False)
            >= wall_clock(zone, end_day, window.end, second=True)
        ):
            return day
    return None
