"""The energy total: what is ignored, what breaks it, what it asks."""

from dataclasses import replace
import math

import pytest

from .counting import RULES, START, Log, begun, each_second, stored
from custom_components.loxone_wallbox.meter.counter import (
    Answer,
    CounterRules,
)
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.profiles import PROFILES

REPLACED = FindingKind.METER_REPLACED
RESET = FindingKind.METER_RESET
JUMPED = FindingKind.METER_JUMPED
ROLLED_OVER = FindingKind.METER_ROLLED_OVER
RECOVERED = FindingKind.METER_RECOVERED
NEVER = CounterRules(reject_w=15_000.0)


def test_counts_up() -> None:
    """Readings that can follow each other are the total."""
    log = Log()
    log.takes((5_000_000, 0), (5_000_000, 1), (5_000_010, 2), (5_000_020, 6))
    assert log.totals == [None, 5_000_000, 5_000_010, 5_000_020]
    assert log.findings == []


@pytest.mark.parametrize(
    ("readings", "total"),
    [
        ([(0, 0), (5_000_000, 1), (5_000_000, 2)], 5_000_000),
        ([(0, 0), (0, 1), (5_000_000, 2), (5_000_000, 3)], 5_000_000),
        ([(77, 0), (5_000_000, 1), (5_000_000, 2)], 5_000_000),
        ([(0, 0), (0, 5), (0, 9)], None),
        ([(0, 0), (0, 20)], None),
        ([(0, 0), (0, 5), (0, 10)], 0),
        ([(5_000_000, 0), (5_000_000, 0)], None),
    ],
)
def test_begins_with_readings_that_agree(
    readings: list[tuple[float, float]], total: float | None
) -> None:
    """No lifetime is booked because the first answer was nothing."""
    log = Log()
    log.takes(*readings)
    assert log.counter.total_wh == total


@pytest.mark.parametrize("wrong", [0, 10, 4_999_980, 5_009_000, 9e9, -1, math.nan])
@pytest.mark.parametrize("times", [1, 2])
def test_a_wrong_reading_between_right_ones_is_ignored(
    wrong: float, times: int
) -> None:
    """Neither a low nor a high one becomes the baseline."""
    log = begun()
    log.takes(*((wrong, 1 + time) for time in range(times)), (5_000_010, 4))
    assert log.totals[1:-1] == [5_000_000] * (times + 1)
    assert log.counter.total_wh == 5_000_010
    assert not log.counter.in_doubt
    assert log.findings == []


def test_low_readings_at_once_prove_nothing() -> None:
    """Three polls take less than ten seconds."""
    log = begun()
    log.takes((300, 1), (300, 5), (300, 10.9))
    assert log.findings == []
    assert log.counter.in_doubt
    log.take(300, 11)
    assert log.kinds == [RESET]


def test_two_low_readings_prove_nothing() -> None:
    """Ten seconds are not enough without a third poll."""
    log = begun()
    log.takes((300, 1), (300, 40))
    assert log.findings == []
    log.take(300, 41)
    assert log.kinds == [RESET]


def test_low_readings_that_contradict_each_other_prove_nothing() -> None:
    """Garbage is different each time, a counter is not."""
    log = begun()
    log.takes(*((wh, 1 + i) for i, wh in enumerate([300, 90_000, 40, 7_000] * 9)))
    assert log.findings == []
    assert log.counter.total_wh == 5_000_000


@pytest.mark.parametrize(
    ("serial", "first", "kind"),
    [
        ("B2", 300, REPLACED),
        ("B2", 0, REPLACED),
        ("B2", 7_000_000, REPLACED),
        ("B2", 5_000_000, REPLACED),
        ("A1", 300, RESET),
        (None, 300, RESET),
        ("0", 300, RESET),
        ("", 300, RESET),
        ("A1", 7_000_000, JUMPED),
        (None, 7_000_000, JUMPED),
    ],
)
def test_breaks(serial: str | None, first: float, kind: FindingKind) -> None:
    """What a counter does decides what is asked; the total goes on at once."""
    log = begun()
    log.takes(*each_second(first, 60, 30, watts=11_000), serial=serial)
    assert log.kinds == [kind]
    assert log.counter.question is not None
    assert log.counter.question.finding == log.findings[0]
    assert log.findings[0].data == {
        "last_kwh": 5_000,
        "first_kwh": first / 1000,
        "serial_before": "A1",
        "serial_after": serial if serial in {"A1", "B2"} else "",
    }
    assert log.counter.segment is not None
    assert log.counter.segment.serial == ("B2" if serial == "B2" else "A1")
    # 29 s of 11 kW are 88 Wh; the counter shows 80.
    assert log.counter.total_wh == 5_000_080
    assert log.totals[11] == 5_000_000


