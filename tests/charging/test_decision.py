"""The days in the life of a wallbox, as far as rules alone decide them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from .nights import Player, book, event, local, powers, situation
from custom_components.loxone_wallbox.charging.delay import Outcome
from custom_components.loxone_wallbox.charging.override import (
    Override,
    OverrideMode,
)
from custom_components.loxone_wallbox.charging.wish import Permission, Reason

EVENING = local("2027-01-13T17:30:00")


def plugged(*draws: int, **changes: object) -> Player:
    """Return a player whose car was plugged in at half past five."""
    player = Player(now=EVENING, draws=list(draws), situation=situation(**changes))
    player.plug()
    return player


def test_an_ordinary_night() -> None:
    """Waits for the hours and the delay, charges, stops before the peak."""
    player = plugged(437, 123)
    decision = player.decide()
    assert decision.reason is Reason.OUTSIDE_DEFAULT_HOURS
    assert decision.next_change == local("2027-01-13T22:00:00")
    decision = player.until(local("2027-01-13T22:00:00"))
    assert decision.reason is Reason.RANDOM_DELAY
    assert decision.next_change == local("2027-01-13T22:07:17")
    player.until(local("2027-01-14T07:00:00"))
    assert player.decision is not None
    assert player.decision.next_change == local("2027-01-14T07:50:00")
    decision = player.until(local("2027-01-14T11:00:00"))
    assert decision.next_change == local("2027-01-14T22:00:00")
    assert powers(player.log) == [
        ("13 17:30:00", 0),
        ("13 22:07:17", 11),
        ("14 07:52:03", 0),
    ]
    assert [draw.outcome for draw in player.memory.draws] == [Outcome.APPLIED] * 2


def test_after_the_boundary() -> None:
    """The literal reading stops after the window's end."""
    player = plugged(437, 123, end_before=timedelta(0))
    player.until(local("2027-01-14T09:00:00"))
    assert powers(player.log)[1:] == [("13 22:07:17", 11), ("14 08:02:03", 0)]


def test_skip() -> None:
    """Skipping starts at once, is recorded and holds for this time only."""
    player = plugged(437, 50)
    player.until(local("2027-01-13T22:03:00"))
    player.memory = player.memory.skip(player.now, "owner")
    player.decide()
    assert powers(player.log)[-1] == ("13 22:03:00", 11)
    assert player.memory.draws[-1].outcome is Outcome.SKIPPED
    assert player.memory.draws[-1].by == "owner"
    assert player.memory.skip(player.now, "owner") == player.memory
    player.until(local("2027-01-14T09:00:00"))
    assert powers(player.log)[-1] == ("14 07:50:50", 0)


def test_charge_now_and_back() -> None:
    """An override acts at once; its end is an automatic change with its draw."""
    player = plugged(60)
    player.until(local("2027-01-13T17:40:00"))
    override = Override(mode=OverrideMode.CHARGE, start=player.now)
    decision = player.change(override=override)
    assert decision.reason is Reason.OVERRIDE_CHARGE
    player.until(local("2027-01-13T18:00:00"))
    player.change(override=override.ended(player.now))
    player.until(local("2027-01-13T19:00:00"))
    assert powers(player.log) == [
        ("13 17:30:00", 0),
        ("13 17:40:00", 11),
        ("13 18:01:00", 0),
    ]


def test_an_override_that_ends_by_itself() -> None:
    """It ends at its end, and the stop follows after its draw."""
    player = plugged(200)
    player.until(local("2027-01-13T17:40:00"))
    player.change(
        override=Override(
            mode=OverrideMode.CHARGE,
            start=player.now,
            end=local("2027-01-13T19:00:00"),
        )
    )
    player.until(local("2027-01-13T20:00:00"))
    assert powers(player.log)[-1] == ("13 19:03:20", 0)


def test_grid_events() -> None:
    """A delayed limit, a response on top of it, and their ends."""
    player = plugged(0, 45, 300)
    player.until(local("2027-01-13T22:59:00"))
    first = event("A", local("2027-01-13T23:00:00"), local("2027-01-13T23:30:00"))
    second = event(
        "B",
        local("2027-01-13T23:10:00"),
        local("2027-01-13T23:20:00"),
        limit_kw=4.5,
        response_service=True,
    )
    player.change(dsr=book(player.now, first, second))
    player.until(local("2027-01-13T23:59:00"))
    assert powers(player.log)[1:] == [
        ("13 22:00:00", 11),
        ("13 23:00:45", 6),
        ("13 23:10:00", 4.5),
        ("13 23:20:00", 6),
        ("13 23:35:00", 11),
    ]


