"""What the sessions of a wallbox are told of it, as plain data.

Takes what the Miniserver tells and what was decided, gives why charging ends, which
stay of a car it is, and what is found after an absence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from .charging.decision import Decision
from .charging.delay import Draw, Outcome
from .charging.following import LATE, OpenSession
from .charging.found import Found
from .charging.owner import OwnerState
from .charging.session import DelayNote, Source, StopReason
from .charging.tally import Reading
from .charging.visit import is_charging
from .charging.wish import Reason
from .estimating import energy_source
from .miniserver import WallboxInfo, WallboxState
from .miniserver.wallbox import WallboxSession

# A stay that has lasted longer is told wrong, as by a Miniserver whose clock is.
LONGEST_STAY = timedelta(days=30)
# The Miniserver's clock and ours are no further apart, else what it tells is nonsense.
APART = timedelta(days=1)
# The wallbox's word of why charging ended comes so long after the current has gone.
LATE_REASON = timedelta(seconds=10)

# What of a random delay that was drawn has happened.
OVER = {Outcome.APPLIED, Outcome.SKIPPED}

# These stop a wallbox whatever the rules want.
_PROTECTIONS = {
    Reason.UNREACHABLE: StopReason.COMMS,
    Reason.FAULT: StopReason.FAULT,
    Reason.LOCKED: StopReason.USER,
    Reason.TAMPER: StopReason.TAMPER,
    Reason.LOAD_SHEDDING: StopReason.LOAD_SHED,
}
_RULES = {
    Reason.OVERRIDE_PAUSE: StopReason.USER,
    Reason.PAUSED: StopReason.USER,
    Reason.DSR: StopReason.DSR,
    Reason.OUTSIDE_DEFAULT_HOURS: StopReason.WINDOW_END,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionFacts:
    """A look at the wallbox.

    `watched` is whether the Miniserver's word is of now. `power_w` is the Miniserver's,
    None where it measures none; `allowed` is what the rules want, `source` where the
    energy comes from without a meter of the wallbox's own.
    """

    at: datetime
    state: WallboxState
    watched: bool
    power_w: float | None
    charging: bool
    reason: Reason
    allowed: bool
    source: Source = Source.MINISERVER
    dsr_ids: tuple[str, ...] = ()
    draws: tuple[Draw, ...] = ()

    @classmethod
    def seen(
        cls,
        at: datetime,
        state: WallboxState,
        info: WallboxInfo,
        owner: OwnerState,
        decision: Decision | None,
        *,
        reason: Reason,
        watched: bool,
    ) -> Self:
        """Return a look at a wallbox under what was decided for it."""
        power = state.power_kw if info.measures_power else None
        return cls(
            at=at,
            state=state,
            watched=watched,
            power_w=None if power is None else power * 1000,
            charging=is_charging(state, measured=info.measures_power),
            reason=reason,
            source=energy_source(info, metered=False),
            allowed=decision is None or decision.target.allowed,
            dsr_ids=tuple(sorted(one.event_id for one in owner.dsr.active(at))),
            draws=owner.delay.draws,
        )

    @property
    def visit(self) -> WallboxSession | None:
        """Return the present stay as the Miniserver tells it."""
        session = self.state.session
        running = session is not None and session.disconnected_at is None
        return session if running and self.state.connected else None

    @property
    def visit_id(self) -> str | None:
        """Return the Miniserver's own name of the present stay."""
        return None if self.visit is None else visit_id(self.visit)

    @property
    def dsr_id(self) -> str | None:
        """Return what names the grid events in force."""
        return ",".join(self.dsr_ids) or None

    def delays_since(self, noted_at: datetime | None) -> list[DelayNote]:
        """Return the random delays that were over or skipped after an instant."""
        if noted_at is None:
            return []
        return [
            DelayNote(
                cause=draw.cause.value,
                seconds=draw.drawn_s,
                skipped=draw.outcome is Outcome.SKIPPED,
            )
            for draw in self.draws
            if draw.at > noted_at and draw.outcome in OVER
        ]

    @property
    def plugged_at(self) -> datetime:
        """Return when a car came that was not there a moment ago."""
        told = None if self.visit is None else self.visit.connected_at
        return self._near(told)

    @property
    def unplugged_at(self) -> datetime:
        """Return when a car left that was there a moment ago."""
        session = self.state.session
        return self._near(None if session is None else session.disconnected_at)

    def _near(self, told: datetime | None) -> datetime:
        """Return the Miniserver's instant, or our own where its clock is wrong."""
        near = told is not None and timedelta() <= self.at - told <= LATE
        return told if near and told is not None else self.at

    @property
    def stop_reason(self) -> StopReason:
        """Return why charging ends, if it ends now."""
        if (protection := self.protection) is not None:
            return protection
        if self.allowed:
            return StopReason.CAR
        return _RULES.get(self.reason, StopReason.UNKNOWN)

    def just_stopped(self, session: OpenSession) -> bool:
        """Tell whether a car does not charge any more that did a moment ago."""
        ended = session.paused_at
        return ended is not None and self.at - ended <= LATE_REASON

    @property
    def protection(self) -> StopReason | None:
        """Return what stops the wallbox whatever the rules want."""
        if self.reason is Reason.TAMPER and self.allowed:
            # It is only limited.
            return None
        return _PROTECTIONS.get(self.reason)

    def found(
        self,
        session: OpenSession | None,
        reading: Reading,
        idle_since: datetime | None = None,
        last_visit: str | None = None,
    ) -> Found:
        """Return what is found after nobody looked; `session` was running before.

        Without one no car was there `idle_since` then, after the `last_visit`.
        """
        visit = self.visit
        since = None if visit is None else visit.connected_at
        if since is not None and not self.at - LONGEST_STAY < since <= self.at:
            since = None
        taken = None if visit is None else visit.energy_kwh
        ended_at = None if session is None else self._ended_at(session)
        since_rest = idle_since if session is None else ended_at
        known = last_visit if session is None else None
        between = self._taken_since(since_rest, known)
        # By its own clock the Miniserver knows which came after one that we know.
        named = known if session is None else session.visit_id
        return Found(
            connected=self.state.connected,
            reading=reading,
            visit_id=self.visit_id,
            visit_since=since,
            visit_wh=None if taken is None else taken * 1000,
            ended_at=ended_at,
            between_wh=sum(between.values()),
            last_visit=max(between, key=datetime.fromisoformat, default=None),
            others=tuple(between) if named is not None else (),
        )

    def _taken_since(
        self, idle_at: datetime | None, last_visit: str | None
    ) -> dict[str, int]:
        """Return what whole stays took that began after an instant, in Wh by name.

        Where the last one before is known by name, those after it, whatever our clock
        says: that may be wrong, or have been set since, and a counter rests on under a
        car that has come and does not charge yet. The Miniserver's last one may be both
        its running word and in its history.
        """
        if idle_at is None:
            return {}
        told = [*self.state.history]
        if self.state.session is not None:
            told.append(self.state.session)
        stays = [
            (one.connected_at, one.disconnected_at, one.energy_kwh)
            for one in told
            if one.connected_at is not None
            and one.disconnected_at is not None
            and one.connected_at <= one.disconnected_at
        ]
        last = None if last_visit is None else datetime.fromisoformat(last_visit)
        if last is not None and last > self.at + APART:
            # Named by a clock of the Miniserver's that was wrong.
            last = None
        since, until = (idle_at, self.at) if last is None else (last, self.at + APART)
        return {
            begin.isoformat(): _wh(kwh, self.at) or 0
            for begin, end, kwh in stays
            if since <= begin and begin != last and end <= until
        }

    def taken_wh(self, session: OpenSession) -> float | None:
        """Return what the Miniserver says a session took so far in Wh, if it does."""
        told = [*self.state.history]
        if self.state.session is not None:
            told.insert(0, self.state.session)
        taken = [one.energy_kwh for one in told if _is_of(one, session)]
        known = [kwh for kwh in taken if kwh is not None]
        return known[0] * 1000 if known else None

    def _ended_at(self, session: OpenSession) -> datetime | None:
        """Return when the Miniserver says that a session of ours has ended."""
        told = [*self.state.history]
        if self.state.session is not None:
            told.append(self.state.session)
        ends = [one.disconnected_at for one in told if _is_of(one, session)]
        return next((end for end in ends if end is not None), None)


def _is_of(told: WallboxSession, session: OpenSession) -> bool:
    """Tell whether the Miniserver speaks of a session of ours: by name, else by time."""
    if session.visit_id is not None:
        return visit_id(told) == session.visit_id
    begin, end = told.connected_at, told.disconnected_at
    if begin is None or end is None:
        return False
    return begin - LATE <= session.connected < end


def _wh(kwh: float | None, at: datetime) -> int | None:
    """Return an energy that can be, in whole Wh."""
    return None if kwh is None else Reading(at=at, wh=kwh * 1000).counted_wh


def visit_id(session: WallboxSession) -> str | None:
    """Return the Miniserver's own name of a stay."""
    at = session.connected_at
    return None if at is None else at.isoformat()
