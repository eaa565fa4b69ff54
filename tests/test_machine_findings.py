"""Single lives that the machine of `test_machine` came upon, one fault each."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from .machine_box import LOCKED, Obeys
from .machine_single import AUTOMATION, BEHALF, OWNER, Make, event, single_lives
from custom_components.loxone_wallbox.charging.dsr import DsrKind
from custom_components.loxone_wallbox.charging.override import OverrideMode, Until
from custom_components.loxone_wallbox.charging.wish import Reason


@pytest.fixture
def life() -> Iterator[Make]:
    """Build worlds, and clear them away."""
    with single_lives() as make:
        yield make


def test_no_hurry_without_a_link(life: Make) -> None:
    """Without a link there is nothing to do, so it does not wake all the time."""
    world = life("21:50:00")
    world.plug()
    world.set_link(linked=False)
    world.go("22:30:00")


def test_no_hurry_after_a_command_that_is_not_needed_any_more(life: Make) -> None:
    """What was to be tried again is not tried when it has become true meanwhile."""
    world = life("22:30:00")
    world.device.obeys = Obeys.NEVER
    world.plug()
    world.wait(world.now + timedelta(seconds=40))
    world.device_changes(connected=False, session=None)
    world.wait(world.now + timedelta(seconds=600))


def test_an_automation_that_allows_is_delayed(life: Make) -> None:
    """What an automation allows at midnight starts with a draw of midnight."""
    world = life("21:00:00")
    world.plug()
    world.go("23:00:00")
    world.do(world.acts.async_permit(AUTOMATION, allowed=False))
    world.go("00:00:00")
    assert world.target_kw == 0
    world.do(world.acts.async_permit(AUTOMATION, allowed=True))
    world.go("00:01:39")
    assert world.target_kw == 0
    world.go("00:01:40")
    assert world.target_kw == 11.0


def test_a_person_who_allows_is_obeyed_at_once(life: Make) -> None:
    """Off and on again by hand waits for nothing."""
    world = life("21:00:00")
    world.plug()
    world.go("23:00:00")
    world.do(world.acts.async_permit(OWNER, allowed=False))
    world.go("23:00:30")
    assert world.target_kw == 0
    world.do(world.acts.async_permit(OWNER, allowed=True))
    assert world.target_kw == 11.0


def test_an_act_that_is_undone_is_not_wanted_any_more(life: Make) -> None:
    """After its error the wallbox is not asked again for what was undone."""
    world = life("17:30:00", draws=[600])
    world.plug()
    world.device.obeys = Obeys.NEVER
    task = world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.wait(world.now + timedelta(seconds=31))
    assert task.exception() is not None
    assert world.controller.state.override is None
    world.device.obeys = Obeys.AT_ONCE
    world.wait(world.now + timedelta(seconds=120))
    assert world.target_kw == 0
    assert not world.device.state.allowed


@pytest.mark.parametrize("what", ["fault", "load_shedding", "pause"])
def test_a_command_that_was_overtaken_is_not_repeated(life: Make, what: str) -> None:
    """Once something else is decided, the old command is not given again."""
    world = life("22:30:00")
    world.plug()
    world.wait(world.now + timedelta(seconds=99))
    world.device.obeys = Obeys.NEVER
    world.wait(world.now + timedelta(seconds=5))
    assert world.commands[-1].endswith("allow/on")
    count = len(world.commands)
    if what == "pause":
        world.do(world.acts.async_override(OWNER, OverrideMode.PAUSE))
    else:
        world.device_changes(**{what: True})
    world.wait(world.now + timedelta(seconds=30))
    assert not any("allow/on" in one for one in world.commands[count:])


def test_a_shed_load_is_handed_over(life: Make) -> None:
    """What we forbade is not left forbidden for when the shedding ends.

    The wallbox pauses by itself as long as it lasts.
    """
    world = life("17:30:00")
    world.plug()
    world.device_changes(load_shedding=True)
    count = len(world.commands)
    world.stop()
    assert world.commands[count:] == ["17:30:00 allow/on"]
    assert not world.device.state.charging


def test_what_the_shedding_forbade_is_not_handed_over(life: Make) -> None:
    """Of a permission that we did not take nothing is ours to give."""
    world = life("22:00:00", draws=[0])
    world.plug()
    world.do(world.acts.async_add_event(event(world, 600, 3600)))
    world.go("22:30:00")
    assert world.target_kw == 6.0
    world.device_changes(load_shedding=True, allowed=False)
    count = len(world.commands)
    world.stop()
    assert world.commands[count:] == []


def test_nothing_is_allowed_in_a_fault(life: Make) -> None:
    """A car that leaves in a fault is no reason to allow the next one."""
    world = life("22:30:00")
    world.plug()
    world.go("23:00:00")
    world.device_changes(fault=True)
    assert world.commands[-1].endswith("allow/off")
    count = len(world.commands)
    world.device_changes(connected=False, session=None)
    assert world.commands[count:] == []


def test_a_response_that_increases_waits_for_nothing(life: Make) -> None:
    """Response services are exempt from the delay, also those that ask for more."""
    world = life("17:30:00")
    world.plug()
    kind = {"kind": DsrKind.INCREASE, "limit_kw": None, "response_service": True}
    world.do(world.acts.async_add_event(event(world, 60, 600, **kind)))
    world.wait(world.now + timedelta(seconds=61))
    assert world.target_kw == 11.0


def test_leaving_on_behalf_of_a_person_waits_for_nothing(life: Make) -> None:
    """Who presses a button on a phone is a person without a user."""
    world = life("22:00:00")
    world.plug()
    world.do(world.acts.async_add_event(event(world, 3600, 3600)))
    world.go("23:30:00")
    assert world.target_kw == 6.0
    world.do(world.acts.async_opt_out(BEHALF))
    assert world.target_kw == 11.0


def test_a_setting_needs_no_wallbox_that_obeys(life: Make) -> None:
    """The longest delay is set, whatever becomes of a command under way."""
    world = life("22:30:00")
    world.plug()
    world.device.obeys = Obeys.NEVER
    world.wait(world.now + timedelta(seconds=101))
    task = world.do(world.acts.async_set_max_delay(OWNER, 1800))
    assert task.done()
    world.wait(world.now + timedelta(seconds=31))
    assert task.exception() is None
    assert world.controller.state.max_delay_s == 1800


def test_an_automations_lower_mode_has_its_delay(life: Make) -> None:
    """A mode with less power is a change of rate like any other."""
    world = life("22:00:00")
    world.plug()
    world.go("23:00:00")
    count = len(world.commands)
    world.do(world.acts.async_choose_mode(AUTOMATION, 2))
    assert world.commands[count:] == []
    world.wait(world.now + timedelta(seconds=100))
    assert world.commands[count:] == ["23:01:40 setmode/2"]


def test_a_lock_protects_in_a_fault_too(life: Make) -> None:
    """What happens under a lock is nobody's wish, whatever else is wrong."""
    world = life("22:00:00")
    world.plug()
    world.go("23:00:00")
    world.device_changes(fault=True)
    world.device_changes(lock=LOCKED)
    world.wait(world.now + timedelta(seconds=60))
    world.judge.by_app = True
    world.device_changes(allowed=True)
    assert world.controller.state.override is None


