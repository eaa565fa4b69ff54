"""What a charging wallbox with a meter leaves in the recorder's database."""

import asyncio

import pytest

from bench.charging_day import HOUR_S, MINUTE_S, Day, play_day
from custom_components.loxone_wallbox.meter.shown import MARK_S

# A car comes after ten minutes and charges with 11 kW. A minute more than an hour, for
# what would be booked too late.
SECONDS = HOUR_S + MINUTE_S
# What is written when something begins, beside the minutes and the marks.
BEGINNINGS = 8


@pytest.fixture
async def day(socket_enabled: None) -> Day:
    """Return the beginning of a day."""
    # What it keeps of every task takes longer than all that is played.
    asyncio.get_running_loop().set_debug(False)
    return await play_day(SECONDS)


async def test_a_day_in_the_recorder(day: Day) -> None:
    """Each hour's statistics are what the meter counted, from a few rows."""
    assert day.readings >= SECONDS
    (hour,) = day.hours
    assert hour.counted_kwh > 9
    assert hour.recorded_kwh == pytest.approx(hour.counted_kwh, abs=1e-6)
    most = SECONDS / MINUTE_S + SECONDS / MARK_S + BEGINNINGS
    for name in ("charging_power", "energy_total"):
        assert most / 2 < day.rows[name] <= most, name
    for name in ("power_age", "meter_coverage", "status", "reason"):
        assert 0 < day.rows[name] <= BEGINNINGS, name
    shown = day.rows["charging_power"] + day.rows["energy_total"]
    assert shown <= 0.03 * (day.changes["power_w"] + day.changes["energy_kwh"])
