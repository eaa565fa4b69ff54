"""A person is forgotten in what is not over, and is not heard of again."""

from dataclasses import replace
from datetime import timedelta
import json

from .stays import Stay, utc
from custom_components.loxone_wallbox.charging.delay import (
    DelayMemory,
    Draw,
    Outcome,
)
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.forgetting import forgotten
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.owner import DefaultHours, OwnerState
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.charging.session_book import SessionBook

ADA, BOB = "p00000000000000ad", "p00000000000000b0"


def stay_of(user: str) -> Stay:
    """Return a stay of somebody, which is running."""
    stay = Stay(now=utc("2026-11-23T18:00"))
    stay.plug()
    stay.take(stay.book.user_known(stay.rules, user))
    return stay


def test_a_running_session() -> None:
    """It goes on as nobody's, also over a restart and whatever is said later."""
    stay = stay_of(ADA)
    step = stay.take(forgotten(stay.book, [ADA], stay.rules))
    assert step.save
    assert ADA not in stay.saved
    stay.book = SessionBook.from_dict(stay.book.as_dict())
    stay.take(stay.book.user_known(stay.rules, ADA))
    assert ADA not in str(stay.book.as_dict())
    assert stay.book.open is not None
    assert stay.book.open.record(stay.rules).user_id is None


def test_a_state_that_was_not_kept() -> None:
    """What the ledger has is enough to know that nobody is to be told of."""
    stay = stay_of(ADA)
    [told] = forgotten(stay.book, [ADA], stay.rules).told
    before = SessionBook(wallbox="box")
    stay.book = before.reconciled(told.record, stay.rules)
    stay.take(stay.book.user_known(stay.rules, ADA))
    assert stay.book.open is not None
    assert stay.book.open.record(stay.rules).user_id is None


def test_sessions_that_wait_for_their_energy() -> None:
    """Those that ended a moment ago are forgotten as well, others are not."""
    stay = stay_of(ADA)
    theirs, others = stay.book.open, stay_of(BOB).book.open
    assert theirs is not None
    assert others is not None
    waiting = (theirs, others)
    stay.book = replace(stay.book, open=None, closing=theirs, waiting=waiting)
    book = forgotten(stay.book, [ADA], stay.rules).book
    assert book.closing is not None
    assert book.closing.user_id is None
    assert [one.user_id for one in book.waiting] == [None, BOB]


def test_nobody_there() -> None:
    """Nothing is written where nothing is to be forgotten."""
    stay = stay_of(BOB)
    step = forgotten(stay.book, [ADA], stay.rules)
    assert not step.save
    assert step.book == stay.book


def test_who_did_something() -> None:
    """Of an act is known that it was a person's, and of others who they were."""
    now, user, other = utc("2026-11-23T18:00"), "a" * 32, "b" * 32
    event = DsrEvent(
        event_id="one",
        start=now,
        end=now + timedelta(hours=1),
        kind=DsrKind.PAUSE,
        heard_at=now,
        opted_out_at=now,
        opted_out_by=user,
        opted_out_by_hand=True,
    )
    draws = tuple(
        Draw(
            relevant_time_id=f"of {by[0]}",
            cause=Cause.DEFAULT_HOURS,
            relevant_at=now,
            drawn_s=60,
            due=now,
            outcome=Outcome.SKIPPED,
            at=now,
            by=by,
        )
        for by in (user, other)
    )
    book = DsrBook(events={event.key: event}, former={event.key: event})
    state = OwnerState(
        hours=DefaultHours(changed_at=now, changed_by=user),
        override=Override(
            mode=OverrideMode.PAUSE, start=now, by=user, ended_by=user, end=now
        ),
        dsr=book,
        delay=DelayMemory(draws=draws),
    )
    after = state.without({user})
    kept = json.dumps(after.as_dict())
    assert user not in kept
    assert kept.count(other) == 1
    assert after.hours.changed_at == now
    assert after.hours.changed_by_hand
    [left] = after.dsr.events.values()
    assert left == replace(event, opted_out_by=None)
    assert after.without({user}) == after
    assert OwnerState().without({user}) == OwnerState()
