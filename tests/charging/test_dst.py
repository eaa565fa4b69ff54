"""Nights in which the clock changes: one start, one stop, the right instants."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from .nights import LONDON, Player, local, night, powers, situation
from custom_components.loxone_wallbox.charging.schedule import (
    ALL_DAYS,
    ClockKind,
    Schedule,
    Window,
)

VIENNA = ZoneInfo("Europe/Vienna")
# Brisbane has no summer time.
BRISBANE = ZoneInfo("Australia/Brisbane")


def early(zone: ZoneInfo, clock: ClockKind = ClockKind.LOCAL) -> Schedule:
    """Return half past midnight to half past four."""
    window = Window(days=ALL_DAYS, start=30, end=270)
    return Schedule(windows=(window,), zone=zone, clock=clock)


def play(hours: Schedule, zone: ZoneInfo, eve: str, draws: list[int]) -> Player:
    """Play from six in the evening until noon, with a car all the time."""
    begin = local(f"{eve}T18:00:00", zone)
    noon = datetime.fromisoformat(f"{eve}T12:00:00") + timedelta(days=1)
    player = Player(
        now=begin,
        draws=draws,
        zone=zone,
        situation=replace(situation(), hours=hours),
    )
    player.plug()
    player.until(local(noon.isoformat(), zone))
    return player


@pytest.mark.parametrize(
    ("zone", "eve", "hours"),
    [
        (LONDON, "2026-03-28", 3),
        (LONDON, "2026-10-24", 5),
        (LONDON, "2027-03-27", 3),
        (LONDON, "2027-10-30", 5),
        (VIENNA, "2026-03-28", 3),
        (VIENNA, "2026-10-24", 5),
        (VIENNA, "2027-03-27", 3),
        (VIENNA, "2027-10-30", 5),
        (BRISBANE, "2026-03-28", 4),
        (BRISBANE, "2027-10-30", 4),
    ],
)
def test_the_window_over_the_change(zone: ZoneInfo, eve: str, hours: int) -> None:
    """It opens and closes by the wall clock, once each, with one draw each."""
    player = play(early(zone), zone, eve, [61, 123])
    day = f"{int(eve[-2:]) + 1:02}"
    # The stop is due ten minutes before the end, so that it ends before.
    assert powers(player.log) == [
        (f"{eve[-2:]} 18:00:00", 0),
        (f"{day} 00:31:01", 11),
        (f"{day} 04:22:03", 0),
    ]
    assert player.drawn == 2
    start, stop = player.memory.draws
    assert stop.relevant_at - start.relevant_at == timedelta(hours=hours, minutes=-10)
    assert (start.drawn_s, stop.drawn_s) == (61, 123)
    assert stop.due - start.due == timedelta(hours=hours, minutes=-10, seconds=62)


@pytest.mark.parametrize(
    "eve", ["2026-03-28", "2026-10-24", "2027-03-27", "2027-10-30"]
)
@pytest.mark.parametrize("zone", [LONDON, VIENNA, BRISBANE])
def test_the_night_preset(zone: ZoneInfo, eve: str) -> None:
    """From ten to eight the change in the middle starts and stops nothing."""
    player = play(night(zone), zone, eve, [437, 0])
    day = f"{int(eve[-2:]) + 1:02}"
    assert powers(player.log) == [
        (f"{eve[-2:]} 18:00:00", 0),
        (f"{eve[-2:]} 22:07:17", 11),
        (f"{day} 07:50:00", 0),
    ]
    assert player.drawn == 2


def test_spring_forward() -> None:
    """The window lasts three hours: from 00:30 GMT to 04:30 BST."""
    player = play(early(LONDON), LONDON, "2027-03-27", [0, 600])
    start, stop = player.memory.draws
    assert start.relevant_at.isoformat() == "2027-03-28T00:30:00+00:00"
    assert stop.due.isoformat() == "2027-03-28T03:30:00+00:00"


def test_a_window_that_does_not_exist() -> None:
    """Hidden by the change it is left out that night, and back the next."""
    window = Window(days=ALL_DAYS, start=75, end=105)
    hours = Schedule(windows=(window,), zone=LONDON)
    player = play(hours, LONDON, "2027-03-27", [5, 5])
    assert powers(player.log) == [("27 18:00:00", 0)]
    assert player.drawn == 0
    assert player.decision is not None
    assert player.decision.next_change == local("2027-03-29T01:15:00")
    player.until(local("2027-03-29T12:00:00"))
    assert powers(player.log)[1:] == [("29 01:15:05", 11), ("29 01:35:05", 0)]


@pytest.mark.parametrize("eve", ["2027-03-27", "2027-10-30"])
def test_a_meter_that_keeps_utc(eve: str) -> None:
    """Hours on the meter's own clock are four hours in every night."""
    player = play(early(LONDON, ClockKind.UTC), LONDON, eve, [0, 0])
    start, stop = player.memory.draws
    assert stop.relevant_at - start.relevant_at == timedelta(hours=4, minutes=-10)
    assert (start.relevant_at.hour, start.relevant_at.minute) == (0, 30)


def test_a_restart_in_the_hour_that_comes_twice() -> None:
    """Neither a second start nor a second draw."""
    begin = local("2027-10-30T18:00:00")
    player = Player(
        now=begin, draws=[61, 0], situation=replace(situation(), hours=early(LONDON))
    )
    player.plug()
    player.until(local("2027-10-31T00:45:00"))
    for hour in range(3):
        player.until(local("2027-10-31T00:45:00") + timedelta(hours=hour))
        player.restart()
        player.decide()
    player.until(local("2027-10-31T12:00:00"))
    assert [power for _, power in powers(player.log)] == [0, 11, 0]
    assert player.drawn == 2
