"""The series in memory, and when a second is shown."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.meter import series as series_module
from custom_components.loxone_wallbox.meter.series import PowerSeries, VisitSeries
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


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit of many days keeps its end."""
    monkeypatch.setattr(series_module, "MOST_POINTS", 100)
    monkeypatch.setattr(series_module, "SPARE", 10)
    series = PowerSeries()
    for second in range(1000):
        series.add(second, 1)
    assert 100 <= len(series.times) <= 110
    assert series.times[-1] == 999
    assert len(series.times) == len(series.powers)


def test_the_visit_before_is_kept() -> None:
    """The running one and the last, not more."""
    visits = VisitSeries()
    for start in (0, 100, 200):
        visits.begin()
        visits.add(start, start)
    assert visits.between(0, 1000) == [(100, 100), (200, 200)]
    visits.begin()
    visits.begin()
    assert visits.last.between(0, 1000) == [(200, 200)]


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
