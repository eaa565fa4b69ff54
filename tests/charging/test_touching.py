"""Reductions that touch: nothing is ramped up between the one and the other."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .nights import Player, book, event, local, powers, situation
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind

EVENING = local("2027-01-13T17:30:00")
LATE = local("2027-01-13T22:30:00")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
EXEMPT = {"response_service": True}


def charging(*draws: int, **changes: Any) -> Player:
    """Return a player whose car charges at half past ten."""
    player = Player(now=EVENING, draws=[0, *draws], situation=situation(**changes))
    player.plug()
    player.until(LATE)
    return player


@pytest.mark.parametrize(
    ("first", "second", "between"),
    [(6.0, 6.0, 6.0), (4.5, 6.0, 6.0), (6.0, 4.5, 6.0), (0.0, 6.0, 6.0)],
)
@pytest.mark.parametrize("overlap", [0, 120])
def test_one_without_a_delay_and_one_with(
    first: float, second: float, between: float, overlap: int
) -> None:
    """The limit stays under the higher of the two until the draw of the second."""
    player = charging(300, 300)
    response = event("A", LATE, LATE + 30 * MINUTE, limit_kw=first, **EXEMPT)
    begin = LATE + 30 * MINUTE - overlap * SECOND
    usual = event("B", begin, LATE + 60 * MINUTE, limit_kw=second)
    player.log.clear()
    player.change(dsr=book(player.now, response, usual))
    player.until(LATE + 29 * MINUTE - overlap * SECOND)
    held = first if first >= 4.16 else 0
    assert powers(player.log) == [("13 22:30:00", held)]
    player.until(LATE + 30 * MINUTE)
    assert player.decision is not None
    assert (player.decision.pending is None) is (between == second)
    assert player.decision.target.power_kw == between
    player.until(begin + 300 * SECOND)
    assert player.decision.target.power_kw == second
    player.until(LATE + 66 * MINUTE)
    assert player.log[-1] == ("13 23:35:00", 11.0)
    assert max(power for _, power in player.log[:-1]) == max(held, between, second)


def test_a_gap_is_a_gap() -> None:
    """Of what ended a second before, nothing is kept."""
    player = charging(300, 60)
    response = event("A", LATE, LATE + 30 * MINUTE - SECOND, **EXEMPT)
    usual = event("B", LATE + 30 * MINUTE, LATE + 60 * MINUTE)
    player.change(dsr=book(player.now, response, usual))
    player.until(LATE + 59 * MINUTE)
    assert powers(player.log)[-3:] == [
        ("13 22:30:00", 6),
        ("13 22:59:59", 11),
        ("13 23:05:00", 6),
    ]


def test_what_the_owner_left_is_not_kept() -> None:
    """Who leaves the one has its power back while the other waits."""
    player = charging(300, 60)
    response = event("A", LATE, LATE + 60 * MINUTE, **EXEMPT)
    usual = event("B", LATE + 30 * MINUTE, LATE + 60 * MINUTE)
    known = book(player.now, response).opt_out(player.now, "owner", by_hand=True)
    player.change(dsr=known.add(usual, player.now))
    player.until(LATE + 59 * MINUTE)
    assert powers(player.log)[-1] == ("13 23:05:00", 6)
    assert 11.0 in [power for _, power in player.log]


@pytest.mark.parametrize("how", ["restart", "turned"])
def test_touching_is_remembered(how: str) -> None:
    """A restart in between knows it, and a new version touches the old one."""
    player = charging(300, 60)
    response = event("A", LATE, LATE + 30 * MINUTE, **EXEMPT)
    usual = event("B", LATE + 30 * MINUTE, LATE + 60 * MINUTE)
    player.change(dsr=book(player.now, response, usual))
    player.until(LATE + 30 * MINUTE - SECOND)
    if how == "restart":
        player.now = LATE + 32 * MINUTE
        player.restart()
        player.decide()
    else:
        newer = event("A", LATE, LATE + 60 * MINUTE, version=2)
        player.change(dsr=player.situation.dsr.add(newer, player.now))
    player.until(LATE + 59 * MINUTE)
    assert powers(player.log)[-1] == ("13 22:30:00", 6)


@st.composite
def touching(draw: st.DrawFn) -> list[DsrEvent]:
    """Return reductions of which each begins before or as the one before ends."""
    found: list[DsrEvent] = []
    start = LATE
    for number in range(draw(st.integers(2, 5))):
        length = draw(st.integers(60, 1800)) * SECOND
        limit = draw(st.sampled_from([0.0, 2.0, 4.5, 6.0, 9.0]))
        pauses = limit == 0
        found.append(
            event(
                str(number),
                start,
                start + length,
                kind=DsrKind.PAUSE if pauses else DsrKind.LIMIT,
                limit_kw=None if pauses else limit,
                response_service=draw(st.booleans()),
            )
        )
        start += length - draw(st.integers(0, int(length.total_seconds()))) * SECOND
    return found


@settings(deadline=None)
@given(
    found=touching(),
    draws=st.lists(st.integers(0, 600), min_size=40, max_size=40),
    minimum=st.sampled_from([1.38, 4.16]),
)
def test_between_two_that_touch(
    found: list[DsrEvent], draws: list[int], minimum: float
) -> None:
    """Once the first one holds, the limit is under the highest until the last ends."""
    player = charging(*draws, min_kw=minimum)
    player.change(dsr=book(player.now, *found))
    highest = max(one.limit(0) for one in found)
    end = max(one.end for one in found)
    reached = False
    while player.now < end - SECOND:
        assert player.decision is not None
        reached = reached or player.decision.target.power_kw <= highest
        assert not reached or player.decision.target.power_kw <= highest
        wake = player.decision.wake_at
        assert wake is None or wake > player.now
        player.until(end - SECOND if wake is None else min(wake, end - SECOND))
