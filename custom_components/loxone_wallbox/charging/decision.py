"""Decide what a wallbox does: a function of the situation, the memory and the time.

Takes what is known, what is remembered and now, gives what holds and what is to be
remembered. Reads no clock, draws no number by itself and waits for nothing, so that a
year can be decided in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from .delay import OFF, SAME_KW, Change, DelayMemory, DelayRules, Pending, Target
from .overlay import bounded, laid_over, lifted, remembered
from .regulation import Cause
from .wish import (
    HORIZON,
    JUST,
    Reason,
    Situation,
    Wish,
    changes,
    is_open,
    last_change,
    own_limit,
    window_end,
    wish_at,
)

# What a contactor that is spared has just been switched off for.
_RESTS_FROM = {
    Cause.DSR: Reason.DSR,
    Cause.DEFAULT_HOURS: Reason.OUTSIDE_DEFAULT_HOURS,
    Cause.OVERRIDE_END: Reason.OVERRIDE_PAUSE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What holds now.

    `unshed` is what would, were no load shed. `next_change` is when that is expected to
    change; `wake_at` when to decide again at the latest, which may turn out to change
    nothing.
    """

    target: Target
    reason: Reason
    unshed: Wish
    next_change: datetime | None
    wake_at: datetime | None
    pending: Pending | None
    # What of `pending` is a random delay: not what only rests or waits in vain.
    delay: Pending | None = None


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
        memory = _held_down(situation, memory, now)
        memory, act = lifted(situation, memory, wish, now)
        memory = _as_said(situation, memory, wish, now)
        change = _change(situation, memory, wish, act, now)
        memory = _kept(situation, memory, wish, change, now)
        memory = memory.advance(wish.target, change, rules, now, draw)
    unshed = _overlaid(situation, memory, wish, now)
    memory = remembered(memory, unshed.target)
    if memory.pending is None:
        memory = replace(memory, held_for=unshed.reason)
    shown = _protected(situation, unshed)
    upcoming = sorted(
        change.at for change in changes(situation, now + JUST, now + HORIZON)
    )
    pending = memory.pending
    due = None if pending is None else pending.due
    foreseen = _next_change(situation, memory, wish, now, upcoming)
    wakes = [at for at in (due, *upcoming[:1], *_overlay_edges(situation, now)) if at]
    return (
        Decision(
            target=shown.target,
            reason=shown.reason,
            unshed=unshed,
            next_change=foreseen,
            wake_at=min(wakes, default=None),
            pending=memory.pending,
            delay=_delay(situation, memory, now),
        ),
        memory,
    )


def _change(
    situation: Situation,
    memory: DelayMemory,
    wish: Wish,
    act: Change | None,
    now: datetime,
) -> Change:
    """Return when and why the wish became another than what holds.

    `act` has just lifted what held: it counts, unless something came after it.
    """
    if wish.target.same_as(memory.settled):
        # Nothing is to change, so nobody asks since when.
        return Change(at=now, cause=Cause.USER)
    switches = wish.target.allowed is not memory.settled.allowed
    rises = not switches and wish.target.higher_than(memory.settled)
    differs = _permission_differs if switches else _rises if rises else _differs
    change = last_change(situation, now, differs)
    stops = switches and not wish.target.allowed
    if (
        stops
        and change.cause is Cause.PLUG_IN
        and change.at < (memory.changed_at or now)
    ):
        # What is known now was so all along: it came about while nothing was decided.
        change = Change(at=now, cause=Cause.AUTOMATION)
    if act is not None and act.at >= change.at:
        change = act
    if rises and (asked := _asked(situation, change.at)) is not None:
        change = asked
    starts = switches and wish.target.allowed
    if starts and situation.dsr.starts_at_once(now, change.at):
        return replace(change, exempt=True)
    # What an event or an override keeps up after a window's stop is theirs to end.
    theirs = change.cause in {Cause.DSR, Cause.AUTOMATION}
    return replace(
        change,
        window_end=_window_end(situation, wish, change, now),
        beyond=theirs and not is_open(situation, change.at - JUST),
    )


def _asked(situation: Situation, since: datetime) -> Change | None:
    """Return a person's word about the power since an instant, None without any.

    It overrides the delay of what was wanted before: who asks for less than that has
    less, but has it at once. A start needs another word.
    """
    said = situation.target
    if said.cause is not Cause.USER or said.at is None or said.at < since:
        return None
    return Change(at=said.at, cause=Cause.USER)


def _as_said(
    situation: Situation, memory: DelayMemory, wish: Wish, now: datetime
) -> DelayMemory:
    """Have what holds follow a person's word about the power, which waits for nothing.

    A decrease or a stop that waits keeps its own time, whichever of the two came first.
    More may hold meanwhile only of what the person took away before.
    """
    said, plugged_at = situation.target, situation.plugged_at
    if said.cause is not Cause.USER or said.at is None:
        return memory
    if plugged_at is None or said.at < plugged_at:
        return memory
    limit, pending = own_limit(situation, now), memory.pending
    most = memory.settled.power_kw
    if pending is not None and pending.from_target.higher_than(pending.to_target):
        most = max(most, pending.from_target.power_kw)
    power = min(limit, most)
    if power < situation.min_kw and not wish.target.allowed:
        return memory.settle(OFF, now)
    return memory.settle(Target(allowed=True, limit_kw=power), now) if power else memory


