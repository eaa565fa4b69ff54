"""What the rules look at, from what the Miniserver tells of a wallbox."""

from collections.abc import Callable

from .charging.faults import Fault, find_fault
from .charging.observe import Observation
from .charging.visit import is_charging
from .charging.wish import Reason
from .const import (
    INPUT_CHARGING_ERROR,
    INPUT_ERROR_CODE,
    INPUT_FAULT_CURRENT,
    INPUT_OVER_TEMPERATURE,
)
from .miniserver import WallboxInfo, WallboxState


def fault_of(diagnostic: Callable[[str], float | None]) -> Fault | None:
    """Return what the diagnostic inputs say is wrong."""
    return find_fault(
        error_code=diagnostic(INPUT_ERROR_CODE),
        fault_current=diagnostic(INPUT_FAULT_CURRENT),
        charging_error=diagnostic(INPUT_CHARGING_ERROR),
        over_temperature=diagnostic(INPUT_OVER_TEMPERATURE),
    )


def observation_of(
    state: WallboxState,
    info: WallboxInfo,
    fault: Fault | None,
    *,
    full: bool,
    tampered: bool,
    held: bool,
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
        overheated=fault is Fault.OVER_TEMPERATURE,
        tampered=tampered,
        held=held,
    )
