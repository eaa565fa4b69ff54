"""Forget who charged, in sessions that are not over yet.

Takes what runs and whom to forget, gives the same without them. Energy, time and cost
stay: the session goes on as one of nobody, whatever the wallbox says of it later.
"""

from collections.abc import Collection
from dataclasses import replace

from .following import OpenSession
from .session_book import SessionBook
from .slices import SessionRules
from .step import Step, corrected


def forgotten(book: SessionBook, people: Collection[str], rules: SessionRules) -> Step:
    """Return a book without some people, by their pseudonyms; saved where it changed.

    That a running session is nobody's from now on is told, so that the ledger has it: a
    state may wait for the end of a backup, and a crash before that would lose the word.
    """
    without = replace(
        book,
        open=_without(book.open, people),
        closing=_without(book.closing, people),
        waiting=tuple(
            one for kept in book.waiting if (one := _without(kept, people)) is not None
        ),
    )
    running = without.open
    if running is None or running is book.open:
        return Step(book=without, save=without != book)
    running = replace(running, revision=running.revision + 1)
    told = corrected(running, running.tally.at, rules)
    return Step(book=replace(without, open=running), told=(told,), save=True)


def _without(
    session: OpenSession | None, people: Collection[str]
) -> OpenSession | None:
    """Return a session that is nobody's where it was one of theirs."""
    if session is None or not {session.user_id, session.tag} & set(people):
        return session
    return replace(session, user_id=None, tag=None, vehicle=None, anonymous=True)
