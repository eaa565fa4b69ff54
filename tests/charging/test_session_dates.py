"""Sessions over midnights, clock changes, the end of February and of the year."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from .nights import LONDON, local
from .stays import Stay, rules, utc
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.slices import (
    Slice,
    energy_wh,
    month_span,
    next_midnight,
    part_wh,
    year_before,
)

VIENNA = ZoneInfo("Europe/Vienna")


def night_through(begin: datetime, hours: float, zone: ZoneInfo) -> SessionRecord:
    """Charge at 6 kW for some hours, read once a minute."""
    stay = Stay(now=begin, wh=0.0, rules=rules(zone, peak=False))
    stay.plug()
    stay.flow(6_000)
    stay.until(begin + timedelta(hours=hours), timedelta(minutes=1))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    return record


@pytest.mark.parametrize(
    ("eve", "zone", "hours"),
    [
        ("2027-03-27T22:00:00", LONDON, 23),
        ("2027-10-30T22:00:00", LONDON, 25),
        ("2027-03-27T22:00:00", VIENNA, 23),
        ("2027-10-30T22:00:00", VIENNA, 25),
    ],
)
def test_the_day_of_a_clock_change(eve: str, zone: ZoneInfo, hours: int) -> None:
    """The day between two midnights has its 23 or 25 hours, each once."""
    begin = local(eve, zone)
    record = night_through(begin, 2 + hours + 2, zone)
    assert [one.wh for one in record.slices] == [12_000, 6_000 * hours, 12_000]
    assert len(record.hours) == hours + 4
    assert {one.wh for one in record.hours} == {6_000}
    assert record.importing_s == (hours + 4) * 3600


def test_the_repeated_hour_is_there_twice() -> None:
    """Half past one in the night of October occurs twice and is charged twice."""
    record = night_through(utc("2027-10-31T00:00:00"), 2, LONDON)
    assert [one.start for one in record.hours] == [
        utc("2027-10-31T00:00:00"),
        utc("2027-10-31T01:00:00"),
    ]
    assert record.import_wh == 12_000


def test_over_new_year() -> None:
    """Each year has what flowed in it by the local clock."""
    record = night_through(local("2027-12-31T22:30:00", VIENNA), 4, VIENNA)
    old, new = month_span(2027, 12, VIENNA), month_span(2028, 1, VIENNA)
    assert old.end == new.start
    assert energy_wh(record.slices, old.start, old.end) == 9_000
    assert energy_wh(record.slices, new.start, new.end) == 15_000


def test_the_end_of_february() -> None:
    """The 29th is a day of February, and a year before it is the 28th."""
    record = night_through(local("2028-02-28T23:00:00"), 26, LONDON)
    assert [one.wh for one in record.slices] == [6_000, 144_000, 6_000]
    february, march = month_span(2028, 2, LONDON), month_span(2028, 3, LONDON)
    assert energy_wh(record.slices, february.start, february.end) == 150_000
    assert energy_wh(record.slices, march.start, march.end) == 6_000
    leap = local("2028-02-29T13:14:15")
    assert year_before(leap, LONDON) == local("2027-02-28T13:14:15")
    assert year_before(local("2029-02-28T13:14:15"), LONDON) == local(
        "2028-02-28T13:14:15"
    )


def test_a_year_before_a_clock_change() -> None:
    """The same local time, also where it did not exist a year before."""
    assert year_before(local("2028-03-28T01:30:00"), LONDON) == utc(
        "2027-03-28T01:00:00"
    ) + timedelta(minutes=0)
    assert year_before(local("2027-07-01T12:00:00"), LONDON) == local(
        "2026-07-01T12:00:00"
    )


def test_a_day_without_midnight() -> None:
    """Where the clock skips midnight the day begins with its first instant."""
    havana = ZoneInfo("America/Havana")
    begin = local("2027-03-13T23:30:00", havana)
    midnight = next_midnight(havana, begin)
    assert midnight.astimezone(havana).isoformat() == "2027-03-14T01:00:00-04:00"
    apia = ZoneInfo("Pacific/Apia")
    skipped = next_midnight(apia, local("2011-12-29T23:00:00", apia))
    assert skipped.astimezone(apia).date().isoformat() == "2011-12-31"


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.integers(-10, 10**6 + 10), max_size=6),
)
@settings(deadline=None)
def test_parts_of_a_slice_add_up(wh: int, length: int, cuts: list[int]) -> None:
    """However a slice is cut, its parts have its energy."""
    start = utc("2027-01-01T00:00:00")
    end = start + timedelta(seconds=length)
    one = Slice(start=start, end=end, wh=wh)
    first, last = start - timedelta(days=1), end + timedelta(days=1)
    edges = sorted({first, last, *(start + timedelta(seconds=cut) for cut in cuts)})
    spans = list(pairwise(edges))
    parts = [energy_wh((one,), begin, stop) for begin, stop in spans]
    assert sum(parts) == wh
    assert min(parts) >= 0
    assert part_wh(wh, start, end, last) == wh


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001
    st.sampled_from(("Europe/London", "America/Havana", "Australia/Lord_Howe")),
)
@settings(deadline=None)
def test_every_midnight_begins_a_day(naive: datetime, name: str) -> None:
    """The next midnight is the first instant of the next local day."""
    zone = ZoneInfo(name)
    at = utc(naive.isoformat())
    midnight = next_midnight(zone, at)
    day = midnight.astimezone(zone).date()
    before = (midnight - timedelta(microseconds=1)).astimezone(zone).date()
    assert at < midnight <= at + timedelta(hours=25)
    assert before == day - timedelta(days=1)
    assert before == at.astimezone(zone).date()
