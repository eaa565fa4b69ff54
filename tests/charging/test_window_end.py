"""The end of a window: nothing flows after it where the stop lies before it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from .nights import Player, local, night, situation
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.schedule import (
    ALL_DAYS,
    Schedule,
    Window,
)

END = local("2027-01-14T08:00:00")


def player(now: str, max_delay_s: int, draws: list[int]) -> Player:
    """Return a player whose windows end early enough for the delay."""
    early = timedelta(seconds=max_delay_s)
    return Player(
        now=local(now),
        draws=draws,
        situation=situation(end_before=early, keeps_end=True),
        max_delay_s=max_delay_s,
    )


@pytest.mark.parametrize("max_delay_s", [0, 60])
def test_start_that_could_not_last(max_delay_s: int) -> None:
    """Who plugs in just before the end starts no charging of a minute."""
    game = player("2027-01-14T07:58:30", max_delay_s, [0, 0])
    game.plug()
    game.until(END + timedelta(hours=1))
    assert game.log == [("14 07:58:30", 0.0)]


def test_start_that_lasts() -> None:
    """Five minutes before the end is soon enough."""
    game = player("2027-01-14T07:55:00", 0, [])
    game.plug()
    game.until(END + timedelta(hours=1))
    assert game.log == [("14 07:55:00", 11.0), ("14 08:00:00", 0.0)]


def test_stop_is_not_put_off_beyond_the_end() -> None:
    """What an owner started a minute ago stops with the window all the same."""
    game = player("2027-01-14T07:00:00", 0, [])
    game.plug()
    game.change(
        override=Override(
            mode=OverrideMode.PAUSE, start=game.now, end=local("2027-01-14T09:00:00")
        )
    )
    game.until(local("2027-01-14T07:58:30"))
    start = Override(mode=OverrideMode.CHARGE, start=game.now, end=game.now)
    begun = replace(start, end=game.now + timedelta(seconds=30))
    game.change(override=begun)
    game.until(END + timedelta(hours=1))
    assert game.log[-2:] == [("14 07:58:30", 11.0), ("14 08:00:00", 0.0)]


def test_no_start_again_after_the_stop() -> None:
    """A shorter delay, set after the stop, does not start the last minutes again."""
    game = player("2027-01-13T21:00:00", 600, [0, 123])
    game.plug()
    game.until(local("2027-01-14T07:55:00"))
    game.max_delay_s = 0
    game.change(end_before=timedelta(0))
    game.until(END + timedelta(hours=1))
    assert game.log[1:] == [("13 22:00:00", 11.0), ("14 07:52:03", 0.0)]


def test_window_shorter_than_the_delay() -> None:
    """A window that the delay would fill opens, and its stop is before its end."""
    short = Schedule(
        windows=(Window(days=ALL_DAYS, start=750, end=770),), zone=night().zone
    )
    game = player("2027-01-14T12:00:00", 1800, [30, 600])
    game.situation = replace(game.situation, hours=short)
    game.plug()
    game.until(local("2027-01-14T13:00:00"))
    assert game.log == [
        ("14 12:00:00", 0.0),
        ("14 12:30:30", 11.0),
        ("14 12:50:00", 0.0),
    ]