def _kept(
    situation: Situation,
    memory: DelayMemory,
    wish: Wish,
    change: Change,
    now: datetime,
) -> DelayMemory:
    """Keep what a reduction without a delay leaves to one that waits for its own.

    Where the two touch, nothing is ramped up only to be taken away again: what holds
    goes no higher than the higher of both.
    """
    if not memory.settled.higher_than(wish.target):
        return memory
    since, pending = change.at, memory.pending
    if pending is not None and memory.settled.higher_than(pending.to_target):
        since = pending.relevant_at
    left = situation.dsr.left_behind(since, now)
    if left is None:
        return memory
    power = max(left, wish.target.power_kw)
    if power >= memory.settled.power_kw:
        return memory
    allowed = power >= situation.min_kw
    return bounded(memory, Target(allowed=True, limit_kw=power) if allowed else OFF)


def _window_end(
    situation: Situation, wish: Wish, change: Change, now: datetime
) -> datetime | None:
    """Return the end of a window that a stop keeps to, or that ends a start.

    What an override starts it starts, and what goes on after the window may begin in
    its last minutes.
    """
    if not wish.target.allowed:
        end, kept = window_end(situation, change.at), situation.kept_stop
        behind = end is not None and kept is not None and kept.is_behind(end)
        return end if situation.keeps_end and not behind else None
    return None if wish.reason is Reason.OVERRIDE_CHARGE else _last_end(situation, now)


def _last_end(situation: Situation, now: datetime) -> datetime | None:
    """Return the end of a window after which nothing goes on, None without one."""
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
    return Target(allowed=True, limit_kw=own_limit(situation, now))


def _held_down(situation: Situation, memory: DelayMemory, now: datetime) -> DelayMemory:
    """Have no more hold than a protection leaves: safety waits for nothing."""
    limit = situation.limited_to_kw
    if limit is None or memory.settled.power_kw <= limit:
        return memory
    least = Target(allowed=True, limit_kw=limit)
    return bounded(memory.settle(least, now), least)


def _protected(situation: Situation, wish: Wish) -> Wish:
    """Return what is ordered under the protections that there are.

    The Miniserver sheds a load by itself. What is not ordered meanwhile is ordered as
    soon as it ends: what was delayed has had its delay by then.
    """
    if situation.blocked_by is not None:
        return Wish(target=OFF, reason=situation.blocked_by)
    target, limit = wish.target, situation.limited_to_kw
    if (confirmed := situation.shedding) is not None:
        lower = target if confirmed.higher_than(target) else confirmed
        return Wish(target=lower, reason=Reason.LOAD_SHEDDING)
    if limit is not None and target.allowed and target.limit_kw >= limit - SAME_KW:
        return Wish(target=target, reason=Reason.TAMPER)
    return wish


def _overlaid(
    situation: Situation, memory: DelayMemory, wish: Wish, now: datetime
) -> Wish:
    """Return what holds, with what acts without a delay laid over it.

    While something else waits the reason is that of what still holds.
    """
    held, pending = memory.settled, memory.pending
    found = laid_over(situation, held, wish.reason, now)
    if pending is None or not found.target.same_as(held):
        return found
    return replace(found, reason=_waiting_for(situation, memory, pending, now))


def _delay(situation: Situation, memory: DelayMemory, now: datetime) -> Pending | None:
    """Return what waits for a delay that was drawn and that will have its end."""
    pending = memory.pending
    if pending is None or not pending.drawn_s:
        return None
    return None if _is_in_vain(situation, memory, pending, now) else pending


def _is_in_vain(
    situation: Situation, memory: DelayMemory, pending: Pending, now: datetime
) -> bool:
    """Tell whether a start is due only when its window is over."""
    if memory.settled.allowed or not pending.to_target.allowed:
        return False
    end = _last_end(situation, now)
    return end is not None and pending.due >= end


def _waiting_for(
    situation: Situation, memory: DelayMemory, pending: Pending, now: datetime
) -> Reason:
    """Return what a change waits for; where it only rests, what it rests from.

    Charging that goes on only for a rest goes on for what it held for.
    """
    if _is_in_vain(situation, memory, pending, now):
        return Reason.OUTSIDE_DEFAULT_HOURS
    if not pending.drawn_s and not memory.settled.allowed:
        return _RESTS_FROM.get(pending.cause, Reason.PAUSED)
    if pending.drawn_s or memory.held_for is None:
        # What it held for before a restart is not known any more.
        return Reason.RANDOM_DELAY
    return Reason(memory.held_for)


def _overlay_edges(situation: Situation, now: datetime) -> list[datetime]:
    """Return the next instants at which what is laid over changes."""
    ahead = sorted(at for at, _ in situation.dsr.edges(now) if at > now)
    return ahead[:1]


def _next_change(
    situation: Situation,
    memory: DelayMemory,
    wish: Wish,
    now: datetime,
    upcoming: list[datetime],
) -> datetime | None:
    """Return the first instant at which something else should hold.

    What is to come is taken without its delay, and under what acts without one.
    """
    if situation.plugged_at is None or situation.blocked_by is not None:
        return None
    due = None if memory.pending is None else memory.pending.due
    held = laid_over(situation, memory.settled, wish.reason, now).target
    for at in upcoming if due is None else sorted([*upcoming, due]):
        then = wish_at(situation, at)
        stays = then.target.same_as(wish.target) and (due is None or at < due)
        coming = memory.settled if stays else then.target
        if not laid_over(situation, coming, then.reason, at).target.same_as(held):
            return at
    return None


def _permission_differs(before: Target, now: Target) -> bool:
    """Compare only whether charging is allowed."""
    return before.allowed is not now.allowed


def _rises(before: Target, now: Target) -> bool:
    """Tell whether more is wanted; who wants less than before raises nothing by it."""
    return _differs(before, now) and now.higher_than(before)


def _differs(before: Target, now: Target) -> bool:
    """Compare permission and limit."""
    return not before.same_as(now)
