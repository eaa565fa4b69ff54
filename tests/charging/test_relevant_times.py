"""What is a relevant time of its own, and what waits for nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .nights import Player, book, event, local, powers, situation
from custom_components.loxone_wallbox.charging.delay import Outcome
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrKind
from custom_components.loxone_wallbox.charging.override import (
    AUTOMATION,
    Override,
    OverrideMode,
)
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.charging.wish import Permission, Reason

EVENING = local("2027-01-13T17:30:00")
NIGHT = local("2027-01-13T23:00:00")
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MORE: dict[str, Any] = {"kind": DsrKind.INCREASE, "limit_kw": None}
EXEMPT: list[dict[str, Any]] = [
    {"response_service": True},
    {"already_randomised": True},
]


def plugged(*draws: int, **changes: object) -> Player:
    """Return a player whose car was plugged in at half past five."""
    player = Player(now=EVENING, draws=list(draws), situation=situation(**changes))
    player.plug()
    return player


def permit(player: Player, *, allowed: bool, by_hand: bool) -> None:
    """Give or take the permission."""
    cause = Cause.USER if by_hand else Cause.AUTOMATION
    said = player.situation.permission.said(allowed, player.now, cause)
    player.change(permission=said)


@given(
    words=st.lists(st.tuples(st.booleans(), st.integers(1, 900)), min_size=1),
    before=st.integers(1, 900),
)
def test_the_permission_knows_what_was_before(
    words: list[tuple[bool, int]], before: int
) -> None:
    """Just before the last word that changed something the one before it held."""
    at, permission = EVENING, Permission()
    for allowed, seconds in words:
        at += seconds * SECOND
        known = permission
        permission = permission.said(allowed, at, Cause.USER)
        assert permission.at_instant(at)[0] is allowed
        if allowed and known.allowed:
            assert permission == known
        else:
            assert permission.at_instant(at - SECOND) == (known.allowed, known.at)
    assert permission.at_instant(at + before * SECOND)[0] is words[-1][0]


def test_an_automation_that_allows() -> None:
    """The start is one of the instant of the word, with its own draw."""
    player = plugged(437, 0, 100)
    player.until(NIGHT)
    permit(player, allowed=False, by_hand=False)
    player.until(NIGHT + HOUR)
    permit(player, allowed=True, by_hand=False)
    assert player.decision is not None
    assert player.decision.pending is not None
    assert player.decision.pending.cause is Cause.AUTOMATION
    assert player.decision.pending.relevant_at == NIGHT + HOUR
    player.until(NIGHT + 2 * HOUR)
    assert powers(player.log)[-1] == ("14 00:01:40", 11)


def test_a_person_who_allows() -> None:
    """Off and on again by hand waits neither for a draw nor for the contactor."""
    player = plugged(437)
    player.until(NIGHT)
    permit(player, allowed=False, by_hand=True)
    player.until(NIGHT + 30 * SECOND)
    permit(player, allowed=True, by_hand=True)
    assert powers(player.log)[-2:] == [("13 23:00:00", 0), ("13 23:00:30", 11)]


@pytest.mark.parametrize("exempt", EXEMPT)
def test_an_exempt_increase(exempt: dict[str, Any]) -> None:
    """It begins and ends at its own instants, and needs no draw."""
    player = plugged()
    end = EVENING + 1.5 * HOUR
    player.change(
        dsr=book(player.now, event("A", EVENING + HOUR, end, **MORE, **exempt))
    )
    player.until(EVENING + 3 * HOUR)
    assert powers(player.log) == [
        ("13 17:30:00", 0),
        ("13 18:30:00", 11),
        ("13 19:00:00", 0),
    ]
    assert player.drawn == 0


@pytest.mark.parametrize("exempt", EXEMPT)
def test_an_exempt_increase_while_a_start_waits(exempt: dict[str, Any]) -> None:
    """The earlier of two instants for the same start counts; nothing stops after it."""
    player = plugged(437)
    start = local("2027-01-13T22:03:00")
    more = event("A", start, start + 60 * SECOND, **MORE, **exempt)
    player.change(dsr=book(player.now, more))
    player.until(NIGHT)
    assert powers(player.log) == [("13 17:30:00", 0), ("13 22:03:00", 11)]
    assert player.memory.draws[-1].outcome is Outcome.CANCELLED


def test_plugging_in_during_an_increase() -> None:
    """A response service is exempt at any time, another's delay for its own start."""
    for exempt, waits in zip(EXEMPT, (0, 50), strict=True):
        player = Player(now=EVENING, draws=[50])
        player.decide()
        more = event("A", EVENING - HOUR, EVENING + HOUR, **MORE, **exempt)
        player.change(dsr=book(EVENING - HOUR, more))
        player.plug()
        player.until(EVENING + 0.5 * HOUR)
        assert player.memory.settled.allowed
        assert player.memory.changed_at == EVENING + waits * SECOND


