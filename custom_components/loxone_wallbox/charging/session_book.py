"""The sessions of one wallbox as they happen: the running one and the last.

Takes facts with their instants, gives the next state, what is to be told and whether
the state is to be saved. Plain data that outlives a restart: whatever was booked before
it stays booked, and what the counter shows more afterwards is the running session's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from .cutting import Cuts, Mark
from .flapping import switched
from .following import LATE, OpenSession
from .found import Found, begun_after, heard
from .keeping import plain_book, read_book
from .reopening import reconciled
from .rest import Gone, Rest, remembered
from .session import DelayNote, Quality, SessionError, SessionRecord, StopReason
from .sharing import begun, shared
from .slices import SessionRules
from .step import Step, corrected, told_of
from .tally import BEHIND, Reading, Tally
from .transition import TransitionKind, session_id

SCHEMA = 1
# So much at most is estimated after a crash.
SAVE_EVERY = timedelta(minutes=5)
MOST_DELAYS = 100
# Two weeks of quarter hours in which nobody knew what flowed, with room.
MOST_MARKS = 3000
# So many sessions at most wait for a counter that is silent.
MOST_WAITING = 100
# A clock that is set back further was wrong: its sessions lie in another time.
SET_BACK = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionBook:
    """What must outlive a restart.

    `closing` has ended, but its counter may be behind. `waiting` ended before it, while
    the counter was silent: what it shows next is shared by all of them. `rest` is where
    the counter stood while no car was there, `gone` are the last stays and `others`
    those that only the wallbox has seen, by its names. Instants in UTC.
    """

    wallbox: str
    seq: int = 0
    open: OpenSession | None = None
    closing: OpenSession | None = None
    waiting: tuple[OpenSession, ...] = ()
    price_id: str | None = None
    dsr_id: str | None = None
    last_connected: datetime | None = None
    last_end: datetime | None = None
    rest: Rest | None = None
    gone: tuple[Gone, ...] = ()
    others: tuple[str, ...] = ()
    saved_at: datetime | None = None

    @property
    def idle_since(self) -> datetime | None:
        """Return when it was last known that no car is there."""
        if self.rest is not None and not self.awaits:
            return self.rest.at
        return None if self.closing is None else self.closing.ended

    @property
    def last_visit(self) -> str | None:
        """Return what the wallbox calls the last stay that is known, if it does."""
        last = self.closing if self.rest is None or self.awaits else None
        if last is not None:
            return last.visit_id
        return None if self.rest is None else self.rest.visit

    @property
    def awaits(self) -> bool:
        """Tell whether what has flowed, maybe since a rest, is still to be told."""
        closing = self.closing
        if closing is None or self.waiting:
            return bool(self.waiting)
        return closing.awaits or (closing.tally.wh is None and self.rest is not None)

    def heard(self, told: Callable[[OpenSession], float | None]) -> Self:
        """Take what the wallbox says that each session took which waits, in Wh."""
        doubted = self.open is not None and self.open.least_wh is not None
        if not (self.waiting or doubted or (self.rest and (self.open or self.awaits))):
            return self
        running, closing = (
            None if one is None else heard(one, told)
            for one in (self.open, self.closing)
        )
        waiting = tuple(heard(one, told) for one in self.waiting)
        return replace(self, open=running, closing=closing, waiting=waiting)

    def plugged(
        self,
        at: datetime,
        rules: SessionRules,
        wh: float | None = None,
        visit_id: str | None = None,
    ) -> Step:
        """Begin a session, at the counter's last reading before anything flows.

        Without a reading it begins with the first one, or with its part of what the
        counter has risen by then.
        """
        if self.open is not None:
            return Step(book=self)
        reading = remembered(Reading(at=at, wh=wh), self.closing)
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
        waiting = book.waiting
        if book.awaits and reading.counted_wh is None and book.closing is not None:
            least = None if book.rest is None else book.rest.wh
            waiting = (*waiting, begun(book.closing, least))[-MOST_WAITING:]
        # Without a reading it is told by the first one where the session began.
        rest = None if waiting or reading.counted_wh is not None else book.rest
        book = replace(book, last_connected=own, rest=rest, waiting=waiting)
        book = replace(book, seq=book.seq + 1, closing=None)
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
        if self.waiting and reading.counted_wh is not None:
            return self._shared(reading, rules)
        if session is None:
            reading = remembered(reading, self.closing)
            late = self._read_late(reading, rules)
            return late.then(late.book._rested(reading, rules))  # noqa: SLF001
        if self.rest is not None and reading.counted_wh is not None:
            session = begun_after(session, self.rest, reading, rules)
            return replace(self, open=session, rest=None).read(reading, rules)
        after, kind = switched(session, session.read(reading, rules))
        if kind is not None:
            return self._kept(after, rules, kind)
        saved = self.saved_at
        due = saved is None or not timedelta() <= after.tally.at - saved < SAVE_EVERY
        if due or after.cuts is not session.cuts:
            return self._kept(after, rules)
        return Step(book=replace(self, open=after))

    def _shared(self, reading: Reading, rules: SessionRules) -> Step:
        """Take a reading that tells what several sessions took while it was silent."""
        last = self.open or self.closing
        chain = (*self.waiting, *(() if last is None else (last,)))
        after = shared(chain, reading, rules)
        told = tuple(corrected(one, reading.at, rules) for one in after if one.ended)
        running = None if self.open is None else after[-1]
        closing = after[-1] if running is None else None
        book = replace(self, open=running, closing=closing, waiting=())
        step = Step(book=book, told=told, save=True)
        return step.then(book.read(reading, rules))

    def _read_late(self, reading: Reading, rules: SessionRules) -> Step:
        """Take a reading while nothing is plugged in: a counter may be behind.

        One that was silent when the car left tells at its next reading, whenever that
        is: without a car nothing flows.
        """
        closing, wh = self.closing, reading.counted_wh
        if closing is None or wh is None or closing.ended is None:
            return Step(book=self)
        if not self.awaits and self.rest and self.rest.is_taken(reading, rules):
            return Step(book=replace(self, closing=None))
        late = reading.at + closing.ahead - closing.ended
        closing = begun_after(closing, self.rest, reading, rules)
        if not self.awaits and not -LATE <= late <= BEHIND:
            return Step(book=replace(self, closing=None))
        after = closing.corrected(wh, rules)
        if after.booked_wh == closing.booked_wh:
            # The same counter as before: nothing has to be awaited any more.
            return Step(book=replace(self, closing=after), save=after is not closing)
        after = replace(after, revision=after.revision + 1)
        told = corrected(after, reading.at, rules)
        return Step(book=replace(self, closing=after), told=(told,), save=True)

    def _rested(self, reading: Reading, rules: SessionRules) -> Step:
        """Take where the counter stands without a session."""
        rest = self.rest
        if reading.counted_wh is None or self.awaits:
            return Step(book=self)
        if rest is None or self.closing is not None:
            # Soon after an end whatever the counter shows is still of that session.
            rest = Rest.renewed(rest, reading, rules, self.closing, self.last_visit)
        else:
            rest = rest.follows(reading, rules)
        due = rest.due
        return Step(book=replace(self, rest=rest.saved if due else rest), save=due)

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
            if self.waiting or self.rest is not None:
                step = self.read(last, rules)
                return step.then(step.book.unplugged(at, rules, wh))
            session = session.read(last, rules)
        return self._ended(session.finished(at, rules), rules)

    def _ended(self, session: OpenSession, rules: SessionRules) -> Step:
        """Keep a session that has ended."""
        session = replace(session, revision=session.revision + 1)
        assert session.ended is not None  # noqa: S101  (the caller ended it)
        book = replace(self, open=None, closing=session, last_end=session.ended)
        rest, gone = Rest.after(session, self.rest), Gone.after(self.gone, session)
        book = replace(book, rest=rest, gone=gone)
        told = told_of(TransitionKind.SESSION_FINISHED, session, session.ended, rules)
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
        found = found.remembering(self.rest, self.open or self.closing)
        session, reading = self.open, found.reading
        if session is None:
            left = self._left(found, rules)
            if found.connected:
                return left.then(left.book._arrived(found, rules))  # noqa: SLF001
            return left.then(left.book._empty(found, rules))  # noqa: SLF001
        session = session.unwatched_since
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

    def reconciled(
        self, newest: SessionRecord | None, rules: SessionRules
    ) -> SessionBook:
        """Return the book as the ledger's last record says, where that is newer."""
        return reconciled(self, newest, rules)

    def _ended_unseen(
        self, session: OpenSession, found: Found, rules: SessionRules
    ) -> Step:
        """End a session whose car has left while nobody looked."""
        session = found.left or session
        since = found.visit_since if found.connected else None
        at = min(found.ended_at or since or found.reading.at, found.reading.at)
        at = max(at, session.tally.at - session.ahead)
        known = session.tally.wh if self.rest is None else self.rest.wh
        wh = found.end_wh(known)
        last = Reading(at=at, wh=wh, power_w=0.0, charging=False)
        step = Step(book=self)
        if (self.waiting or self.rest is not None) and wh is not None:
            step = self.read(last, rules)
            session = step.book.open or session
        session = replace(session.read(last, rules), estimated=True)
        ended = step.book._ended(session.finished(at, rules), rules)  # noqa: SLF001
        return step.then(ended)

    def _left(self, found: Found, rules: SessionRules) -> Step:
        """Let those that wait have what flowed before others came, and nobody more."""
        if not self.awaits:
            return Step(book=replace(self, closing=None) if found.between else self)
        chain = (*self.waiting, *(() if self.closing is None else (self.closing,)))
        wh = found.end_wh(chain[0].tally.wh)
        return self.read(Reading(at=found.reading.at, wh=wh), rules)

    def _empty(self, found: Found, rules: SessionRules) -> Step:
        """Take that no car is there, if it is known who took what has flowed."""
        step = self.read(found.reading, rules)
        if found.leaves_open(step.book.rest):
            return step
        visit = found.last_visit or self.last_visit or found.reading.at.isoformat()
        rest = Rest.found(found.reading, visit=visit).saved
        return step.then(Step(book=replace(step.book, rest=rest), save=True))

    def _arrived(self, found: Found, rules: SessionRules) -> Step:
        """Begin the session of a car that came while nobody looked."""
        at = min(found.visit_since or found.reading.at, found.reading.at)
        wh = found.start_wh(self.rest, self.closing, rules)
        rest = self.rest and replace(self.rest, between=found.between)
        step = replace(self, rest=rest).plugged(at, rules, wh, found.visit_id)
        session = step.book.open
        assert session is not None  # noqa: S101  (just begun)
        book = replace(step.book, open=found.doubted(session.unwatched_since, rest))
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
            book = replace(self, closing=None, waiting=(), rest=None)
            return Step(book=book, save=True)
        if self.waiting and before_wh is not None:
            step = self._shared(Reading(at=at, wh=before_wh), rules)
            return step.then(step.book.meter_broke(at, rules, before_wh, after_wh))
        book, session = replace(self, waiting=(), rest=None), self.open
        if before_wh is not None:
            tally = session.tally
            power = tally.power_w if tally.flows else None
            reading = Reading(at=at, wh=before_wh, power_w=power, charging=tally.flows)
            session = session.read(reading, rules)
        return book._kept(session.rebased(after_wh), rules)  # noqa: SLF001

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
        if self.open is not None and self.open.anonymous:
            return Step(book=self)
        return self._noted(rules, user_id=user_id, tag=tag)

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
            # It is kept with the end itself, which follows.
            noted = replace(self.open, reason_next=reason)
            return Step(book=replace(self, open=noted))
        if not self.open.segments:
            return Step(book=self)
        return self._noted(rules, reason=reason)

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
        told = tuple(told_of(kind, session, at, rules) for kind in kinds)
        book = replace(self, open=session, saved_at=at)
        return Step(book=book, told=told, save=True)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"schema": SCHEMA, **plain_book(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises `SessionError` for what cannot be read."""
        if data.get("schema") != SCHEMA:
            raise SessionError("schema_unknown", str(data.get("schema")))
        try:
            return cls(**read_book(data))
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise SessionError("unreadable", str(err)) from err