def test_a_clock_set_back_is_a_reason_to_decide(life: Make) -> None:
    """The hours are those of the clock as it is, not as it was."""
    world = life("22:00:00")
    world.plug()
    world.go("23:00:00")
    assert world.target_kw == 11.0
    world.loop.set_clock(timedelta(hours=-3))
    world.device_changes(energy_kwh=1.0)
    world.wait(world.now + timedelta(seconds=1000))
    assert world.target_kw == 0
    assert world.reason is Reason.OUTSIDE_DEFAULT_HOURS


def test_after_a_clock_set_back_others_are_still_others(life: Make) -> None:
    """A command that lies ahead explains nothing."""
    world = life("17:30:00", hours=())
    world.plug()
    world.go("17:40:00")
    assert world.commands[-1] == "17:31:40 allow/on"
    world.loop.set_clock(timedelta(minutes=-30))
    world.device_changes(energy_kwh=1.0)
    world.wait(world.now + timedelta(seconds=600))
    world.judge.by_app = True
    world.device_changes(allowed=False)
    world.wait(world.now + timedelta(seconds=60))
    world.judge.by_app = True
    world.device_changes(allowed=True)
    override = world.controller.state.override
    assert override is not None
    assert override.mode is OverrideMode.CHARGE


def test_an_event_that_is_moved_away_ends_with_a_delay(life: Make) -> None:
    """The end of a reduction is a relevant time, however it ends."""
    world = life("22:00:00", draws=[10, 20, 300, 400])
    world.plug()
    world.do(world.acts.async_add_event(event(world, 3600, 3600)))
    world.go("23:30:00")
    assert world.target_kw == 6.0
    later = event(world, 7200, 600, version=2)
    world.do(world.acts.async_add_event(later))
    world.wait(world.now + timedelta(seconds=299))
    assert world.target_kw == 6.0
    world.wait(world.now + timedelta(seconds=1))
    assert world.target_kw == 11.0


def test_our_own_command_is_ours_after_a_lost_link(life: Make) -> None:
    """What the wallbox did while nobody looked is no override of the owner."""
    world = life("22:00:00")
    world.plug()
    world.device.obeys = Obeys.SOON
    world.go("22:01:40")
    assert world.commands[-1] == "22:01:40 allow/on"
    world.set_link(linked=False)
    world.go("22:04:00")
    assert world.device.state.allowed
    world.set_link(linked=True)
    assert world.controller.state.override is None


