"""Where a counter stood when a car came of which nobody told then."""

import pytest

from custom_components.loxone_wallbox.meter.rests import MOST, NEAR_S, Rests

KW = 1000.0


def counted(*story: tuple[int, float | None], poll_s: float = 1.0) -> Rests:
    """Let powers follow each other, each for so many polls from second 0 on.

    The counter begins at 1 kWh. What flows in a gap is counted after it.
    """
    rests, wh, at = Rests(poll_s), 1000.0, 0.0
    for polls, power_w in story:
        for _ in range(polls):
            rests.take(wh, power_w, at)
            at += poll_s
            wh += (7 * KW if power_w is None else power_w) * poll_s / 3600
    return rests


def after(seconds: float, watts: float = 7 * KW) -> float:
    """Return where the counter stands after so many seconds of charging."""
    return 1000 + seconds * watts / 3600


def test_before_anything_flows() -> None:
    """A car that charges since long began where the counter rested as it came."""
    rests = counted((60, 0.0), (300, 7 * KW))
    assert rests.wh_at(50) == 1000
    assert rests.wh_at(0) == 1000


def test_between_two_cars() -> None:
    """One began after the other had gone, however often both paused."""
    rests = counted(
        (10, 0.0), (60, 7 * KW), (20, 0.0), (60, 7 * KW), (30, 5.0), (60, 7 * KW)
    )
    assert rests.wh_at(5) == 1000
    assert rests.wh_at(80) == pytest.approx(after(60))
    assert rests.wh_at(160) == pytest.approx(after(120), abs=0.1)


@pytest.mark.parametrize("wrong_s", [-NEAR_S + 20, 100.0])
def test_a_clock_that_is_a_little_wrong(wrong_s: float) -> None:
    """The rest that is nearest is meant."""
    rests = counted((60, 0.0), (600, 7 * KW), (15, 0.0), (600, 7 * KW))
    assert rests.wh_at(667 + wrong_s) == pytest.approx(after(600))


def test_nothing_near() -> None:
    """A counter that never rested around then tells nothing of it."""
    rests = counted((60, 0.0), (900, 7 * KW))
    assert rests.wh_at(60 + NEAR_S) is None
    assert Rests(1.0).wh_at(0) is None


def test_a_gap_is_no_rest() -> None:
    """What may have flowed in a gap parts the rest before it from the one after."""
    rests = counted((60, 0.0), (100, None), (60, 0.0))
    assert rests.wh_at(30) == 1000
    assert rests.wh_at(200) == pytest.approx(after(100))


def test_a_counter_that_is_behind() -> None:
    """What it adds after the current has gone is of the stay before."""
    rests = Rests(1.0)
    for at in range(10):
        rests.take(1000.0 if at < 3 else 1010.0, 0.0, at)
    assert rests.wh_at(0) == 1010


def test_a_meter_that_is_read_seldom() -> None:
    """Its polls are as far apart as they are."""
    rests = counted((6, 0.0), (30, 7 * KW), (3, 0.0), (6, 7 * KW), poll_s=10.0)
    assert rests.wh_at(375) == pytest.approx(after(300))
    assert len(rests._rests) == 2


def test_only_so_many_are_kept() -> None:
    """The oldest are forgotten."""
    rests = counted(*[(2, 0.0), (2, 7 * KW)] * (MOST + 5))
    assert len(rests._rests) == MOST
    assert rests._rests[0].start == 5 * 4
