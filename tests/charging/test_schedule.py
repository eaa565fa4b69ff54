"""Windows against the wall clock, minute by minute, through clock changes."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.regulation import (
    GB_PEAK,
    PRESETS,
    Preset,
)
from custom_components.loxone_wallbox.charging.schedule import (
    ALL_DAYS,
    BEGINNING,
    END,
    ClockKind,
    Schedule,
    ScheduleError,
    Span,
    Window,
    parse_minutes,
    unending,
)

LONDON = ZoneInfo("Europe/London")
ZONES = ("Europe/London", "Europe/Vienna", "Asia/Kolkata", "Australia/Lord_Howe")
# Both changes of the year, and an ordinary week.
WEEKS = (date(2026, 10, 23), date(2027, 1, 11), date(2027, 3, 26), date(2027, 4, 2))

windows = st.builds(
    lambda days, start, length: Window(
        days=frozenset(days), start=start, end=(start + length) % 1440
    ),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)


def wall_clock_says(schedule: Schedule, at: datetime) -> bool:
    """Tell whether the clock on the wall is within a window, simply by looking."""
    zone = UTC if schedule.clock is ClockKind.UTC else schedule.zone
    here = at.astimezone(zone)
    minute = here.hour * 60 + here.minute
    for window in schedule.windows:
        if window.start < window.end:
            if here.weekday() in window.days and window.start <= minute < window.end:
                return True
        elif (here.weekday() in window.days and minute >= window.start) or (
            (here.weekday() - 1) % 7 in window.days and minute < window.end
        ):
            return True
    return False


@given(
    st.lists(windows, min_size=1, max_size=3),
    st.sampled_from(ZONES),
    st.sampled_from(WEEKS),
    st.integers(0, 3 * 1440),
    st.sampled_from(ClockKind),
)
@settings(max_examples=300)
def test_open_is_what_the_wall_clock_says(
    chosen: list[Window], zone: str, week: date, minute: int, clock: ClockKind
) -> None:
    """Away from a repeated hour the wall clock alone decides."""
    schedule = Schedule(windows=tuple(chosen), zone=ZoneInfo(zone), clock=clock)
    at = datetime.combine(week, datetime.min.time(), UTC) + timedelta(minutes=minute)
    here = at.astimezone(schedule.zone)
    repeated = here.utcoffset() != here.replace(fold=1 - here.fold).utcoffset()
    if clock is ClockKind.UTC or not repeated:
        assert schedule.is_open(at) is wall_clock_says(schedule, at)
    elif wall_clock_says(schedule, at):
        # Once open it stays open through the second of two equal hours.
        assert schedule.is_open(at)


@given(
    st.lists(windows, min_size=1, max_size=4),
    st.sampled_from(ZONES),
    st.sampled_from(WEEKS),
)
def test_spans_are_in_order_and_apart(
    chosen: list[Window], zone: str, week: date
) -> None:
    """Spans never touch, never overlap and always last some time."""
    schedule = Schedule(windows=tuple(chosen), zone=ZoneInfo(zone))
    start = datetime.combine(week, datetime.min.time(), UTC)
    spans = schedule.spans(start, start + timedelta(days=7))
    for span in spans:
        assert span.start < span.end
        assert span.start.tzinfo is UTC
    for before, after in pairwise(spans):
        assert before.end < after.start
    edges = schedule.boundaries(start, start + timedelta(days=7))
    assert edges == sorted(set(edges))
    if edges:
        assert schedule.next_boundary(start) == edges[0]


whole_days = Window(days=ALL_DAYS, start=0, end=1440)
plans = st.one_of(
    st.lists(windows, min_size=1, max_size=4).map(tuple),
    st.sampled_from([*PRESETS.values(), (whole_days,)]),
    # Open but for some minutes on some days, and in one week perhaps not even closed.
    st.tuples(
        windows, st.sets(st.integers(0, 6)).map(lambda days: ALL_DAYS - days)
    ).map(
        lambda chosen: (
            *([Window(days=chosen[1], start=0, end=1440)] if chosen[1] else ()),
            chosen[0],
        )
    ),
)


days_off = st.builds(
    lambda week, off: frozenset(week + timedelta(days=n) for n in off),
    st.sampled_from(WEEKS),
    st.sets(st.integers(-10, 30), max_size=12),
)


@given(
    st.builds(
        Schedule,
        windows=plans,
        zone=st.sampled_from(ZONES).map(ZoneInfo),
        days_off=days_off,
    ),
    st.sampled_from(WEEKS),
    st.integers(0, 14 * 1440),
    st.lists(
        st.tuples(st.integers(0, 30 * 1440), st.integers(1, 30 * 1440)),
        min_size=2,
        max_size=4,
    ),
)
@settings(max_examples=300, deadline=None)
def test_a_span_is_the_same_for_everybody(
    schedule: Schedule,
    week: date,
    minute: int,
    asked: list[tuple[int, int]],
) -> None:
    """Whatever time is asked for, what touches an instant begins and ends the same.

    And where it begins and ends it really does.
    """
    at = datetime.combine(week, datetime.min.time(), UTC) + timedelta(minutes=minute)
    touching = []
    for before, after in asked:
        start, end = at - timedelta(minutes=before), at + timedelta(minutes=after)
        found = schedule.spans(start, end)
        assert found == sorted(set(found))
        touching.append([span for span in found if span.start <= at < span.end])
    assert all(one == touching[0] for one in touching)
    for span in touching[0]:
        assert span.start == BEGINNING or not schedule.is_open(
            span.start - timedelta(microseconds=1)
        )
        assert span.end == END or not schedule.is_open(span.end)


@pytest.mark.parametrize("hours", range(-200, 200, 7))
def test_a_weekend_is_one_span(hours: int) -> None:
    """The complement of the peak is open from Friday evening until Monday morning."""
    schedule = Schedule(windows=PRESETS[Preset.GB_COMPLEMENT], zone=LONDON)
    weekend = Span(
        datetime(2027, 1, 15, 22, tzinfo=UTC), datetime(2027, 1, 18, 8, tzinfo=UTC)
    )
    saturday = datetime(2027, 1, 16, 12, tzinfo=UTC)
    asked = saturday + timedelta(hours=hours)
    assert weekend in schedule.spans(min(saturday, asked), max(saturday, asked))
    assert schedule.spans(saturday, saturday + timedelta(seconds=1)) == [weekend]


def test_what_is_always_open_has_no_boundary() -> None:
    """It neither begins nor ends, but where a day off closes it."""
    start = datetime(2027, 1, 13, tzinfo=UTC)
    year = start + timedelta(days=366)
    schedule = Schedule(windows=(whole_days,), zone=LONDON)
    assert schedule.spans(start, year) == [Span(BEGINNING, END)]
    assert schedule.next_boundary(start) is None
    weekdays = Window(days=ALL_DAYS - {6}, start=0, end=1440)
    overnight = Window(days=frozenset({5}), start=1439, end=1380)
    late = Window(days=frozenset({6}), start=720, end=1440)
    schedule = Schedule(
        windows=(weekdays, overnight, late),
        zone=LONDON,
        days_off=frozenset({date(2027, 3, 10)}),
    )
    closed = datetime(2027, 3, 10, tzinfo=UTC)
    spans = schedule.spans(start, year)
    assert spans == [
        Span(BEGINNING, closed),
        Span(closed + timedelta(hours=12), END),
    ]
    assert all(unending(span) for span in spans)
    assert schedule.boundaries(start, year) == [closed, closed + timedelta(hours=12)]


def lengths(schedule: Schedule, day: date) -> list[float]:
    """Return the hours of the spans that touch a local day's morning."""
    start = datetime.combine(day, datetime.min.time(), schedule.zone)
    return [
        (span.end - span.start) / timedelta(hours=1)
        for span in schedule.spans(start, start + timedelta(hours=12))
    ]


