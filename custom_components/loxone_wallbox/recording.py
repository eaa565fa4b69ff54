"""The sessions of one wallbox, as they happen.

Takes what the Miniserver tells, what was decided and each reading; writes every change
of a session to the ledger and tells of it, and knows what is shown of the running or
last one. What may go wrong: a link or a meter that is away (the session goes on, its
energy is booked when they are back), a disk that takes nothing (everything waits in
memory), a restart (the session goes on from what was kept).
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .arriving import Arriving
from .charging.following import OpenSession
from .charging.forgetting import forgotten
from .charging.meanwhile import Meanwhile
from .charging.session import SessionRecord, StopReason
from .charging.step import Step
from .charging.tally import Reading
from .charging.transition import Transition, TransitionKind
from .history import SIGNAL_LEDGER_REPAIRED, async_get_store
from .meter_coordinator import MeterCoordinator
from .records.ledger import Ledger
from .records.statistics import SessionStatistics
from .records.together import Line
from .session_facts import SessionFacts
from .session_files import KeptSessions
from .session_prices import SessionPrices
from .session_showing import SHOW_EVERY, Showing
from .session_shown import SessionShown
from .session_source import EnergySource
from .session_writer import SessionWriter
from .tracking import Tracking

# What was told before anybody listened; far more than can happen in an absence.
MOST_UNTOLD = 20

type TransitionListener = Callable[[Transition], None]


class Recording:
    """The sessions of one wallbox; `watcher` is told from the start, whoever listens."""

    watcher: TransitionListener = staticmethod(lambda _transition: None)

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        kept: KeptSessions,
        *,
        max_kw: float,
        meter: MeterCoordinator | None,
        subentry_id: str,
        show: Callable[[], None],
    ) -> None:
        """Go on from what was kept; `show` is called when something is to be shown."""
        self._rules = replace(kept.rules, max_w=max_kw * 1000)
        self._show = show
        self._source = EnergySource(max_kw, kept.energy, meter)
        self._arriving, self._people = Arriving(self._source, self._rules), kept.people
        # Whose counter the book speaks of, until the present one has told something.
        self._counted_by = kept.source
        self._noted_at = kept.noted_at
        self.book = kept.book
        self.prices = SessionPrices(
            hass,
            title,
            subentry_id,
            kept,
            book=lambda: self.book,
            took=self._took,
            absorb=self._async_absorb,
            show=show,
        )
        self._showing = Showing(
            kept.latest,
            kept.occasion,
            priced=self.prices.running,
            currency=self.prices.currency,
        )
        self._facts: SessionFacts | None = None
        self._away, self._begun = True, False
        self._meanwhile = Meanwhile(None, self._source.ahead)
        self._untold: list[Transition] = []
        self._listeners: list[TransitionListener] = []
        self._wallbox = kept.wallbox
        self._store = async_get_store(hass)
        self._store.attach(
            kept.wallbox, replace(kept.place, running=self._running_record)
        )
        self._statistics = SessionStatistics(
            hass, kept.wallbox, kept.ledger, name=title, names=kept.names
        )
        self._statistics.changed()
        self._writer = self._make_writer(hass, title, kept)
        self._tracking = self._make_tracking(hass, title, kept, max_kw)
        self._endings: list[CALLBACK_TYPE] = [
            async_track_time_interval(
                hass, self._tick, SHOW_EVERY, cancel_on_shutdown=True
            ),
            async_dispatcher_connect(hass, SIGNAL_LEDGER_REPAIRED, self._repaired),
            self.prices.stop,
        ]
        self.prices.settle(kept.tariff)

    def _make_writer(
        self, hass: HomeAssistant, title: str, kept: KeptSessions
    ) -> SessionWriter:
        """Return the way to the disk."""
        return SessionWriter(
            hass,
            title,
            kept.ledger,
            kept.keeper,
            turn=kept.turn,
            state=self._as_dict,
            written=self._written,
            lines=kept.unwritten,
        )

    def _make_tracking(
        self, hass: HomeAssistant, title: str, kept: KeptSessions, max_kw: float
    ) -> Tracking:
        """Return the way of what only the Miniserver watched."""
        return Tracking(
            hass,
            title,
            kept,
            max_kw=max_kw,
            book=lambda: self.book,
            tariffs=lambda: self.prices.tariffs,
            absorb=self._async_absorb,
            keep=self._writer.write,
            tell=lambda one: self.watcher(one),  # noqa: PLW0108 - it comes later
        )

    @callback
    def listen(self, listener: TransitionListener) -> CALLBACK_TYPE:
        """Have a listener told of each change of a session; returns what ends that.

        The first one is also told of what happened before it came.
        """
        self._listeners.append(listener)
        untold, self._untold = self._untold, []
        for transition in untold:
            listener(transition)

        @callback
        def stop() -> None:
            """Listen no longer."""
            self._listeners.remove(listener)

        return stop

    @callback
    def forget(self, people: Collection[str]) -> None:
        """Forget some people, by pseudonym, in what runs and what waits for the disk."""
        self._took(forgotten(self.book, people, self._rules))
        self._writer.forget(people)

    async def async_stop(self) -> None:
        """Record no longer; what runs is kept and in the ledger. May come twice."""
        if not self._endings:
            return
        while self._endings:
            self._endings.pop()()
        self._tracking.stop()
        if self.book.open is not None:
            # In case nobody comes back to it: what has flowed is not forgotten.
            open_record = self._source.judged(self.book.open.record(self._rules))
            record = self.prices.priced(open_record, self.book.open.tally.at)
            self._writer.write(Line(record=record, transition="unloaded"))
        await self._writer.async_stop()
        await self._statistics.async_stop()
        self._store.detach(self._wallbox)

    @callback
    def take(self, facts: SessionFacts) -> None:
        """Take a look at the wallbox."""
        before, self._facts = self._facts, facts
        self._source.take(facts)
        self.prices.look(facts.at)
        self._note_silence(facts.at)
        self.book = self.book.heard(facts.taken_wh)
        if not facts.watched or facts.state.connected is None:
            self._lose(facts.at)
        elif not self._away:
            self._follow(facts)
        elif self._source.knows:
            self._resume(facts)
        if not self._begun:
            return
        self._note(facts, before)
        if facts.watched and (not self._source.has_meter or self._source.silent):
            self._read(self._source.reading(facts))
        if facts.watched and not self._away:
            self._tracking.look(facts.state.history)

    @callback
    def measured(self, at: float, power_w: float | None) -> None:
        """Take the power a meter measured in a second (UTC, W), None for a gap."""
        reading = self._source.sample(at, power_w)
        facts = self._facts
        if reading is None:
            self._note_silence(datetime.fromtimestamp(at, UTC))
            return
        if not self._begun:
            seen = facts is not None and facts.watched and self._source.knows
            if facts is None or not seen or facts.state.connected is None:
                return
            facts = replace(facts, at=reading.at)
            self._resume(facts)
            self._note(facts, None)
        latest = self._showing.latest
        self._read(reading)
        if self._showing.latest is not latest:
            # What the last session took is known only now.
            self._show()

    def shown(self, at: datetime) -> SessionShown:
        """Return what is shown of the running or last session; `at` is now."""
        return self._showing.shown(self.book.open, at, self._source.meter_shown)

    def _running_record(self) -> SessionRecord | None:
        """Return the session that is not over yet as it stands, None without one."""
        session = self.book.open
        if session is None or not self._endings:
            return None
        return self.prices.running(session, dt_util.utcnow())

    def _resume(self, facts: SessionFacts) -> None:
        """Find the wallbox again after a restart or a lost link."""
        reading = self._source.reading(facts)
        self._rebase(reading)
        book, session = self.book, self.book.open
        found = facts.found(session, reading, book.idle_since, book.last_visit)
        found = self._meanwhile.completed(found, session)
        # A meter has gone on all the time: there is no gap in what it told.
        stayed = session is not None and found.is_same(session)
        if not (self._begun and self._source.measures and stayed):
            self._took(found.noted(self.book).resumed(found, self._rules))
        self._away, self._begun = False, True
        self._name(facts)

    def _rebase(self, reading: Reading) -> None:
        """Go on with another counter than the one the book speaks of."""
        if reading.wh is None:
            return
        same = self._source.is_of(self._counted_by)
        self._counted_by = self._source.identity
        if same:
            return
        if self.book.open or self.book.closing or self.book.rest:
            self._took(self.book.meter_broke(reading.at, self._rules, None, reading.wh))

    def _lose(self, at: datetime) -> None:
        """Take note that nobody tells any more whether the car is there."""
        if self._begun and not self._away and not self._source.has_meter:
            self._took(self.book.link_lost(at, self._rules))
        if not self._away:
            self._meanwhile.begin(self.book.open)
        self._away = True

    def _note_silence(self, at: datetime) -> None:
        """Begin a gap where a meter has stopped talking."""
        if self._source.falls_silent(at) and self._begun:
            since, session = self._source.sampled_at or at, self.book.open
            if session is not None:
                since = max(since, session.connected - session.ahead)
            self._took(self.book.link_lost(since, self._rules))

    def _follow(self, facts: SessionFacts) -> None:
        """Notice when a car comes or goes, or is another one."""
        session = self.book.open
        if not facts.state.connected:
            self._arriving.left()
            if session is not None:
                self._say_why_it_left(session, facts)
                self._unplugged(facts)
            return
        if session is None:
            began = self._arriving.step(self.book, facts)
            if began is None:
                return
            self._took(began)
        elif None not in {facts.visit_id, session.visit_id} and (
            facts.visit_id != session.visit_id
        ):
            # Another stay began while nobody looked.
            found = facts.found(session, self._source.reading(facts))
            self._took(found.noted(self.book).resumed(found, self._rules))
        self._name(facts)

    def _unplugged(self, facts: SessionFacts) -> None:
        """End the session; a meter that says nothing just now tells the rest later."""
        rules, wh = self._rules, self._source.total_wh
        missing_since = self._source.missing_since(facts.at)
        if missing_since is not None:
            self._took(self.book.link_lost(missing_since, rules))
            wh = None
        self._took(self.book.unplugged(facts.unplugged_at, rules, wh))

    def _name(self, facts: SessionFacts) -> None:
        """Take the Miniserver's name of the stay, which comes after the car."""
        session, last = self.book.open, self.book.closing
        if session is None or session.visit_id is not None or facts.visit_id is None:
            return
        if last is None or last.visit_id != facts.visit_id:
            named = replace(session, visit_id=facts.visit_id)
            self._took(Step(book=replace(self.book, open=named), save=True))

    def _say_why_it_left(self, session: OpenSession, facts: SessionFacts) -> None:
        """Take note of a car that was unplugged while it charged.

        The meter sees the current go a moment before the Miniserver sees the car go.
        """
        if facts.just_stopped(session) and session.reason is StopReason.CAR:
            self._took(self.book.stopped(StopReason.UNPLUGGED, self._rules))

    def _note(self, facts: SessionFacts, before: SessionFacts | None) -> None:
        """Take what belongs to the running session: who, how, under which event."""
        rules = self._rules
        if facts.dsr_id != self.book.dsr_id:
            self._took(self.book.dsr_changed(facts.at, facts.dsr_id, rules))
        self._note_delays(facts)
        session, mode = self.book.open, facts.state.mode
        if session is None or not facts.watched:
            return
        if mode is not None and mode != session.mode:
            self._took(self.book.mode_changed(rules, mode))
        visit = facts.visit
        if visit is not None and visit.user and facts.visit_id == session.visit_id:
            user = self._people.pseudonym(visit.user)
            if user != session.user_id:
                self._took(self.book.user_known(rules, user))
        self._note_protection(facts, before)

    def _note_delays(self, facts: SessionFacts) -> None:
        """Take the random delays that were over or skipped."""
        since = self._noted_at
        for note in facts.delays_since(since):
            self._took(self.book.delayed(note, self._rules))
        ended = [one for one in facts.draws if since is None or one.at > since]
        latest = max((one.at for one in ended), default=since)
        self._noted_at = latest or facts.at

    def _note_protection(
        self, facts: SessionFacts, before: SessionFacts | None
    ) -> None:
        """Take a fault or another protection that is told after the current went."""
        session, reason = self.book.open, facts.protection
        new = before is not None and before.protection is not reason
        if reason and new and session and facts.just_stopped(session):
            self._took(self.book.stopped(reason, self._rules))

    def _read(self, reading: Reading) -> None:
        """Take a reading, with why charging ends if it does."""
        session = self.book.open
        ends = reading.flows(self._rules.charging_w) is False
        if session is not None and session.charging and ends and self._facts:
            self._took(self.book.stopped(self._facts.stop_reason, self._rules))
        self._took(self.book.read(reading, self._rules))

    def _took(self, step: Step) -> None:
        """Go on with the next state, write what is to be kept and tell it."""
        self.book = step.book
        self._meanwhile.take(self.book.open, self._source.ahead, away=self._away)
        told = [replace(one, record=self._priced(one)) for one in step.told]
        for transition in told:
            self._showing.remember(transition.record)
        if told or step.save:
            self._writer.write(
                *(Line(record=one.record, transition=one.kind.value) for one in told)
            )
        for transition in told:
            # A correction is nothing that happened.
            if transition.kind is not TransitionKind.SESSION_CORRECTED:
                self._tell(transition)

    def _priced(self, transition: Transition) -> SessionRecord:
        """Return the record of a change with what is known of its price."""
        return self.prices.priced(self._source.judged(transition.record), transition.at)

    def _tell(self, transition: Transition) -> None:
        """Tell of a change, later if nobody listens yet."""
        self.watcher(transition)
        for listener in tuple(self._listeners):
            listener(transition)
        if not self._listeners:
            self._untold = [*self._untold, transition][-MOST_UNTOLD:]

    @callback
    def _tick(self, _now: datetime) -> None:
        """Let the times of a running session go on."""
        if self.book.open is not None:
            self._show()

    @callback
    def _written(self, record: SessionRecord) -> None:
        """Take a record that the ledger has: database and statistics follow it."""
        self._store.put(record)
        self._statistics.changed(record.connected_utc)

    async def _async_absorb(
        self, choose: Callable[[Ledger], list[SessionRecord]]
    ) -> list[SessionRecord]:
        """Take sessions that others watched; shown are those newer than ours."""
        taken = await self._writer.async_absorb(choose)
        for record in sorted(taken, key=lambda one: one.connected_utc):
            self._showing.remember(record)
        if taken:
            self._show()
        return taken

    @callback
    def _repaired(self, wallbox: str) -> None:
        """Make all statistics anew when the ledger got something back."""
        if wallbox == self._wallbox:
            self._statistics.changed()

    def _as_dict(self) -> dict[str, Any]:
        """Return what is needed to go on after a restart, or what gives it."""
        energy, noted = self._source.memory, self._noted_at
        return {
            "book": self.book.as_dict,
            "energy": None if energy is None else energy.as_dict(),
            "source": self._counted_by,
            "noted_at": None if noted is None else noted.isoformat(),
            "askew": sorted(self._tracking.askew),
            "prices": self.prices.plain,
        }
