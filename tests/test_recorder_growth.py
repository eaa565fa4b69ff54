"""What a charging wallbox with a meter leaves in the recorder's database."""

import asyncio

import pytest

from bench.charging_day import HOUR_S, MINUTE_S, Day, play_day
from custom_components.loxone_wallbox.meter.shown import MARK_S

# A car comes after a minute and charges with 11 kW. A minute more than an hour, for
# what would be booked too late.
SECONDS = HOUR_S + MINUTE_S
# Three minutes of charging, in which the Miniserver tells its power each second.
BEGINNING_S = 4 * MINUTE_S
# What is written when something begins, beside the minutes and the marks.
BEGINNINGS = 8
# What goes on for as long as a car is there.
FLOWING = (
    "charging_power",
    "energy_total",
    "session_energy",
    "session_charging_time",
    "session_connected_time",
)


def played(seconds: int, *, each_reading: bool = False) -> Day:
    """Return the beginning of a day, played in a loop of its own."""
    return asyncio.run(play_day(seconds, each_reading=each_reading))


def most_rows(seconds: int) -> float:
    """Return how many rows an entity may write in so many seconds."""
    return seconds / MINUTE_S + seconds / MARK_S + BEGINNINGS


def test_what_the_miniserver_tells_writes_no_rows(socket_enabled: None) -> None:
    """A session's entities are written with its meter's, and no other one more often."""
    rows = played(BEGINNING_S).rows
    assert rows["charging_power"] >= 3
    for name in rows:
        assert rows[name] <= rows["charging_power"] + 2, name


@pytest.mark.slow
def test_a_day_in_the_recorder(socket_enabled: None) -> None:
    """Each hour's statistics are what the meter counted, from a few rows."""
    day = played(SECONDS)
    every = played(SECONDS, each_reading=True)
    assert day.readings >= SECONDS
    (hour,) = day.hours
    assert hour.counted_kwh > 10
    assert hour.recorded_kwh == pytest.approx(hour.counted_kwh, abs=1e-6)
    for name in FLOWING:
        assert most_rows(SECONDS) / 2 < day.rows[name] <= most_rows(SECONDS), name
        assert every.rows[name] > SECONDS / 2, name
    for name, rows in day.rows.items():
        assert rows <= most_rows(SECONDS), name
    for name in ("power_age", "meter_coverage", "status", "reason"):
        assert 0 < day.rows[name] <= BEGINNINGS, name
    assert day.rows.total() <= 0.03 * every.rows.total()
