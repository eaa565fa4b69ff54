"""What the entities of one wallbox show, as plain data."""

from dataclasses import dataclass
from datetime import datetime

from .charging.decision import Decision
from .charging.faults import Fault
from .charging.owner import OwnerState
from .charging.status import Hold, Status
from .charging.wish import Reason
from .meter_coordinator import MeterShown
from .miniserver import WallboxInfo, WallboxState
from .session_shown import SessionShown

NO_SESSION = SessionShown()


@dataclass(frozen=True, kw_only=True)
class WallboxData:
    """What the entities of one wallbox show; None is unknown."""

    info: WallboxInfo
    state: WallboxState
    status: Status
    charging: bool
    fault: Fault | None
    diagnosed: bool
    reachable: bool
    linked: bool
    firmware: str
    power_limit_kw: float | None
    energy_kwh: float | None
    target_power_kw: float
    owner: OwnerState
    decision: Decision | None
    reason: Reason
    in_default_hours: bool | None
    in_peak_hours: bool | None
    dsr_events: tuple[str, ...]
    meter: MeterShown | None = None
    session: SessionShown = NO_SESSION

    @property
    def power_w(self) -> float | None:
        """Return the charging power in W: the meter's, without one the Miniserver's."""
        if self.meter is not None:
            return self.meter.power_w
        power = self.state.power_kw
        return None if power is None else round(power * 1000, 1)

    @property
    def next_change(self) -> datetime | None:
        """Return when something else will hold."""
        return None if self.decision is None else self.decision.next_change

    @property
    def delay_ends(self) -> datetime | None:
        """Return when the random delay of a start or stop ends."""
        pending = self.decision and self.decision.pending
        return pending.due if pending else None

    @property
    def override_ends(self) -> datetime | None:
        """Return when an override ends; one until the unplugging has no instant."""
        override = self.owner.override
        return None if override is None else override.end


def hold_of(decision: Decision | None) -> Hold | None:
    """Return what the rules hold charging back for."""
    if decision is None or decision.target.allowed:
        return None
    return {
        Reason.RANDOM_DELAY: Hold.RANDOM_DELAY,
        Reason.DSR: Hold.DSR,
        Reason.OUTSIDE_DEFAULT_HOURS: Hold.DEFAULT_HOURS,
    }.get(decision.reason)


def power_limit(state: WallboxState) -> float | None:
    """Return the limit in force in kW: zero when charging is not allowed."""
    if state.allowed is None:
        return None
    return state.limit_kw if state.allowed else 0.0
