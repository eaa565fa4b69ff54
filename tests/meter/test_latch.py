"""Where a session's energy begins, and when its end is known."""

import json
import math
from typing import Any

from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
import pytest

from custom_components.loxone_wallbox.meter.latch import SessionEnergy, Stage

OPEN, SETTLING, LATCHED, FINAL = Stage


def charged(refresh_s: float = 1.0) -> SessionEnergy:
    """Return a session of 2 kWh whose car was unplugged at 100, still at 11 kW."""
    session = SessionEnergy.begun(5_000_000, read_at=0)
    session = session.take(5_000_000, 0, 1, refresh_s)
    session = session.take(5_001_990, 11_000, 99, refresh_s)
    return session.take(5_002_000, 11_000, 100, refresh_s).ended()


def test_an_open_session_follows_the_total() -> None:
    """Its energy is what flowed since the contactor closed."""
    session = SessionEnergy.begun(5_000_000, read_at=0)
    assert session.energy_wh == 0
    for total, wh in [(5_000_000, 0), (5_000_020, 20), (None, 20), (5_000_050, 50)]:
        session = session.take(total, 11_000, 1)
        assert session.energy_wh == wh
    assert (session.stage, session.start_estimated) == (OPEN, False)


def test_an_idle_session_stays_open() -> None:
    """A pause is not the end, however long."""
    session = SessionEnergy.begun(100, read_at=0)
    for second in range(300):
        session = session.take(100, 0, second)
    assert session.stage is OPEN
    assert session.take(110, 11_000, 300).energy_wh == 10


@pytest.mark.parametrize(
    ("total", "read_at", "empty_since", "estimated"),
    [
        (5_000_000, 50, None, False),
        (5_000_000, None, None, False),
        (5_000_000, 50, 40, False),
        (5_000_000, 50, 50, False),
        # Another visit may have been in between.
        (5_000_000, 50, 60, True),
        (5_000_000, None, 60, True),
        (None, None, None, True),
        (None, 50, 40, True),
        (math.nan, 50, 40, True),
    ],
)
def test_start(
    total: float | None,
    read_at: float | None,
    empty_since: float | None,
    estimated: bool,
) -> None:
    """Where nothing is known it begins with the first reading, never with zero."""
    session = SessionEnergy.begun(total, read_at, empty_since)
    assert session.start_estimated is estimated
    assert session.energy_wh == (None if estimated else 0)
    session = session.take(None, 11_000, 70)
    assert session.energy_wh == (None if estimated else 0)
    session = session.take(5_000_300, 11_000, 71).take(5_000_400, 11_000, 72)
    assert session.energy_wh == (100 if estimated else 400)
    assert session.start_estimated is estimated


@pytest.mark.parametrize(
    ("refresh_s", "polls", "latched_after"),
    [
        (1.0, [1, 2, 3, 4, 5], 4),
        (0.75, [1, 2, 3, 4, 5], 4),
        (10.0, [1, 5, 9, 12, 12.9, 13, 14], 13),
        (10.0, [10, 20, 30, 40], 30),
        # Time alone is not enough, the counter has to be read.
        (1.0, [1, 60, 61], 61),
    ],
)
def test_settling(refresh_s: float, polls: list[float], latched_after: float) -> None:
    """The counter is waited for: its refresh and two polls without power."""
    session = charged(refresh_s)
    assert session.stage is SETTLING
    for after in polls:
        session = session.take(5_002_010, 19.9, 100 + after, refresh_s)
        assert session.energy_wh == 2_010
        assert (session.stage is SETTLING) is (after < latched_after)
        assert session.latched_at in {None, 100 + latched_after}


def test_power_that_is_slow_to_fall() -> None:
    """Nothing is latched before nothing flows."""
    session = charged()
    for second in range(1, 20):
        session = session.take(5_002_000 + second, 20.0, 100 + second)
    assert (session.stage, session.energy_wh) == (SETTLING, 2_019)
    for second in range(20, 24):
        session = session.take(5_002_019, None if second == 21 else 0, 100 + second)
    assert session.stage is LATCHED


def test_a_session_that_has_long_been_idle_is_latched_at_once() -> None:
    """A car that was full for hours has nothing to settle."""
    session = SessionEnergy.begun(100, read_at=0)
    for second in range(10):
        session = session.take(900, 0, second)
    session = session.ended().take(900, 0, 11)
    assert (session.stage, session.energy_wh) == (LATCHED, 800)


def latched() -> SessionEnergy:
    """Return a session that was latched at 104 with 2 kWh."""
    session = charged()
    for second in range(1, 5):
        session = session.take(5_002_000, 0, 100 + second)
    assert (session.stage, session.latched_at) == (LATCHED, 104)
    return session