def test_spring_forward_and_autumn_back() -> None:
    """A window is an hour shorter or longer, opens once, or is skipped."""
    night = Schedule(windows=(Window(days=ALL_DAYS, start=30, end=270),), zone=LONDON)
    assert lengths(night, date(2027, 3, 28)) == [3.0]
    assert lengths(night, date(2026, 10, 25)) == [5.0]
    hidden = Schedule(windows=(Window(days=ALL_DAYS, start=75, end=105),), zone=LONDON)
    assert lengths(hidden, date(2027, 3, 28)) == []
    assert lengths(hidden, date(2027, 3, 27)) == [0.5]
    assert lengths(hidden, date(2026, 10, 25)) == [1.5]


def test_a_window_that_starts_in_the_gap() -> None:
    """It opens at the first instant after the gap."""
    schedule = Schedule(
        windows=(Window(days=ALL_DAYS, start=90, end=240),), zone=LONDON
    )
    start = datetime(2027, 3, 28, tzinfo=UTC)
    span = schedule.spans(start, start + timedelta(hours=3))[0]
    assert (span.start.hour, span.start.minute) == (1, 0)
    assert (span.end.hour, span.end.minute) == (3, 0)


def test_meter_clock() -> None:
    """Windows on the meter's clock do not move with summer time."""
    schedule = Schedule(
        windows=(Window(days=ALL_DAYS, start=0, end=300),),
        zone=LONDON,
        clock=ClockKind.UTC,
    )
    assert schedule.is_open(datetime(2027, 7, 1, 4, 59, tzinfo=UTC))
    assert not schedule.is_open(datetime(2027, 7, 1, 5, 0, tzinfo=UTC))


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("week", WEEKS)
def test_presets_are_outside_the_peak(preset: Preset, week: date) -> None:
    """Both presets leave the peak alone in every week of the year."""
    start = datetime.combine(week, datetime.min.time(), UTC)
    schedule = Schedule(windows=PRESETS[preset], zone=LONDON)
    assert schedule.overlap(Schedule(windows=GB_PEAK, zone=LONDON), start) == []


