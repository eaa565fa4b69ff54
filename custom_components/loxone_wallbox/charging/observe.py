"""Take note of what a wallbox does, and say what it should be told next.

Takes the owner's state and an observation, gives the state after it; takes a target and
an observation, gives the next command's content. Pure, like all of the rules.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from .delay import SAME_KW, Target
from .moved_end import end_before
from .owner import EndDelay, OwnerState, TamperPolicy
from .regulation import Cause, Profile
from .wish import Reason, Situation, TargetPower

MANUAL = 99
# Two instants of plugging in closer than this are those of the same visit.
SAME_VISIT = timedelta(seconds=5)
# So soon after plugging in the Miniserver tells its own instant of it.
VISIT_TOLD = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What the wallbox shows; None is unknown, powers in kW.

    `mode_limits` are the limits of the configured modes, `visit` the Miniserver's own
    instant of the plug-in, `full` is a car that has stopped taking power by itself.
    Of several reasons `blocked_by` is the first; `locked` is told whatever else is.
    `overheated` is a fault that has a name of its own to who is refused something.
    `held` is a wallbox that changed in a way of which its owner has yet to say that it
    was meant.
    """

    connected: bool | None
    allowed: bool | None
    charging: bool
    mode: int | None
    limit_kw: float | None
    blocked_by: Reason | None
    load_shedding: bool
    visit: datetime | None
    min_kw: float
    max_kw: float
    mode_limits: dict[int, float]
    managed: bool = False
    full: bool = False
    locked: bool = False
    overheated: bool = False
    tampered: bool = False
    held: bool = False

    @property
    def least_kw(self) -> float:
        """Return the lowest limit it can be held to, in kW; anything less is none.

        A managed one takes no limit from us, so that it may draw what its manager may
        give, or nothing.
        """
        return self.max_kw if self.managed else self.min_kw


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What protects now: a stop and its reason, or a limit in kW, or nothing."""

    blocked_by: Reason | None = None
    limited_to_kw: float | None = None


def protection(state: OwnerState, seen: Observation) -> Protection:
    """Return what protects, whatever the owner and the grid want."""
    if seen.blocked_by is not None:
        return Protection(blocked_by=seen.blocked_by)
    if stops_for_tamper(state, seen):
        return Protection(blocked_by=Reason.TAMPER)
    if seen.tampered and state.tamper_policy is TamperPolicy.LIMIT:
        return Protection(limited_to_kw=seen.min_kw)
    return Protection()


def stops_for_tamper(state: OwnerState, seen: Observation) -> bool:
    """Tell whether a wallbox is stopped because somebody has tampered with it.

    A managed one takes no limit from us, so it is stopped where others are limited.
    """
    policy = state.tamper_policy
    limits_nothing = policy is TamperPolicy.LIMIT and seen.managed
    return seen.tampered and (policy is TamperPolicy.STOP or limits_nothing)


def observe(
    state: OwnerState, seen: Observation, now: datetime, *, first: bool
) -> OwnerState:
    """Take note of plugging, unplugging and protections.

    `first` is the first look after a start: a car that is charging goes on.
    """
    if not state.seen and seen.allowed is not None:
        state = replace(state, seen=True)
        if not state.hours.windows:
            # Nothing of ours ruled here before: what is found is the owner's word.
            permission = replace(state.permission, allowed=seen.allowed)
            state = replace(state, permission=permission)
    state = _protected(state, protection(state, seen), now)
    if state.owner_mode is None and seen.mode is not None:
        target = seen.limit_kw if seen.mode == MANUAL else state.target_kw
        state = replace(state, owner_mode=seen.mode, target_kw=target)
    if seen.connected is False and state.plugged_at is not None:
        return _unplugged(state, now)
    if not seen.connected:
        return state
    if state.plugged_at is None:
        return _plugged(state, seen, now, live=not first)
    if _is_another_visit(state, state.plugged_at, seen, now):
        gone = _unplugged(state, now)
        # How long the old car was gone is not known, so no deadline is kept for it.
        gone = replace(gone, delay=replace(gone.delay, unplugged=None))
        return _plugged(gone, seen, now, live=False)
    if seen.visit is not None and seen.visit != state.visit:
        return replace(state, visit=seen.visit)
    return state


def _protected(state: OwnerState, found: Protection, now: datetime) -> OwnerState:
    """Take note of protections, and of the instants at which they let go."""
    blocked = found.blocked_by is not None
    if blocked is not state.blocked:
        cleared = state.cleared_at if blocked else now
        state = replace(state, blocked=blocked, cleared_at=cleared)
    limited = found.limited_to_kw is not None
    if limited is not state.limited:
        eased = state.eased_at if limited else now
        state = replace(state, limited=limited, eased_at=eased)
    return state


def _is_another_visit(
    state: OwnerState, plugged_at: datetime, seen: Observation, now: datetime
) -> bool:
    """Tell whether a car is there that was plugged in when nobody looked.

    The Miniserver may tell its instant late, in whole seconds, not at all, and at first
    that of the visit before; its clock need not be ours.
    """
    if seen.visit is None or state.visit is None or now - plugged_at <= VISIT_TOLD:
        return False
    return (
        abs(seen.visit - state.visit) > SAME_VISIT
        and abs(seen.visit - plugged_at) > SAME_VISIT
    )


def _unplugged(state: OwnerState, now: datetime) -> OwnerState:
    """End a visit, and with it what the owner wanted until then."""
    override = state.override
    if override is not None and override.end is None:
        override = None
    return replace(
        state,
        plugged_at=None,
        visit=None,
        override=override,
        kept_stop=None,
        delay=state.delay.unplug(now),
    )


def _plugged(
    state: OwnerState, seen: Observation, now: datetime, *, live: bool
) -> OwnerState:
    """Start a visit; `live` is one whose plugging in was seen as it happened."""
    plugged_at, delay = now, state.delay.plug_in(now)
    if not live:
        if seen.visit is not None and seen.visit <= now:
            plugged_at = seen.visit
        if seen.charging and seen.allowed:
            # Nothing changes at the wall only because somebody looks again.
            shown = None if seen.managed else seen.limit_kw
            limit = seen.max_kw if shown is None else shown
            delay = replace(delay, settled=Target(allowed=True, limit_kw=limit))
    return replace(state, plugged_at=plugged_at, visit=seen.visit, delay=delay)


def owner_limit(state: OwnerState, seen: Observation) -> float:
    """Return the power the owner's mode gives when nothing of ours reduces it."""
    if state.owner_mode is not None and state.owner_mode != MANUAL:
        if seen.managed:
            return seen.max_kw
        if seen.mode == state.owner_mode and seen.limit_kw is not None:
            # A program on the Miniserver may move a mode's limit.
            return seen.limit_kw
        return seen.mode_limits.get(state.owner_mode, seen.max_kw)
    wish = seen.max_kw if state.target_kw is None else state.target_kw
    return min(max(wish, seen.min_kw), seen.max_kw)


