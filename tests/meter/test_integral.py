"""Energy from power between the ticks of a counter."""

import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .counting import MOST_W, STEP_WH, TrueMeter
from custom_components.loxone_wallbox.meter.integral import FineTotal, Gap, Integral


def integrated(*samples: tuple[float | None, float]) -> Integral:
    """Return the integral of powers and their instants."""
    integral = Integral()
    for power, at in samples:
        integral = integral.take(power, at)
    return integral


@pytest.mark.parametrize(
    ("samples", "wh"),
    [
        ([(3600, 0)], 0),
        ([(3600, 0), (3600, 1)], 1),
        ([(0, 0), (3600, 1)], 0.5),
        ([(0, 0), (7200, 1), (0, 2)], 2),
        ([(3600, 0), (3600, 2.5)], 2.5),
        ([(3600, 0), (3600, 2.6)], 0),
        ([(3600, 0), (3600, 60), (3600, 61)], 1),
        ([(3600, 0), (None, 1), (3600, 2)], 2),
        ([(3600, 0), (math.nan, 1), (3600, 2)], 2),
        ([(3600, 0), (math.inf, 1), (3600, math.nan), (3600, 2)], 2),
        ([(3600, 0), (None, 1), (None, 2), (3600, 3)], 0),
        ([(-3600, 0), (-3600, 1), (3600, 2)], 0.5),
        ([(3600, 0), (3600, 0), (3600, 1)], 1),
        ([(3600, 5), (3600, 1), (3600, 2)], 1),
    ],
)
def test_trapezoids(samples: list[tuple[float | None, float]], wh: float) -> None:
    """What lies between two samples is their mean; a hole is filled with nothing."""
    assert integrated(*samples).wh == pytest.approx(wh)


def test_gaps() -> None:
    """The hole in the series is told once, from the last sample to the next one."""
    integral = integrated((3600, 0), (3600, 1), (None, 2), (None, 3))
    assert (integral.gap, integral.gaps) == (None, 0)
    integral = integral.take(3600, 61)
    assert (integral.gap, integral.gaps) == (Gap(start=1, end=61), 1)
    assert integral.take(None, 62).gap is None
    integral = integral.take(3600, 62)
    assert (integral.gap, integral.gaps) == (None, 1)
    # The clock stood back at a restart: nobody knows how long it was.
    integral = integral.take(3600, -900)
    assert (integral.gap, integral.gaps) == (None, 2)


def test_meters_that_measure_seldom() -> None:
    """A meter that measures each ten seconds has no hole between."""
    integral = Integral()
    for power, at in [(3600, 0), (3600, 10), (7200, 20)]:
        integral = integral.take(power, at, max_step_s=25)
    assert integral.wh == pytest.approx(25)
    assert integral.gaps == 0


def test_coverage() -> None:
    """The measured part of the time of charging; what rests is not counted."""
    assert Integral().coverage is None
    assert integrated((0, 0), (0, 1), (0, 99)).coverage is None
    assert integrated((50, 0), (50, 1)).coverage is None
    assert integrated((0, 0), (51, 1)).coverage == 1
    integral = integrated(*((7000, second) for second in range(91)), (7000, 100))
    assert integral.coverage == pytest.approx(0.9)
    assert integral.missed_s == pytest.approx(10)
    rested = integral.take(0, 101).take(0, 102).take(0, 5000)
    assert rested.covered_s == pytest.approx(91)
    assert rested.missed_s == pytest.approx(10)


def test_between_ticks() -> None:
    """The sum rises each second, waits below the step and never runs back."""
    fine = FineTotal.begun(100, 7)
    seen = []
    for total, integral in [
        (100, 7),
        (100, 10),
        (100, 13),
        (100, 16),
        (100, 19),
        (110, 20),
        (110, 23),
        (140, 26),
        (140, 27),
    ]:
        fine = fine.take(total, integral, 10)
        seen.append(fine.wh)
    assert seen == pytest.approx([100, 103, 106, 109, 109.9, 110, 113, 140, 141])


