"""Nights in which the clock changes, seen in Home Assistant, in three kinds of zones.

Instants are those of UTC: a wall clock shows some of them twice and others never.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually, find_entity
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.regulation import PRESETS, Preset
from custom_components.loxone_wallbox.charging.schedule import DAY_NAMES
from simulator import Car

LONDON, VIENNA = "Europe/London", "Europe/Vienna"
KOLKATA, NAIROBI = "Asia/Kolkata", "Africa/Nairobi"
SECOND = timedelta(seconds=1)


class Night(NamedTuple):
    """A night by the wall clock of a zone: when its window opens and closes in UTC."""

    profile: str
    zone: str
    opens: str
    closes: str
    opens_again: str
    hours: int

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings; a zone of its own is picked where it is not usual."""
        usual = {"gb_2021": LONDON, "none": VIENNA}[self.profile]
        picked = {} if self.zone == usual else {"timezone": self.zone}
        return {"profile": self.profile, **picked, "first_use": hours("00:30-04:30")}

    @property
    def delayed(self) -> bool:
        """Tell whether the profile has a random delay."""
        return self.profile == "gb_2021"


# From half past midnight to half past four, on the wall clock.
NIGHTS = [
    Night("gb_2021", LONDON, "2027-03-28T00:30", "2027-03-28T03:30", "28T23:30", 3),
    Night("gb_2021", LONDON, "2027-10-30T23:30", "2027-10-31T04:30", "01T00:30", 5),
    Night("gb_2021", NAIROBI, "2027-03-27T21:30", "2027-03-28T01:30", "28T21:30", 4),
    Night("none", VIENNA, "2027-03-27T23:30", "2027-03-28T02:30", "28T22:30", 3),
    Night("none", VIENNA, "2027-10-30T22:30", "2027-10-31T03:30", "31T23:30", 5),
    Night("none", KOLKATA, "2027-10-30T19:00", "2027-10-30T23:00", "31T19:00", 4),
]


def hours(*windows: str) -> dict[str, Any]:
    """Return default charging hours of every day, as they were changed at first use."""
    return {
        "choice": "change",
        "windows": [
            {"days": list(DAY_NAMES), "start": one[:5], "end": one[6:]}
            for one in windows
        ],
        "clock": "local",
        "at": "2027-01-01T12:00:00+00:00",
        "by": None,
    }


def utc(text: str) -> datetime:
    """Return an instant that is written in UTC."""
    return datetime.fromisoformat(f"{text}+00:00")


def shown(at: datetime) -> str:
    """Return an instant as a timestamp sensor shows it."""
    return at.isoformat(timespec="seconds")


async def come(play: Stage, at: datetime, next_change: datetime | None) -> None:
    """Go on to an instant and look at what is said to come next."""
    await play.at(at.isoformat())
    expected = "unknown" if next_change is None else shown(next_change)
    assert play.see("next_change") == expected, f"at {at}"


async def plugged(play: Stage) -> None:
    """Plug a car in that takes whatever it gets."""
    play.box.plug(Car(capacity_kwh=900, energy_kwh=10))
    await eventually(lambda: play.see("vehicle_connected") == "on")
    await play.settle()


@pytest.mark.parametrize(
    "night", NIGHTS, ids=lambda one: f"{one.profile}-{one.zone}-{one.opens[:7]}"
)
@pytest.mark.slow
async def test_the_window_over_the_change(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    night: Night,
) -> None:
    """One start and one stop at the exact second; what comes next is told in time."""
    await hass.config.async_set_time_zone(VIENNA)
    opens, closes = utc(night.opens), utc(night.closes)
    assert closes - opens == timedelta(hours=night.hours)
    month = "2027-11" if night.opens_again < "02" else night.opens[:7]
    again = utc(f"{month}-{night.opens_again}")
    start, stops, stop = opens, closes, closes
    if night.delayed:
        start, stops = opens + 61 * SECOND, closes - timedelta(minutes=10)
        stop = stops + 123 * SECOND
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=(opens - timedelta(hours=3)).isoformat(),
        **night.settings,
    ) as play:
        play.deal(61, 123)
        await plugged(play)
        await come(play, opens - SECOND, opens)
        assert play.see("status") == "waiting_for_default_hours"
        if night.delayed:
            await come(play, opens, start)
            assert play.see("random_delay_ends") == shown(start)
            await come(play, start - SECOND, start)
        assert play.see("in_default_hours") == ("on" if night.delayed else "off")
        assert play.see.commands == ["allow/off"]
        await come(play, start, stops)
        assert play.see.commands == ["allow/off", "allow/on"]
        # Through the hour that is there twice, or not at all.
        for hour in range(1, night.hours):
            await come(play, opens + timedelta(hours=hour), stops)
            assert play.see("status") == "charging"
            assert play.see("in_default_hours") == "on"
        if night.delayed:
            await come(play, stops - SECOND, stops)
            await come(play, stops, stop)
        await come(play, stop - SECOND, stop)
        assert play.see.commands == ["allow/off", "allow/on"]
        await come(play, stop, again)
        await eventually(lambda: play.see("status") == "waiting_for_default_hours")
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]
        await come(play, closes, again)
        assert play.see("in_default_hours") == "off"
        assert len(play.wallbox.controller.state.delay.draws) == 2
        assert play.draws == ([] if night.delayed else [61, 123])
        # Where no regulation has a peak there is no entity of it.
        peak = find_entity(hass, play.simulator, "in_peak_hours")
        assert (peak is not None) is night.delayed


