"""What is left of a delay, and what has happened, after the clock was set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.clock_step import after_clock_step
from custom_components.loxone_wallbox.charging.delay import (
    OFF,
    DelayMemory,
    Pending,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.owner import (
    OwnerState,
    first_state,
    preset_hours,
)
from custom_components.loxone_wallbox.charging.regulation import (
    PROFILES,
    Cause,
    Preset,
)

NOW = datetime(2027, 1, 13, 22, 2, tzinfo=UTC)
LEFT = timedelta(minutes=5, seconds=17)
JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]


def waiting() -> OwnerState:
    """Return the state of a car that waits for its random delay."""
    pending = Pending(
        relevant_time_id="id",
        cause=Cause.DEFAULT_HOURS,
        relevant_at=NOW - timedelta(minutes=2),
        from_target=OFF,
        to_target=Target(allowed=True, limit_kw=11),
        drawn_s=437,
        due=NOW + LEFT,
    )
    event = DsrEvent(
        event_id="A",
        start=NOW - timedelta(hours=1),
        end=NOW + timedelta(hours=3),
        kind=DsrKind.PAUSE,
        heard_at=NOW,
        taken_at=NOW,
        opted_out_at=NOW,
    )
    state = first_state(PROFILES["gb_2021"], preset_hours(Preset.GB_NIGHT))
    return replace(
        state,
        plugged_at=NOW - timedelta(hours=4),
        cleared_at=NOW,
        eased_at=NOW,
        target_at=NOW,
        permission=replace(state.permission, at=NOW, previous_at=NOW),
        hours=replace(state.hours, changed_at=NOW),
        override=Override(
            mode=OverrideMode.PAUSE, start=NOW, end=NOW + timedelta(hours=2)
        ),
        dsr=replace(state.dsr, events={event.key: event}, former={event.key: event}),
        delay=DelayMemory(pending=pending, changed_at=NOW, unplugged_at=NOW),
    )


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_as_much_is_left(jump: timedelta) -> None:
    """A delay is over as many seconds later as before, whatever the clock shows."""
    state = after_clock_step(waiting(), jump, NOW + jump)
    assert state.delay.pending is not None
    assert state.delay.pending.due == NOW + jump + LEFT
    assert state.delay.pending.relevant_time_id == "id"


def test_unseen_step_makes_no_long_delay() -> None:
    """After a restart with the clock a day back the longest delay is the most."""
    now = NOW - timedelta(days=1)
    state = after_clock_step(waiting(), timedelta(0), now)
    assert state.delay.pending is not None
    assert state.delay.pending.due == now + timedelta(seconds=600)


def test_only_a_person_shortens_what_is_under_way() -> None:
    """A restart does not cut a delay that was drawn under a longer maximum."""
    state = replace(waiting(), max_delay_s=10)
    assert after_clock_step(state, timedelta(0), NOW) == state


def test_right_clock_changes_nothing() -> None:
    """A restart with the right clock keeps every instant."""
    assert after_clock_step(waiting(), timedelta(0), NOW) == waiting()


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_nothing_that_happened_lies_ahead(jump: timedelta) -> None:
    """A car that is plugged in stays so, an override has begun and ends in time."""
    now = NOW + jump
    state = after_clock_step(waiting(), jump, now)
    event, former = state.dsr.events["", "A"], state.dsr.former["", "A"]
    for at in (
        state.plugged_at,
        state.cleared_at,
        state.eased_at,
        state.target_at,
        state.permission.at,
        state.permission.previous_at,
        state.hours.changed_at,
        state.delay.changed_at,
        state.delay.unplugged_at,
        event.taken_at,
        event.heard_at,
        event.opted_out_at,
        former.taken_at,
    ):
        assert at is not None
        assert at <= now
    assert state.override is not None
    assert state.override.end is not None
    assert state.override.start <= now
    assert state.override.end <= now + timedelta(hours=24)
    assert OwnerState.from_dict(state.as_dict(), PROFILES["gb_2021"]) == state
