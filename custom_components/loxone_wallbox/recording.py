"""The sessions of one wallbox, as they happen.

Takes what the Miniserver tells, what was decided and each reading; writes every change
of a session to the ledger and tells of it, and knows what is shown of the running or
last one. What may go wrong: a link or a meter that is away (the session goes on, its
energy is booked when they are back), a disk that takes nothing (everything waits in
memory), a restart (the session goes on from what was kept).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval

from .charging.costing import TariffBook, priced
from .charging.delay import Outcome
from .charging.following import OpenSession
from .charging.session import DelayNote, Kind, SessionRecord, StopReason
from .charging.session_book import Step
from .charging.tally import Reading
from .charging.transition import Transition, TransitionKind
from .history import SIGNAL_LEDGER_REPAIRED, async_get_store
from .meter_coordinator import MeterCoordinator
from .records.recorder import Kept
from .records.statistics import SessionStatistics
from .session_facts import SessionFacts
from .session_files import KeptSessions
from .session_shown import SessionShown, shown_of
from .session_source import EnergySource
from .session_writer import Line, SessionWriter

# What is told of the running session's times goes on so often.
SHOW_EVERY = timedelta(minutes=1)
# The wallbox's word of why charging ended comes so long after the current has gone.
LATE_REASON = timedelta(seconds=10)
# What was told before anybody listened; far more than can happen in an absence.
MOST_UNTOLD = 20
OVER = {Outcome.APPLIED, Outcome.SKIPPED}

type TransitionListener = Callable[[Transition], None]


class Recording:
    """The sessions of one wallbox."""

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        kept: KeptSessions,
        *,
        max_kw: float,
        meter: MeterCoordinator | None,
        show: Callable[[], None],
    ) -> None:
        """Go on from what was kept; `show` is called when something is to be shown."""
        self._rules = kept.rules
        self._show = show
        self._people = kept.people
        self._source = EnergySource(max_kw, kept.energy, meter)
        # Whose counter the book speaks of, until the present one has told something.
        self._counted_by = kept.source
        self._noted_at = kept.noted_at
        self.book = kept.book
        # Without a tariff energy has no price.
        self.tariffs = TariffBook()
        self._latest, self._occasion = kept.latest, kept.occasion
        self._facts: SessionFacts | None = None
        self._away = True
        self._begun = False
        self._shown: SessionShown | None = None
        self._shown_at: datetime | None = None
        self._untold: list[Transition] = []
        self._listeners: list[TransitionListener] = []
        self._wallbox = kept.wallbox
        self._store = async_get_store(hass)
        self._store.attach(kept.wallbox, Kept(ledger=kept.ledger, zone=kept.rules.zone))
        self._statistics = SessionStatistics(
            hass, kept.wallbox, kept.ledger, name=title, names=kept.names, currency=None
        )
        self._statistics.changed()
        self._writer = SessionWriter(
            hass,
            title,
            kept.ledger,
            kept.keeper,
            state=self._as_dict,
            written=self._written,
        )
        self._endings: list[CALLBACK_TYPE] = [
            async_track_time_interval(
                hass, self._tick, SHOW_EVERY, cancel_on_shutdown=True
            ),
            async_dispatcher_connect(hass, SIGNAL_LEDGER_REPAIRED, self._repaired),
        ]

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

    async def async_stop(self) -> None:
        """Record no longer; what runs is kept and in the ledger. May come twice."""
        if not self._endings:
            return
        while self._endings:
            self._endings.pop()()
        if self.book.open is not None:
            # In case nobody comes back to it: what has flowed is not forgotten.
            record = self.book.open.record(self._rules)
            self._writer.write(Line(record=record, transition="unloaded"))
        await self._writer.async_stop()
        await self._statistics.async_stop()
        self._store.detach(self._wallbox)

    @callback
    def take(self, facts: SessionFacts) -> None:
        """Take a look at the wallbox."""
        before, self._facts = self._facts, facts
        self._source.take(facts)
        self._note_silence(facts.at)
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
        self._read(reading)

    def shown(self, at: datetime) -> SessionShown:
        """Return what is shown; times go on once a minute, or when something happens.

        `at` is now.
        """
        session, before = self.book.open, self._shown
        due = self._shown_at is None or abs(at - self._shown_at) >= SHOW_EVERY
        if before is not None and not due:
            if session is None:
                return before
            return replace(before, energy_kwh=session.booked_wh / 1000)
        self._shown_at = at
        self._shown = shown_of(session, self._latest, self._occasion, at)
        return self._shown

    def _resume(self, facts: SessionFacts) -> None:
        """Find the wallbox again after a restart or a lost link."""
        reading = self._source.reading(facts)
        self._rebase(reading)
        session = self.book.open
        found = facts.found(session, reading)
        # A meter has gone on all the time: there is no gap in what it told.
        stayed = session is not None and found.is_same(session)
        nothing = session is None and not facts.state.connected
        if not (self._begun and self._source.measures and (stayed or nothing)):
            self._took(self.book.resumed(found, self._rules))
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
        if self.book.open is not None or self.book.closing is not None:
            self._took(self.book.meter_broke(reading.at, self._rules, None, reading.wh))

    def _lose(self, at: datetime) -> None:
        """Take note that nobody tells any more whether the car is there."""
        if self._begun and not self._away and not self._source.has_meter:
            self._took(self.book.link_lost(at, self._rules))
        self._away = True

    def _note_silence(self, at: datetime) -> None:
        """Begin a gap where a meter has stopped talking."""
        if self._source.falls_silent(at) and self._begun:
            since = self._source.sampled_at or at
            self._took(self.book.link_lost(since, self._rules))

    def _follow(self, facts: SessionFacts) -> None:
        """Notice when a car comes or goes, or is another one."""
        session = self.book.open
        if not facts.state.connected:
            if session is not None:
                self._say_why_it_left(session, facts)
                self._took(
                    self.book.unplugged(
                        facts.unplugged_at, self._rules, self._source.total_wh
                    )
                )
            return
        if session is None:
            last = self.book.closing
            stale = last is not None and facts.visit_id == last.visit_id
            visit = None if stale else facts.visit_id
            at = facts.at if stale else facts.plugged_at
            self._took(self.book.plugged(at, self._rules, self._source.last_wh, visit))
        elif None not in {facts.visit_id, session.visit_id} and (
            facts.visit_id != session.visit_id
        ):
            # Another stay began while nobody looked.
            found = facts.found(session, self._source.reading(facts))
            self._took(self.book.resumed(found, self._rules))
        self._name(facts)

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
        if session.charging or not session.segments:
            return
        just = facts.at - session.segments[-1].end <= LATE_REASON
        if just and session.reason is StopReason.CAR:
            self._took(self.book.stopped(StopReason.UNPLUGGED, self._rules))

    def _note(self, facts: SessionFacts, before: SessionFacts | None) -> None:
        """Take what belongs to the running session: who, how, under which event."""
        rules = self._rules
        if facts.dsr_id != self.book.dsr_id:
            self._took(self.book.dsr_changed(facts.at, facts.dsr_id, rules))
        if (price_id := self.tariffs.price_id(facts.at)) != self.book.price_id:
            self._took(self.book.price_changed(facts.at, price_id, rules))
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
        ended = [one for one in facts.draws if since is None or one.at > since]
        if since is not None:
            for draw in ended:
                if draw.outcome in OVER:
                    note = DelayNote(
                        cause=draw.cause.value,
                        seconds=draw.drawn_s,
                        skipped=draw.outcome is Outcome.SKIPPED,
                    )
                    self._took(self.book.delayed(note, self._rules))
        latest = max((one.at for one in ended), default=since)
        self._noted_at = latest or facts.at

    def _note_protection(
        self, facts: SessionFacts, before: SessionFacts | None
    ) -> None:
        """Take a fault or another protection that is told after the current went."""
        session = self.book.open
        reason = facts.protection
        if session is None or session.charging or not session.segments:
            return
        new = before is not None and before.protection is not reason
        just = facts.at - session.segments[-1].end <= LATE_REASON
        if reason is not None and new and just:
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
        told = [replace(one, record=self._priced(one)) for one in step.told]
        for transition in told:
            self._remember(transition.record)
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
        return priced(transition.record, self.tariffs, transition.at)

    def _remember(self, record: SessionRecord) -> None:
        """Take note of what is shown of a session; what happens is shown at once."""
        self._shown_at = None
        if record.disconnected_utc is not None:
            self._latest = record
            if record.kind is Kind.OCCASION:
                self._occasion = record

    def _tell(self, transition: Transition) -> None:
        """Tell of a change, later if nobody listens yet."""
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

    @callback
    def _repaired(self, wallbox: str) -> None:
        """Make all statistics anew when the ledger got something back."""
        if wallbox == self._wallbox:
            self._statistics.changed()

    def _as_dict(self) -> dict[str, Any]:
        """Return what is needed to go on after a restart."""
        energy, noted = self._source.memory, self._noted_at
        return {
            "book": self.book.as_dict(),
            "energy": None if energy is None else energy.as_dict(),
            "source": self._counted_by,
            "noted_at": None if noted is None else noted.isoformat(),
        }
