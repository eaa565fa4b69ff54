"""When an override is refused because it may endanger somebody (regulation 8).

Takes what is observed, gives the reason, or None where the owner is free to override.
Nothing of it depends on what the owner chose: whatever is done while a wallbox is
tampered with, it is not overridden.
"""

from enum import StrEnum

from .observe import Observation, owner_limit
from .owner import OwnerState
from .wish import Reason


class Danger(StrEnum):
    """Why an override is refused."""

    OFFLINE = "offline"
    OVER_TEMPERATURE = "over_temperature"
    FAULT = "fault"
    LOCKED = "locked"
    TAMPER = "tamper"
    LOAD_SHEDDING = "load_shedding"
    HELD = "held"


def danger(seen: Observation, *, linked: bool) -> Danger | None:
    """Return the first reason to refuse an override, None where it is safe.

    `linked` is whether what is observed is of now; where it is not, nobody knows.
    """
    rows = (
        (not linked, Danger.OFFLINE),
        (seen.overheated, Danger.OVER_TEMPERATURE),
        (seen.blocked_by not in {None, Reason.LOCKED}, Danger.FAULT),
        (seen.locked or seen.blocked_by is Reason.LOCKED, Danger.LOCKED),
        (seen.tampered, Danger.TAMPER),
        (seen.load_shedding, Danger.LOAD_SHEDDING),
        (seen.held, Danger.HELD),
    )
    return next((reason for applies, reason in rows if applies), None)


def free_limit(state: OwnerState, seen: Observation) -> float:
    """Return the power in kW up to which an owner's wish raises nothing.

    While a rise waits for its delay it is what holds: who asks for more has it at once,
    and so overrides the delay.
    """
    limit, held = owner_limit(state, seen), state.delay.settled
    pending = state.delay.pending
    if pending is None or not held.allowed or not pending.to_target.higher_than(held):
        return limit
    return min(limit, held.limit_kw)