@pytest.mark.parametrize(("minimum", "power"), [(4.16, 0), (1.38, 2.0)])
def test_a_limit_below_the_minimum(minimum: float, power: float) -> None:
    """Two kilowatts pause the larger wallbox and are kept by the smaller one."""
    player = plugged(0, 45, min_kw=minimum)
    player.until(local("2027-01-13T22:59:00"))
    grid = event(
        "A",
        local("2027-01-13T23:00:00"),
        local("2027-01-13T23:30:00"),
        limit_kw=2.0,
    )
    player.change(dsr=book(player.now, grid))
    player.until(local("2027-01-13T23:10:00"))
    assert powers(player.log)[-1] == ("13 23:00:45", power)


def test_opting_out() -> None:
    """The owner leaves an event and has the full power at once."""
    player = plugged(0, 45)
    player.until(local("2027-01-13T22:59:00"))
    grid = event("A", local("2027-01-13T23:00:00"), local("2027-01-13T23:30:00"))
    player.change(dsr=book(player.now, grid))
    player.until(local("2027-01-13T23:05:00"))
    player.change(dsr=player.situation.dsr.opt_out(player.now, "owner", by_hand=True))
    player.until(local("2027-01-13T23:40:00"))
    assert powers(player.log)[-2:] == [("13 23:00:45", 6), ("13 23:05:00", 11)]


@pytest.mark.parametrize("back", ["22:05:00", "22:09:00"])
def test_restart_in_the_delay(back: str) -> None:
    """The same deadline stands, and a deadline missed is acted on at once."""
    player = plugged(437)
    player.until(local("2027-01-13T22:02:00"))
    player.restart()
    player.now = local(f"2027-01-13T{back}")
    player.decide()
    player.until(local("2027-01-13T23:00:00"))
    expected = "22:07:17" if back == "22:05:00" else back
    assert powers(player.log)[-1] == (f"13 {expected}", 11)
    assert player.drawn == 1


def test_plug_in_with_no_default_hours() -> None:
    """The plug-in itself is the relevant time."""
    player = plugged(210, hours=None)
    decision = player.until(local("2027-01-13T18:00:00"))
    assert decision.reason is Reason.NO_DEFAULT_HOURS
    assert powers(player.log) == [("13 17:30:00", 0), ("13 17:33:30", 11)]


def test_replugging_within_a_minute() -> None:
    """Neither a way around the delay nor a punishment."""
    player = plugged(437)
    player.until(local("2027-01-13T22:02:00"))
    player.unplug()
    player.now += timedelta(seconds=30)
    player.plug()
    player.until(local("2027-01-13T23:00:00"))
    assert powers(player.log)[-1] == ("13 22:07:17", 11)
    assert player.drawn == 1


def test_what_waited_while_charging_delays_no_start() -> None:
    """A step that was pending is none of the next car's; its start has a draw."""
    player = plugged(0, 500, 40)
    player.until(local("2027-01-13T23:00:00"))
    until = local("2027-01-14T01:00:00")
    player.change(dsr=book(player.now, event("A", player.now, until)))
    assert player.memory.pending is not None
    player.until(local("2027-01-13T23:02:00"))
    player.unplug()
    player.now += timedelta(seconds=30)
    player.plug()
    player.until(local("2027-01-13T23:20:00"))
    assert powers(player.log)[-1] == ("13 23:03:10", 6)
    assert player.drawn == 3


def test_replugging_later_draws_anew() -> None:
    """A new plug-in is a new relevant time."""
    player = plugged(437, 100)
    player.until(local("2027-01-13T22:02:00"))
    player.unplug()
    player.now += timedelta(seconds=61)
    player.plug()
    player.until(local("2027-01-13T23:00:00"))
    assert powers(player.log)[-1] == ("13 22:04:41", 11)


