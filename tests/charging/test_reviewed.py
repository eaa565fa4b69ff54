"""Who may raise at once, what a person lowers at once, and what is told of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from .nights import Player, book, event, local, powers, situation
from custom_components.loxone_wallbox.charging.dsr import DsrKind
from custom_components.loxone_wallbox.charging.override import (
    AUTOMATION,
    Override,
    OverrideMode,
)
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.charging.wish import TargetPower

EVENING = local("2027-01-13T17:30:00")
LATE = local("2027-01-13T22:30:00")
NIGHT = local("2027-01-13T23:00:00")
END = local("2027-01-14T08:00:00")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
PAUSE: dict[str, Any] = {"kind": DsrKind.PAUSE, "limit_kw": None}
MORE: dict[str, Any] = {"kind": DsrKind.INCREASE, "limit_kw": None}
BY = pytest.mark.parametrize(("source", "waits"), [("user", 0), (AUTOMATION, 100)])
RESPONSE: dict[str, Any] = {"limit_kw": 4.5, "response_service": True}
RANDOMISED: dict[str, Any] = {"limit_kw": 4.5, "already_randomised": True}
STOPPED: dict[str, Any] = {**PAUSE, "response_service": True}


def charging(*draws: int, **changes: Any) -> Player:
    """Return a player whose car charges at half past ten."""
    player = Player(
        now=EVENING,
        draws=[437, *draws],
        situation=situation(keeps_end=True, **changes),
    )
    player.plug()
    player.until(LATE)
    return player


def charge(player: Player, source: str = "user", end: datetime | None = None) -> None:
    """Charge now, whatever else is asked for."""
    word = Override(mode=OverrideMode.CHARGE, start=player.now, end=end, source=source)
    player.change(override=word)


def clock(at: datetime) -> str:
    """Return an instant as a player writes it down."""
    return at.strftime("%d %H:%M:%S")


def ahead(player: Player) -> str:
    """Return when the next change is expected."""
    assert player.decision is not None
    assert player.decision.next_change is not None
    return clock(player.decision.next_change)


def lifted(player: Player, how: str, source: str) -> None:
    """Lift what reduces without a delay."""
    if how == "charge":
        charge(player, source)
        return
    by_hand = source == "user"
    player.change(dsr=player.situation.dsr.opt_out(player.now, None, by_hand=by_hand))


@BY
@pytest.mark.parametrize("how", ["charge", "leave"])
@pytest.mark.parametrize("what", [RESPONSE, RANDOMISED, STOPPED])
def test_what_is_lifted(
    what: dict[str, Any], how: str, source: str, waits: int
) -> None:
    """An automation's rise has its own draw, a person's waits for nothing."""
    player = charging(*[100] * bool(waits))
    player.change(dsr=book(player.now, event("A", NIGHT, NIGHT + 30 * MINUTE, **what)))
    player.until(NIGHT + 10 * MINUTE)
    held = player.log[-1][1]
    assert held == (what["limit_kw"] or 0.0)
    lifted(player, how, source)
    player.restart()
    player.until(NIGHT + 29 * MINUTE)
    at = NIGHT + 10 * MINUTE + waits * SECOND
    assert powers(player.log)[-2:] == [("13 23:00:00", held), (clock(at), 11.0)]
    assert player.drawn == 1 + bool(waits)
    if waits:
        assert player.memory.draws[-1].cause is Cause.AUTOMATION
        assert player.memory.draws[-1].relevant_at == NIGHT + 10 * MINUTE


def test_one_of_two_is_lifted() -> None:
    """What an automation leaves gives way after its draw to what is still asked for."""
    player = charging(100)
    lower = event("A", NIGHT, NIGHT + 30 * MINUTE, **RESPONSE)
    usual = event("B", NIGHT, NIGHT + 30 * MINUTE, response_service=True)
    player.change(dsr=book(player.now, lower, usual))
    player.until(NIGHT + 10 * MINUTE)
    known = player.situation.dsr
    player.change(dsr=known.opt_out(player.now, None, by_hand=False, keys=[lower.key]))
    player.until(NIGHT + 40 * MINUTE)
    assert powers(player.log)[-3:] == [
        ("13 23:00:00", 4.5),
        ("13 23:11:40", 6.0),
        ("13 23:30:00", 11.0),
    ]


def test_what_ends_by_itself_is_not_lifted() -> None:
    """An automation that left another one before does not delay its end."""
    player = charging(100)
    first = event("A", NIGHT, NIGHT + 50 * MINUTE, **RESPONSE)
    player.change(dsr=book(player.now, first))
    player.until(NIGHT + 5 * MINUTE)
    lifted(player, "leave", AUTOMATION)
    player.until(NIGHT + 10 * MINUTE)
    second = event("B", NIGHT + 20 * MINUTE, NIGHT + 30 * MINUTE, **RESPONSE)
    player.change(dsr=player.situation.dsr.add(second, player.now))
    player.until(NIGHT + 30 * MINUTE - SECOND)
    # A timer may be a little late.
    player.now += SECOND + timedelta(milliseconds=2)
    player.decide()
    assert powers(player.log)[-3:] == [
        ("13 23:06:40", 11.0),
        ("13 23:20:00", 4.5),
        ("13 23:30:00", 11.0),
    ]


def wish(
    player: Player, limit: float, *, before: float, cause: Cause = Cause.USER
) -> None:
    """Have somebody wish for a power."""
    said = TargetPower(limit_kw=limit, previous_kw=before, at=player.now, cause=cause)
    player.change(target=said)


def lower(player: Player, limit: float, cause: Cause = Cause.USER) -> None:
    """Have somebody wish for less than eleven."""
    wish(player, limit, before=11.0, cause=cause)


@pytest.mark.parametrize("limit", [8.0, 6.0, 5.0])
def test_a_lower_limit_while_a_decrease_waits(limit: float) -> None:
    """A person's limit holds at once, and the decrease at its own time."""
    player = charging(500)
    player.change(dsr=book(player.now, event("A", NIGHT, NIGHT + 30 * MINUTE)))
    player.until(NIGHT + MINUTE)
    lower(player, limit)
    player.until(NIGHT + 20 * MINUTE)
    after = [("13 23:08:20", 6.0)] if limit > 6 else []
    assert powers(player.log)[2:] == [("13 23:01:00", limit), *after]
    assert player.drawn == 2