def test_a_new_meter_without_a_number_keeps_the_old_one() -> None:
    """An unreadable serial number is not a change, at no time."""
    log = begun()
    log.takes((5_000_000, 1), (5_000_010, 4), serial=None)
    log.takes((5_000_020, 7), serial="0000")
    assert log.findings == []
    assert log.counter.segment is not None
    assert log.counter.segment.serial == "A1"
    assert log.counter.reading_wh == 5_000_020
    log.takes(*each_second(5_000_030, 11, 12), serial="B2")
    assert log.kinds == [REPLACED]


def test_a_number_read_now_and_then_is_enough() -> None:
    """A new meter is new also in the answers without its serial number."""
    log = begun()
    for index, (wh, at) in enumerate(each_second(5_000_500, 600, 12)):
        log.take(wh, at, None if index in {0, 5, 11} else "B2")
    assert log.kinds == [REPLACED]
    assert log.counter.total_wh == 5_000_000


@pytest.mark.parametrize("answer", [Answer.REPLACED, Answer.RESET])
def test_a_new_counter_is_stitched_on(answer: Answer) -> None:
    """The answer changes nothing in the total and ends the question."""
    log = begun()
    log.takes(*each_second(300, 60, 12), serial="B2")
    log.counter = log.counter.answer(answer)
    assert log.counter.question is None
    assert log.counter.total_wh == 5_000_000
    log.takes(*each_second(300, 72, 20, watts=11_000), serial="B2")
    assert log.counter.total_wh == 5_000_050


def test_a_glitch_is_undone() -> None:
    """The old counter goes on; what it counted is booked, what was booked stays."""
    log = begun()
    log.takes(*each_second(0, 1, 40, watts=3_600))
    assert log.kinds == [RESET]
    assert log.counter.total_wh == 5_000_030
    log.counter = log.counter.answer(Answer.GLITCH)
    assert log.counter.total_wh == 5_000_030
    log.takes((5_000_020, 42), (5_000_020, 43), (5_000_040, 49))
    assert log.totals[-3:] == [5_000_030, 5_000_030, 5_000_040]
    assert log.kinds == [RESET]


def test_a_glitch_that_goes_on_is_none() -> None:
    """The owner's word does not bring the old counter back, nor is it asked for ever."""
    log = begun()
    log.takes(*each_second(300, 1, 12), serial="B2")
    log.counter = log.counter.answer(Answer.GLITCH)
    log.takes(*each_second(300, 13, 40, watts=11_000), serial="B2")
    assert log.kinds == [REPLACED]
    assert log.counter.question is None
    # 39 s of 11 kW.
    assert log.counter.total_wh == 5_000_110


@pytest.mark.parametrize("wrong", [0, 300, 9_000_000])
def test_a_long_glitch_mends_itself(wrong: float) -> None:
    """Where the old counter is back nobody needs to answer."""
    log = begun()
    log.takes(*each_second(wrong, 1, 60))
    log.takes((5_000_180, 61), (5_000_180, 62), (5_000_190, 63))
    assert log.kinds[-1] is RECOVERED
    assert log.findings[-1].data == log.findings[0].data
    assert log.counter.question is None
    assert log.counter.total_wh == 5_000_190


def test_a_glitch_while_the_counter_rolls_over() -> None:
    """The old counter is back although it has begun at zero again."""
    log = begun(999_999_990)
    log.takes(*each_second(2e8, 1, 30), *each_second(20, 31, 3))
    assert log.kinds == [RESET, RECOVERED]
    assert log.counter.total_wh == 1_000_000_020


def test_answers_need_a_question() -> None:
    """An answer that comes late changes nothing."""
    counter = begun().counter
    for answer in Answer:
        assert counter.answer(answer) == counter


@pytest.mark.parametrize(
    ("last", "first", "rules", "kind"),
    [
        (999_999_950, 20, RULES, ROLLED_OVER),
        (999_999_950, 20, NEVER, RESET),
        (1_000_000_050, 20, RULES, RESET),
        # Not in its last hundredth.
        (989_000_000, 20, RULES, RESET),
        # In it, but ten minutes do not explain so much.
        (999_000_000, 20, RULES, RESET),
        (999_999_950, 900_000, RULES, RESET),
    ],
)
def test_rollover(
    last: float, first: float, rules: CounterRules, kind: FindingKind
) -> None:
    """A counter that begins at zero again goes on where that explains it."""
    log = begun(last, rules)
    log.takes(*each_second(first, 600, 12))
    assert log.kinds == [kind]
    rolled = kind is ROLLED_OVER
    assert log.counter.total_wh == last + (1_000_000_020 - last if rolled else 0)
    assert (log.counter.question is None) is rolled
    log.take(first + 10, 612)
    assert log.counter.total_wh == log.totals[-2] + 10  # type: ignore[operator]


