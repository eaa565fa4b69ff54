"""What the sessions of a wallbox are told of it, as plain data.

Takes what the Miniserver tells and what was decided, gives why charging ends, which
stay of a car it is, and what is found after an absence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from .charging.decision import Decision
from .charging.delay import Draw
from .charging.following import LATE, OpenSession
from .charging.found import Found
from .charging.owner import OwnerState
from .charging.session import StopReason
from .charging.tally import Reading
from .charging.visit import is_charging
from .charging.wish import Reason
from .miniserver import WallboxInfo, WallboxState
from .miniserver.wallbox import WallboxSession

# A stay that has lasted longer is told wrong, as by a Miniserver whose clock is.
LONGEST_STAY = timedelta(days=30)

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
    None where it measures none; `allowed` is what the rules want.
    """

    at: datetime
    state: WallboxState
    watched: bool
    power_w: float | None
    charging: bool
    reason: Reason
    allowed: bool
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

    @property
    def protection(self) -> StopReason | None:
        """Return what stops the wallbox whatever the rules want."""
        return _PROTECTIONS.get(self.reason)

    def found(self, session: OpenSession | None, reading: Reading) -> Found:
        """Return what is found after nobody looked; `session` was running before."""
        visit = self.visit
        since = None if visit is None else visit.connected_at
        if since is not None and not self.at - LONGEST_STAY < since <= self.at:
            since = None
        taken = None if visit is None else visit.energy_kwh
        return Found(
            connected=self.state.connected,
            reading=reading,
            visit_id=self.visit_id,
            visit_since=since,
            visit_wh=None if taken is None else taken * 1000,
            ended_at=None if session is None else self._ended_at(session),
        )

    def _ended_at(self, session: OpenSession) -> datetime | None:
        """Return when the Miniserver says that a session of ours has ended."""
        told = [*self.state.history]
        if self.state.session is not None:
            told.append(self.state.session)
        ends = [
            one.disconnected_at for one in told if visit_id(one) == session.visit_id
        ]
        return next((end for end in ends if end is not None), None)


def visit_id(session: WallboxSession) -> str | None:
    """Return the Miniserver's own name of a stay."""
    at = session.connected_at
    return None if at is None else at.isoformat()