def situation(
    state: OwnerState,
    seen: Observation,
    profile: Profile,
    zone: tzinfo,
    *,
    strict: bool,
    reconnected_at: datetime | None,
    resumed_at: datetime | None = None,
) -> Situation:
    """Put together what decides."""
    protected = protection(state, seen)
    limit = seen.max_kw if seen.managed else owner_limit(state, seen)
    previous = None if seen.managed else state.target_previous_kw
    return Situation(
        min_kw=seen.least_kw,
        max_kw=seen.max_kw,
        target=TargetPower(
            limit_kw=limit,
            previous_kw=limit if previous is None else previous,
            at=state.target_at,
            cause=state.target_cause,
        ),
        dsr=state.dsr,
        permission=state.permission,
        override=state.override,
        hours=state.hours.schedule(zone),
        hours_changed_at=state.hours.changed_at,
        hours_cause=Cause.DEFAULT_HOURS
        if state.hours.changed_by_hand
        else Cause.AUTOMATION,
        end_before=end_before(state, profile),
        keeps_end=state.end_delay is EndDelay.BEFORE_BOUNDARY,
        kept_stop=state.kept_stop,
        plugged_at=state.plugged_at,
        blocked_by=protected.blocked_by,
        limited_to_kw=protected.limited_to_kw,
        shedding=_confirmed(seen) if seen.load_shedding else None,
        cleared_at=state.cleared_at,
        eased_at=state.eased_at,
        reconnected_at=reconnected_at,
        resumed_at=resumed_at,
        strict=strict,
    )


def _confirmed(seen: Observation) -> Target:
    """Return what the wallbox has now."""
    limit = seen.max_kw if seen.limit_kw is None else seen.limit_kw
    return Target(allowed=bool(seen.allowed), limit_kw=limit)


class Step(StrEnum):
    """What a wallbox can be told."""

    ALLOW = "allow"
    FORBID = "forbid"
    MODE = "mode"
    LIMIT = "limit"


def next_step(
    target: Target, state: OwnerState, seen: Observation
) -> tuple[Step, float] | None:
    """Return the next command towards a target and its value, None when it is there.

    The limit goes before the permission, so that nothing flows above it; once nothing
    reduces it the owner's mode is restored.
    """
    if seen.allowed is None or seen.locked or seen.blocked_by is Reason.LOCKED:
        # Who is locked takes no command; the right one comes as soon as it does.
        return None
    if not target.allowed:
        return (Step.FORBID, 0) if seen.allowed else None
    if not seen.managed and (step := _limit_step(target, state, seen)) is not None:
        return step
    # A load that is shed is not asked for; what sheds it lets it go again.
    return None if seen.allowed or seen.load_shedding else (Step.ALLOW, 0)


def _limit_step(
    target: Target, state: OwnerState, seen: Observation
) -> tuple[Step, float] | None:
    """Return the command that brings the limit, None when it is right."""
    mode, wanted = state.owner_mode, owner_limit(state, seen)
    own = mode is not None and mode != MANUAL
    shown = seen.max_kw if seen.limit_kw is None else seen.limit_kw
    there = seen.limit_kw is not None and abs(shown - target.limit_kw) < 2 * SAME_KW
    if abs(target.limit_kw - wanted) < SAME_KW:
        if own:
            return None if seen.mode == mode else (Step.MODE, float(mode or 0))
        return None if seen.mode == MANUAL and there else (Step.LIMIT, target.limit_kw)
    # Nothing is raised, nor told for nothing, only because less is still to come.
    lower = target.limit_kw > wanted and seen.mode != MANUAL
    if there or ((lower or (own and seen.mode == mode)) and shown <= target.limit_kw):
        return None
    return (Step.LIMIT, target.limit_kw)
