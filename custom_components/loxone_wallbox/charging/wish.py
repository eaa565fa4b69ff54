"""What should hold at an instant, were there no delay, and since when.

Takes the situation as plain data with instants, so that the same question can be asked
of any instant: just before a change, now, at the next boundary. The rules' order is
safety, the owner, the grid, the default charging hours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from .delay import OFF, Change, Target
from .dsr import DsrBook
from .override import AUTOMATION, Override, OverrideMode
from .regulation import Cause
from .schedule import Schedule, Span
from .window_stop import KeptStop, stop_of

JUST = timedelta(microseconds=1)
# A weekly schedule repeats itself; changes of it are found within this time.
HORIZON = timedelta(days=9)


class Reason(StrEnum):
    """Why the present permission and limit are what they are."""

    UNREACHABLE = "unreachable"
    FAULT = "fault"
    LOCKED = "locked"
    TAMPER = "tamper"
    LOAD_SHEDDING = "load_shedding"
    OVERRIDE_CHARGE = "override_charge"
    OVERRIDE_PAUSE = "override_pause"
    PAUSED = "paused"
    DSR = "dsr"
    DSR_INCREASE = "dsr_increase"
    RANDOM_DELAY = "random_delay"
    DEFAULT_HOURS = "default_hours"
    OUTSIDE_DEFAULT_HOURS = "outside_default_hours"
    NO_DEFAULT_HOURS = "no_default_hours"
    NO_VEHICLE = "no_vehicle"


OVERRIDES = frozenset({Reason.OVERRIDE_CHARGE, Reason.OVERRIDE_PAUSE})
# What happens at the wallbox while an override holds; the owner has overridden it too.
HAPPENED = frozenset({Cause.PLUG_IN, Cause.CLEARED, Cause.RECONNECT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """The owner's stored permission, since when and by whom, and the one before."""

    allowed: bool = True
    at: datetime | None = None
    cause: Cause = Cause.USER
    previous: bool = True
    previous_at: datetime | None = None

    def said(self, allowed: bool, at: datetime, cause: Cause) -> Self:
        """Return the permission after somebody's word; to allow again says nothing."""
        if allowed and self.allowed:
            return self
        return type(self)(
            allowed=allowed,
            at=at,
            cause=cause,
            previous=self.allowed,
            previous_at=self.at,
        )

    def at_instant(self, at: datetime) -> tuple[bool, datetime | None]:
        """Return the permission that held at an instant, and since when it did."""
        if self.at is not None and at < self.at:
            return self.previous, self.previous_at
        return self.allowed, self.at


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetPower:
    """The power the owner wishes in kW, and the one before."""

    limit_kw: float
    previous_kw: float
    at: datetime | None = None
    cause: Cause = Cause.USER

    def at_instant(self, at: datetime) -> float:
        """Return the wish that held at an instant."""
        return (
            self.previous_kw if self.at is not None and at < self.at else self.limit_kw
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """Everything that decides, as it is known now.

    `min_kw` is the lowest limit the wallbox can be held to: less is no charging.
    `hours` None: there are no default charging hours, or they are suspended.
    `end_before` is how much earlier than a window's end its stop becomes due, at most
    half the window; with `keeps_end` no stop in a window comes after its end, and a
    `kept_stop` comes no later. An override that was ended stays, with its end, until
    the next one or the unplugging.
    `limited_to_kw` is what a protection leaves, `eased_at` when the last one that left
    only the least was over. `shedding` is what the wallbox is
    confirmed to have while the Miniserver sheds load: nothing beyond it is ordered.
    `resumed_at` is when we began to look, after a start of our own.
    """

    min_kw: float
    max_kw: float
    target: TargetPower
    dsr: DsrBook
    permission: Permission = field(default_factory=Permission)
    override: Override | None = None
    hours: Schedule | None = None
    hours_changed_at: datetime | None = None
    hours_cause: Cause = Cause.DEFAULT_HOURS
    end_before: timedelta = timedelta(0)
    keeps_end: bool = False
    kept_stop: KeptStop | None = None
    plugged_at: datetime | None = None
    blocked_by: Reason | None = None
    cleared_at: datetime | None = None
    limited_to_kw: float | None = None
    eased_at: datetime | None = None
    shedding: Target | None = None
    reconnected_at: datetime | None = None
    resumed_at: datetime | None = None
    strict: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What should hold, and why."""

    target: Target
    reason: Reason


def wish_at(situation: Situation, at: datetime) -> Wish:
    """Return what should hold at an instant."""
    if situation.plugged_at is None or at < situation.plugged_at:
        return Wish(target=OFF, reason=Reason.NO_VEHICLE)
    if situation.blocked_by is not None:
        return Wish(target=OFF, reason=situation.blocked_by)
    if situation.cleared_at is not None and at < situation.cleared_at:
        return Wish(target=OFF, reason=Reason.FAULT)
    return _owner(situation, at) or _grid_and_hours(situation, at)


def _owner(situation: Situation, at: datetime) -> Wish | None:
    """Return the owner's word, None where the rules decide.

    Of the permission and an override the later word counts.
    """
    override = situation.override
    allowed, since = situation.permission.at_instant(at)
    if override is not None and override.is_active(at):
        later = since is None or override.start >= since
        if allowed or later:
            if override.mode is OverrideMode.PAUSE:
                return Wish(target=OFF, reason=Reason.OVERRIDE_PAUSE)
            limit = own_limit(situation, at)
            return Wish(
                target=Target(allowed=True, limit_kw=limit),
                reason=Reason.OVERRIDE_CHARGE,
            )
    if not allowed:
        return Wish(target=OFF, reason=Reason.PAUSED)
    return None


def own_limit(situation: Situation, at: datetime) -> float:
    """Return the limit the owner and the protection leave, in kW."""
    limits = [situation.target.at_instant(at), situation.max_kw]
    if situation.limited_to_kw is not None:
        limits.append(situation.limited_to_kw)
    elif situation.eased_at is not None and at < situation.eased_at:
        limits.append(situation.min_kw)
    return min(limits)


def _grid_and_hours(situation: Situation, at: datetime) -> Wish:
    """Return what the grid's events and the default charging hours say."""
    limit = own_limit(situation, at)
    reduction = situation.dsr.reduction(at, exempt=False)
    reduced = reduction is not None and reduction < limit
    if reduction is not None:
        limit = min(limit, reduction)
    if limit < situation.min_kw:
        return Wish(target=OFF, reason=Reason.DSR if reduced else Reason.PAUSED)
    target = Target(allowed=True, limit_kw=limit)
    if reduced:
        reason = Reason.DSR
    elif situation.dsr.increases(at):
        reason = Reason.DSR_INCREASE
    elif situation.hours is None:
        reason = Reason.NO_DEFAULT_HOURS
    else:
        reason = Reason.DEFAULT_HOURS
    if situation.dsr.increases(at) or is_open(situation, at):
        return Wish(target=target, reason=reason)
    return Wish(target=OFF, reason=Reason.OUTSIDE_DEFAULT_HOURS)


def is_open(situation: Situation, at: datetime) -> bool:
    """Tell whether the default charging hours let a car charge."""
    if situation.hours is None:
        return True
    return any(
        span.start <= at < planned_stop(situation, span)
        for span in situation.hours.spans(at - JUST, at + timedelta(seconds=1))
    )


def planned_stop(situation: Situation, span: Span) -> datetime:
    """Return when the stop of a window becomes due."""
    return stop_of(span, situation.end_before, situation.kept_stop)


def window_end(situation: Situation, at: datetime) -> datetime | None:
    """Return the end of the window an instant is in, or is the very end of."""
    if situation.hours is None:
        return None
    spans = situation.hours.spans(at - JUST, at + timedelta(seconds=1))
    return next((span.end for span in spans if span.start <= at <= span.end), None)


def last_change(
    situation: Situation,
    now: datetime,
    differs: Callable[[Target, Target], bool],
) -> Change:
    """Return when and why the wish became what it is.

    `differs` compares the wish of just before an instant with the one of now. Nothing
    found means that it was so all along: then the plug-in, or now, is the instant.
    """
    wanted = wish_at(situation, now)
    # What only is laid over the wish is no reason for it.
    felt = replace(situation, dsr=situation.dsr.without_exempt_reductions())
    past = sorted(
        (change for change in changes(felt, now - HORIZON, now)),
        # Of two at the same instant the owner's act is the reason.
        key=lambda change: (change.at, change.cause is Cause.USER),
        reverse=True,
    )
    found = Change(at=situation.plugged_at or now, cause=Cause.PLUG_IN)
    for change in past:
        if differs(wish_at(situation, change.at - JUST).target, wanted.target):
            alone = any(one.exempt and one.at == change.at for one in past)
            exempt = alone and not _differs_otherwise(situation, change.at, differs)
            found = replace(change, exempt=exempt)
            break
    said = _last_said(situation, wanted.reason)
    if said is not None and found.at < said.at <= now:
        found = said
    if _ended_unseen(situation, found):
        found = replace(found, at=situation.resumed_at or found.at)
    reconnected = situation.reconnected_at
    if reconnected is not None and found.at < reconnected:
        found = Change(at=reconnected, cause=Cause.RECONNECT)
    if found.cause in HAPPENED and _is_by_hand(situation, found.at):
        # Who has said so before has overridden the delay of what happens now too.
        found = Change(at=found.at, cause=Cause.USER)
    return found


def _differs_otherwise(
    situation: Situation, at: datetime, differs: Callable[[Target, Target], bool]
) -> bool:
    """Tell whether the wish changed at an instant also without what is exempt."""
    plain = replace(situation, dsr=situation.dsr.without_exempt_increases())
    return differs(wish_at(plain, at - JUST).target, wish_at(plain, at).target)


def _ended_unseen(situation: Situation, found: Change) -> bool:
    """Tell whether a change is the end of a grid event that we slept through.

    Its delay begins when we are back: those that sleep together are back together.
    """
    resumed, book = situation.resumed_at, situation.dsr
    if resumed is None or found.at >= resumed or found.cause is not Cause.DSR:
        return False
    return any(
        at == found.at == event.effective_end(book.silence)
        for at, event in book.edges(found.at)
    )


def _is_by_hand(situation: Situation, at: datetime) -> bool:
    """Tell whether a person's override decides at an instant."""
    override = situation.override
    return (
        override is not None
        and _cause(override) is Cause.USER
        and wish_at(situation, at).reason in OVERRIDES
    )


def _last_said(situation: Situation, reason: Reason) -> Change | None:
    """Return the last word that stands, also where it changed no wish.

    What was said before it is not known any more, and whoever says now what is already
    pending means now.
    """
    override, permission = situation.override, situation.permission
    if override is not None and reason in OVERRIDES:
        return Change(at=override.start, cause=_cause(override))
    if reason is Reason.PAUSED and permission.at and not permission.allowed:
        return Change(at=permission.at, cause=permission.cause)
    if situation.hours_changed_at is not None:
        return Change(at=situation.hours_changed_at, cause=situation.hours_cause)
    return None


def _cause(override: Override) -> Cause:
    """Return what the start of an override means for the random delay."""
    return Cause.AUTOMATION if override.source == AUTOMATION else Cause.USER


def changes(situation: Situation, start: datetime, end: datetime) -> Iterator[Change]:
    """Return everything that may change the wish between two instants."""
    single = (
        (situation.plugged_at, Cause.PLUG_IN),
        (situation.permission.at, situation.permission.cause),
        (situation.target.at, situation.target.cause),
        (situation.cleared_at, Cause.CLEARED),
        (situation.eased_at, Cause.CLEARED),
        (situation.hours_changed_at, situation.hours_cause),
    )
    for at, cause in single:
        if at is not None and start <= at <= end:
            yield Change(at=at, cause=cause)
    if (override := situation.override) is not None:
        if start <= override.start <= end:
            yield Change(at=override.start, cause=_cause(override))
        if override.end is not None and start <= override.end <= end:
            by_automation = override.ended_source == AUTOMATION
            cause = Cause.AUTOMATION if by_automation else Cause.OVERRIDE_END
            yield Change(at=override.end, cause=cause)
    yield from _dsr_changes(situation.dsr, start, end)
    if situation.hours is not None:
        # A span that starts at the very end is one of them.
        ahead = end + situation.end_before + JUST
        for span in situation.hours.spans(start, ahead):
            for at in (span.start, planned_stop(situation, span)):
                if start <= at <= end:
                    yield Change(at=at, cause=Cause.DEFAULT_HOURS)


def _dsr_changes(book: DsrBook, start: datetime, end: datetime) -> Iterator[Change]:
    """Return the starts and ends of events; leaving one is somebody's act."""
    for at, event in book.edges(start):
        if start <= at <= end:
            if event.opted_out_at == at:
                cause = Cause.USER if event.opted_out_by_hand else Cause.AUTOMATION
                yield Change(at=at, cause=cause)
            else:
                exempt = event.exempt and not event.reduces
                yield Change(at=at, cause=Cause.DSR, exempt=exempt)
