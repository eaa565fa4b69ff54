"""What a wallbox is doing, in one word.

Takes facts, gives the first status of the list that applies. The order is the
product's: what the owner must know first comes first.
"""

from dataclasses import dataclass
from enum import StrEnum

# Above it a car charges; a wallbox and a waiting car draw a few watts on their own.
CHARGING_W = 50.0
# A car that took at least this much and then nothing for a while is full.
FINISHED_WH = 10.0
FINISHED_AFTER_S = 180.0


class Status(StrEnum):
    """The states of the status sensor."""

    UNREACHABLE = "unreachable"
    FAULT = "fault"
    TAMPER = "tamper"
    LOCKED = "locked"
    DISCONNECTED = "disconnected"
    LOAD_SHEDDING = "load_shedding"
    PHASE_SWITCHING = "phase_switching"
    CHARGING = "charging"
    RANDOM_DELAY = "random_delay"
    DSR = "dsr"
    PAUSED = "paused"
    WAITING_FOR_DEFAULT_HOURS = "waiting_for_default_hours"
    FINISHED = "finished"
    WAITING_FOR_VEHICLE = "waiting_for_vehicle"


class Hold(StrEnum):
    """What the rules hold charging back for."""

    RANDOM_DELAY = "random_delay"
    DSR = "dsr"
    DEFAULT_HOURS = "default_hours"


_HELD = {
    Hold.RANDOM_DELAY: Status.RANDOM_DELAY,
    Hold.DSR: Status.DSR,
    Hold.DEFAULT_HOURS: Status.WAITING_FOR_DEFAULT_HOURS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusInputs:
    """What is known of a wallbox; None is unknown.

    `visit_wh` is the energy since plug-in, `idle_s` the time since it last charged.
    """

    reachable: bool
    fault: bool
    locked: bool
    connected: bool | None
    load_shedding: bool
    phase_switching: bool
    charging: bool
    allowed: bool | None
    visit_wh: float
    idle_s: float
    # Whether it was stopped because somebody has tampered with it.
    tamper: bool = False
    # Why charging is held back, where the rules do; otherwise the owner paused it.
    held_by: Hold | None = None


def derive_status(inputs: StatusInputs) -> Status:
    """Return the first status that applies."""
    rows = (
        (not inputs.reachable, Status.UNREACHABLE),
        (inputs.fault, Status.FAULT),
        (inputs.tamper, Status.TAMPER),
        (inputs.locked, Status.LOCKED),
        (not inputs.connected, Status.DISCONNECTED),
        (inputs.load_shedding, Status.LOAD_SHEDDING),
        (inputs.phase_switching, Status.PHASE_SWITCHING),
        (inputs.charging, Status.CHARGING),
        (inputs.held_by is not None, _HELD.get(inputs.held_by or Hold.DSR)),
        (not inputs.allowed, Status.PAUSED),
        (
            inputs.visit_wh >= FINISHED_WH and inputs.idle_s >= FINISHED_AFTER_S,
            Status.FINISHED,
        ),
    )
    return next(
        (status for applies, status in rows if applies and status is not None),
        Status.WAITING_FOR_VEHICLE,
    )