def test_an_exempt_increase_breaks_nothing() -> None:
    """A reduction stays with its own draw, a pause of the owner stays."""
    player = plugged(45)
    start = EVENING + HOUR
    more = event("A", start, start + HOUR, **MORE, response_service=True)
    less = event("B", start + 600 * SECOND, start + HOUR)
    pause = event("C", start + 1800 * SECOND, start + HOUR, kind=DsrKind.PAUSE)
    pause = replace(pause, response_service=True)
    player.change(dsr=book(player.now, more, less, pause))
    player.until(start + 2 * HOUR)
    assert powers(player.log)[1:] == [
        ("13 18:30:00", 11),
        ("13 18:40:45", 6),
        ("13 19:00:00", 0),
    ]
    player = plugged(override=Override(mode=OverrideMode.PAUSE, start=EVENING))
    player.change(dsr=book(player.now, more))
    player.until(start + 2 * HOUR)
    assert powers(player.log) == [("13 17:30:00", 0)]


def test_an_increase_with_a_delay_that_meets_one_without() -> None:
    """What begins or ends with something that has a delay has one too."""
    player = plugged(70)
    start = EVENING + HOUR
    exempt = event("A", start, start + HOUR, **MORE, already_randomised=True)
    usual = event("B", start + 0.5 * HOUR, start + HOUR, **MORE)
    player.change(dsr=book(player.now, exempt, usual))
    player.until(start + 2 * HOUR)
    assert powers(player.log)[1:] == [("13 18:30:00", 11), ("13 19:31:10", 0)]


@pytest.mark.parametrize("by_hand", [True, False])
def test_leaving_without_a_user(by_hand: bool) -> None:
    """A person may have no user; an automation is delayed."""
    player = plugged(437, 45, 200)
    player.change(dsr=book(player.now, event("A", NIGHT, NIGHT + HOUR)))
    player.until(NIGHT + 0.5 * HOUR)
    player.change(dsr=player.situation.dsr.opt_out(player.now, None, by_hand=by_hand))
    player.until(NIGHT + HOUR)
    at = "13 23:30:00" if by_hand else "13 23:33:20"
    assert powers(player.log)[-2:] == [("13 23:00:45", 6), (at, 11)]


@pytest.mark.parametrize("how", ["moved", "cancelled", "turned"])
def test_an_event_that_ends_otherwise(how: str) -> None:
    """However a reduction ends, its end is a relevant time with its own draw."""
    player = plugged(437, 45, 200)
    first = event("A", NIGHT, NIGHT + HOUR)
    player.change(dsr=book(player.now, first))
    player.until(NIGHT + 0.5 * HOUR)
    known = player.situation.dsr
    if how == "cancelled":
        after = known.cancel(first.key, player.now)
    else:
        later = NIGHT + (5 * HOUR if how == "moved" else -HOUR)
        changes = {} if how == "moved" else MORE
        newer = event("A", later, NIGHT + 6 * HOUR, version=2, **changes)
        after = known.add(newer, player.now)
    player.change(dsr=after)
    player.restart()
    player.until(NIGHT + HOUR)
    assert powers(player.log)[-2:] == [("13 23:00:45", 6), ("13 23:33:20", 11)]
    assert player.drawn == 3


versions = st.lists(
    st.tuples(
        st.integers(-900, 900),
        st.integers(60, 3600),
        st.sampled_from(DsrKind),
        st.sampled_from([0.0, 4.5, 6.0]),
        st.booleans(),
        st.integers(1, 1200),
    ),
    min_size=1,
    max_size=6,
)


@given(versions)
def test_a_newer_version_changes_nothing_of_the_past(
    found: list[tuple[int, int, DsrKind, float, bool, int]],
) -> None:
    """Just before every new version the book asks for what it asked for then."""
    now, known = EVENING, DsrBook()
    for number, (start, length, kind, limit, response, pause) in enumerate(found):
        begin = now + start * SECOND
        new = event(
            "A",
            begin,
            begin + length * SECOND,
            kind=kind,
            limit_kw=limit,
            response_service=response,
            version=number,
        )
        if new.end > now:
            newer = known.add(new, now)
            for before in (now - SECOND, now - timedelta(microseconds=1)):
                for exempt in (None, True, False):
                    assert newer.reduction(before, exempt=exempt) == known.reduction(
                        before, exempt=exempt
                    )
                assert newer.increases(before) is known.increases(before)
            assert not [one for one in newer.active(now) if one.version != number]
            edges = {at for at, _ in newer.edges(now - HOUR)}
            if list(known.active(now - SECOND)) and list(known.active(now)):
                assert now in edges
            known = newer
        now += pause * SECOND


@pytest.mark.parametrize(("source", "waits"), [("user", 0), (AUTOMATION, 100)])
def test_charge_now_before_plugging_in(source: str, waits: int) -> None:
    """A person has overridden the delay of plugging in, an automation has not."""
    player = Player(now=EVENING, draws=[100])
    override = Override(
        mode=OverrideMode.CHARGE, start=EVENING, end=EVENING + HOUR, source=source
    )
    player.change(override=override)
    player.now += 300 * SECOND
    player.plug()
    assert player.memory.settled.allowed is (waits == 0)
    player.until(EVENING + 0.5 * HOUR)
    assert player.decision is not None
    assert player.decision.reason is Reason.OVERRIDE_CHARGE
    assert player.memory.settled.allowed
    assert player.memory.changed_at == EVENING + (300 + waits) * SECOND
