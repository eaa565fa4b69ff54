"""Take over what a controller says, where nothing else can be known."""

from .machine_model import Model, Since, Waits
from .machine_wish import Ask, Goal, Hours, Word
from custom_components.loxone_wallbox.charging.delay import Pending, Target
from custom_components.loxone_wallbox.charging.dsr import DsrEvent
from custom_components.loxone_wallbox.charging.override import AUTOMATION, OverrideMode
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.charging.regulation import Cause

CAUSES = {
    Cause.PLUG_IN: "plug_in",
    Cause.RECONNECT: "reconnect",
    Cause.USER: "user",
    Cause.SAFETY: "safety",
}


def resync(model: Model, state: OwnerState) -> None:
    """Take over what a controller says, where nothing else can be known."""
    facts, delay = model.facts, state.delay
    word = state.override
    facts.permitted = state.permission.allowed
    facts.permitted_at = state.permission.at
    facts.word = None
    if word is not None:
        facts.word = Word(
            charge=word.mode is OverrideMode.CHARGE,
            start=word.start,
            end=word.end,
            cause="auto" if word.source == AUTOMATION else "user",
        )
    facts.mode, facts.manual_kw = state.owner_mode, state.target_kw
    facts.asks = {key[1]: _ask(event) for key, event in state.dsr.events.items()}
    facts.hours = tuple(
        Hours(tuple(sorted(one.days)), one.start, one.end)
        for one in state.hours.windows
    )
    facts.utc, facts.enabled = state.hours.clock == "utc", state.hours.enabled
    facts.plugged, facts.blocked = state.plugged_at is not None, state.blocked
    model.max_delay_s = state.max_delay_s
    model.begins_early = state.end_delay == "before_boundary"
    model.set_early()
    model.holds = _goal(delay.settled)
    model.waits, model.replug = _waits(delay.pending), _waits(delay.unplugged)
    model.changed, model.left = delay.changed_at, delay.unplugged_at
    if model.waits is not None:
        since = Since(model.waits.since, model.waits.cause)
        model.since_switch = model.since_any = since
        key = (since.at, since.cause, model.waits.goal.kw > model.holds.kw)
        model.drawn[key] = model.waits.drawn_s


def _goal(target: Target) -> Goal:
    """Return a target in the model's words."""
    return Goal(target.allowed, target.limit_kw)


def _waits(pending: Pending | None) -> Waits | None:
    """Return what is pending in the model's words."""
    if pending is None:
        return None
    return Waits(
        since=pending.relevant_at,
        cause=CAUSES.get(pending.cause, "auto"),
        drawn_s=pending.drawn_s,
        due=pending.due,
        goal=_goal(pending.to_target),
    )


def _ask(event: DsrEvent) -> Ask:
    """Return a grid event in the model's words."""
    return Ask(
        reduces=event.reduces,
        limit_kw=event.limit(0.0),
        exempt=event.exempt,
        response=event.response_service,
        start=event.start,
        end=event.end,
        taken=event.taken_at or event.heard_at,
        version=event.version,
        validity_s=event.validity_s,
        left=event.opted_out_at,
        cancelled=event.cancelled_at,
    )
