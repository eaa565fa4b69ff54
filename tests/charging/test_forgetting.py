"""A person is forgotten in sessions that are not over, and is not heard of again."""

from dataclasses import replace

from .stays import Stay, utc
from custom_components.loxone_wallbox.charging.forgetting import forgotten
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
