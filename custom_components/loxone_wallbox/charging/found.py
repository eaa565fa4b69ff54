"""What a wallbox is found doing after a restart.

Takes what meter and wallbox tell, gives whose energy the counter shows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

from .following import LATE, OpenSession
from .rest import (
    HOUR,
    MOST_GONE,
    WORD_LATE,
    WORD_OFF,
    Rest,
    begin_wh,
    remembered,
)
from .sharing import begun
from .slices import SessionRules
from .tally import Reading

if TYPE_CHECKING:
    from .session_book import SessionBook


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is found after a restart; None is unknown.

    `visit_id` is the wallbox's own name of the present stay, `visit_since` when that
    began and `visit_wh` what it has taken; `ended_at` is when the stay before ended, and
    `between_wh` what other stays took after that and before the present one, of which
    `last_visit` is the last and `others` are those that are surely not recorded. Where a
    meter went on, `left` is the session as its car left it, `left_wh` where the counter
    stood then and `came_wh` where it stood when the present stay began.
    """

    connected: bool | None
    reading: Reading
    visit_id: str | None = None
    visit_since: datetime | None = None
    visit_wh: float | None = None
    ended_at: datetime | None = None
    between_wh: float = 0.0
    last_visit: str | None = None
    others: tuple[str, ...] = ()
    left: OpenSession | None = None
    left_wh: int | None = None
    came_wh: int | None = None

    def remembering(self, rest: Rest | None, last: OpenSession | None) -> Self:
        """Return it with a counter that does not forget what it had shown before.

        Of a step that it has not finished a restart knows nothing.
        """
        return replace(self, reading=remembered(self.reading, last, rest))

    @property
    def _taken(self) -> int | None:
        """Return what the present stay has taken."""
        if not self.connected:
            return 0
        return Reading(at=self.reading.at, wh=self.visit_wh).counted_wh

    @property
    def between(self) -> int:
        """Return what other stays took, 0 for nonsense."""
        return Reading(at=self.reading.at, wh=self.between_wh).counted_wh or 0

    def end_wh(self, known: int | None) -> int | None:
        """Return where the counter stood when the stay before ended, if known.

        That is at least what it had shown of that stay; a counter that has fallen tells
        nothing.
        """
        if self.left_wh is not None:
            return self.left_wh
        total = self.reading.counted_wh
        if total is None or (known is not None and total < known):
            return None
        return max(total - (self._taken or 0) - self.between, known or 0)

    def start_wh(
        self, rest: Rest | None, last: OpenSession | None, rules: SessionRules
    ) -> int | None:
        """Return where the counter stood when the present stay began, if known.

        Without a `rest` it is known at least where the `last` session ended.
        """
        if self.came_wh is not None:
            return self.came_wh
        total = self.reading.counted_wh
        if total is None:
            return None
        if rest is not None:
            late = rules.max_w * (WORD_LATE / HOUR)
            return begin_wh(rest.wh, total, self._taken, self.between, late)
        before = max(total - (self._taken or 0), 0)
        ended = None if last is None else last.tally.wh
        return before if ended is None or total < ended else max(before, ended)

    def doubted(self, session: OpenSession, rest: Rest | None) -> OpenSession:
        """Return a session that may have begun at a rest before it, if so much is open.

        The word of what it has taken may be an old one, so that it seems that others took
        what is its own: then the next word is listened to.
        """
        start, wh = session.start_wh, self.visit_wh
        if rest is None or start is None or wh is None or self.came_wh is not None:
            return session
        least = rest.wh + self.between
        if start <= least:
            return session
        return replace(session, least_wh=least, told_wh=wh)

    def noted(self, book: SessionBook) -> SessionBook:
        """Return a book that knows which stays only the wallbox has seen."""
        if not self.others:
            return book
        # The same are found again until a car has come that is recorded.
        others = [one for one in book.others if one not in self.others]
        return replace(book, others=(*others, *self.others)[-MOST_GONE:])

    def leaves_open(self, rest: Rest | None) -> bool:
        """Tell whether it is not known what has become of what flowed since a rest.

        The word that no car is there may be an old one: it is the wallbox that tells of
        cars, and its own link may be cut. Then somebody takes what nobody told of.
        """
        total = self.reading.counted_wh
        if total is None or self.connected is None:
            return True
        if rest is None or not rest.moved:
            return False
        return total - rest.wh - self.between > 1 + WORD_OFF * self.between

    def is_same(self, session: OpenSession) -> bool:
        """Tell whether the car of a session has stayed."""
        if not self.connected:
            return False
        if self.visit_id is not None and session.visit_id is not None:
            return self.visit_id == session.visit_id
        since = self.visit_since
        return since is None or since <= session.tally.at + LATE


def heard(
    session: OpenSession, told: Callable[[OpenSession], float | None]
) -> OpenSession:
    """Return a session with what the wallbox says it took, the last such word in Wh."""
    wh = told(session)
    if wh is None:
        return session
    least, start, total = session.least_wh, session.start_wh, session.tally.wh
    word = Reading(at=session.tally.at, wh=wh).counted_wh
    if None in {least, start, total, word} or wh == session.told_wh:
        return replace(session, told_wh=wh)
    assert least is not None and start is not None and total is not None  # noqa: S101, PT018
    more = start - min(begin_wh(least, total, word), start)
    # The next reading books it: when it flowed nobody has seen.
    tally = replace(session.tally, wh=total - more)
    return replace(
        session,
        told_wh=wh,
        least_wh=None,
        start_wh=start - more,
        tally=tally,
        estimated=session.estimated or more > 0,
    )


def begun_after(
    session: OpenSession, rest: Rest | None, reading: Reading, rules: SessionRules
) -> OpenSession:
    """Return a session that a reading tells where the counter stood as it began.

    That takes a rest before it; one that knows it already stays as it is.
    """
    if rest is None or session.tally.wh is not None:
        return session
    found = Found(
        connected=True,
        reading=reading,
        visit_wh=session.told_wh,
        between_wh=rest.between,
    )
    session = begun(session, found.start_wh(rest, None, rules))
    return found.doubted(session, rest)
