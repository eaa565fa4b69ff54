"""What a session was whenever nothing flowed while nobody told whose car is there.

A meter reads on into the running session while the Miniserver is away. Once that is
back and says that the car had left, what flowed after that is somebody else's. Takes the
session after each change, gives what is found with the session as its car left it. This
is not kept over a restart, after which nothing is read before the Miniserver is back.

The Miniserver's instants are compared by a clock that nobody can set: ours may have been
set since the car came, and then says another time than it did.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from .following import LATE, OpenSession
from .found import Found
from .sharing import begun

# More than cars come and pause while a Miniserver is away.
MOST = 64
# The Miniserver's clock may be wrong by as much as that; further away is another rest.
NEAR = timedelta(seconds=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Still:
    """A time in which nothing flowed: the session at its begin, the counter at its end.

    A counter that is behind shows in that time what has flowed before. `start` and `end`
    are by the clock that nobody can set, which ours was ahead of by `ahead` at its end.
    """

    session: OpenSession
    start: datetime
    end: datetime
    ahead: timedelta
    wh: int | None

    @classmethod
    def of(cls, session: OpenSession, ahead: timedelta) -> Self:
        """Return it as it begins."""
        at = session.tally.at - session.ahead - ahead
        return cls(session=session, start=at, end=at, ahead=ahead, wh=session.tally.wh)

    def distance(self, at: datetime) -> timedelta:
        """Return how far an instant is from it, nothing within."""
        return max(self.start - at, at - self.end, timedelta())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    """Where an instant that was told lies: at which rest, and when by our own clock."""

    still: _Still
    away: timedelta
    at: datetime


class Meanwhile:
    """The last times in which nothing flowed, from when the Miniserver went away on."""

    def __init__(
        self, session: OpenSession | None, ahead: timedelta = timedelta()
    ) -> None:
        """Begin with the session as it is.

        `ahead` is how far our clock is before one that nobody can set.
        """
        self._stills: deque[_Still] = deque(maxlen=MOST)
        # Whether anything flows now, None where nobody knows.
        self._flows: bool | None = None
        self._of: str | None = None
        # As the present car came, and now.
        self._came_ahead = self._ahead = ahead
        self.begin(session)

    def begin(self, session: OpenSession | None) -> None:
        """Begin an absence; a car may have paused before."""
        self._stills.clear()
        self._flows = None
        self.take(session, self._ahead)

    def take(
        self,
        session: OpenSession | None,
        ahead: timedelta = timedelta(),
        *,
        away: bool = True,
    ) -> None:
        """Take the session after a change: a reading, or that there is none.

        While the Miniserver is not `away` only the clock is looked at.
        """
        self._ahead = ahead
        if session is not None and session.id != self._of:
            self._of, self._came_ahead = session.id, ahead
        if not away:
            return
        before = self._flows
        self._flows = None if session is None else session.tally.flows
        if session is None or self._flows is not False:
            return
        now = _Still.of(session, ahead)
        if before is False and self._stills:
            last = self._stills[-1]
            self._stills[-1] = replace(last, end=now.end, ahead=ahead, wh=now.wh)
        else:
            self._stills.append(now)

    def completed(self, found: Found, session: OpenSession | None) -> Found:
        """Return what is found with the session as its car left it, if that is known.

        Where nobody stayed in between, the present stay begins where that one ended, so
        the two have what the counter has risen by.
        """
        if session is None or found.connected is None or found.is_same(session):
            return found
        since = found.visit_since if found.connected else None
        ended = self._near(found.ended_at or since)
        if not found.connected and not found.between_wh:
            # Nobody came after it: whatever has flowed is its own, whatever clocks say.
            if self._flows is None or ended is None:
                return found
            if self._flows is False:
                ended = replace(ended, still=self._stills[-1])
        if ended is None or ended.still.wh is None:
            return found
        left = ended.still
        came_wh: int | None = left.wh
        if found.between_wh:
            came = self._near(since)
            came_wh = None if came is None else came.still.wh
            if came_wh is not None and left.wh is not None and came_wh < left.wh:
                came_wh = None
        return replace(
            found,
            ended_at=ended.at if found.ended_at is not None else None,
            left=_with_what_is_known(left.session, session),
            left_wh=left.wh,
            came_wh=came_wh,
        )

    def _near(self, at: datetime | None) -> _Match | None:
        """Return the time in which an instant lies, or the nearest one.

        The Miniserver's clock mostly agrees with ours as it was when the car came, else
        with ours as it is now.
        """
        if at is None:
            return None
        first, now = self._by(at, self._came_ahead), self._by(at, self._ahead)
        if first is None or now is None:
            return None
        best = first if first.away <= max(LATE, now.away) else now
        return best if best.away <= NEAR else None

    def _by(self, at: datetime, ahead: timedelta) -> _Match | None:
        """Return what is nearest to an instant of a clock that is so far ahead."""
        steady = at - ahead
        still = min(self._stills, key=lambda one: one.distance(steady), default=None)
        if still is None:
            return None
        moved = still.ahead - ahead
        # Less is no clock that was set, only two that were not read in the same moment.
        at += moved if abs(moved) > LATE else timedelta()
        return _Match(still=still, away=still.distance(steady), at=at)


def _with_what_is_known(back: OpenSession, now: OpenSession) -> OpenSession:
    """Return a session as it was, with what no reading tells as it is known now.

    Its person may have been forgotten meanwhile, and the ledger has its later revisions.
    Where the counter stood as it began may have been told only after it was left.
    """
    return replace(
        begun(back, now.start_wh),
        visit_id=now.visit_id,
        user_id=now.user_id,
        tag=now.tag,
        vehicle=now.vehicle,
        anonymous=now.anonymous,
        told_wh=now.told_wh,
        revision=now.revision,
    )
