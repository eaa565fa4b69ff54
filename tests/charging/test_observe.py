"""What is noted of a wallbox, and what it is told next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.delay import (
    OFF,
    DelayMemory,
    Pending,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.observe import (
    MANUAL,
    SAME_VISIT,
    VISIT_TOLD,
    Observation,
    Step,
    next_step,
    observe,
    owner_limit,
)
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
from custom_components.loxone_wallbox.charging.wish import Reason

NOW = datetime(2027, 1, 13, 17, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GB = PROFILES["gb_2021"]
MODES = {1: 4.5, 2: 6.5, 5: 11.0}
FULL = Target(allowed=True, limit_kw=11.0)


def seen(**changes: Any) -> Observation:
    """Return an 11 kW wallbox with a car that does not charge."""
    usual: dict[str, Any] = {
        "connected": True,
        "allowed": False,
        "charging": False,
        "mode": 5,
        "limit_kw": 11.0,
        "blocked_by": None,
        "load_shedding": False,
        "visit": NOW,
        "min_kw": 4.16,
        "max_kw": 11.0,
        "mode_limits": MODES,
    }
    return Observation(**{**usual, **changes})


def plugged(**changes: Any) -> OwnerState:
    """Return the state after plugging in and charging now."""
    state = first_state(GB, preset_hours(Preset.GB_NIGHT))
    state = observe(state, seen(connected=False), NOW - MINUTE, first=True)
    state = observe(state, seen(**changes), NOW, first=False)
    assert state.plugged_at == NOW
    override = Override(mode=OverrideMode.CHARGE, start=NOW)
    return replace(state, override=override, delay=DelayMemory(settled=FULL))


@pytest.mark.parametrize("first", [True, False])
@given(apart=st.integers(-7200, 7200))
def test_another_visit(first: bool, apart: int) -> None:
    """Another instant of plugging in is another visit, which nobody saw begin."""
    now, visit = NOW + 180 * MINUTE, NOW + timedelta(seconds=apart)
    start = Pending(
        relevant_time_id="id",
        cause=Cause.CLEARED,
        relevant_at=now - MINUTE,
        from_target=OFF,
        to_target=FULL,
        drawn_s=300,
        due=now + 4 * MINUTE,
    )
    state = replace(plugged(), delay=DelayMemory(pending=start))
    after = observe(state, seen(visit=visit), now, first=first)
    assert after.visit == visit
    if abs(apart) <= SAME_VISIT.total_seconds():
        assert after == replace(state, visit=visit)
        return
    assert after.override is None
    assert after.plugged_at == visit
    assert after.delay.settled == OFF
    assert after.delay.pending is None


def test_another_visit_after_a_restart() -> None:
    """It is known on the disk which visit it was."""
    kept = json.loads(json.dumps(plugged().as_dict()))
    state = OwnerState.from_dict(kept, GB)
    later = NOW + 60 * MINUTE
    same = observe(state, seen(), later, first=True)
    assert same.override is not None
    assert same.plugged_at == NOW
    after = observe(state, seen(visit=NOW + 30 * MINUTE), later, first=True)
    assert after.override is None


@pytest.mark.parametrize("first", [True, False])
def test_another_car_that_charges(first: bool) -> None:
    """Looking again stops nothing by itself; the rules decide from what there is."""
    found = seen(visit=NOW + 30 * MINUTE, allowed=True, charging=True, limit_kw=6.5)
    after = observe(plugged(), found, NOW + 60 * MINUTE, first=first)
    assert after.delay.settled == Target(allowed=True, limit_kw=6.5)


def test_a_visit_that_is_told_late() -> None:
    """Neither the visit before, nor none, nor a late word is another car."""
    old, now = NOW - 600 * MINUTE, NOW
    state = plugged(visit=old)
    for visit, wait in (
        (old, timedelta(seconds=1)),
        # A clock that is two minutes ahead.
        (NOW + 2 * MINUTE, timedelta(seconds=2)),
        (None, VISIT_TOLD),
        (NOW + timedelta(seconds=1), 5 * MINUTE),
        (None, MINUTE),
        (NOW, MINUTE),
    ):
        now += wait
        state = observe(state, seen(visit=visit), now, first=False)
        assert state.override is not None
        assert state.plugged_at == NOW
    assert state.visit == NOW
    unknown = replace(state, visit=None)
    after = observe(unknown, seen(visit=old), now, first=False)
    assert after == replace(unknown, visit=old)


def test_unplugging_forgets_the_visit() -> None:
    """The next one is told anew."""
    state = observe(plugged(), seen(connected=False), NOW + MINUTE, first=False)
    assert (state.plugged_at, state.visit, state.override) == (None, None, None)
    again = observe(state, seen(visit=None), NOW + 2 * MINUTE, first=False)
    assert (again.plugged_at, again.visit) == (NOW + 2 * MINUTE, None)


def test_an_older_file() -> None:
    """What is missing in a file of an older version is taken as not known."""
    event = DsrEvent(
        event_id="A",
        start=NOW - MINUTE,
        end=NOW + 60 * MINUTE,
        kind=DsrKind.PAUSE,
        heard_at=NOW,
    )
    state = plugged()
    state = replace(
        state,
        permission=state.permission.said(allowed=False, at=NOW, cause=Cause.USER),
        dsr=state.dsr.add(event, NOW - MINUTE),
    )
    state = replace(state, dsr=state.dsr.opt_out(NOW, "owner", by_hand=True))
    kept = json.loads(json.dumps(state.as_dict()))
    for name in ("visit", "dsr_former"):
        del kept[name]
    for name in ("previous", "previous_at"):
        del kept["permission"][name]
    for one in kept["dsr"]:
        del one["opted_out_by_hand"]
    read = OwnerState.from_dict(kept, GB)
    assert read == replace(state, visit=None)


def test_a_newer_file() -> None:
    """Everything that is kept comes back."""
    event = DsrEvent(
        event_id="A",
        start=NOW - MINUTE,
        end=NOW + 60 * MINUTE,
        kind=DsrKind.PAUSE,
        heard_at=NOW,
    )
    state = plugged()
    said = state.permission.said(allowed=False, at=NOW, cause=Cause.AUTOMATION)
    said = said.said(allowed=True, at=NOW + MINUTE, cause=Cause.USER)
    book = state.dsr.add(event, NOW - MINUTE).opt_out(NOW, None, by_hand=True)
    book = book.add(replace(event, version=2), NOW + MINUTE)
    assert book.former
    state = replace(state, permission=said, dsr=book)
    kept = json.loads(json.dumps(state.as_dict()))
    assert OwnerState.from_dict(kept, GB) == state


def obeyed(step: tuple[Step, float], found: Observation) -> Observation:
    """Return what is seen of a wallbox that did what it was told."""
    what, value = step
    if what in {Step.ALLOW, Step.FORBID}:
        return replace(found, allowed=what is Step.ALLOW)
    if what is Step.MODE:
        mode = round(value)
        return replace(found, mode=mode, limit_kw=MODES.get(mode))
    return replace(found, mode=MANUAL, limit_kw=value)


limits = st.sampled_from([4.16, 4.5, 5.0, 6.5, 9.0, 11.0])


@given(
    target=st.builds(Target, allowed=st.booleans(), limit_kw=limits),
    owner_mode=st.sampled_from([None, 1, 2, 5, MANUAL]),
    wished=st.none() | limits,
    found=st.builds(
        lambda mode, limit, allowed: seen(mode=mode, limit_kw=limit, allowed=allowed),
        st.sampled_from([1, 2, 5, MANUAL]),
        limits,
        st.booleans(),
    ),
)
def test_it_comes_to_rest(
    target: Target, owner_mode: int | None, wished: float | None, found: Observation
) -> None:
    """A few commands lead there, and none lets more flow than is decided."""
    state = OwnerState(owner_mode=owner_mode, target_kw=wished)
    for _ in range(4):
        step = next_step(target, state, found)
        if step is None:
            break
        found = obeyed(step, found)
        assert not found.allowed or target.allowed
        if step[0] is Step.LIMIT:
            assert step[1] == target.limit_kw
    else:
        pytest.fail("it never comes to rest")
    assert found.allowed is target.allowed
    if not target.allowed:
        return
    assert found.limit_kw is not None
    assert found.limit_kw <= target.limit_kw + 0.01 or found.mode == owner_mode
    wanted = owner_limit(state, found)
    if owner_mode is not None and target.limit_kw == wanted:
        assert found.mode == owner_mode


# The owner's mode and wish, what is decided, what is seen, what follows.
@pytest.mark.parametrize(
    ("state", "limit", "found", "step"),
    [
        # A lower or higher mode that waits for its delay is not told before.
        ({"owner_mode": 2}, 11.0, {}, None),
        ({"owner_mode": 2}, 6.5, {}, (Step.MODE, 2)),
        ({"owner_mode": 5}, 6.5, {"mode": 2, "limit_kw": 6.5}, None),
        ({"owner_mode": 5}, 11.0, {"mode": 2, "limit_kw": 6.5}, (Step.MODE, 5)),
        # Nor is a power of the owner's own.
        ({"owner_mode": MANUAL, "target_kw": 5.0}, 11.0, {}, None),
        ({"owner_mode": MANUAL, "target_kw": 5.0}, 5.0, {}, (Step.LIMIT, 5.0)),
        ({"owner_mode": MANUAL, "target_kw": 11.0}, 11.0, {}, (Step.LIMIT, 11.0)),
        # What is lower already is not raised for so long, a reduction comes in time.
        ({"owner_mode": 1}, 11.0, {"mode": 2, "limit_kw": 6.5}, None),
        ({"owner_mode": 2}, 4.5, {}, (Step.LIMIT, 4.5)),
        ({"owner_mode": 5}, 9.0, {}, (Step.LIMIT, 9.0)),
        # A limit of ours that is over is let go before the lower mode comes.
        ({"owner_mode": 2}, 11.0, {"mode": MANUAL, "limit_kw": 4.5}, (Step.LIMIT, 11)),
        # A program's lower limit of the owner's mode stays.
        ({"owner_mode": 5}, 9.0, {"limit_kw": 7.0}, None),
    ],
)
def test_the_limit(
    state: Mapping[str, Any],
    limit: float,
    found: Mapping[str, Any],
    step: tuple[Step, float] | None,
) -> None:
    """The present limit stays until another is decided."""
    target = Target(allowed=True, limit_kw=limit)
    owned = replace(OwnerState(), **state)
    assert next_step(target, owned, seen(allowed=True, **found)) == step


def test_a_locked_wallbox_is_told_nothing() -> None:
    """It would refuse; the moment the lock is off it is forbidden."""
    state = OwnerState(owner_mode=5)
    for changes in ({"locked": True}, {"blocked_by": Reason.LOCKED}):
        locked = seen(allowed=True, **changes)
        assert next_step(OFF, state, locked) is None
        assert next_step(FULL, state, replace(locked, allowed=False)) is None
    fault = seen(allowed=True, blocked_by=Reason.FAULT)
    assert next_step(OFF, state, fault) == (Step.FORBID, 0)
    assert next_step(OFF, state, seen(allowed=True)) == (Step.FORBID, 0)
