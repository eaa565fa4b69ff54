"""The battery of a car."""

import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from simulator import Car

CARS = st.builds(
    lambda capacity, share, power, taper_from, taper_to: Car(
        capacity_kwh=capacity,
        energy_kwh=capacity * share,
        max_kw=power,
        taper_from=taper_from,
        taper_to=taper_to,
    ),
    st.floats(1, 120),
    st.floats(0, 1),
    st.floats(1.4, 22),
    st.floats(0.3, 1),
    st.floats(0.05, 1),
)


def test_flat() -> None:
    """Without tapering the energy is power times time."""
    car = Car(capacity_kwh=60, energy_kwh=0)
    assert car.charge(11, 3600) == pytest.approx(11)
    assert car.full_in_s(11) == pytest.approx((60 - 11) / 11 * 3600)
    assert car.charge(11, 86400) == pytest.approx(49)
    assert car.full
    assert car.power_kw(11, 3) == 0


def test_taper_matches_small_steps() -> None:
    """The closed form of tapering equals what many small steps come to."""
    exact = Car(capacity_kwh=50, energy_kwh=35, taper_from=0.8, taper_to=0.1)
    steps = Car(capacity_kwh=50, energy_kwh=35, taper_from=0.8, taper_to=0.1)
    for _ in range(20_000):
        steps.energy_kwh += steps.power_kw(11, 3) * 0.25 / 3600
    exact.charge(11, 5000)
    assert exact.energy_kwh == pytest.approx(steps.energy_kwh, rel=1e-4)
    assert exact.power_kw(11, 3) < 11


@settings(deadline=None)
@given(CARS, st.floats(0.1, 22), st.floats(0, 50_000), st.floats(0, 1))
def test_splitting_time_changes_nothing(
    car: Car, cap_kw: float, seconds: float, share: float
) -> None:
    """One long step and two short ones put the same energy into the battery."""
    twin = Car(
        capacity_kwh=car.capacity_kwh,
        energy_kwh=car.energy_kwh,
        max_kw=car.max_kw,
        taper_from=car.taper_from,
        taper_to=car.taper_to,
    )
    cap_kw = min(cap_kw, car.max_kw)
    whole = car.charge(cap_kw, seconds)
    parts = twin.charge(cap_kw, seconds * share)
    parts += twin.charge(cap_kw, seconds * (1 - share))
    assert whole == pytest.approx(parts, rel=1e-6, abs=1e-6)
    assert 0 <= whole <= cap_kw * seconds / 3600 + 1e-6
    assert car.energy_kwh <= car.capacity_kwh


@settings(deadline=None)
@given(CARS, st.floats(1.4, 22))
def test_full_when_it_says(car: Car, cap_kw: float) -> None:
    """A car is full after the time it announces, and not much earlier."""
    cap_kw = min(cap_kw, car.max_kw)
    seconds = car.full_in_s(cap_kw)
    assert math.isfinite(seconds)
    car.charge(cap_kw, seconds * 0.999)
    assert car.energy_kwh <= car.capacity_kwh
    car.charge(cap_kw, seconds * 0.002 + 1)
    assert car.energy_kwh == pytest.approx(car.capacity_kwh, rel=1e-6)


@pytest.mark.parametrize(
    ("car", "box_phases", "offered", "expected"),
    [
        (Car(), 3, 11, 11),
        (Car(phases=1), 3, 11, 11 / 3),
        (Car(phases=2, max_kw=7.4), 3, 11, 11 / 3 * 2),
        (Car(phases=3), 1, 7.4, 11 / 3),
        (Car(phases=1, max_kw=7.4), 1, 7.4, 7.4),
        (Car(), 1, 7.4, 7.4),
        (Car(), 1, 1.3, 0),
        (Car(accepts=False), 3, 11, 0),
        (Car(asleep=True), 3, 11, 0),
    ],
)
def test_phases(car: Car, box_phases: int, offered: float, expected: float) -> None:
    """Each phase carries its share, and no car charges below 6 A."""
    assert car.power_kw(offered, box_phases) == pytest.approx(expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity_kwh": 0},
        {"energy_kwh": 100},
        {"energy_kwh": -1},
        {"taper_from": 0},
        {"phases": 4},
    ],
)
def test_impossible_cars(wrong: dict[str, Any]) -> None:
    """A car that cannot be is refused."""
    with pytest.raises(ValueError, match=r"a car|taper|the energy"):
        Car(**wrong)
