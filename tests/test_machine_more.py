"""Single lives of commands that fail, are overtaken or come to light late."""

from collections.abc import Iterator
from datetime import timedelta
import json

import pytest

from .machine_box import LOCKED, Obeys
from .machine_judge import last_record
from .machine_single import AUTOMATION, OWNER, Make, event, single_lives
from custom_components.loxone_wallbox.charging.override import OverrideMode, Until
from custom_components.loxone_wallbox.charging.wish import Reason


@pytest.fixture
def life() -> Iterator[Make]:
    """Build worlds, and clear them away."""
    with single_lives() as make:
        yield make


def test_the_delay_that_an_act_broke_off_goes_on(life: Make) -> None:
    """Once the act is taken back the old deadline stands, and nothing is drawn."""
    world = life("21:30:00", draws=[437, 1])
    world.plug()
    world.go("22:02:00")
    world.device.obeys = Obeys.NEVER
    task = world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("22:02:31")
    assert task.exception() is not None
    world.device.obeys = Obeys.AT_ONCE
    world.go("22:07:16")
    assert world.reason is Reason.RANDOM_DELAY
    assert not world.device.state.allowed
    world.go("22:07:17")
    assert world.commands[-1] == "22:07:17 allow/on"
    assert world.judge.count == 1
    records = world.controller.state.delay.draws
    assert [(one.drawn_s, one.outcome) for one in records] == [(437, "applied")]