NIGHT: dict[str, Any] = {
    "first_use": {
        **hours(),
        "windows": [window.as_dict() for window in PRESETS[Preset.GB_NIGHT]],
    }
}


@pytest.mark.parametrize(
    ("eve", "opens", "closes"),
    [
        pytest.param("2027-03-27", "22:00:00", "07:00:00", marks=pytest.mark.slow),
        ("2027-10-30", "21:00:00", "08:00:00"),
    ],
)
async def test_the_night_and_the_peak(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    eve: str,
    opens: str,
    closes: str,
) -> None:
    """Ten to eight by the old and the new clock; so are Friday's and Monday's peak."""
    day = timedelta(days=1)
    start, end = utc(f"{eve}T{opens}"), utc(f"{eve}T{closes}") + day
    evening = timedelta(hours=14)
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=(start - day - SECOND).isoformat(),
        **NIGHT,
    ) as play:
        play.deal(437, 600, 0, 0, 0)
        assert play.see("in_peak_hours") == "on"
        await play.at((start - day).isoformat())
        assert play.see("in_peak_hours") == "off"
        await play.at((start - timedelta(hours=1)).isoformat())
        await plugged(play)
        await come(play, start - SECOND, start)
        await come(play, start, start + 437 * SECOND)
        await come(play, start + 437 * SECOND, end - timedelta(minutes=10))
        await come(play, end - timedelta(minutes=10), end)
        await come(play, end - SECOND, end)
        assert play.see.commands == ["allow/off", "allow/on"]
        # It stops at the very boundary, and Sunday evening opens by the new clock.
        await come(play, end, end + evening)
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]
        for later, peak in (
            # Sunday has none.
            (timedelta(hours=1), "off"),
            (timedelta(hours=10), "off"),
            (day - SECOND, "off"),
            (day, "on"),
            (timedelta(hours=27) - SECOND, "on"),
            (timedelta(hours=27), "off"),
            (timedelta(hours=32), "on"),
            (day + evening, "off"),
        ):
            await play.at((end + later).isoformat())
            assert play.see("in_peak_hours") == peak, later
        assert play.see.commands[3:5] == ["allow/on", "allow/off"]


@pytest.mark.slow
async def test_a_window_in_the_hour_that_comes_twice(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It opens the first time and closes the second time: one start, one delay."""
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin="2027-10-30T22:00:00+00:00",
        first_use=hours("01:15-01:45"),
    ) as play:
        play.deal(30, 45)
        await plugged(play)
        opens, closes = utc("2027-10-31T00:15"), utc("2027-10-31T01:45")
        await come(play, opens - SECOND, opens)
        await come(play, opens, opens + 30 * SECOND)
        stops = closes - timedelta(minutes=10)
        # At half past one by either clock, and where both meet.
        for minutes in (15, 45, 75):
            await come(play, opens + timedelta(minutes=minutes), stops)
            assert play.see("status") == "charging"
        await come(play, stops, stops + 45 * SECOND)
        await come(play, stops + 45 * SECOND, utc("2027-11-01T01:15"))
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]
        assert play.draws == []


async def test_a_window_that_does_not_exist(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hidden by the change it is left out that night, and told for the next."""
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin="2027-03-27T22:00:00+00:00",
        first_use=hours("01:15-01:45"),
    ) as play:
        play.deal()
        await plugged(play)
        following = utc("2027-03-29T00:15")
        for at in ("00:59:59", "01:00:00", "01:15:00", "02:00:00"):
            await come(play, utc(f"2027-03-28T{at}"), following)
            assert play.see("in_default_hours") == "off"
        assert play.see.commands == ["allow/off"]
