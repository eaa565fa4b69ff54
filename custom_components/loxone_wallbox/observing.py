"""What the rules look at, from what the Miniserver tells of a wallbox."""

from .charging.faults import Fault
from .charging.observe import Observation
from .charging.visit import is_charging
from .charging.wish import Reason
from .miniserver import WallboxInfo, WallboxState


def observation_of(
    state: WallboxState, info: WallboxInfo, fault: Fault | None, *, full: bool
) -> Observation:
    """Return what the rules look at; `full` is a car that takes nothing any more."""
    blocked = None
    if fault is not None:
        blocked = Reason.FAULT
    elif state.lock is not None:
        blocked = Reason.LOCKED
    return Observation(
        connected=state.connected,
        allowed=state.allowed,
        charging=is_charging(state, measured=info.measures_power),
        mode=state.mode,
        limit_kw=state.limit_kw,
        blocked_by=blocked,
        load_shedding=bool(state.load_shedding),
        visit=None if state.session is None else state.session.connected_at,
        min_kw=info.min_kw,
        max_kw=info.max_kw,
        mode_limits={
            mode.id: mode.limit_kw for mode in info.modes if mode.limit_kw is not None
        },
        managed=info.manager_id is not None,
        full=full,
        locked=state.lock is not None,
    )
