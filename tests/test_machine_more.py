"""Single lives of commands that fail, are overtaken or come to light late."""

from collections.abc import Iterator
from datetime import timedelta
import json

import pytest

from .machine_box import LOCKED, Obeys
from .machine_judge import last_record
from .machine_single import AUTOMATION, OWNER, Make, event, single_lives
from .machine_wish import MANUAL
from custom_components.loxone_wallbox.charging.dsr import DsrKind
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


def test_what_a_second_master_forbade_is_not_handed_over(life: Make) -> None:
    """Who has had the last word in a quarrel keeps it when Home Assistant ends."""
    world = life("17:30:00", managed=True)
    world.plug()
    for at in ("17:35:00", "17:37:00", "17:39:00"):
        world.go(at)
        world.judge.by_app = True
        world.device_changes(allowed=True)
    assert world.controller.adoption.two_masters
    world.go("17:41:00")
    world.judge.by_app = True
    world.device_changes(allowed=False)
    count = len(world.commands)
    world.stop()
    assert world.commands[count:] == []


def test_a_car_that_charges_is_not_handed_over(life: Make) -> None:
    """While its stop waits, or only its limit is reduced, it needs no permission."""
    world = life("23:00:00", draws=[0, 300])
    world.plug()
    world.do(world.acts.async_add_event(event(world, 600, 3600, response_service=True)))
    world.go("23:20:00")
    assert (world.reason, world.target_kw) == (Reason.DSR, 6.0)
    assert not world.controller.waits_for_us
    world.go("07:52:00")
    assert (world.reason, world.target_kw) == (Reason.RANDOM_DELAY, 11.0)
    count = len(world.commands)
    world.stop()
    assert world.commands[count:] == []


@pytest.mark.parametrize("writable", [True, False])
def test_what_was_not_obeyed_yet_is_handed_over(life: Make, writable: bool) -> None:
    """A wallbox that was to start just now is not left forbidden."""
    world = life("17:30:00", draws=[0])
    world.plug()
    world.device.obeys = Obeys.NEVER
    world.go("22:00:31")
    assert (world.target_kw, world.device.state.allowed) == (11.0, False)
    world.device.obeys = Obeys.AT_ONCE
    world.face.writable = writable
    world.stop()
    assert world.device.state.allowed is writable


def test_a_restart_cuts_no_delay_that_a_program_made_shorter(life: Make) -> None:
    """Its shorter delay is for what comes, also when Home Assistant is back."""
    world = life("17:30:00", draws=[590])
    world.plug()
    world.go("22:00:10")
    world.do(world.acts.async_set_max_delay(AUTOMATION, 0))
    world.kill()
    world.start()
    world.go("22:30:00")
    assert world.commands == ["22:09:50 allow/on"]
    assert world.judge.count == 1


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_limit_that_comes_with_a_stop(life: Make, when: str) -> None:
    """A person's limit waits for nothing, also where one decision learns of both."""
    world = life("17:30:00", draws=[300])
    world.plug()
    world.go("17:40:00")
    world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    count = len(world.commands)
    world.go("17:50:00")
    world.set_slow(slow=True)
    if when == "before":
        world.do(world.acts.async_wish_power(OWNER, 5.0))
        world.go("17:50:01")
    world.do(world.acts.async_resume(OWNER))
    world.go("17:50:02")
    if when == "after":
        world.judge.by_app = True
        world.device_changes(mode=MANUAL, limit_kw=5.0)
    world.set_slow(slow=False)
    assert world.target_kw == 5.0
    assert world.device.state.limit_kw == 5.0
    told = {"before": ["17:50:02 manualLimit/5"], "after": []}[when]
    assert world.commands[count:] == told
    world.go("17:59:59")
    assert world.commands[count + len(told) :] == ["17:55:02 allow/off"]


def test_words_that_one_decision_learns_of(life: Make) -> None:
    """What came about while nothing was decided has its delay, whatever was said."""
    world = life("21:00:00", draws=[100, 200])
    world.plug()
    world.go("23:00:00")
    world.set_slow(slow=True)
    world.do(world.acts.async_permit(AUTOMATION, allowed=False))
    world.go("23:00:01")
    world.do(world.acts.async_add_event(event(world, 0, 3600, kind=DsrKind.PAUSE)))
    world.go("23:00:02")
    world.do(world.acts.async_permit(OWNER, allowed=True))
    world.set_slow(slow=False)
    world.go("23:03:21")
    assert world.target_kw == 11.0
    world.go("23:03:22")
    assert (world.target_kw, world.reason) == (0, Reason.DSR)


def test_a_newer_power_outlives_an_older_one_that_failed(life: Make) -> None:
    """What is taken back leaves nothing of the newer word out, also what they share."""
    world = life("22:30:00")
    world.plug()
    world.go("22:40:00")
    world.device.obeys = Obeys.NEVER
    first = world.do(world.acts.async_wish_power(OWNER, 6.0))
    world.go("22:40:29")
    world.set_slow(slow=True)
    second = world.do(world.acts.async_wish_power(OWNER, 8.0))
    world.go("22:40:31")
    world.device.obeys = Obeys.AT_ONCE
    world.set_slow(slow=False)
    assert first.exception() is not None
    assert second.exception() is None
    assert world.target_kw == world.device.state.limit_kw == 8.0


def test_a_window_long_over_cuts_no_delay_short(life: Make) -> None:
    """What a program stops has its delay, though the owner no longer asks for more."""
    world = life("07:00:00", draws=[100, 60, 300])
    world.plug()
    world.go("09:00:00")
    assert world.target_kw == 0
    world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("09:10:00")
    world.do(world.acts.async_override(AUTOMATION, OverrideMode.PAUSE))
    world.go("09:12:00")
    world.do(world.acts.async_resume(OWNER))
    world.go("09:14:59")
    assert world.target_kw == 11.0
    world.go("09:15:00")
    assert world.target_kw == 0
