"""What reduces without a delay, laid over what holds, and who lifts it.

Response services and events that are randomised already reduce at once and let go at
once. A person lifts them at once too; what an automation lifts rises after a delay.
"""

from dataclasses import replace
from datetime import datetime

from .delay import OFF, Change, DelayMemory, Target
from .dsr import MAX_LENGTH, DsrBook
from .override import AUTOMATION
from .regulation import Cause
from .wish import Reason, Situation, Wish


def laid_over(situation: Situation, held: Target, reason: Reason, at: datetime) -> Wish:
    """Return a target and its reason with what reduces without a delay over it.

    The owner's override stands above it.
    """
    if reason is Reason.OVERRIDE_CHARGE or not held.allowed:
        return Wish(target=held, reason=reason)
    reduction = situation.dsr.reduction(at, exempt=True)
    if reduction is None or reduction >= held.limit_kw:
        return Wish(target=held, reason=reason)
    if reduction < situation.min_kw:
        return Wish(target=OFF, reason=Reason.DSR)
    return Wish(target=Target(allowed=True, limit_kw=reduction), reason=Reason.DSR)


def remembered(memory: DelayMemory, shown: Target) -> DelayMemory:
    """Remember in kW how far what holds is reduced without a delay."""
    reduced = memory.settled.higher_than(shown)
    return replace(memory, reduced_kw=shown.power_kw if reduced else None)


def lifted(
    situation: Situation, memory: DelayMemory, wish: Wish, now: datetime
) -> tuple[DelayMemory, Change | None]:
    """Let hold what an automation has just lifted, with the act to draw for."""
    held = memory.reduced_kw
    if held is None or memory.settled.power_kw <= held:
        return memory, None
    act = _act(situation, wish, held, now)
    if act is None:
        return memory, None
    allowed = held >= situation.min_kw
    kept = Target(allowed=True, limit_kw=held) if allowed else OFF
    return bounded(memory, kept), act


def bounded(memory: DelayMemory, target: Target) -> DelayMemory:
    """Let a lower target hold; what waits to go lower still began with no more."""
    pending = memory.pending
    if pending is not None and pending.from_target.higher_than(target):
        pending = replace(pending, from_target=target)
    return replace(memory, settled=target, pending=pending)


def _act(situation: Situation, wish: Wish, held: float, now: datetime) -> Change | None:
    """Return the act of an automation that lifts what reduced to so many kW."""
    left = situation.dsr.reduction(now, exempt=True)
    override = situation.override
    if wish.reason is Reason.OVERRIDE_CHARGE:
        by_program = override is not None and override.source == AUTOMATION
        if override is None or not by_program or left is None:
            return None
        return Change(at=override.start, cause=Cause.AUTOMATION)
    if left is not None and left <= held:
        return None
    at = _left_by_program(situation.dsr, now)
    return None if at is None else Change(at=at, cause=Cause.AUTOMATION)


def _left_by_program(book: DsrBook, now: datetime) -> datetime | None:
    """Return when an automation left the event that was the last to end, if it did."""
    ends = [
        (at, event.opted_out_at == at and not event.opted_out_by_hand)
        for at, event in book.edges(now - MAX_LENGTH)
        if event.reduces and event.exempt
        if at <= now and at == event.effective_end(book.silence)
    ]
    at, by_program = max(ends, default=(now, False))
    return at if by_program else None
