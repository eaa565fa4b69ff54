"""What a fact makes of the sessions of a wallbox."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .following import OpenSession
from .slices import SessionRules
from .transition import Transition, TransitionKind

if TYPE_CHECKING:
    from .session_book import SessionBook


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """The state after a fact, what is to be told, and whether to save the state."""

    book: SessionBook
    told: tuple[Transition, ...] = ()
    save: bool = False

    def then(self, following: Step) -> Step:
        """Return both steps as one."""
        told = (*self.told, *following.told)
        return Step(book=following.book, told=told, save=self.save or following.save)


def told_of(
    kind: TransitionKind, session: OpenSession, at: datetime, rules: SessionRules
) -> Transition:
    """Return what is told of a session as it is now."""
    return Transition(kind=kind, at=at, record=session.record(rules))


def corrected(session: OpenSession, at: datetime, rules: SessionRules) -> Transition:
    """Return that the record of a session that has ended is another one now."""
    return told_of(TransitionKind.SESSION_CORRECTED, session, at, rules)
