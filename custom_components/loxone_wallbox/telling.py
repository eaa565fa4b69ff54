"""What the security log is told of acts that take something away from the grid.

Takes who acted on what, gives the event for the log. Texts of others are cut short, as
they come from outside.
"""

from datetime import datetime, tzinfo

from .charging.dsr import DsrBook
from .charging.leaving import Key, Scope, to_leave
from .charging.owner import DefaultHours
from .charging.schedule import Window
from .rights import Actor, SecurityEvent

# So many events are named, and so much of a name; the number of all is always told.
MOST_NAMED = 5
LONGEST_NAME = 40


def left_events(  # noqa: PLR0917
    actor: Actor,
    book: DsrBook,
    scope: Scope,
    now: datetime,
    zone: tzinfo,
    key: Key | None,
) -> SecurityEvent:
    """Return what is told when grid events are left, with the reward that is lost.

    Raises `DsrError` where there is nothing to leave.
    """
    events = [book.events[one] for one in to_leave(book, scope, now, zone, key)]
    rewards = {
        one.event_id[:LONGEST_NAME]: one.reward_per_kwh
        for one in events[:MOST_NAMED]
        if one.reward_per_kwh is not None
    }
    return _changed(
        actor,
        what="dsr_opt_out",
        scope=scope.value,
        number=len(events),
        events=[one.event_id[:LONGEST_NAME] for one in events[:MOST_NAMED]],
        **({"reward_per_kwh": rewards} if rewards else {}),
    )


def other_hours(
    actor: Actor, before: DefaultHours, after: DefaultHours
) -> SecurityEvent | None:
    """Return what is told when default charging hours go or change, else None."""
    was, now = _in_force(before), _in_force(after)
    if not was or was == now:
        return None
    if now:
        return _changed(
            actor,
            what="default_hours",
            change="changed",
            **{"from": _hours(was), "to": _hours(now)},
        )
    change = "suspended" if after.windows else "removed"
    return _changed(actor, what="default_hours", change=change)


def _in_force(hours: DefaultHours) -> tuple[Window, ...]:
    """Return the windows that hold."""
    return hours.windows if hours.enabled else ()


def _hours(windows: tuple[Window, ...]) -> str:
    """Return windows for the log, the first ones of many."""
    plain = [one.as_dict() for one in windows]
    texts = [f"{','.join(one['days'])} {one['start']}-{one['end']}" for one in plain]
    more = ["…"] if len(texts) > MOST_NAMED else []
    return "; ".join([*texts[:MOST_NAMED], *more])


def chosen(actor: Actor, what: str, before: object, now: object) -> SecurityEvent:
    """Return what is told of a choice."""
    return SecurityEvent(
        kind="config_security_changed",
        outcome="info",
        user_id=actor.user_id,
        detail={"what": what, "from": before, "to": now},
    )


def invalid_event(actor: Actor, reason: str, event_id: str) -> SecurityEvent:
    """Return what is told of a grid event that was not taken."""
    return SecurityEvent(
        kind="invalid_input",
        outcome="attempt_failed",
        user_id=actor.user_id,
        detail={
            "what": "dsr_event",
            "reason": reason,
            "event": event_id[:LONGEST_NAME],
        },
    )


def _changed(actor: Actor, **detail: object) -> SecurityEvent:
    """Return what is told of a change of what keeps the grid safe."""
    return SecurityEvent(
        kind="config_security_changed",
        outcome="info",
        user_id=actor.user_id,
        detail={**detail, "by_hand": actor.by_hand},
    )