def test_the_last_choice_counts(life: Make) -> None:
    """Of two modes chosen in short order the later one is what is left."""
    world = life("17:30:00")
    world.plug()
    world.device.obeys = Obeys.SOON
    world.do(world.acts.async_choose_mode(OWNER, 2))
    world.wait(world.now + timedelta(seconds=0.1))
    world.do(world.acts.async_choose_mode(OWNER, 1))
    world.wait(world.now + timedelta(seconds=200))
    assert world.controller.state.owner_mode == 1
    assert world.device.state.mode == 1


def test_what_the_disk_did_not_take_is_written_later(life: Make) -> None:
    """A disk that works again has soon what is in memory."""
    world = life("22:00:00", draws=[100, 200])
    world.set_disk(fails=True)
    world.plug()
    world.set_disk(fails=False)
    world.wait(world.now + timedelta(seconds=99))
    due = world.controller.state.delay.pending
    assert due is not None
    world.kill()
    world.start()
    assert world.controller.state.delay.pending == due


def test_a_pause_is_no_permission(life: Make) -> None:
    """Without a car, pausing what is forbidden does not allow it."""
    world = life("17:30:00")
    world.do(world.acts.async_permit(OWNER, allowed=False))
    assert not world.device.state.allowed
    world.do(world.acts.async_override(OWNER, OverrideMode.PAUSE))
    assert not world.device.state.allowed


@pytest.mark.parametrize("how", ["link", "restart"])
def test_another_visit_is_another_visit(life: Make, how: str) -> None:
    """An override until unplugging ends with it, also when nobody looked."""
    world = life("17:30:00")
    world.plug()
    world.do(world.acts.async_override(OWNER, OverrideMode.CHARGE))
    world.go("17:40:00")
    if how == "link":
        world.set_link(linked=False)
    else:
        world.stop()
    world.device_changes(connected=False, session=None)
    world.go("18:00:00")
    world.plug()
    world.go("18:01:00")
    if how == "link":
        world.set_link(linked=True)
    else:
        world.start()
    assert world.controller.state.override is None


def test_who_does_not_delay_stops_at_the_boundary(life: Make) -> None:
    """Where somebody else randomises everything happens at its boundary."""
    world = life("22:00:00", delays=False)
    world.plug()
    world.go("07:59:59")
    assert world.target_kw == 11.0
    world.go("08:00:00")
    assert world.target_kw == 0


def test_a_program_that_moves_its_modes_limit_is_not_fought(life: Make) -> None:
    """More power of a mode that the program steers is not taken back for a while."""
    world = life("21:00:00")
    world.plug()
    world.go("23:00:00")
    count = len(world.commands)
    for limit in (7.0, 9.0, 10.0):
        world.device_changes(limit_kw=limit)
        world.wait(world.now + timedelta(seconds=200 if limit < 9 else 20))
    assert world.commands[count:] == []


def test_power_that_a_person_takes_back_while_a_stop_waits(life: Make) -> None:
    """Less is had at once and more again as well, up to what there was."""
    world = life("21:00:00", draws=[60, 300])
    world.plug()
    world.go("23:00:00")
    world.do(world.acts.async_override(AUTOMATION, OverrideMode.PAUSE))
    count = len(world.commands)
    for minute, limit in (("01", 5.0), ("02", 8.0), ("03", 11.0)):
        world.go(f"23:{minute}:00")
        world.do(world.acts.async_wish_power(OWNER, limit))
        assert world.device.state.limit_kw == world.target_kw == limit
    world.go("23:10:00")
    assert world.commands[count:] == [
        "23:01:00 manualLimit/5",
        "23:02:00 manualLimit/8",
        "23:03:00 manualLimit/11",
        "23:05:00 allow/off",
    ]


def test_words_of_a_person_while_the_disk_hangs(life: Make) -> None:
    """A delay that would have been over by then is not waited for afterwards."""
    world = life("17:00:00", draws=[182], strict=True)
    world.plug()
    world.set_slow(slow=True)
    world.do(world.acts.async_override(OWNER, OverrideMode.PAUSE))
    world.go("23:20:00")
    charge = (OWNER, OverrideMode.CHARGE, Until.DURATION)
    world.do(world.acts.async_override(*charge, duration=timedelta(minutes=69)))
    world.go("01:07:00")
    assert not world.device.state.allowed
    world.set_slow(slow=False)
    assert world.commands[-1] == "01:07:00 allow/on"


def test_charge_now_before_plugging_in(life: Make) -> None:
    """Who has overridden before plugging in is not delayed afterwards."""
    world = life("17:30:00")
    world.do(
        world.acts.async_override(
            OWNER,
            OverrideMode.CHARGE,
            Until.DURATION,
            duration=timedelta(hours=5),
        )
    )
    world.go("17:35:00")
    world.plug()
    assert world.target_kw == 11.0


def test_after_a_lock_the_restart_is_ours(life: Make) -> None:
    """Nothing flows between the end of a lock and the end of the delay."""
    world = life("21:00:00")
    world.plug()
    world.go("23:00:00")
    world.device_changes(lock=LOCKED)
    world.go("23:10:10")
    world.device_changes(lock=None)
    assert world.reason is Reason.RANDOM_DELAY
    assert not world.device.state.allowed