def test_a_fault_stops_at_once_and_starts_with_a_draw() -> None:
    """Safety waits for nothing; what follows is an automatic start."""
    player = plugged(0, 77)
    player.until(local("2027-01-13T23:00:00"))
    player.change(blocked_by=Reason.FAULT)
    assert powers(player.log)[-1] == ("13 23:00:00", 0)
    player.until(local("2027-01-13T23:15:00"))
    player.change(blocked_by=None, cleared_at=player.now)
    player.until(local("2027-01-13T23:59:00"))
    assert powers(player.log)[-1] == ("13 23:16:17", 11)


def test_a_limit_by_the_owner_does_not_skip_the_delay() -> None:
    """Changing the power while a start is pending is no start."""
    player = plugged(437)
    player.until(local("2027-01-13T22:03:00"))
    player.change(
        target=replace(
            player.situation.target, limit_kw=6.0, previous_kw=11.0, at=player.now
        )
    )
    player.until(local("2027-01-13T23:00:00"))
    assert powers(player.log)[-1] == ("13 22:07:17", 6)


def test_unplugged_the_permission_stays() -> None:
    """A dead Home Assistant strands nobody; strictly by the hours it is off."""
    player = Player(now=EVENING, draws=[])
    assert player.decide().target.allowed
    strict = Player(now=EVENING, draws=[], situation=situation(strict=True))
    assert not strict.decide().target.allowed


def test_charge_now_ends_a_delay() -> None:
    """Who asks for it while the start is pending does not wait for its end."""
    player = plugged(437)
    player.until(local("2027-01-13T22:03:00"))
    player.change(override=Override(mode=OverrideMode.CHARGE, start=player.now))
    assert powers(player.log)[-1] == ("13 22:03:00", 11)
    assert player.memory.draws[-1].outcome is Outcome.CANCELLED


def test_a_second_override_acts_at_once() -> None:
    """Pausing what was started by hand is no relevant time, however soon it is."""
    player = plugged()
    player.now += timedelta(seconds=30)
    player.change(override=Override(mode=OverrideMode.CHARGE, start=player.now))
    player.now += timedelta(seconds=30)
    player.change(override=Override(mode=OverrideMode.PAUSE, start=player.now))
    assert powers(player.log)[-1] == ("13 17:31:00", 0)


def test_the_owner_ends_a_pending_stop() -> None:
    """Who takes the permission while a stop is pending does not wait for it."""
    player = plugged(0, 123)
    player.until(local("2027-01-14T07:51:00"))
    player.change(permission=Permission(allowed=False, at=player.now))
    assert powers(player.log)[-1] == ("14 07:51:00", 0)


def test_the_reason_while_a_change_is_drawn_for() -> None:
    """What holds meanwhile holds because of the delay, whatever is to come."""
    player = plugged(0, 45, 300, 123, end_before=timedelta(0))
    player.until(local("2027-01-13T22:59:00"))
    grid = event("A", local("2027-01-13T23:00:00"), local("2027-01-13T23:30:00"))
    player.change(dsr=book(player.now, grid))
    for at, power, reason in (
        ("13T23:00:30", 11, Reason.RANDOM_DELAY),
        ("13T23:00:45", 6, Reason.DSR),
        ("13T23:30:30", 6, Reason.RANDOM_DELAY),
        ("13T23:35:00", 11, Reason.DEFAULT_HOURS),
        ("14T08:02:00", 11, Reason.RANDOM_DELAY),
        ("14T08:02:03", 0, Reason.OUTSIDE_DEFAULT_HOURS),
    ):
        decision = player.until(local(f"2027-01-{at}"))
        assert (decision.target.power_kw, decision.reason) == (power, reason)


def test_the_reason_while_a_change_only_rests() -> None:
    """What is not drawn for holds a little longer for what it held for."""
    player = plugged(0, end_before=timedelta(0))
    player.until(local("2027-01-14T06:59:00"))
    player.max_delay_s = 0
    start = player.now
    limit = event("A", start, start + timedelta(seconds=30))
    player.change(dsr=book(start, limit))
    assert player.decision is not None
    assert player.decision.reason is Reason.DSR
    decision = player.until(start + timedelta(seconds=59))
    assert (decision.target.power_kw, decision.reason) == (6, Reason.DSR)
    decision = player.until(start + timedelta(seconds=61))
    assert (decision.target.power_kw, decision.reason) == (11, Reason.DEFAULT_HOURS)
