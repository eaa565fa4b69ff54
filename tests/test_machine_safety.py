"""Single lives under what endangers, with everything that people may try meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from homeassistant.exceptions import ServiceValidationError

from .machine_box import LOCKED
from .machine_single import AUTOMATION, BEHALF, OWNER, Life, event, single_lives
from custom_components.loxone_wallbox.charging.override import OverrideMode
from custom_components.loxone_wallbox.charging.owner import TamperPolicy
from custom_components.loxone_wallbox.charging.wish import Reason
from custom_components.loxone_wallbox.rights import Actor

ACTORS = st.sampled_from([OWNER, BEHALF, AUTOMATION])
OVERRIDES: dict[str, Callable[[Life, Actor], Any]] = {
    "charge": lambda world, actor: world.acts.async_override(
        actor, OverrideMode.CHARGE
    ),
    "skip": lambda world, actor: world.acts.async_skip_delay(actor),
    "opt_out": lambda world, actor: world.acts.async_opt_out(actor),
}
LIVES = settings(max_examples=8, deadline=None)


def try_all(world: Life, actor: Actor, refusal: str) -> None:
    """Try every override, each of which is refused and leaves all as it is."""
    for name, override in OVERRIDES.items():
        before = world.controller.state
        with pytest.raises(ServiceValidationError) as caught:
            override(world, actor)
        assert caught.value.translation_key == refusal, name
        assert world.controller.state is before


@given(
    actor=ACTORS,
    policy=st.sampled_from(TamperPolicy),
    minutes=st.integers(0, 700),
    managed=st.booleans(),
)
@LIVES
def test_no_override_in_any_tamper_state(
    actor: Actor, policy: TamperPolicy, minutes: int, managed: bool
) -> None:
    """Whoever asks, whatever the policy, at any time of the night."""
    with single_lives() as make:
        world = make("21:00:00", managed=managed)
        world.do(world.acts.async_set_tamper_policy(OWNER, policy))
        world.plug()
        world.do(world.acts.async_add_event(event(world, 0, 50_000)))
        world.wait(world.now + timedelta(minutes=minutes))
        world.device_changes(tampered=True)
        try_all(world, actor, "unsafe_tamper")
        world.wait(world.now + timedelta(hours=1))
        try_all(world, actor, "unsafe_tamper")


@given(actor=ACTORS, cut=st.integers(0, 90), lasts=st.integers(1, 900))
@LIVES
def test_nothing_is_decided_nor_ordered_offline(
    actor: Actor, cut: int, lasts: int
) -> None:
    """Hours that begin, a grid event that ends and what people try change nothing."""
    with single_lives() as make:
        world = make("21:30:00")
        world.plug()
        world.do(world.acts.async_add_event(event(world, 600, 4800)))
        world.wait(world.now + timedelta(minutes=cut))
        world.set_link(linked=False)
        decision, count = world.controller.decision, len(world.commands)
        try_all(world, actor, "wallbox_unreachable")
        world.wait(world.now + timedelta(minutes=lasts))
        assert world.controller.decision is decision
        assert len(world.commands) == count
        assert world.face.alerts == []


@pytest.mark.parametrize(
    "danger", [{"fault": True}, {"lock": LOCKED}, {"tampered": True}], ids=str
)
@given(minutes=st.integers(0, 700), shed=st.booleans())
@LIVES
def test_nothing_starts_under_a_stop(
    danger: dict[str, Any], minutes: int, shed: bool
) -> None:
    """Neither the hours nor the end of a grid event let anything flow."""
    with single_lives() as make:
        world = make("21:30:00")
        world.do(world.acts.async_set_tamper_policy(OWNER, TamperPolicy.STOP))
        world.plug()
        world.do(world.acts.async_add_event(event(world, 600, 4800)))
        world.wait(world.now + timedelta(minutes=minutes))
        world.device_changes(**danger, load_shedding=shed)
        count = len(world.commands)
        world.wait(world.now + timedelta(hours=9))
        assert world.target_kw == 0
        assert not any("allow/on" in one for one in world.commands[count:])
        assert not world.device.state.charging


def tampered_with(world: Life) -> None:
    """Charge, have somebody tamper for ten minutes, and wait for the draw."""
    world.plug()
    world.go("23:00:00")
    world.device_changes(tampered=True)
    assert world.target_kw == 4.16
    world.go("23:10:00")
    world.device_changes(tampered=False)
    assert world.reason is Reason.RANDOM_DELAY


@pytest.mark.parametrize("actor", [OWNER, BEHALF])
def test_a_persons_power_breaks_off_the_delay_of_a_rise(actor: Actor) -> None:
    """Who asks for less than is to come has that much at once, and no more later."""
    with single_lives() as make:
        world = make("22:00:00", draws=[0, 100])
        tampered_with(world)
        world.go("23:10:30")
        world.do(world.acts.async_wish_power(actor, 5.555))
        assert world.target_kw == 5.555
        assert world.commands[-1] == "23:10:30 manualLimit/5.55"
        assert world.controller.state.delay.pending is None
        world.go("23:30:00")
        assert world.target_kw == 5.555


def test_an_automations_power_leaves_the_delay_of_a_rise() -> None:
    """It has its draw, as every rise that no person asks for."""
    with single_lives() as make:
        world = make("22:00:00", draws=[0, 100])
        tampered_with(world)
        world.do(world.acts.async_wish_power(AUTOMATION, 5.555))
        world.go("23:11:39")
        assert world.target_kw == 4.16
        world.go("23:11:40")
        assert world.target_kw == 5.555


def test_a_power_that_breaks_a_delay_off_is_refused_where_it_may_harm() -> None:
    """It is an override of the delay; what holds may be asked for, or less."""
    with single_lives() as make:
        world = make("22:00:00", draws=[0, 0, 600])
        world.plug()
        world.do(world.acts.async_add_event(event(world, 600, 600)))
        world.go("22:21:00")
        assert world.target_kw == 6.0
        world.device_changes(load_shedding=True)
        before = world.controller.state
        task = world.do(world.acts.async_wish_power(OWNER, 8.0))
        assert task.exception().translation_key == "unsafe_load_shedding"
        task = world.do(world.acts.async_choose_mode(OWNER, 2))
        assert task.exception().translation_key == "unsafe_load_shedding"
        assert world.controller.state is before
        assert not world.do(world.acts.async_wish_power(OWNER, 6.0)).exception()


def test_a_mode_with_more_power_is_refused_to_a_shed_load() -> None:
    """What the shedding forbade is not kept for later either."""
    with single_lives() as make:
        world = make("21:00:00")
        world.plug()
        world.go("23:00:00")
        world.do(world.acts.async_choose_mode(OWNER, 2))
        assert world.device.state.limit_kw == 6.5
        world.device_changes(load_shedding=True, allowed=False)
        count = len(world.commands)
        world.do(world.acts.async_choose_mode(OWNER, 5))
        assert world.reason is Reason.LOAD_SHEDDING
        assert world.commands[count:] == []
        world.device_changes(load_shedding=False)
        told = [one.partition(" ")[2] for one in world.commands[count:]]
        assert told == ["allow/on"]
