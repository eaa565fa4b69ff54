"""The energy total never falls, never jumps and loses nothing it could count."""

from dataclasses import dataclass, field
import math

from hypothesis import example, given, strategies as st
import pytest

from custom_components.loxone_wallbox.meter.quality import (
    EnergyMemory,
    MonotonicEnergy,
)

HOUR = 3600.0
MAX_KW = 11.0
# A charger may draw a little more than it should, and counters show whole steps.
DRAWN_KW = 1.2 * MAX_KW
STEPS_KWH = (0.001, 0.01, 0.1)


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
    first: float | None = None
    before, now, since = 0.0, 0.0, 0.0
    for reading, wait in steps:
        now += wait
        total = energy.take(reading, now)
        if total is None:
            continue
        if first is None:
            first, before, since = total, total, now
        # Rounding of large counters aside.
        rounding = 1e-6 * max(1.0, abs(total))
        assert total >= before - rounding
        most = 11 * 1.25 * (now - since) / HOUR + 0.7 * (1 + len(steps))
        assert total - first <= most + len(steps) * rounding
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


@dataclass
class Counter:
    """The Miniserver's counter: what flows, what is told of it and what comes of that."""

    step_kwh: float = 0.001
    now: float = 1_800_000_000.0
    kwh: float = 1234.5
    told_at: float = 0.0
    told_kwh: float = math.nan
    first_kwh: float = math.nan
    past: list[tuple[float, float]] = field(default_factory=list)
    energy: MonotonicEnergy = field(default_factory=lambda: MonotonicEnergy(MAX_KW))

    def __post_init__(self) -> None:
        """Tell of the first reading."""
        self.past.append((self.now, self.kwh))
        self.tell()
        self.first_kwh = self.told_kwh

    def flow(self, seconds: float, share: float = 1.0) -> None:
        """Let a part of the largest power flow."""
        self.now += seconds
        self.kwh += DRAWN_KW * share * seconds / HOUR
        self.past.append((self.now, self.kwh))

    def tell(self, late_s: float = 0.0) -> None:
        """Tell what the counter showed some time ago, nothing older than before."""
        self.told_at = max(self.told_at, self.now - late_s)
        kwh = self._at(self.told_at)
        self.told_kwh = math.floor(kwh / self.step_kwh) * self.step_kwh
        self.again()

    def again(self, times: int = 1) -> None:
        """Let something else be told, with the last reading given again."""
        for _ in range(times):
            self.energy.take(self.told_kwh, self.now)

    def _at(self, at: float) -> float:
        """Return what the counter showed at an instant."""
        then, before = self.past[0]
        for now, kwh in self.past:
            if now >= at:
                part = (at - then) / (now - then) if now > then else 1.0
                return before + part * (kwh - before)
            then, before = now, kwh
        return self.kwh

    @property
    def booked_kwh(self) -> float:
        """Return what the account has of it."""
        assert self.energy.total_kwh is not None
        return self.energy.total_kwh - self.first_kwh

    @property
    def rise_kwh(self) -> float:
        """Return by how much the readings rose."""
        return self.told_kwh - self.first_kwh


steps = st.lists(
    st.tuples(
        # Several events at one instant, seconds, minutes, an outage.
        st.one_of(st.just(0.0), st.floats(0, 60), st.floats(60, 1e4)),
        st.floats(0, 1),
        st.floats(0, 55),
        # Heard at all; how often the last reading is given again before and after.
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=40,
)


@example([(600.0, 1.0, 0.0, False, 0, 0), (0.0, 0.0, 0.0, True, 2, 1)], 0.1)
@example([(90.0, 1.0, 0.0, True, 1, 0), (0.0, 0.0, 0.0, True, 0, 0)], 0.001)
@given(steps, st.sampled_from(STEPS_KWH))
def test_the_account_is_the_rise_of_the_counter(
    told: list[tuple[float, float, float, bool, int, int]], step_kwh: float
) -> None:
    """However late and however often readings come, nothing is lost and nothing added."""
    counter = Counter(step_kwh)
    for seconds, share, late_s, heard, before, after in told:
        counter.flow(seconds, share)
        if heard:
            counter.again(before)
            counter.tell(late_s)
            counter.again(after)
            assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)


def test_readings_of_one_instant_after_another() -> None:
    """More than the resolution apart, both at the instant a link is back."""
    counter = Counter()
    counter.flow(180)
    # Old by half of that.
    counter.energy.take(counter.first_kwh + 0.33, counter.now)
    counter.tell()
    assert counter.booked_kwh == pytest.approx(0.66, abs=0.001)


@given(
    st.floats(60, 1e5),
    st.integers(1, 3),
    st.one_of(st.just(0.0), st.floats(0, 1e3), st.floats(1300, 1e5)),
)
def test_a_glitch_leaves_no_trace(
    before_s: float, times: int, wrong_kwh: float
) -> None:
    """Readings of another counter within seconds, while it is charged and told."""
    counter = Counter()
    counter.flow(before_s)
    for _ in range(3):
        counter.flow(60)
        counter.tell()
    for _ in range(times):
        counter.flow(3)
        counter.energy.take(wrong_kwh, counter.now)
    counter.flow(3)
    counter.tell()
    assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)


@given(st.floats(130, 1e6), st.floats(0, 1))
def test_a_counter_that_stood_still(seconds: float, share: float) -> None:
    """A meter out of reach of its Miniserver, which is heard, is booked when it is back.

    Three readings over ten seconds prove that it is no glitch.
    """
    counter = Counter()
    beats = [2.0] * 70
    counter.flow(seconds - sum(beats) if seconds > sum(beats) else 0.0, share)
    for beat in beats:
        counter.flow(beat, share)
        counter.again()
    for _ in range(3):
        counter.tell()
        counter.flow(6, share)
    counter.tell()
    assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)


@given(st.floats(0, 1e5), st.floats(0, 1))
def test_a_long_zero_is_no_new_counter(seconds: float, share: float) -> None:
    """A Miniserver may say zero until its meter is heard; what flowed is booked then."""
    counter = Counter()
    for wait in (5, 6, 6, seconds):
        counter.flow(wait, share)
        counter.energy.take(0.0, counter.now)
    counter.flow(1, share)
    counter.tell()
    assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)


def test_a_clock_that_was_set() -> None:
    """An hour forward and back again costs nothing and brings nothing."""
    counter = Counter()
    for shift in (0.0, 3600.0, 0.0, -3600.0, 0.0):
        for _ in range(30):
            counter.flow(5)
            counter.told_kwh = counter.kwh
            counter.energy.take(counter.kwh, counter.now + shift)
    assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)


def test_many_readings_of_one_instant_are_believed_once() -> None:
    """What cannot have flowed is not booked in slices either."""
    energy = MonotonicEnergy(MAX_KW)
    energy.take(100.0, 1e9)
    for slices in range(1, 1000):
        energy.take(100 + 0.1 * slices, 1e9)
    assert energy.total_kwh is not None
    assert energy.total_kwh < 100.6


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=60), st.integers(0, 2))
def test_what_an_outage_held_back(seconds: list[float], again: int) -> None:
    """All readings of an outage may come at the instant that ends it."""
    counter = Counter()
    held = []
    for passed in seconds:
        counter.flow(passed)
        held.append(counter.kwh)
    for kwh in held:
        counter.again(again)
        counter.told_kwh = kwh
        counter.again()
    counter.flow(4)
    counter.tell()
    assert counter.booked_kwh == pytest.approx(counter.rise_kwh, abs=1e-6)
