"""The energy total never falls, never jumps and loses nothing it could count."""

import math

from hypothesis import example, given, strategies as st

from custom_components.loxone_wallbox.meter.quality import (
    EnergyMemory,
    MonotonicEnergy,
)

HOUR = 3600.0


def counted(*readings: tuple[float, float], max_kw: float = 11.0) -> list[float | None]:
    """Return the totals after each reading and its time."""
    energy = MonotonicEnergy(max_kw)
    return [energy.take(reading, at) for reading, at in readings]


def test_counts_up() -> None:
    """Plausible readings are taken as they are."""
    assert counted((100, 0), (105, HOUR), (105, HOUR), (110.5, 2 * HOUR)) == [
        100,
        105,
        105,
        110.5,
    ]


def test_a_single_zero_changes_nothing() -> None:
    """A Miniserver that starts says zero for a moment."""
    assert counted((100, 0), (0, 10), (100.1, 20)) == [100, 100, 100.1]


def test_a_reset_goes_on_from_the_total() -> None:
    """Three consistent low readings over ten seconds are a new start."""
    assert counted((100, 0), (0.0, 60), (0.05, 66), (0.1, 72), (1.0, 600)) == [
        100,
        100,
        100,
        100.1,
        101.0,
    ]


def test_three_low_readings_within_ten_seconds_are_a_glitch() -> None:
    """Readings in quick succession prove nothing."""
    assert counted((100, 0), (0, 60), (0, 61), (0, 62), (100, 70))[-1] == 100


def test_a_jump_is_held_back_and_then_not_booked() -> None:
    """No charger takes 10,000 kWh in a minute."""
    totals = counted((100, 0), (10100, 60), (10100.01, 66), (10100.02, 72))
    assert totals[:3] == [100, 100, 100]
    assert math.isclose(totals[3] or 0, 100.02)


def test_energy_of_an_outage_is_booked() -> None:
    """What a charger could have drawn meanwhile is believed."""
    assert counted((100, 0), (123, 4 * HOUR))[-1] == 123


def test_nonsense_is_left_out() -> None:
    """Not a number, infinite and negative readings do not occur in nature."""
    assert counted((math.nan, 0), (math.inf, 0), (-1, 0), (5, 0)) == [
        None,
        None,
        None,
        5,
    ]


@example([(1.0, 0.0), (9007199254740996.0, 0.0)] + [(9007199254740996.0, 10.0)] * 2)
@given(
    st.lists(
        st.tuples(st.one_of(st.floats(), st.floats(0, 1e6)), st.floats(0, 1e5)),
        max_size=60,
    )
)
def test_never_falls_and_never_jumps(steps: list[tuple[float, float]]) -> None:
    """Whatever comes, the total stays within what the charger can draw."""
    energy = MonotonicEnergy(11.0)
    before: float | None = None
    now = since = 0.0
    for reading, wait in steps:
        now += wait
        total = energy.take(reading, now)
        if before is not None and total is not None:
            assert total >= before - 1e-6 * max(1.0, abs(before))
            # Rounding of large counters aside.
            most = 11 * 1.25 * (now - since) / HOUR + 0.2 * 60
            assert total - before <= most + 1e-6 * max(1.0, abs(total))
        if total is not None:
            if total != before:
                since = now
            before = total


@given(st.floats(0, 1e6), st.floats(-1e3, 1e3), st.floats(0, 1e10))
def test_memory_survives_storage(reading: float, offset: float, at: float) -> None:
    """What is stored is what is read."""
    memory = EnergyMemory(reading_kwh=reading, offset_kwh=offset, at=at)
    assert EnergyMemory.from_dict(memory.as_dict()) == memory
    assert MonotonicEnergy(11.0, memory).total_kwh == memory.total_kwh


def test_damaged_memory_is_no_memory() -> None:
    """A damaged store starts anew instead of failing."""
    assert EnergyMemory.from_dict({}) is None
    assert EnergyMemory.from_dict({"reading_kwh": "x"}) is None
    assert (
        EnergyMemory.from_dict({"reading_kwh": math.nan, "offset_kwh": 0, "at": 0})
        is None
    )
