"""Decide what a wallbox does: a function of the situation, the memory and the time.

Takes what is known, what is remembered and now, gives what holds and what is to be
remembered. Reads no clock, draws no number by itself and waits for nothing, so that a
year can be decided in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from .delay import OFF, Change, DelayMemory, DelayRules, Pending, Target
from .regulation import Cause
from .wish import (
    HORIZON,
    JUST,
    Reason,
    Situation,
    Wish,
    changes,
    last_change,
    window_end,
    wish_at,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What holds now.

    `next_change` is when that is expected to change; `wake_at` when to decide again
    at the latest, which may turn out to change nothing.
    """

    target: Target
    reason: Reason
    next_change: datetime | None
    wake_at: datetime | None
    pending: Pending | None


def decide(
    situation: Situation,
    memory: DelayMemory,
    rules: DelayRules,
    now: datetime,
    draw: Callable[[int], int],
) -> tuple[Decision, DelayMemory]:
    """Return what holds now and what to remember of it."""
    wish = wish_at(situation, now)
    if situation.plugged_at is None:
        memory = replace(memory, settled=_unplugged(situation, now), pending=None)
    elif situation.blocked_by is not None:
        memory = memory.settle_safely(now)
    else:
        change = _change(situation, memory, wish, now)
        memory = memory.advance(wish.target, change, rules, now, draw)
    target, reason = _overlaid(situation, memory, wish, now)
    upcoming = sorted(
        change.at for change in changes(situation, now + JUST, now + HORIZON)
    )
    due = None if memory.pending is None else memory.pending.due
    wakes = [at for at in (due, *upcoming[:1], *_overlay_edges(situation, now)) if at]
    return (
        Decision(
            target=target,
            reason=reason,
            next_change=due or _next_change(situation, wish, upcoming),
            wake_at=min(wakes, default=None),
            pending=memory.pending,
        ),
        memory,
    )


def _change(
    situation: Situation, memory: DelayMemory, wish: Wish, now: datetime
) -> Change:
    """Return when and why the wish became another than what holds."""
    if wish.target.same_as(memory.settled):
        # Nothing is to change, so nobody asks since when.
        return Change(at=now, cause=Cause.USER)
    switches = wish.target.allowed is not memory.settled.allowed
    change = last_change(situation, now, _permission_differs if switches else _differs)
    starts = switches and wish.target.allowed
    if starts and situation.dsr.starts_at_once(now, change.at):
        return replace(change, exempt=True)
    return replace(change, window_end=_window_end(situation, wish, change, now))


def _window_end(
    situation: Situation, wish: Wish, change: Change, now: datetime
) -> datetime | None:
    """Return the end of a window that a stop keeps to, or that ends a start.

    What an override starts it starts, and what goes on after the window may begin in
    its last minutes.
    """
    if not wish.target.allowed:
        return window_end(situation, change.at) if situation.keeps_end else None
    if wish.reason is Reason.OVERRIDE_CHARGE:
        return None
    end = window_end(situation, now)
    if end is None or wish_at(situation, end).target.allowed:
        return None
    return end


def _unplugged(situation: Situation, now: datetime) -> Target:
    """Return what holds without a car.

    The permission stays, so that a charger whose Home Assistant has died strands
    nobody; it goes where the owner took it, or wants it strictly by the hours, and
    while a protection holds.
    """
    if situation.blocked_by is not None:
        return OFF
    seen = replace(situation, plugged_at=now)
    wish = wish_at(seen, now)
    taken = not situation.permission.allowed and not wish.target.allowed
    if situation.strict or taken or wish.reason is Reason.PAUSED:
        return wish.target
    limit = min(situation.target.at_instant(now), situation.max_kw)
    return Target(allowed=True, limit_kw=limit)


def _overlaid(
    situation: Situation, memory: DelayMemory, wish: Wish, now: datetime
) -> tuple[Target, Reason]:
    """Return what holds, with what acts without a delay laid over it.

    Response services and events that are randomised already reduce at once and let go
    at once; the owner's override stands above them.
    """
    target, reason = memory.settled, wish.reason
    if memory.pending is not None:
        rises = memory.pending.to_target.higher_than(memory.settled)
        if rises and not memory.settled.allowed:
            reason = Reason.RANDOM_DELAY
    if wish.reason is Reason.OVERRIDE_CHARGE or not target.allowed:
        return target, reason
    reduction = situation.dsr.reduction(now, exempt=True)
    if reduction is None or reduction >= target.limit_kw:
        return target, reason
    if reduction < situation.min_kw:
        return OFF, Reason.DSR
    return Target(allowed=True, limit_kw=reduction), Reason.DSR


def _overlay_edges(situation: Situation, now: datetime) -> list[datetime]:
    """Return the next instants at which what is laid over changes."""
    ahead = sorted(at for at, _ in situation.dsr.edges(now) if at > now)
    return ahead[:1]


def _next_change(
    situation: Situation, wish: Wish, upcoming: list[datetime]
) -> datetime | None:
    """Return the first instant at which something else should hold."""
    for at in upcoming:
        if not wish_at(situation, at).target.same_as(wish.target):
            return at
    return None


def _permission_differs(before: Target, now: Target) -> bool:
    """Compare only whether charging is allowed."""
    return before.allowed is not now.allowed


def _differs(before: Target, now: Target) -> bool:
    """Compare permission and limit."""
    return not before.same_as(now)