def test_a_lower_limit_while_a_stop_waits() -> None:
    """The window ends as it would have."""
    player = charging(500)
    player.until(local("2027-01-14T07:51:00"))
    lower(player, 5.0)
    player.until(END)
    assert powers(player.log)[2:] == [("14 07:51:00", 5.0), ("14 07:58:20", 0.0)]


@pytest.mark.parametrize(
    ("limit", "cause", "held"),
    [
        (8.0, Cause.USER, 8.0),
        (11.0, Cause.USER, 11.0),
        (11.0, Cause.AUTOMATION, 5.0),
    ],
)
def test_a_limit_that_is_raised_again_while_a_stop_waits(
    limit: float, cause: Cause, held: float
) -> None:
    """What a person took a person may have back; the stop keeps its time."""
    player = charging(500)
    player.until(local("2027-01-14T07:51:00"))
    lower(player, 5.0)
    player.until(local("2027-01-14T07:52:00"))
    wish(player, limit, before=5.0, cause=cause)
    player.restart()
    player.until(END)
    raised = [] if held == 5.0 else [("14 07:52:00", held)]
    assert powers(player.log)[2:] == [
        ("14 07:51:00", 5.0),
        *raised,
        ("14 07:58:20", 0.0),
    ]
    assert player.drawn == 2


def test_less_than_the_least_while_a_stop_waits() -> None:
    """What the wallbox cannot be held to is no charging."""
    player = charging(500)
    player.until(local("2027-01-14T07:51:00"))
    lower(player, 3.0)
    player.until(END)
    assert powers(player.log)[2:] == [("14 07:51:00", 0.0)]


def reduced_by_the_grid(player: Player) -> None:
    """Let a response service reduce for a minute."""
    end = player.now + MINUTE
    player.change(dsr=book(player.now, event("A", player.now, end, **RESPONSE)))


def reduced_by_tampering(player: Player) -> None:
    """Let somebody tamper with the wallbox for a moment."""
    player.change(limited_to_kw=4.5)
    player.now += SECOND
    player.change(limited_to_kw=None, eased_at=player.now)


@pytest.mark.parametrize("reduced", [reduced_by_the_grid, reduced_by_tampering])
def test_what_others_took_while_a_stop_waits(
    reduced: Callable[[Player], None],
) -> None:
    """Who asks for more has not what the grid or a protection took since."""
    player = charging(500)
    player.until(local("2027-01-14T07:51:00"))
    wish(player, 5.0, before=11.0)
    player.until(local("2027-01-14T07:52:00"))
    reduced(player)
    player.until(local("2027-01-14T07:54:00"))
    wish(player, 11.0, before=5.0)
    player.until(END)
    assert powers(player.log)[2:] == [
        ("14 07:51:00", 5.0),
        ("14 07:52:00", 4.5),
        ("14 07:58:20", 0.0),
    ]


def test_more_than_there_was_while_a_stop_waits() -> None:
    """What waits to stop is not raised first."""
    player = charging(500, target=TargetPower(limit_kw=5.0, previous_kw=5.0))
    player.until(local("2027-01-14T07:52:00"))
    wish(player, 11.0, before=5.0)
    player.until(END)
    assert powers(player.log)[1:] == [("13 22:07:17", 5.0), ("14 07:58:20", 0.0)]


