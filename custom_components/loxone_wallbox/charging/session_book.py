"""The sessions of one wallbox as they happen: the running one and the last.

Takes facts with their instants, gives the next state, what is to be told and whether
the state is to be saved. Plain data that outlives a restart: whatever was booked before
it stays booked, and what the counter shows more afterwards is the running session's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from .cutting import Cuts, Mark
from .following import LATE, OpenSession
from .found import Found, reopened
from .keeping import plain_session, read_session
from .session import (
    DelayNote,
    Quality,
    SessionError,
    SessionRecord,
    StopReason,
    instant,
)
from .slices import SessionRules
from .tally import BEHIND, Reading, Tally
from .transition import Transition, TransitionKind, session_id

SCHEMA = 1
# So much at most is estimated after a crash.
SAVE_EVERY = timedelta(minutes=5)
MOST_DELAYS = 100
# Two weeks of quarter hours in which nobody knew what flowed, with room.
MOST_MARKS = 3000
# A clock that is set back further was wrong: its sessions lie in another time.
SET_BACK = timedelta(days=1)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionBook:
    """What must outlive a restart.

    `closing` has ended, but its counter may be behind. Instants in UTC.
    """

    wallbox: str
    seq: int = 0
    open: OpenSession | None = None
    closing: OpenSession | None = None
    price_id: str | None = None
    dsr_id: str | None = None
    last_connected: datetime | None = None
    last_end: datetime | None = None
    saved_at: datetime | None = None

    def plugged(
        self,
        at: datetime,
        rules: SessionRules,
        wh: float | None = None,
        visit_id: str | None = None,
    ) -> Step:
        """Begin a session, at the counter's last reading before anything flows.

        Without a reading it begins with the first one.
        """
        if self.open is not None:
            return Step(book=self)
        reading = Reading(at=at, wh=wh)
        late = self.read(reading, rules)
        book, own = late.book, late.book._begin_at(at)  # noqa: SLF001
        session = OpenSession(
            id=session_id(book.wallbox, own, book.seq + 1),
            wallbox=book.wallbox,
            seq=book.seq + 1,
            connected=own,
            ahead=max(own - at, timedelta()),
            estimated=own - at > LATE,
            visit_id=visit_id,
            start_wh=reading.counted_wh,
            tally=Tally(at=own, wh=reading.counted_wh),
            cuts=Cuts.begun(own, rules, book.price_id, book.dsr_id),
        )
        book = replace(book, seq=book.seq + 1, closing=None, last_connected=own)
        started = TransitionKind.SESSION_STARTED
        return late.then(book._kept(session, rules, started))  # noqa: SLF001

    def _begin_at(self, at: datetime) -> datetime:
        """Return when a session begins: not within the one before."""
        if self.last_end is None or self.last_end - at > SET_BACK:
            return at
        return max(at, self.last_end)

    def read(self, reading: Reading, rules: SessionRules) -> Step:
        """Take a reading."""
        session = self.open
        if session is None:
            return self._read_late(reading, rules)
        after = session.read(reading, rules)
        if after.charging is not session.charging:
            kind = TransitionKind.CHARGING_PAUSED
            if after.charging:
                kind = TransitionKind.CHARGING_STARTED
            return self._kept(after, rules, kind)
        saved = self.saved_at
        due = saved is None or not timedelta() <= after.tally.at - saved < SAVE_EVERY
        if due or after.cuts is not session.cuts:
            return self._kept(after, rules)
        return Step(book=replace(self, open=after))

    def _read_late(self, reading: Reading, rules: SessionRules) -> Step:
        """Take a reading while nothing is plugged in: a counter may be behind."""
        closing, wh = self.closing, reading.counted_wh
        if closing is None or wh is None or closing.ended is None:
            return Step(book=self)
        if not -LATE <= reading.at + closing.ahead - closing.ended <= BEHIND:
            return Step(book=replace(self, closing=None))
        after = closing.corrected(wh, rules)
        if after is closing:
            return Step(book=self)
        after = replace(after, revision=after.revision + 1)
        told = Transition(
            kind=TransitionKind.SESSION_CORRECTED,
            at=reading.at,
            record=after.record(rules),
        )
        return Step(book=replace(self, closing=after), told=(told,), save=True)

    def unplugged(
        self, at: datetime, rules: SessionRules, wh: float | None = None
    ) -> Step:
        """End the session."""
        session = self.open
        if session is None:
            return Step(book=self)
        if wh is not None:
            # The last word of the counter; that nothing flows is said by the end.
            power, flows = session.tally.power_w, session.tally.flows
            last = Reading(
                at=at, wh=wh, power_w=power if flows else None, charging=flows
            )
            session = session.read(last, rules)
        return self._ended(session.finished(at, rules), rules)

    def _ended(self, session: OpenSession, rules: SessionRules) -> Step:
        """Keep a session that has ended."""
        session = replace(session, revision=session.revision + 1)
        assert session.ended is not None  # noqa: S101  (the caller ended it)
        book = replace(self, open=None, closing=session, last_end=session.ended)
        told = Transition(
            kind=TransitionKind.SESSION_FINISHED,
            at=session.ended,
            record=session.record(rules),
        )
        return Step(book=book, told=(told,), save=True)

    def link_lost(self, at: datetime, rules: SessionRules) -> Step:
        """Begin a gap: the session stays open, the next reading tells what flowed."""
        if self.open is None:
            return Step(book=self)
        return self._kept(self.open.unwatched(at), rules)

    def resumed(self, found: Found, rules: SessionRules) -> Step:
        """Go on after a restart, from what was saved before it.

        The running session goes on if its car has stayed: what the counter shows more
        is its own. Otherwise it ended unseen, and what the present stay has taken, if
        the wallbox tells, is that stay's.
        """
        session, reading = self.open, found.reading
        if session is None:
            return (
                self._arrived(found, rules)
                if found.connected
                else (self.read(reading, rules))
            )
        session = session.unwatched(session.tally.at)
        book = replace(self, open=session)
        if found.connected is None:
            return Step(book=book, save=True)
        if found.is_same(session):
            visit_id = session.visit_id or found.visit_id
            book = replace(book, open=replace(session, visit_id=visit_id))
            return Step(book=book, save=True).then(book.read(reading, rules))
        unseen = book._ended_unseen(session, found, rules)  # noqa: SLF001
        if not found.connected:
            return unseen
        return unseen.then(unseen.book._arrived(found, rules))  # noqa: SLF001

    def reconciled(self, newest: SessionRecord | None, rules: SessionRules) -> Self:
        """Return the book as the ledger's last record says, where that is newer.

        The ledger is written first: a crash leaves a saved state behind it, or none.
        """
        if newest is None or newest.seq < self.seq:
            return self
        running = self.open
        if running is not None and running.id == newest.id:
            if running.revision >= newest.revision:
                return self
        elif newest.seq == self.seq:
            # It has ended, here as there.
            return self
        ended = newest.disconnected_utc
        session = reopened(newest, rules, self.price_id, self.dsr_id)
        return replace(
            self,
            seq=newest.seq,
            open=session if ended is None else None,
            closing=None if ended is None else session,
            last_connected=newest.connected_utc,
            last_end=ended if ended is not None else self.last_end,
            saved_at=None,
        )

    def _ended_unseen(
        self, session: OpenSession, found: Found, rules: SessionRules
    ) -> Step:
        """End a session whose car has left while nobody looked."""
        since = found.visit_since if found.connected else None
        at = min(found.ended_at or since or found.reading.at, found.reading.at)
        at = max(at, session.tally.at - session.ahead)
        total, wh = found.reading.counted_wh, found.wh_before
        if total is not None and wh is not None and session.tally.wh is not None:
            # A counter that has fallen tells nothing; one that has not, at least that.
            wh = max(wh, session.tally.wh) if total >= session.tally.wh else None
        last = Reading(at=at, wh=wh, power_w=0.0, charging=False)
        session = replace(session.read(last, rules), estimated=True)
        return self._ended(session.finished(at, rules), rules)

    def _arrived(self, found: Found, rules: SessionRules) -> Step:
        """Begin the session of a car that came while nobody looked."""
        at = min(found.visit_since or found.reading.at, found.reading.at)
        step = self.plugged(at, rules, found.wh_after(self.closing), found.visit_id)
        session = step.book.open
        assert session is not None  # noqa: S101  (just begun)
        book = replace(step.book, open=session.unwatched(session.connected))
        return replace(step, book=book).then(book.read(found.reading, rules))

    def meter_broke(
        self,
        at: datetime,
        rules: SessionRules,
        before_wh: float | None,
        after_wh: float,
    ) -> Step:
        """Go on with a counter that was exchanged or reset.

        `before_wh` is the last good reading of the old one, `after_wh` what the new one
        began with. A total that never falls needs none of this.
        """
        if self.open is None:
            return Step(book=replace(self, closing=None), save=True)
        session = self.open
        if before_wh is not None:
            tally = session.tally
            power = tally.power_w if tally.flows else None
            reading = Reading(at=at, wh=before_wh, power_w=power, charging=tally.flows)
            session = session.read(reading, rules)
        return self._kept(session.rebased(after_wh), rules)

    def price_changed(
        self, at: datetime, price_id: str | None, rules: SessionRules
    ) -> Step:
        """Cut where another price holds. Raises nothing for a late instant."""
        book = replace(self, price_id=price_id)
        return book._marked(Mark(at=at, name="price_id", value=price_id), rules)  # noqa: SLF001

    def dsr_changed(
        self, at: datetime, dsr_id: str | None, rules: SessionRules
    ) -> Step:
        """Cut where another event, or none, holds."""
        book = replace(self, dsr_id=dsr_id)
        return book._marked(Mark(at=at, name="dsr_id", value=dsr_id), rules)  # noqa: SLF001

    def _marked(self, mark: Mark, rules: SessionRules) -> Step:
        """Cut the running session."""
        if self.open is None:
            return Step(book=self, save=True)
        return self._kept(self.open.cut(mark, MOST_MARKS, rules), rules)

    def user_known(
        self, rules: SessionRules, user_id: str | None, tag: str | None = None
    ) -> Step:
        """Take who charges, as a pseudonym."""
        return self._noted(rules, user_id=user_id, tag=tag)

    def vehicle_known(self, rules: SessionRules, vehicle: str | None) -> Step:
        """Take which car it is."""
        return self._noted(rules, vehicle=vehicle)

    def mode_changed(self, rules: SessionRules, mode: int | None) -> Step:
        """Take the charge mode of the Miniserver."""
        return self._noted(rules, mode=mode)

    def measured(
        self, rules: SessionRules, integral_wh: int | None, error_pct: float | None
    ) -> Step:
        """Take a better comparison of energy and power than the session's own."""
        quality = Quality(integral_wh=integral_wh, error_pct=error_pct)
        return self._noted(rules, measured=quality)

    def delayed(self, note: DelayNote, rules: SessionRules) -> Step:
        """Take a random delay that was over or skipped."""
        if self.open is None:
            return Step(book=self)
        delays = (*self.open.delays, note)[-MOST_DELAYS:]
        return self._noted(rules, delays=delays)

    def stopped(self, reason: StopReason, rules: SessionRules) -> Step:
        """Take why charging is to end, or why it has just ended."""
        if self.open is None:
            return Step(book=self)
        if self.open.charging:
            return self._noted(rules, reason_next=reason)
        return (
            self._noted(rules, reason=reason)
            if self.open.segments
            else (Step(book=self))
        )

    def _noted(self, rules: SessionRules, **changes: Any) -> Step:
        """Take something about the running session."""
        if self.open is None:
            return Step(book=self)
        return self._kept(replace(self.open, **changes), rules)

    def _kept(
        self, session: OpenSession, rules: SessionRules, *kinds: TransitionKind
    ) -> Step:
        """Return a state that is to be saved, with what is to be told."""
        session = replace(session, revision=session.revision + 1)
        at = session.tally.at
        told = tuple(
            Transition(kind=kind, at=at, record=session.record(rules)) for kind in kinds
        )
        book = replace(self, open=session, saved_at=at)
        return Step(book=book, told=told, save=True)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": SCHEMA,
            "wallbox": self.wallbox,
            "seq": self.seq,
            "open": plain_session(self.open),
            "closing": plain_session(self.closing),
            "price_id": self.price_id,
            "dsr_id": self.dsr_id,
            "last_connected": _text(self.last_connected),
            "last_end": _text(self.last_end),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises `SessionError` for what cannot be read."""
        if data.get("schema") != SCHEMA:
            raise SessionError("schema_unknown", str(data.get("schema")))
        try:
            return cls(
                wallbox=data["wallbox"],
                seq=data["seq"],
                open=read_session(data["open"]),
                closing=read_session(data["closing"]),
                price_id=data["price_id"],
                dsr_id=data["dsr_id"],
                last_connected=instant(data["last_connected"]),
                last_end=instant(data["last_end"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise SessionError("unreadable", str(err)) from err


def _text(at: datetime | None) -> str | None:
    """Return an instant as text."""
    return None if at is None else at.isoformat()
