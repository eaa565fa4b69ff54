"""The series in memory, and when a second is shown."""

from itertools import pairwise
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.series import (
    IDLE_POINTS,
    PowerSeries,
    VisitSeries,
)
from custom_components.loxone_wallbox.meter.shown import ShowGate

DAY_S = 86_400


def test_points_come_back() -> None:
    """What was added is there, from an instant up to another."""
    series = PowerSeries()
    for second in range(10):
        series.add(float(second), 1000.0 + second)
    assert series.between(3, 6) == [(3, 1003), (4, 1004), (5, 1005)]
    assert len(series.between(-math.inf, math.inf)) == 10


@pytest.mark.parametrize("said", [True, False], ids=["unknown", "silence"])
def test_a_hole_is_marked_once(said: bool) -> None:
    """Missing seconds are one mark, whether they were told of or not."""
    series = PowerSeries()
    series.add(0, 7000)
    if said:
        for second in range(1, 10):
            series.add(second, None)
    series.add(10, 7000)
    points = series.between(0, 100)
    assert [power for _, power in points] == [7000, None, 7000]
    assert 0 < points[1][0] <= 1


def test_no_number_is_a_hole_and_no_time_goes_back() -> None:
    """Nothing but numbers in the order of their times."""
    series = PowerSeries()
    series.add(1, math.nan)
    series.add(5, 100)
    series.add(5, 200)
    series.add(4, 300)
    series.add(6, math.inf)
    assert series.between(0, 9) == [(5, 100), (6, None)]


def test_a_hole_begins_where_the_readings_end() -> None:
    """Not where somebody says so, which may be much later."""
    series = PowerSeries()
    series.add(0, 7000)
    assert series.add(0, None) == []
    assert series.add(600, None) == [(1, None)]
    assert series.add(700, 7000) == [(700, 7000)]
    assert series.between(0, 701) == [(0, 7000), (1, None), (700, 7000)]


def test_the_oldest_go_first() -> None:
    """A visit of many days keeps its end."""
    series = PowerSeries(most=100)
    for second in range(1000):
        series.add(second, 1)
    assert 100 <= len(series.times) <= 110
    assert series.times[-1] == 999
    assert len(series.times) == len(series.powers)


def test_what_is_added_is_told() -> None:
    """Who listens hears the same points as who asks later."""
    series = PowerSeries()
    told = [
        *series.add(0, 7000),
        *series.add(0, 7000),
        *series.add(1, None),
        *series.add(2, None),
        *series.add(3, 7000),
        *series.add(9, 7000),
    ]
    assert told == series.between(-math.inf, math.inf)
    assert told == [(0, 7000), (1, None), (3, 7000), (4, None), (9, 7000)]


def test_the_visit_before_is_kept() -> None:
    """The running one and the last, not more; what is between belongs to none."""
    visits = VisitSeries()
    for start in (0, 100, 200):
        visits.begin(start)
        visits.add(start, start)
        visits.end(start + 1)
        visits.add(start + 2, 0)
    assert visits.current is None
    assert visits.last is not None
    assert (visits.last.start, visits.last.end) == (200, 201)
    assert visits.last.series.between(0, 1000) == [(200, 200)]
    assert visits.idle.between(0, 1000) == [(202, 0)]
    visits.begin(300)
    assert visits.last.start == 200
    visits.begin(400)
    assert (visits.last.start, visits.last.end) == (300, 400)


def test_idle_days_cost_no_visit() -> None:
    """However long nothing is plugged in, the visit before stays whole."""
    visits = VisitSeries()
    visits.begin(0)
    for second in range(1000):
        visits.add(second, 7000)
    visits.end(1000)
    for second in range(1000, 1000 + 3 * IDLE_POINTS):
        visits.add(second, 0)
    assert visits.last is not None
    assert len(visits.last.series.times) == 1000
    assert len(visits.idle.times) < 1.1 * IDLE_POINTS


@given(st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(0, 60))
def test_a_second_is_a_reading_or_in_a_hole(
    read: set[int], plugged: int, unplugged: int
) -> None:
    """Nothing is said of a second that was not read, whoever was plugged in."""
    visits = VisitSeries()
    for second in range(61):
        if second == plugged:
            visits.begin(second)
        if second == unplugged:
            visits.end(second)
        if second in read:
            visits.add(second, 1000)
    points = visits.between(0, 61)
    if plugged == unplugged:
        assert visits.current is None
    kept = {at for at, power in points if power is not None}
    assert kept <= read
    # What was idle before the visit before is forgotten, nothing else.
    gone = read - kept
    assert not gone or max(gone) < max(plugged, unplugged)
    assert points == sorted(points, key=lambda point: point[0])
    for (at, power), (after, then) in pairwise([*points, (61, None)]):
        assert power is not None or then is not None or after == 61
        if power is not None and then is not None:
            assert after - at <= 2.5
    first_at, first = points[0]
    assert first_at <= 2.5 or (first_at == 0 and first is None)