def test_a_counter_finer_than_was_said() -> None:
    """A step of one watt-hour where ten were expected takes nothing back."""
    fine = FineTotal.begun(100, 0)
    for total, integral, wh in [
        (100, 4, 104),
        (101, 5, 104),
        (102, 6, 104),
        (105, 6, 105),
        (105, 7, 106),
    ]:
        fine = fine.take(total, integral, 10)
        assert fine.wh == pytest.approx(wh)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nonsense_is_left_out(number: float) -> None:
    """No number that is none gets in."""
    fine = FineTotal.begun(100, 0)
    assert fine.take(number, 1, 10) == fine
    assert fine.take(100, number, 10) == fine
    assert fine.take(100, 1, number) == fine


totals = st.tuples(
    st.floats(0, 1e6) | st.floats(),
    st.floats(0, 1e6) | st.floats(),
    st.sampled_from([1.0, 10.0, 100.0]) | st.floats(),
)


@given(st.lists(totals, max_size=40))
def test_shown_energy_never_runs_backwards(steps: list[tuple[float, ...]]) -> None:
    """Whatever counter and integral do; a restart changes nothing."""
    fine = FineTotal.begun(0, 0)
    for total, integral, step in steps:
        before = fine
        restarted = FineTotal.from_dict(json.loads(json.dumps(fine.as_dict())))
        assert restarted == fine
        fine = fine.take(total, integral, step)
        assert restarted.take(total, integral, step) == fine
        json.dumps(fine.as_dict(), allow_nan=False)
        assert fine.wh >= before.wh - 1e-9 * abs(before.wh)
        most = max(before.part_wh, step) if step > 0 else before.part_wh
        assert fine.part_wh <= most


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(0, MOST_W) | st.floats(),
            st.floats(-3, 9) | st.floats(),
        ),
        max_size=40,
    )
)
def test_integral_never_falls(steps: list[tuple[float | None, float]]) -> None:
    """Whatever comes; a restart changes nothing."""
    integral, now = Integral(), 1.8e9
    for power, wait in steps:
        now += wait if abs(wait) < 1e6 else 0
        at = now if math.isfinite(wait) else wait
        text = json.dumps(integral.as_dict(), allow_nan=False)
        restarted = Integral.from_dict(json.loads(text))
        assert restarted == integral
        after = integral.take(power, at)
        assert restarted.take(power, at) == after
        assert after.wh >= integral.wh
        assert after.covered_s + after.missed_s >= integral.covered_s
        integral = after


@settings(deadline=None)
@given(
    powers=st.lists(st.floats(1_400, MOST_W), min_size=30, max_size=30),
    start=st.floats(0, 1e6),
    length=st.integers(1, 90),
    misread=st.floats(0.98, 1.02),
)
def test_short_session_to_the_watt_hour(
    powers: list[float], start: float, length: int, misread: float
) -> None:
    """The difference of two fine totals is right where that of the counter is not."""
    meter = TrueMeter("A1", start)
    integral, fine = Integral(), FineTotal.begun(meter.register_wh, 0)
    marks = []
    # The minute before has had a tick, so that its fraction is known.
    for second in range(60 + length + 1):
        watts = powers[second // 10 % len(powers)]
        integral = integral.take(watts * misread, second)
        fine = fine.take(meter.register_wh, integral.wh, STEP_WH)
        marks.append((meter.wh, fine.wh))
        meter.wh += watts / 3600
    (true_start, start_wh), (true_end, end_wh) = marks[60], marks[-1]
    # What flows between two samples at either end, and the error of the power.
    slack = 2 * MOST_W * 1.5 / 3600 + 2 * 0.02 * STEP_WH + 0.02 * STEP_WH
    assert abs((end_wh - start_wh) - (true_end - true_start)) <= slack


@pytest.mark.parametrize("kind", [Integral, FineTotal])
@given(data=st.data())
def test_damaged_memory_is_no_memory(kind: Any, data: st.DataObject) -> None:
    """A damaged store starts anew instead of failing."""
    whole = integrated((3600, 0), (3600, 9), (3600, 99))
    plain = (whole if kind is Integral else FineTotal.begun(1, 2)).as_dict()
    junk = data.draw(st.recursive(st.none() | st.floats() | st.text(), st.lists))
    key = data.draw(st.sampled_from(sorted(plain)))
    read = kind.from_dict({**plain, key: junk})
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    del plain[key]
    assert kind.from_dict(plain) is None
