"""What a setting of the random delay does to the ends of windows.

Takes the owner's state before and after, gives the one that stands. Where the delay lies
before a window's end, a longer or shorter one moves the stop.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from .owner import EndDelay, OwnerState
from .regulation import Cause, Profile
from .schedule import Schedule
from .window_stop import stop_behind, stop_that_has_come


def end_before(state: OwnerState, profile: Profile) -> timedelta:
    """Return how much earlier than a window's end its stop becomes due."""
    delayed = state.max_delay_s > 0 and Cause.DEFAULT_HOURS in profile.delayed
    early = delayed and state.end_delay is EndDelay.BEFORE_BOUNDARY
    return timedelta(seconds=state.max_delay_s if early else 0)


def with_moved_end(
    before: OwnerState,
    after: OwnerState,
    profile: Profile,
    hours: Schedule | None,
    now: datetime,
    *,
    only_ahead: bool,
) -> OwnerState:
    """Return the state after a setting of the delay, with the ends that it moves.

    `only_ahead` is one that is for what comes, such as an automation's: the stop of
    this window stays where it was, if it has come, also where it waits behind the end,
    and one that it would move behind us comes now. Otherwise thousands of homes would
    start or stop in the same second, or draw twice for one relevant time.
    """
    kept = None
    if only_ahead and before.plugged_at is not None:
        early = end_before(before, profile)
        kept = stop_that_has_come(hours, early, before.kept_stop, now)
        moved = stop_that_has_come(hours, end_before(after, profile), None, now)
        if kept is None and moved is not None:
            kept = replace(moved, at=now)
        pending = before.delay.pending
        if kept is None and pending is not None and not pending.to_target.allowed:
            kept = stop_behind(hours, pending.relevant_at, pending.due, now)
    return replace(after, kept_stop=kept)