def shown(powers: dict[int, float | None]) -> list[int]:
    """Return the seconds that are shown of a day's powers."""
    gate = ShowGate()
    return [at for at, power in powers.items() if gate.opens(at, power)]


def test_an_even_night() -> None:
    """Once a minute at most, and always just before a five-minute mark."""
    seconds = shown(dict.fromkeys(range(3600), 11_000.0))
    assert len(seconds) <= 60 + 12 + 1
    for mark in range(300, 3601, 300):
        assert any(mark - 2 <= second < mark for second in seconds)


@pytest.mark.parametrize("poll_s", sorted({one.poll_s for one in PROFILES.values()}))
@pytest.mark.parametrize("phase", [0.0, 0.5, 3.3, 7.0, 9.9])
def test_each_mark_has_a_reading_just_before(poll_s: float, phase: float) -> None:
    """Also of a meter that is read less often than each second."""
    gate = ShowGate(poll_s)
    seconds = [phase + poll_s * poll for poll in range(round(3600 / poll_s))]
    written = [at for at in seconds if gate.opens(at, 11_000.0)]
    for mark in range(300, 3600, 300):
        assert any(mark - poll_s - 1 <= at < mark for at in written)
    assert len(written) <= 60 + 12 + 1


def test_steps_and_transitions() -> None:
    """A step of half a kilowatt, the begin, the end and an unknown show at once."""
    powers: dict[int, float | None] = dict.fromkeys(range(20), 0.0)
    powers |= {3: 60, 4: 400, 5: 661, 6: 700, 7: 100, 8: 40, 9: 30, 10: None, 11: None}
    assert shown(powers) == [0, 3, 5, 7, 8, 10, 12]


def test_a_clock_that_goes_back_shows() -> None:
    """Nothing waits for the clock to catch up."""
    gate = ShowGate()
    assert gate.opens(1000, 1)
    assert not gate.opens(1001, 1)
    assert gate.opens(500, 1)


@given(st.integers(0, DAY_S), st.lists(st.floats(0, 12_000), min_size=1, max_size=400))
def test_what_is_shown_is_never_far_off(start: int, powers: list[float]) -> None:
    """Between what is shown nothing is more than a minute or half a kilowatt away."""
    gate = ShowGate()
    for offset, power in enumerate(powers):
        gate.opens(start + offset, power)
        assert gate.at is not None
        assert gate.power_w is not None
        assert start + offset - gate.at < 60
        assert abs(power - gate.power_w) < 500
        assert (power > 50) is (gate.power_w > 50)


@pytest.mark.parametrize("back_s", [90.0, 3600.0])
def test_a_clock_that_is_set_back_leaves_a_hole(back_s: float) -> None:
    """The seconds go on at once, in their order, and nothing is hidden."""
    series = PowerSeries()
    for second in range(5000):
        series.add(1000.0 + second, 7000.0)
    for second in range(100):
        series.add(6000.0 - back_s + second, 3000.0)
    points = series.between(0, 1e9)
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    assert [power for _, power in points[-100:]] == [3000.0] * 100
    assert points[-101][1] is None
    assert len(points) == 5000 - back_s + 1 + 100


def test_a_hiccup_of_the_clock_is_none() -> None:
    """A second that is told twice counts once."""
    series = PowerSeries()
    for at in (1.0, 2.0, 1.5, 2.0, 3.0):
        series.add(at, 100.0)
    assert series.between(0, 10) == [(1.0, 100.0), (2.0, 100.0), (3.0, 100.0)]


def test_a_copy_gives_the_same_points() -> None:
    """Whatever time is asked for, and it does not grow."""
    visits = VisitSeries()
    for second in range(100):
        if second in {20, 60}:
            visits.begin(second)
        if second == 40:
            visits.end(second)
        visits.add(float(second), None if 70 <= second < 75 else 1000.0 + second)
    for start, end in ((0, 200), (15, 65), (30, 45.5), (72, 74), (300, 400)):
        points = visits.between(start, end)
        copy = visits.sliced(start, end)
        visits.add(visits.running.times[-1] + 1, 5.0)
        assert copy.between(start, end) == points


@pytest.mark.parametrize("before", ["nobody", "a car"])
def test_a_visit_that_is_told_late(before: str) -> None:
    """It has the points from its beginning on, and keeps them when it is over."""
    visits = VisitSeries()
    if before == "a car":
        visits.begin(0)
    for second in range(100):
        visits.add(float(second), 1000.0 + second)
    visits.begin(60.0)
    for second in range(100, 120):
        visits.add(float(second), 1000.0 + second)
    points = [(float(second), 1000.0 + second) for second in range(120)]
    assert visits.between(0, 120) == points
    assert visits.current is not None
    assert visits.current.series.between(0, 1e9) == points[60:]
    visits.end(120.0)
    assert visits.last is not None
    assert (visits.last.start, visits.last.end) == (60.0, 120.0)
    assert visits.last.series.between(0, 1e9) == points[60:]
