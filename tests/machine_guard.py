"""What protections ask of a wallbox, told in the test's own words."""

from .machine_box import Face
from .machine_model import Model
from .machine_wish import Goal
from .machine_words import WrongError
from custom_components.loxone_wallbox.charging.decision import Decision
from custom_components.loxone_wallbox.charging.wish import Reason
from custom_components.loxone_wallbox.miniserver import (
    Command,
    SetManualLimit,
    SetMode,
    WallboxState,
)

# Why nothing may flow, and why all may that there is.
STOPS = {
    Reason.FAULT,
    Reason.LOCKED,
    Reason.OVERRIDE_PAUSE,
    Reason.PAUSED,
    Reason.OUTSIDE_DEFAULT_HOURS,
    Reason.NO_VEHICLE,
}
GOES = {
    Reason.OVERRIDE_CHARGE,
    Reason.DSR_INCREASE,
    Reason.DEFAULT_HOURS,
    Reason.NO_DEFAULT_HOURS,
}
# A limit is written with two digits.
SAME_LIMIT_KW = 0.011


def protect(model: Model, face: Face) -> None:
    """Follow what protects, whatever else is wanted."""
    policy = model.tampering if face.tampered else "keep"
    stops = policy == "stop" or (policy == "limit" and model.facts.managed)
    blocked = face.fault or face.state.lock is not None or stops
    if blocked is not model.facts.blocked:
        model.block(blocked=blocked)
    limited = policy == "limit" and not blocked
    if limited is not model.facts.limited:
        cause = "user" if model.facts.is_by_hand(model.now) else "auto"
        model.change(cause, lambda: setattr(model.facts, "limited", limited))


def choose_policy(model: Model, face: Face, policy: str) -> None:
    """Follow the owner's choice of what is done in tampering."""
    model.tampering = policy
    if face.linked:
        protect(model, face)


def ordered(goal: Goal, face: Face) -> Goal:
    """Return what may be ordered: while load is shed no more than there is."""
    state = face.state
    if not state.load_shedding or not goal.allowed:
        return goal
    if not state.allowed:
        return Goal(False, why="shed")
    limit = face.info.max_kw if state.limit_kw is None else state.limit_kw
    return Goal(True, min(goal.limit_kw, limit), "shed")


def check_reason(decision: Decision, *, plugged: bool) -> None:
    """Raise where a reason is none for what is decided."""
    allowed, reason = decision.target.allowed, decision.reason
    if plugged and reason in (STOPS if allowed else GOES):
        raise WrongError(f"{decision.target} because of {reason}")
    if plugged and decision.delay and reason in (STOPS | GOES):
        raise WrongError(f"{reason} while a delay holds {decision.target}")


def check_shed(command: Command, shown: WallboxState, face: Face) -> None:
    """Raise where a command sets a shed load a higher limit."""
    match command:
        case SetManualLimit(limit_kw=limit):
            after = limit
        case SetMode(mode=mode):
            after = face.device.limit_of(mode) or 0.0
        case _:
            return
    if after > (shown.limit_kw or 0.0) + SAME_LIMIT_KW:
        raise WrongError(f"{command} raises the limit of a shed load")


def told(decision: Decision) -> str:
    """Return a decision in a few words."""
    target, pending = decision.target, decision.pending
    text = f"decided {target.limit_kw if target.allowed else 'off'} {decision.reason}"
    if pending is None:
        return text
    return f"{text}, {pending.cause} {pending.drawn_s} s until {pending.due:%H:%M:%S}"