@pytest.mark.parametrize(
    ("total", "power", "at", "stage", "wh"),
    [
        (5_002_010, 0, 105, LATCHED, 2_010),
        (5_002_010, None, 105, LATCHED, 2_010),
        (5_002_010, 0, 164, LATCHED, 2_010),
        (5_002_010, 0, 164.1, FINAL, 2_000),
        (5_002_010, None, 9_000, FINAL, 2_000),
        (None, 0, 105, LATCHED, 2_000),
        # That is the next session's.
        (5_002_010, 20, 105, FINAL, 2_000),
        # The clock went back: how long it was nobody knows.
        (5_002_010, 0, 103, FINAL, 2_000),
    ],
)
def test_latching_again(
    total: float | None, power: float | None, at: float, stage: Stage, wh: float
) -> None:
    """A minute long a late tick is the session's."""
    session = latched().take(total, power, at)
    assert (session.stage, session.energy_wh) == (stage, wh)


def test_latching_twice_lasts_no_longer() -> None:
    """The minute counts from the first time."""
    session = latched().take(5_002_010, 0, 160).take(5_002_020, 0, 165)
    assert (session.stage, session.energy_wh) == (FINAL, 2_010)
    assert not session.overtaken().stop_estimated


def test_final_is_final() -> None:
    """Nothing changes it any more."""
    session = latched().overtaken()
    assert session.take(6_000_000, 0, 106) == session
    assert session.ended() == session
    assert session.overtaken() == session
    assert (session.energy_wh, session.stop_estimated) == (2_000, False)


def test_another_session_before_the_meter_could_be_read() -> None:
    """What is known then is its energy, and that it is not all is said."""
    session = charged().take(None, None, 500).overtaken()
    assert (session.energy_wh, session.stop_estimated) == (2_000, True)
    assert SessionEnergy.begun(7, read_at=0).overtaken().stop_estimated


def test_the_meter_comes_back_after_the_end() -> None:
    """What was counted while it was not read is the session's."""
    session = charged()
    for second in range(4000, 4005):
        session = session.take(5_009_000, 0, second)
    assert (session.stage, session.energy_wh) == (LATCHED, 9_000)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nonsense_is_left_out(number: float) -> None:
    """No number that is none gets in."""
    session = latched()
    assert session.take(number, None, 105) == session
    assert session.take(5_002_010, 0, number) == session
    assert charged().take(5_002_000, number, 101).stage is SETTLING
    assert charged().take(5_002_000, -math.inf, 101).idle_since is None


class SessionLife(RuleBasedStateMachine):
    """A session and what must hold whatever happens to it."""

    def __init__(self) -> None:
        """Start with what is or is not known."""
        super().__init__()
        self.session = SessionEnergy.begun(None)
        self.now = 1.8e9

    def became(self, session: SessionEnergy) -> None:
        """Check that nothing runs backwards."""
        before = self.session
        if before.energy_wh is not None:
            assert session.energy_wh is not None
            assert session.energy_wh >= before.energy_wh
        stages = list(Stage)
        assert stages.index(session.stage) >= stages.index(before.stage)
        if before.stage is FINAL:
            assert session == before
        text = json.dumps(session.as_dict(), allow_nan=False)
        restarted = SessionEnergy.from_dict(json.loads(text))
        assert restarted == session
        self.session = restarted

    @rule(total=st.none() | st.floats(0, 1e9), read_at=st.none() | st.floats(0, 3e9))
    def begin(self, total: float | None, read_at: float | None) -> None:
        """Begin another session."""
        self.session = SessionEnergy.begun(total, read_at, self.now)

    @rule(
        total=st.none() | st.floats(0, 1e7) | st.floats(),
        power=st.none() | st.sampled_from([0.0, 19.0, 20.0]) | st.floats(),
        wait=st.sampled_from([1.0, 1.0, 1.0, 10.0, 60.0]) | st.floats(-100, 4000),
    )
    def take(self, total: float | None, power: float | None, wait: float) -> None:
        """Take a sample."""
        self.now += wait
        self.became(self.session.take(total, power, self.now))

    @rule()
    def end(self) -> None:
        """Unplug."""
        self.became(self.session.ended())

    @rule()
    def overtake(self) -> None:
        """Plug in again."""
        self.became(self.session.overtaken())


TestSessionLife = SessionLife.TestCase


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 40), st.floats(0, 30)), max_size=30
    ),
    end=st.integers(0, 30),
)
def test_sessions_one_after_the_other_lose_nothing(
    steps: list[tuple[float, float, float]], end: int
) -> None:
    """Where one begins at the total at which the other ends, all is booked once."""
    total, now = 5e6, 0.0
    first, second = SessionEnergy.begun(total, now), None
    for index, (flowed, power, wait) in enumerate(steps):
        if index == end:
            first = first.ended().overtaken()
            second = SessionEnergy.begun(total, now)
        total, now = total + flowed, now + wait
        first = first.take(total, power, now)
        second = None if second is None else second.take(total, power, now)
    booked = (first.energy_wh or 0) + ((second and second.energy_wh) or 0)
    assert booked == pytest.approx(total - 5e6, abs=1e-3)


@given(data=st.data())
def test_damaged_memory_is_no_memory(data: st.DataObject) -> None:
    """A damaged store starts anew instead of failing."""
    junk: Any = data.draw(st.recursive(st.none() | st.floats() | st.text(), st.lists))
    plain = latched().as_dict()
    key = data.draw(st.sampled_from(sorted(plain)))
    read = SessionEnergy.from_dict({**plain, key: junk})
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    del plain[key]
    assert SessionEnergy.from_dict(plain) is None
