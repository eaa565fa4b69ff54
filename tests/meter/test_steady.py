"""The clock of a counter, and what it explains where the machine's own is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from .counting import Log, begun, each_second, stored
from custom_components.loxone_wallbox.meter.counter import Answer
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.steady import SteadyClock

NOW = datetime(2027, 1, 13, 22, tzinfo=UTC)
JUMPED = FindingKind.METER_JUMPED
RECOVERED = FindingKind.METER_RECOVERED
# What 15 kW are in a day; a refresh and two steps make it 24 Wh more.
DAY_WH = 360_024


@pytest.mark.parametrize(
    ("aside", "ahead"),
    [(0, 0), (3, 0), (3.1, 3.1), (3600, 3600), (-3600, 0), (-0.5, 0)],
)
def test_it_follows_a_sleep_and_never_goes_back(aside: float, ahead: float) -> None:
    """Where UTC is ahead by seconds, monotonic seconds have not told all."""
    clock = SteadyClock(NOW, 50.0)
    assert clock.at(51.5) == NOW.timestamp() + 1.5
    followed = clock.follow(NOW + timedelta(seconds=10 + aside), 60.0)
    assert followed is (ahead > 0)
    assert clock.at(61.0) == pytest.approx(NOW.timestamp() + 11 + ahead)


def restarted(rise: float, back: float, serial: str | None = "A1") -> Log:
    """Return a counter that was begun, then read again on a clock that is behind."""
    log = begun()
    log.counter = stored(log.counter)
    log.takes(*each_second(5_000_000 + rise, -back, 12), serial=serial)
    return log


@pytest.mark.parametrize("rise", [3667, DAY_WH])
def test_an_outage_of_unknown_length(rise: float) -> None:
    """A start before the machine knows the time loses no energy, and asks nothing."""
    log = restarted(rise, 2400)
    assert log.counter.total_wh == 5_000_000 + rise
    assert log.findings == []
    # A single wrong reading is not its energy.
    assert log.totals[2:11] == [5_000_000] * 9


@pytest.mark.parametrize(
    ("rise", "serial", "kind"),
    [
        (DAY_WH + 1, "A1", JUMPED),
        (3667, None, JUMPED),
        (3667, "B2", FindingKind.METER_REPLACED),
        (-3667, "A1", FindingKind.METER_RESET),
    ],
)
def test_what_no_outage_explains(
    rise: float, serial: str | None, kind: FindingKind
) -> None:
    """More than a day's, a counter that may be another one, and a fall are asked."""
    log = restarted(rise, 2400, serial)
    assert log.kinds == [kind]
    assert log.counter.total_wh == 5_000_000


@pytest.mark.parametrize(("behind", "mended"), [(3600, True), (60, False)])
def test_the_time_that_comes_late(behind: float, mended: bool) -> None:
    """A jump that the right time explains is booked, and its question withdrawn."""
    log = begun()
    log.takes(*each_second(5_011_000, 1, 20, watts=11_000))
    assert log.kinds == [JUMPED]
    log.counter = stored(log.counter).reconsidered(
        1_800_000_000 + behind + 21, log.rules
    )
    log.takes(*each_second(5_011_060, behind + 21, 4, watts=11_000))
    assert log.kinds == [JUMPED, *([RECOVERED] if mended else [])]
    assert (log.counter.question is None) is mended
    assert log.counter.total_wh == (5_011_060 if mended else 5_000_060)


def test_the_time_explains_no_other_counter() -> None:
    """A reset one is no jump, whatever the clock does."""
    log = begun()
    log.takes(*each_second(300, 1, 20))
    assert log.counter.reconsidered(1_900_000_000, log.rules) == log.counter
    assert begun().counter.reconsidered(2e9, log.rules) == begun().counter


@pytest.mark.parametrize("serial", ["A1", None])
def test_a_jump_that_the_owner_calls_wrong_is_booked(serial: str | None) -> None:
    """Where the counter stays there its energy is the owner's, and nobody asks again."""
    log = begun()
    log.takes(*each_second(5_011_000, 1, 20), serial=serial)
    assert log.kinds == [JUMPED]
    log.counter = stored(log.counter.answer(Answer.GLITCH))
    log.takes(*each_second(5_011_000, 21, 60, watts=3_600), serial=serial)
    assert log.kinds == [JUMPED]
    assert log.counter.total_wh == 5_011_050
    assert log.counter.question is None


@pytest.mark.parametrize("wrong", [9_000_000, 300])
def test_nonsense_that_the_owner_calls_wrong_adds_nothing(wrong: float) -> None:
    """It cannot be taken back, so what no wallbox draws is not booked."""
    log = begun()
    log.takes(*each_second(wrong, 1, 20))
    log.counter = stored(log.counter.answer(Answer.GLITCH))
    log.takes(*each_second(wrong, 21, 60, watts=3_600))
    assert len(log.kinds) == 1
    assert log.counter.total_wh == 5_000_050
    assert log.counter.question is None


def test_another_break_after_a_wrong_reading_is_asked() -> None:
    """The owner's word was about the one that was asked, not about all to come."""
    log = begun()
    log.takes(*each_second(300, 1, 20))
    log.counter = log.counter.answer(Answer.GLITCH)
    log.takes(*each_second(9_000_000, 21, 20))
    assert log.kinds == [FindingKind.METER_RESET, JUMPED]
    log.counter = log.counter.answer(Answer.GLITCH)
    log.takes(*each_second(5_000_000, 41, 20), *each_second(9_000_000, 61, 20))
    assert log.kinds[2:] == [JUMPED]
