"""What may follow a reading: bounds, digits, serial numbers, clocks."""

import pytest

from .counting import Log, begun, each_second
from custom_components.loxone_wallbox.meter.counter import CounterRules, Reading
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.profiles import PROFILES

RESET = FindingKind.METER_RESET
ROLLED_OVER = FindingKind.METER_ROLLED_OVER


@pytest.mark.parametrize(
    ("seconds", "most"),
    # A refresh and two steps more than the time; ten seconds at most.
    [(1, 28.33), (10, 65.83), (14, 65.83), (36_000, 65.83)],
)
def test_what_a_single_reading_may_add(seconds: float, most: float) -> None:
    """More than that has to be read three times."""
    log = begun()
    log.take(5_000_000 + most, seconds)
    assert log.counter.total_wh == 5_000_000 + most
    log = begun()
    log.take(5_000_000.01 + most, seconds)
    assert log.counter.total_wh == 5_000_000


@pytest.mark.parametrize(
    ("rested", "gap", "most"),
    # What may have come in a lump is a minute's, however long nothing flowed.
    [(0, 100, 449.1), (30, 100, 574.1), (60, 100, 699.1), (3600, 100, 699.1)],
)
def test_what_a_gap_explains(rested: int, gap: int, most: float) -> None:
    """Three polls are believed up to what can flow in the gap, not beyond."""
    for more, believed in ((0, True), (0.1, False)):
        log = begun()
        log.takes(*each_second(5_000_000, 1, rested))
        polls = range(rested + gap, rested + gap + 3)
        log.takes(*((5_000_000 + most + more, at) for at in polls))
        assert (log.counter.total_wh == 5_000_000 + most) is believed


@pytest.mark.parametrize(
    ("last", "first", "rolled"),
    [
        (990_000_010, 20, True),
        (989_999_990, 20, False),
        (999_999_990, 9_999_990, True),
        (999_999_990, 10_000_010, False),
        (1_000_000_000, 20, True),
        (1_000_000_010, 20, False),
    ],
)
def test_rollover_is_near_the_end(last: float, first: float, rolled: bool) -> None:
    """Two months explain much, but a hundredth of the range is enough."""
    log = begun(last)
    log.takes(*each_second(first, 60 * 86_400, 12))
    assert log.kinds == [ROLLED_OVER if rolled else RESET]


def test_a_number_that_becomes_known() -> None:
    """A meter that has not told its serial number before is not another one."""
    log = Log()
    log.takes((5_000_000, -1), (5_000_000, 0), serial=None)
    log.takes(*each_second(5_000_000, 1, 20), serial="A1")
    assert log.findings == []
    log.takes(*each_second(5_000_000, 21, 20), serial="B2")
    assert log.findings[0].data["serial_before"] == "A1"


@pytest.mark.parametrize(
    ("wh", "step_wh", "at", "sane"),
    [
        (1e11, 10, 1, True),
        (1.001e11, 10, 1, False),
        (-0.1, 10, 1, False),
        (1, -1, 1, False),
        (1, 2e11, 1, False),
        (1, 10, 2e15, False),
    ],
)
def test_readings_that_are_none(
    wh: float, step_wh: float, at: float, sane: bool
) -> None:
    """What no meter and no clock shows is left out."""
    assert Reading(wh=wh, step_wh=step_wh, at=at).sane is sane


def test_a_gap_after_a_rise() -> None:
    """What has just risen has no lump to bring."""
    for most, believed in ((449.1, True), (449.3, False)):
        log = begun()
        log.takes(*each_second(5_000_000, 1, 99), (5_000_010, 100))
        log.takes(*((5_000_010 + most, at) for at in (200, 201, 202)))
        assert (log.counter.total_wh == 5_000_010 + most) is believed


@pytest.mark.parametrize(
    ("more", "believed"), [(24.1, True), (24.2, False), (27, False)]
)
def test_a_clock_that_went_back_explains_nothing(more: float, believed: bool) -> None:
    """What a refresh and two steps allow goes on, anything else has to prove itself."""
    log = begun()
    log.takes(*each_second(5_000_000 + more, -90_000, 3))
    assert (log.counter.total_wh == 5_000_000 + more) is believed
    assert log.findings == []


def test_polls_that_go_back_in_time_prove_nothing() -> None:
    """Ten seconds are ten seconds in the order of the polls."""
    log = begun()
    log.takes(*((300, at) for at in (50, 40, 30, 20, 61)))
    assert log.findings == []
    log.takes((300, 62), (300, 62))
    assert log.kinds == [RESET]
    # The same poll twice is one.
    log = begun()
    log.takes((300, 1), (300, 12), (300, 12), (300, 12))
    assert log.findings == []


def test_a_digit_less_is_no_other_counter() -> None:
    """A new counter may hesitate between two digits as well."""
    log = begun()
    log.takes((310, 1), (300, 4), (310, 8), (300, 12), (310, 13), (320, 14))
    assert log.kinds == [RESET]
    assert log.counter.total_wh == 5_000_010


def test_numbers_that_change_each_time() -> None:
    """A new serial number proves itself as a reading does."""
    log = begun()
    for index, (wh, at) in enumerate(each_second(300, 1, 40)):
        log.take(wh, at, "B2" if index % 2 else "C3")
    assert log.findings == []
    assert log.counter.total_wh == 5_000_000


def test_a_serial_number_with_noise_is_the_same() -> None:
    """Some meters fill it up with zero bytes or blanks."""
    log = begun()
    log.takes(*each_second(5_000_000, 1, 20), serial="A1\0\0 ")
    assert log.findings == []
    log = Log()
    log.takes((7, -1), (7, 0), serial=None)
    log.takes(*each_second(5_000_000, 1, 20), serial=" \0")
    assert log.findings[0].data["serial_before"] == ""


def test_rules_of_a_meter() -> None:
    """What a document says of a meter is what is possible with it."""
    ale3 = CounterRules.of(PROFILES["saia_ale3"], 15_000)
    assert (ale3.refresh_s, ale3.ready_s, ale3.rollover_wh) == (10, 30, 10**9)
    abb = CounterRules.of(PROFILES["abb_b23"], 10_000)
    assert (abb.refresh_s, abb.ready_s, abb.rollover_wh) == (1, 0, None)
    assert (ale3.direct_s, abb.direct_s) == (30, 10)
    # Two steps and what flows in ten seconds and a refresh.
    assert ale3.most_wh(10, 10) == pytest.approx(15_000 * 20 / 3600 + 20)
    assert ale3.most_wh(-5, 10) == ale3.most_wh(0, 10)
