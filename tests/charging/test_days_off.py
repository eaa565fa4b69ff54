"""Bank holidays in the default charging hours, and not in the peak."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.loxone_wallbox.charging.days_off import DaysOff
from custom_components.loxone_wallbox.charging.regulation import GB_PEAK
from custom_components.loxone_wallbox.charging.schedule import (
    WEEKDAYS,
    ClockKind,
    Schedule,
    Window,
)

LONDON = ZoneInfo("Europe/London")
SATURDAY, SUNDAY = 5, 6
# The spring bank holiday and its week.
MONDAY = date(2027, 5, 31)
HOURS = Schedule(
    windows=(
        Window(days=WEEKDAYS, start=0, end=360),
        Window(days=frozenset({SATURDAY, SUNDAY}), start=0, end=1440),
    ),
    zone=LONDON,
)
# Late on working days into the next, and a lie-in that begins on Saturday.
EVENINGS = Schedule(
    windows=(
        Window(days=WEEKDAYS, start=1380, end=300),
        Window(days=frozenset({SATURDAY}), start=1320, end=600),
        Window(days=frozenset({SUNDAY}), start=1200, end=420),
    ),
    zone=LONDON,
)


def shown(hours: Schedule, first: date, last: date) -> list[str]:
    """Return the spans of some days on the wall clock."""
    start = datetime(first.year, first.month, first.day, 12, tzinfo=LONDON)
    end = datetime(last.year, last.month, last.day, 12, tzinfo=LONDON)
    return [
        f"{one.start.astimezone(LONDON):%a %H:%M}-{one.end.astimezone(LONDON):%a %H:%M}"
        for one in hours.spans(start.astimezone(UTC), end.astimezone(UTC))
    ]


def off(hours: Schedule, *days: date) -> Schedule:
    """Return hours with days off."""
    return replace(hours, days_off=frozenset(days))


def test_a_monday_like_a_sunday() -> None:
    """The weekend goes on until Tuesday's hours end; the week after is ordinary."""
    saturday, wednesday = MONDAY - timedelta(days=2), MONDAY + timedelta(days=2)
    assert shown(HOURS, saturday, wednesday) == [
        "Sat 00:00-Mon 06:00",
        "Tue 00:00-Tue 06:00",
        "Wed 00:00-Wed 06:00",
    ]
    holiday = off(HOURS, MONDAY)
    assert shown(holiday, saturday, wednesday) == [
        "Sat 00:00-Tue 06:00",
        "Wed 00:00-Wed 06:00",
    ]
    week = timedelta(days=7)
    assert shown(holiday, saturday + week, wednesday + week) == shown(
        HOURS, saturday + week, wednesday + week
    )


def test_a_window_belongs_to_the_day_it_opens_on() -> None:
    """Friday's evening reaches into a Saturday by Friday's rule, whatever Saturday is."""
    thursday = MONDAY - timedelta(days=4)
    friday, sunday = thursday + timedelta(days=1), thursday + timedelta(days=3)
    usual = shown(EVENINGS, thursday, sunday)
    assert usual == [
        "Thu 23:00-Fri 05:00",
        "Fri 23:00-Sat 05:00",
        "Sat 22:00-Sun 10:00",
    ]
    assert shown(off(EVENINGS, friday), thursday, sunday) == [
        "Thu 23:00-Fri 05:00",
        "Fri 20:00-Sat 07:00",
        "Sat 22:00-Sun 10:00",
    ]
    # A bank holiday on a weekend changes nothing.
    weekend = off(EVENINGS, friday + timedelta(days=1), sunday)
    assert shown(weekend, thursday, sunday) == usual


def test_a_day_is_one_of_the_hours_own_clock() -> None:
    """Hours that follow UTC have days of UTC: an hour later in summer."""
    hours = off(replace(HOURS, clock=ClockKind.UTC), MONDAY)
    assert shown(hours, MONDAY, MONDAY + timedelta(days=1)) == ["Sat 01:00-Tue 07:00"]


def test_the_peak_knows_none() -> None:
    """The text makes no exception, so nobody gives the peak any days off."""
    peak = Schedule(windows=GB_PEAK, zone=LONDON)
    at = datetime(2027, 5, 31, 9, tzinfo=LONDON)
    assert peak.days_off == frozenset()
    assert peak.is_open(at)
    assert off(HOURS, MONDAY).is_open(at)


@pytest.mark.parametrize(
    ("at", "changed"),
    [
        ("2027-05-31T10:00", True),
        ("2027-05-31T03:00", False),
        ("2027-05-28T10:00", False),
    ],
)
def test_since_when(at: str, changed: bool) -> None:
    """Only where it changes what holds now it is an instant of its own."""
    now = datetime.fromisoformat(at).replace(tzinfo=LONDON).astimezone(UTC)
    days = DaysOff().now_known({MONDAY}, HOURS, now)
    assert days.dates == {MONDAY}
    assert days.changed_at == (now if changed else None)
    # Gone again: that is one too, and without hours nothing is.
    later = now + timedelta(minutes=5)
    back = days.now_known(set(), HOURS, later)
    assert back.changed_at == (later if changed else None)
    assert DaysOff().now_known({MONDAY}, None, now).changed_at is None