def test_the_lower_limit_of_an_automation_waits() -> None:
    """What nobody in person has said joins what is already pending."""
    player = charging(500)
    player.change(dsr=book(player.now, event("A", NIGHT, NIGHT + 30 * MINUTE)))
    player.until(NIGHT + MINUTE)
    lower(player, 8.0, Cause.AUTOMATION)
    player.until(NIGHT + 20 * MINUTE)
    assert powers(player.log)[2:] == [("13 23:08:20", 6.0)]


@pytest.mark.parametrize("before", [0, 1, 299])
def test_an_increase_that_ends_with_the_window(before: int) -> None:
    """Its end is a relevant time of its own, with its whole draw."""
    player = charging(600)
    end = END - before * SECOND
    more = event("A", local("2027-01-14T07:00:00"), end, **MORE)
    player.change(dsr=book(player.now, more))
    player.until(END + 30 * MINUTE)
    assert powers(player.log)[2:] == [(clock(end + 600 * SECOND), 0.0)]
    assert player.memory.draws[-1].drawn_s == 600


def test_an_increase_that_ends_before_the_stop() -> None:
    """What the window allows ends with the window, not one watt-hour later."""
    player = charging(600)
    end = END - 10 * MINUTE - SECOND
    more = event("A", local("2027-01-14T07:00:00"), end, **MORE)
    player.change(dsr=book(player.now, more))
    player.until(END + 30 * MINUTE)
    assert powers(player.log)[2:] == [("14 08:00:00", 0.0)]


@pytest.mark.parametrize("by", ["end", "pause", "permission"])
def test_an_automation_that_stops_in_the_last_seconds(by: str) -> None:
    """What the owner started goes on for the whole draw of who ends it."""
    player = charging(600)
    player.until(local("2027-01-14T07:40:00"))
    charge(player)
    player.until(END - 2 * SECOND)
    now = player.now
    if by == "end":
        assert player.situation.override is not None
        word = player.situation.override.ended(now, source=AUTOMATION)
        player.change(override=word)
    elif by == "pause":
        word = Override(mode=OverrideMode.PAUSE, start=now, source=AUTOMATION)
        # The word before is not known any more: what it started is what held.
        player.change(override=word)
    else:
        said = player.situation.permission.said(False, now, Cause.AUTOMATION)
        player.change(permission=said)
    player.until(END + 30 * MINUTE)
    assert powers(player.log)[2:] == [("14 08:09:58", 0.0)]


def test_an_automation_that_stops_in_the_window() -> None:
    """What the window allowed is over with it, however short it is."""
    player = charging(300)
    player.change(end_before=timedelta(hours=9))
    player.until(local("2027-01-14T02:59:00"))
    said = player.situation.permission.said(False, player.now, Cause.AUTOMATION)
    player.change(permission=said)
    player.until(END)
    assert powers(player.log)[2:] == [("14 03:04:00", 0.0)]


def test_the_next_change_is_one_without_a_delay() -> None:
    """Before an event its start, during it its end, then the window's."""
    player = charging()
    player.change(
        dsr=book(player.now, event("A", NIGHT, NIGHT + 10 * MINUTE, **RESPONSE))
    )
    assert ahead(player) == "13 23:00:00"
    player.until(NIGHT + MINUTE)
    assert ahead(player) == "13 23:10:00"
    player.until(NIGHT + 11 * MINUTE)
    assert ahead(player) == "14 07:50:00"


def test_the_next_change_is_not_one_that_is_not_felt() -> None:
    """An event above what holds changes nothing, nor one under an override."""
    player = charging()
    mild = event("A", NIGHT, NIGHT + 10 * MINUTE, limit_kw=11.0, response_service=True)
    player.change(dsr=book(player.now, mild))
    assert ahead(player) == "14 07:50:00"
    player = charging()
    player.change(
        dsr=book(player.now, event("A", NIGHT, NIGHT + 10 * MINUTE, **RESPONSE))
    )
    charge(player, end=NIGHT + 60 * MINUTE)
    assert ahead(player) == "14 07:50:00"


def test_a_pause_over_the_opening() -> None:
    """A start that is due while an event pauses is expected at its end."""
    player = Player(now=EVENING, draws=[437], situation=situation(keeps_end=True))
    player.plug()
    opens = local("2027-01-13T22:00:00")
    player.change(dsr=book(player.now, event("A", opens, LATE, **STOPPED)))
    assert ahead(player) == "13 22:30:00"
    for minute in (1, 8):
        player.until(opens + minute * MINUTE)
        assert ahead(player) == "13 22:30:00"
    player.until(LATE)
    assert ahead(player) == "14 07:50:00"
    assert powers(player.log) == [("13 17:30:00", 0), ("13 22:30:00", 11)]
    # The pause is not what the start has waited for.
    assert player.memory.draws[-1].cause is Cause.DEFAULT_HOURS