def test_rollover_of_another_meter() -> None:
    """Another serial number is another meter, wherever the old one stood."""
    log = begun(999_999_950)
    log.takes(*each_second(20, 600, 12), serial="B2")
    assert log.kinds == [REPLACED]


def test_energy_of_an_outage_is_complete() -> None:
    """Three polls that agree are believed where the time explains them."""
    log = begun()
    log.takes((5_040_000, 4 * 3600), (5_040_000, 4 * 3600 + 1))
    assert log.counter.total_wh == 5_000_000
    assert log.counter.in_doubt
    log.take(5_040_010, 4 * 3600 + 2)
    assert log.counter.total_wh == 5_040_010
    assert log.findings == []


def test_a_single_wrong_reading_after_an_outage_is_not_its_energy() -> None:
    """An outage explains much, so one reading is not enough."""
    log = begun()
    log.takes((5_090_000, 36_000), (5_000_010, 36_001), (5_000_010, 36_002))
    log.take(5_000_010, 36_003)
    assert log.counter.total_wh == 5_000_010


def test_more_than_an_outage_explains_is_asked() -> None:
    """Four hours of 15 kW are 60 kWh."""
    log = begun()
    log.takes(*each_second(5_061_000, 4 * 3600, 12))
    assert log.kinds == [JUMPED]
    assert log.counter.total_wh == 5_000_000


def test_a_counter_that_rises_once_a_minute_loses_nothing() -> None:
    """Such lumps are more than a second explains, and are believed all the same."""
    log = begun()
    for second in range(1, 600):
        log.take(5_000_000 + second // 60 * 180, second)
    assert log.counter.total_wh == 5_001_620
    assert log.findings == []


def test_a_slow_counter_is_believed_at_once() -> None:
    """One that is read each second and refreshed each ten loses no second either."""
    log = begun(rules=CounterRules.of(PROFILES["saia_ale3"], 15_000))
    for second in range(1, 60):
        log.take(5_000_000 + second // 10 * 30, second)
        assert log.counter.total_wh == 5_000_000 + second // 10 * 30


def test_a_digit_less_is_no_reset() -> None:
    """Some counters hesitate between two digits; the total waits."""
    log = begun()
    log.takes(*each_second(4_999_990, 1, 60), (5_000_010, 61))
    assert set(log.totals[1:-1]) == {5_000_000}
    assert log.counter.total_wh == 5_000_010
    assert log.findings == []


def test_zero_while_a_meter_starts() -> None:
    """A meter that is not ready for 30 s raises no question in that time."""
    rules = CounterRules.of(PROFILES["saia_ale3"], 15_000)
    log = begun(rules=rules)
    log.takes(*each_second(0, 1, 30), (5_000_010, 31))
    assert log.findings == []
    assert log.counter.total_wh == 5_000_010
    log.takes(*each_second(0, 40, 31))
    assert log.kinds == [RESET]
    # Another number than zero is no sign of it.
    log.takes(*each_second(900, 80, 11))
    assert log.kinds == [RESET, JUMPED]


def test_the_clock_goes_back_at_a_restart() -> None:
    """Counting goes on; only what an outage of unknown length brought is asked."""
    log = begun()
    log.takes(*each_second(5_000_000, -90_000, 30, watts=11_000))
    assert log.counter.total_wh == 5_000_080
    assert log.findings == []


@pytest.mark.parametrize(
    ("serial", "kept_at", "asks"),
    [
        ("A1", START, False),
        ("A1", START - 1, True),
        ("A1", None, True),
        (None, START, True),
        ("B2", START, True),
    ],
)
def test_a_clock_that_was_set_before_a_restart(
    serial: str | None, kept_at: float | None, *, asks: bool
) -> None:
    """Nobody knows then how long nothing was read; the same meter is believed.

    Half a minute seems to have passed, in which no car takes two kilowatt-hours.
    """
    rules = replace(RULES, kept_at=kept_at)
    log = begun(rules=rules)
    log.counter = stored(log.counter)
    log.takes(*each_second(5_002_000.0, 30, 15), serial=serial)
    assert bool(log.kinds) is asks
    assert log.totals[-1] == (5_000_000.0 if asks else 5_002_000.0)
