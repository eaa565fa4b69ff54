"""What holds under every protection, whatever the owner, the grid and the hours say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .nights import LONDON, Player, book, event, local, situation
from custom_components.loxone_wallbox.charging.decision import Decision, decide
from custom_components.loxone_wallbox.charging.delay import (
    OFF,
    SAME_KW,
    DelayMemory,
    DelayRules,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrKind
from custom_components.loxone_wallbox.charging.observe import (
    MANUAL,
    Observation,
    Step,
    next_step,
    observe,
    situation as situation_of,
)
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.owner import (
    OwnerState,
    TamperPolicy,
    first_state,
    preset_hours,
)
from custom_components.loxone_wallbox.charging.regulation import PROFILES, Preset
from custom_components.loxone_wallbox.charging.safety import Danger, danger
from custom_components.loxone_wallbox.charging.wish import Permission, Reason

GB = PROFILES["gb_2021"]
PLUGGED = local("2027-01-13T17:30:00")
MIN_KW, MAX_KW = 4.16, 11.0
MODES = {1: 4.5, 2: 6.5, 5: MAX_KW}
LIMITS = st.sampled_from([MIN_KW, 4.5, 6.0, 6.5, 9.0, MAX_KW])
STOPS: tuple[dict[str, Any], ...] = (
    {"blocked_by": Reason.FAULT},
    {"blocked_by": Reason.FAULT, "overheated": True},
    {"blocked_by": Reason.LOCKED, "locked": True},
    {"tampered": True},
)


def seen(**changes: Any) -> Observation:
    """Return an 11 kW wallbox with a car that is allowed to charge."""
    usual: dict[str, Any] = {
        "connected": True,
        "allowed": True,
        "charging": True,
        "mode": 5,
        "limit_kw": MAX_KW,
        "blocked_by": None,
        "load_shedding": False,
        "visit": PLUGGED,
        "min_kw": MIN_KW,
        "max_kw": MAX_KW,
        "mode_limits": MODES,
    }
    return Observation(**{**usual, **changes})


@st.composite
def observations(draw: st.DrawFn, /, **fixed: Any) -> Observation:
    """Return what a wallbox may show."""
    mode = draw(st.sampled_from([*MODES, MANUAL]))
    shown = draw(LIMITS) if mode == MANUAL else MODES[mode]
    found = {
        "connected": draw(st.sampled_from([True, True, True, False])),
        "allowed": draw(st.sampled_from([True, True, False, None])),
        "mode": mode,
        "limit_kw": draw(st.sampled_from([shown, shown, shown, None])),
        "managed": draw(st.sampled_from([False, False, True])),
    }
    return seen(**{**found, **fixed})


@st.composite
def states(draw: st.DrawFn, /) -> OwnerState:
    """Return what an owner may want, what the grid may ask for and what may hold."""
    state = first_state(GB, preset_hours(Preset.GB_NIGHT))
    said = PLUGGED + timedelta(minutes=draw(st.integers(1, 600)))
    override, kind = (
        draw(st.sampled_from([None, *OverrideMode])),
        draw(st.sampled_from([None, *DsrKind])),
    )
    exempt = draw(st.booleans())
    ask = event(
        "A",
        said,
        said + timedelta(hours=draw(st.integers(1, 9))),
        kind=kind or DsrKind.PAUSE,
        limit_kw=draw(st.sampled_from([0.0, 5.0, 8.0])),
        response_service=exempt,
    )
    holds = draw(st.one_of(st.none(), LIMITS))
    return replace(
        state,
        hours=state.hours if draw(st.booleans()) else replace(state.hours, windows=()),
        permission=Permission(allowed=draw(st.sampled_from([True, True, False]))),
        owner_mode=draw(st.sampled_from([*MODES, MANUAL])),
        target_kw=draw(LIMITS),
        override=override and Override(mode=override, start=said),
        dsr=book(said, ask) if kind else state.dsr,
        delay=DelayMemory(
            settled=OFF if holds is None else Target(allowed=True, limit_kw=holds)
        ),
        tamper_policy=draw(st.sampled_from(TamperPolicy)),
        plugged_at=PLUGGED,
        visit=PLUGGED,
        seen=True,
    )


# Often within the delay of a start.
INSTANTS = st.one_of(st.integers(0, 9), st.integers(0, 1200)).map(
    lambda many: PLUGGED + timedelta(minutes=many)
)


def decided(
    state: OwnerState, found: Observation, now: Any
) -> tuple[Decision, OwnerState]:
    """Return what is decided on what is seen, and the state after it."""
    state = observe(state, found, now, first=False)
    looked = situation_of(state, found, GB, LONDON, strict=False, reconnected_at=None)
    rules = DelayRules(wallbox="box", max_delay_s=600, delayed=GB.delayed)
    decision, delay = decide(looked, state.delay, rules, now, lambda longest: longest)
    return decision, replace(state, delay=delay)


def power_after(step: tuple[Step, float] | None, found: Observation) -> float:
    """Return the most that may flow after a command, were it obeyed, in kW."""
    shown = found.max_kw if found.limit_kw is None else found.limit_kw
    allowed, limit = bool(found.allowed), shown
    match step:
        case (Step.ALLOW, _):
            allowed = True
        case (Step.FORBID, _):
            allowed = False
        case (Step.MODE, mode):
            limit = found.mode_limits[round(mode)]
        case (Step.LIMIT, kw):
            limit = kw
    return limit if allowed else 0.0


@pytest.mark.parametrize("what", STOPS, ids="_".join)
@given(data=st.data(), state=states(), now=INSTANTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_allowed_under_a_stop(
    what: dict[str, Any], data: st.DataObject, state: OwnerState, now: Any
) -> None:
    """A fault, a lock and a tamper policy that stops forbid at once, also a start."""
    found = data.draw(observations(load_shedding=data.draw(st.booleans()), **what))
    state = replace(state, tamper_policy=TamperPolicy.STOP)
    decision, after = decided(state, found, now)
    assert not decision.target.allowed
    assert decision.reason is what.get("blocked_by", Reason.TAMPER)
    assert decision.pending is None
    assert not after.delay.settled.allowed
    step = next_step(decision.target, after, found)
    assert step in {None, (Step.FORBID, 0)}
    takes_commands = not found.locked
    assert (step is not None) is (takes_commands and bool(found.allowed))


@given(data=st.data(), state=states(), now=INSTANTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_shed_load_is_ordered_no_more_than_it_has(
    data: st.DataObject, state: OwnerState, now: Any
) -> None:
    """No permission, no higher limit, no mode that is one; a stop goes through."""
    found = data.draw(observations(load_shedding=True))
    decision, after = decided(state, found, now)
    shown = found.max_kw if found.limit_kw is None else found.limit_kw
    confirmed = shown if found.allowed else 0.0
    assert decision.reason is Reason.LOAD_SHEDDING
    assert decision.target.power_kw <= confirmed
    step = next_step(decision.target, after, found)
    assert step is None or step[0] is not Step.ALLOW
    assert power_after(step, found) <= power_after(None, found) + SAME_KW
    plain, _ = decided(state, replace(found, load_shedding=False), now)
    assert decision.unshed.target == plain.target
    if not plain.target.allowed:
        assert not decision.target.allowed
        assert (step is not None) is bool(found.allowed)


@given(data=st.data(), state=states(), now=INSTANTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_tamper_limit_is_kept_at_once(
    data: st.DataObject, state: OwnerState, now: Any
) -> None:
    """Never more than the least power; who takes no limit from us is stopped."""
    found = data.draw(observations(tampered=True))
    state = replace(state, tamper_policy=TamperPolicy.LIMIT)
    decision, after = decided(state, found, now)
    assert decision.target.power_kw <= (0 if found.managed else MIN_KW)
    assert after.delay.settled.power_kw <= MIN_KW
    step = next_step(decision.target, after, found)
    # A limit is written with two digits.
    assert power_after(step, found) <= MIN_KW + 2 * SAME_KW


@given(data=st.data(), state=states(), now=INSTANTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_policy_that_keeps_changes_nothing(
    data: st.DataObject, state: OwnerState, now: Any
) -> None:
    """Charging goes on as if nobody had tampered with anything."""
    found = data.draw(observations(load_shedding=data.draw(st.booleans())))
    state = replace(state, tamper_policy=TamperPolicy.KEEP)
    assert decided(state, replace(found, tampered=True), now) == decided(
        state, found, now
    )


@given(data=st.data(), linked=st.booleans())
def test_what_is_refused_depends_on_what_is_observed_alone(
    data: st.DataObject, linked: bool
) -> None:
    """One thing wrong is enough, and nothing is refused where nothing is wrong."""
    wrong: dict[str, Any] = {}
    shed: dict[str, Any] = {"load_shedding": True}
    for one in data.draw(st.lists(st.sampled_from([*STOPS, shed]))):
        wrong |= one
    found = data.draw(observations(**wrong))
    refused = danger(found, linked=linked)
    assert (refused is None) is (linked and not wrong)
    if not linked:
        assert refused is Danger.OFFLINE


def test_the_names_of_dangers() -> None:
    """Each state has its own name, and the one that matters most comes first."""
    rows: tuple[tuple[dict[str, Any], Danger], ...] = (
        ({"load_shedding": True}, Danger.LOAD_SHEDDING),
        ({"tampered": True}, Danger.TAMPER),
        ({"locked": True, "blocked_by": Reason.LOCKED}, Danger.LOCKED),
        ({"blocked_by": Reason.FAULT}, Danger.FAULT),
        ({"overheated": True}, Danger.OVER_TEMPERATURE),
    )
    found = seen()
    for changes, name in rows:
        found = replace(found, **changes)
        assert danger(found, linked=True) is name
        assert danger(seen(**changes), linked=True) is name
    assert danger(found, linked=False) is Danger.OFFLINE


def charging(*draws: int, **changes: Any) -> Player:
    """Return a player whose car charges at eleven in the evening."""
    player = Player(now=PLUGGED, draws=[0, *draws], situation=situation(**changes))
    player.plug()
    player.until(local("2027-01-13T23:00:00"))
    assert player.decision is not None
    assert player.decision.target.power_kw == MAX_KW
    return player


def test_the_end_of_load_shedding_is_no_relevant_time() -> None:
    """What the wallbox has again is no change of ours, and draws nothing."""
    player = charging()
    for confirmed in (OFF, Target(allowed=True, limit_kw=6.0)):
        shed = player.change(shedding=confirmed)
        assert (shed.target, shed.reason) == (confirmed, Reason.LOAD_SHEDDING)
        again = player.change(shedding=None)
        assert again.target.power_kw == MAX_KW
        assert again.reason is Reason.DEFAULT_HOURS
    assert player.drawn == 1


def test_a_relevant_time_under_load_shedding_has_its_delay() -> None:
    """A start whose hours begin meanwhile waits as any other, counted from then."""
    player = Player(now=PLUGGED, draws=[437], situation=situation())
    player.plug()
    player.change(shedding=OFF)
    player.until(local("2027-01-13T22:03:00"))
    assert player.drawn == 1
    decision = player.change(shedding=None)
    assert decision.reason is Reason.RANDOM_DELAY
    player.until(local("2027-01-13T22:07:17"))
    assert player.decision is not None
    assert player.decision.target.power_kw == MAX_KW


def test_the_end_of_a_tamper_limit_is_a_relevant_time() -> None:
    """What is let go by itself rises after a draw, and not at once."""
    player = charging(90)
    decision = player.change(limited_to_kw=MIN_KW)
    assert decision.target == Target(allowed=True, limit_kw=MIN_KW)
    assert decision.reason is Reason.TAMPER
    player.until(local("2027-01-13T23:10:00"))
    decision = player.change(limited_to_kw=None, eased_at=player.now)
    assert decision.target.power_kw == MIN_KW
    player.until(local("2027-01-13T23:11:29"))
    assert player.decision is not None
    assert player.decision.target.power_kw == MIN_KW
    player.until(local("2027-01-13T23:11:30"))
    assert player.decision.target.power_kw == MAX_KW


def test_a_stop_that_eases_to_a_limit_is_a_start() -> None:
    """A fault that ends while somebody tampers lets the least power flow, delayed."""
    now = local("2027-01-13T23:00:00")
    state = replace(
        first_state(GB, preset_hours(Preset.GB_NIGHT)), plugged_at=PLUGGED, seen=True
    )
    both = seen(tampered=True, blocked_by=Reason.FAULT)
    decision, state = decided(state, both, now)
    assert decision.reason is Reason.FAULT
    assert (state.blocked, state.limited) == (True, False)
    now += timedelta(minutes=20)
    decision, state = decided(state, seen(tampered=True, allowed=False), now)
    assert state.cleared_at == now
    assert decision.reason is Reason.RANDOM_DELAY
    assert decision.pending is not None
    assert decision.pending.due == now + timedelta(seconds=600)
    assert decision.pending.to_target == Target(allowed=True, limit_kw=MIN_KW)


def test_the_policy_is_kept() -> None:
    """It is there after a restart; an older file has the one that limits."""
    state = first_state(GB, preset_hours(Preset.GB_NIGHT))
    for policy in TamperPolicy:
        kept = replace(state, tamper_policy=policy, limited=True).as_dict()
        assert OwnerState.from_dict(kept, GB).tamper_policy is policy
        assert OwnerState.from_dict(kept, GB).limited
    del kept["tamper_policy"], kept["limited"]
    old = OwnerState.from_dict(kept, GB)
    assert old.tamper_policy is TamperPolicy.LIMIT
    assert not old.limited


def test_what_is_laxer() -> None:
    """Stopping is stricter than limiting, and that than going on."""
    keep, limit, stop = TamperPolicy.KEEP, TamperPolicy.LIMIT, TamperPolicy.STOP
    assert keep.is_laxer(limit)
    assert limit.is_laxer(stop)
    assert not stop.is_laxer(keep)
    assert not stop.is_laxer(stop)
