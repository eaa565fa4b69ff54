"""Put the owner's state right after the clock was set.

Takes a state, by how much the clock was set and the new now. What has happened cannot
lie ahead, and what is left of a delay is left of it still.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from .delay import DWELL_SWITCH, DelayMemory
from .dsr import DsrBook, DsrEvent
from .override import MAX_LENGTH, Override
from .owner import OwnerState


def after_clock_step(state: OwnerState, step: timedelta, now: datetime) -> OwnerState:
    """Return the state as it is on the new clock.

    `step` is zero where nobody saw by how much it was set, as after a restart.
    """
    return replace(
        state,
        plugged_at=_past(state.plugged_at, now),
        cleared_at=_past(state.cleared_at, now),
        eased_at=_past(state.eased_at, now),
        target_at=_past(state.target_at, now),
        permission=replace(
            state.permission,
            at=_past(state.permission.at, now),
            previous_at=_past(state.permission.previous_at, now),
        ),
        hours=replace(state.hours, changed_at=_past(state.hours.changed_at, now)),
        override=state.override and _override(state.override, now),
        dsr=_book(state.dsr, now),
        delay=_delay(state.delay, state.max_delay_s, step, now),
    )


def _past(at: datetime | None, now: datetime) -> datetime | None:
    """Return an instant that is not ahead."""
    return None if at is None else min(at, now)


def _override(override: Override, now: datetime) -> Override:
    """Return an override that has begun and is no longer than one may be."""
    end = override.end
    return replace(
        override,
        start=min(override.start, now),
        end=None if end is None else min(end, now + MAX_LENGTH),
    )


def _book(book: DsrBook, now: datetime) -> DsrBook:
    """Return the events with all that was heard of them in the past."""
    return replace(
        book, events=_events(book.events, now), former=_events(book.former, now)
    )


def _events(
    events: Mapping[tuple[str, str], DsrEvent], now: datetime
) -> dict[tuple[str, str], DsrEvent]:
    """Return events with all that was heard of them in the past."""
    return {
        key: replace(
            event,
            heard_at=min(event.heard_at, now),
            taken_at=_past(event.taken_at, now),
            opted_out_at=_past(event.opted_out_at, now),
            cancelled_at=_past(event.cancelled_at, now),
        )
        for key, event in events.items()
    }


def _delay(
    delay: DelayMemory, max_delay_s: int, step: timedelta, now: datetime
) -> DelayMemory:
    """Return the delay with as much left as before, and no more than may be."""
    longest = max(max_delay_s, int(DWELL_SWITCH.total_seconds()))
    pending = delay.pending
    if pending is not None and pending.relevant_at <= now:
        # It was drawn under a longer one, which only a person shortens.
        longest = max(longest, pending.drawn_s)
    moved = replace(
        delay,
        changed_at=_past(delay.changed_at, now),
        unplugged_at=_past(delay.unplugged_at, now),
    )
    return moved.shift(step, longest, now)
