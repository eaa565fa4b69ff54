"""Take over what a controller says, where nothing else can be known."""

from datetime import datetime

from .machine_box import Face
from .machine_model import Model
from .machine_wish import Ask, Goal, Hours, Word
from .machine_words import Since, Waits
from custom_components.loxone_wallbox.charging.delay import (
    Change,
    Pending,
    Target,
    relevant_time_id,
)
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
    facts.replaced = {key[1]: _ask(event) for key, event in state.dsr.former.items()}
    facts.hours = tuple(
        Hours(tuple(sorted(one.days)), one.start, one.end)
        for one in state.hours.windows
    )
    facts.utc, facts.enabled = state.hours.clock == "utc", state.hours.enabled
    kept = state.kept_stop
    facts.kept = None if kept is None else (kept.end, kept.at)
    facts.plugged, facts.blocked = state.plugged_at is not None, state.blocked
    facts.limited, model.tampering = state.limited, state.tamper_policy.value
    model.max_delay_s = state.max_delay_s
    model.begins_early = state.end_delay == "before_boundary"
    model.set_early()
    model.holds = _goal(delay.settled)
    model.waits, model.replug = waits_of(delay.pending), waits_of(delay.unplugged)
    model.changed, model.left = delay.changed_at, delay.unplugged_at
    for one in delay.draws:
        for way in ("up", "down"):
            change = Change(at=one.relevant_at, cause=one.cause)
            drawn_for = relevant_time_id(Face.wallbox_id, change, way)
            if one.drawn and drawn_for == one.relevant_time_id:
                key = (one.relevant_at, CAUSES.get(one.cause, "auto"), way == "up")
                model.drawn[key] = one.drawn_s
    if model.waits is not None:
        since = Since(model.waits.since, model.waits.cause)
        model.since_switch = model.since_any = model.since_rise = since
        key = (since.at, since.cause, model.waits.goal.kw > model.holds.kw)
        model.drawn[key] = model.waits.drawn_s


def date(model: Model, pending: Pending | None, now: datetime) -> None:
    """Take over since when something waits that came about while all was blind.

    Of more than one word that nobody decided on the first ones are not known.
    """
    waits = model.waits
    if waits is None or pending is None or not model.was_blind(waits.since):
        return
    if pending.cause is Cause.AUTOMATION and pending.relevant_at == now:
        model.waits = waits_of(pending)


def is_over(model: Model, state: OwnerState, drawn: list[int], now: datetime) -> bool:
    """Tell whether a delay was drawn that has come and gone while all was blind.

    A word is forgotten when the next one comes, also where nobody decided on either.
    """
    if len(drawn) != 1 or not state.delay.draws:
        return False
    last = state.delay.draws[-1]
    known = last.drawn and last.drawn_s == drawn[0] and last.at == now
    return known and last.due <= now and model.was_blind(last.due)


def _goal(target: Target) -> Goal:
    """Return a target in the model's words."""
    return Goal(target.allowed, target.limit_kw)


def waits_of(pending: Pending | None) -> Waits | None:
    """Return what is pending in the model's words."""
    if pending is None:
        return None
    return Waits(
        since=pending.relevant_at,
        cause=CAUSES.get(pending.cause, "auto"),
        drawn_s=pending.drawn_s,
        due=pending.due,
        goal=_goal(pending.to_target),
        before=_goal(pending.from_target),
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