def test_acts_that_fail_together_are_taken_back_together(life: Make) -> None:
    """Nothing is left of the first act because the second one stood upon it."""
    world = life("17:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    first = world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("17:30:05")
    second = world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("17:30:31")
    assert first.exception() is not None
    assert second.exception() is not None
    assert world.controller.state.override is None
    assert world.target_kw == 0


def test_who_is_overtaken_is_told_no_failure(life: Make) -> None:
    """Who wanted to charge is done when somebody pauses, and no alert is raised."""
    world = life("17:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    first = world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    assert not first.done()
    world.go("17:30:05")
    second = world.do(world.acts.async_override(OWNER, OverrideMode.PAUSE))
    assert first.exception() is None
    assert second.exception() is None
    world.go("17:35:00")
    assert world.face.alerts == []
    assert world.reason is Reason.OVERRIDE_PAUSE


def test_what_overtakes_is_given_at_once(life: Make) -> None:
    """A stop does not wait for a limit that is not obeyed."""
    world = life("22:00:00", draws=[0])
    world.plug()
    world.do(world.acts.async_add_event(event(world, 600, 3600)))
    world.device.obeys = Obeys.NEVER
    world.go("22:10:05")
    assert world.commands[-1] == "22:10:00 manualLimit/6"
    world.device_changes(fault=True)
    assert world.commands[-1] == "22:10:05 allow/off"


def test_what_failed_does_not_keep_another_waiting(life: Make) -> None:
    """While a limit waits for its next try a stop is given."""
    world = life("22:00:00", draws=[0])
    world.plug()
    world.do(world.acts.async_add_event(event(world, 600, 3600)))
    world.device.obeys = Obeys.NEVER
    world.go("22:10:40")
    assert len(world.face.alerts) == 1
    world.device.obeys = Obeys.AT_ONCE
    world.device_changes(fault=True)
    assert world.commands[-1] == "22:10:40 allow/off"


def test_a_lock_ends_what_is_under_way(life: Make) -> None:
    """A locked wallbox is asked for nothing, and that is no failure."""
    world = life("22:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    world.go("22:31:45")
    world.device_changes(lock=LOCKED)
    count = len(world.commands)
    world.go("22:40:00")
    assert world.commands[count:] == []
    assert world.face.alerts == []


def test_a_shed_load_is_asked_for_afterwards(life: Make) -> None:
    """What load shedding overtook is given when it is over."""
    world = life("22:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    world.go("22:31:45")
    world.device_changes(load_shedding=True)
    world.device.obeys = Obeys.AT_ONCE
    world.go("22:33:00")
    assert not world.device.state.allowed
    world.device_changes(load_shedding=False)
    assert world.commands[-1] == "22:33:00 allow/on"


def test_the_hand_over_waits_for_no_other_command(life: Make) -> None:
    """What is not obeyed is dropped when Home Assistant ends."""
    world = life("17:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    task = world.do(world.acts.async_choose_mode(OWNER, 2))
    assert not task.done()
    world.go("17:30:05")
    world.stop()
    assert world.commands[-2:] == ["17:30:00 setmode/2", "17:30:05 allow/on"]


def test_a_mode_that_is_not_shown_is_taken_back(life: Make) -> None:
    """Who is told that the wallbox did not follow finds the old mode."""
    world = life("17:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    task = world.do(world.acts.async_choose_mode(OWNER, 2))
    world.go("17:30:31")
    assert task.exception() is not None
    assert world.controller.state.owner_mode == 5


def test_what_others_did_without_a_link_is_theirs(life: Make) -> None:
    """A link that was lost explains nothing by itself."""
    world = life("17:30:00")
    world.plug()
    world.go("17:40:00")
    world.set_link(linked=False)
    world.judge.by_app = True
    world.device_changes(allowed=True)
    world.go("17:41:00")
    world.judge.by_app = True
    world.set_link(linked=True)
    override = world.controller.state.override
    assert override is not None
    assert override.mode is OverrideMode.CHARGE


def test_only_the_first_look_is_explained_by_what_was_before(life: Make) -> None:
    """After it, time counts as ever."""
    world = life("22:00:00")
    world.plug()
    world.device.obeys = Obeys.REFUSES
    world.go("22:01:40")
    world.set_link(linked=False)
    world.go("22:04:00")
    world.set_link(linked=True)
    assert world.commands[-1] == "22:04:00 allow/on"
    world.go("22:04:20")
    world.judge.by_app = True
    world.device_changes(allowed=True)
    override = world.controller.state.override
    assert override is not None
    assert override.mode is OverrideMode.CHARGE


def test_a_clock_set_back_keeps_no_retry_waiting(life: Make) -> None:
    """What was not obeyed is not tried again hours later."""
    world = life("22:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    world.go("22:32:20")
    assert len(world.face.alerts) == 1
    world.device.obeys = Obeys.AT_ONCE
    world.loop.set_clock(timedelta(minutes=-20))
    world.wait(world.now + timedelta(seconds=70))
    assert world.device.state.allowed


def test_the_disk_is_tried_less_and_less_often(life: Make) -> None:
    """After five, ten and twenty seconds, and no more once Home Assistant stops."""
    world = life("17:30:00")
    world.set_disk(fails=True)
    world.plug()
    world.go("17:30:16")
    world.set_disk(fails=False)
    world.go("17:30:34")
    kept = json.loads(json.dumps(world.controller.state.as_dict()))
    assert last_record(world.path) != kept
    world.go("17:30:36")
    assert last_record(world.path) == kept
    world.set_disk(fails=True)
    world.do(world.acts.async_set_max_delay(OWNER, 30))
    world.do(world.controller.async_stop())
    assert world.loop.next_timer is None


def test_the_same_word_again_ends_a_quarrel(life: Make) -> None:
    """Who says what already stands wants it done all the same."""
    world = life("22:30:00", managed=True, draws=[0])
    world.plug()
    for at in ("22:35:00", "22:39:00", "22:43:00"):
        world.go(at)
        world.judge.by_app = True
        world.device_changes(allowed=False)
    assert world.controller.adoption.two_masters
    assert not world.device.state.allowed
    world.do(world.acts.async_permit(OWNER, allowed=True))
    assert world.commands[-1] == "22:43:00 allow/on"
    assert world.device.state.allowed


def test_an_older_word_breaks_no_delay_off(life: Make) -> None:
    """A stop that waits is not made at once by what was said before it."""
    world = life("17:30:00", draws=[300])
    world.plug()
    world.go("17:40:00")
    world.do(world.acts.async_permit(OWNER, allowed=False))
    world.go("17:41:00")
    world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("17:50:00")
    world.do(world.acts.async_resume(OWNER))
    world.go("17:51:00")
    pause = {"duration": timedelta(seconds=60)}
    world.do(
        world.acts.async_override(
            AUTOMATION, OverrideMode.PAUSE, Until.DURATION, **pause
        )
    )
    world.go("17:54:59")
    assert world.target_kw == 11.0
    world.go("17:55:00")
    assert world.target_kw == 0