def test_overlap_with_the_peak_is_found() -> None:
    """Sunday night until Monday at nine reaches an hour into the peak."""
    schedule = Schedule(
        windows=(Window(days=frozenset({6}), start=23 * 60, end=9 * 60),), zone=LONDON
    )
    peak = Schedule(windows=GB_PEAK, zone=LONDON)
    found = schedule.overlap(peak, datetime(2027, 1, 11, tzinfo=UTC))
    assert [(span.start.hour, span.end.hour) for span in found] == [(8, 9)]
    friday = Schedule(
        windows=(Window(days=frozenset({4}), start=23 * 60 + 30, end=330),), zone=LONDON
    )
    assert friday.overlap(peak, datetime(2027, 1, 11, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"days": [], "start": "22:00", "end": "08:00"}, "window_days_invalid"),
        ({"days": ["mon"], "start": "08:00", "end": "08:00"}, "window_without_length"),
        ({"days": ["mon"], "start": "24:00", "end": "08:00"}, "window_time_invalid"),
        ({"days": ["mon"], "start": "25:00", "end": "08:00"}, "window_unreadable"),
        ({"days": ["mon"], "start": "08:60", "end": "09:00"}, "window_unreadable"),
        ({"days": ["mon"], "start": "8", "end": "09:00"}, "window_unreadable"),
        ({"days": ["someday"], "start": "8:00", "end": "9:00"}, "window_unreadable"),
        ({"days": 3, "start": "8:00", "end": "9:00"}, "window_unreadable"),
        ("nothing", "window_unreadable"),
    ],
)
def test_what_is_no_window(data: object, key: str) -> None:
    """Each mistake has its reason."""
    with pytest.raises(ScheduleError) as caught:
        Window.from_dict(data)
    assert caught.value.key == key


@given(windows)
def test_windows_survive_storage(window: Window) -> None:
    """What is stored is what is read."""
    assert Window.from_dict(window.as_dict()) == window


@given(st.text(max_size=8))
def test_times_of_day(text: str) -> None:
    """Any text is a time of day or a ValueError."""
    with suppress(ValueError):
        assert 0 <= parse_minutes(text) <= 1440
