"""P6: what a day of charging adds to the recorder's database."""

import asyncio
import time

from .charging_day import Day, play_day
from .report import Figure
from custom_components.loxone_wallbox.meter.shown import BEFORE_MARK_S

DAY_S = 86_400
TARGET_PERCENT = 3.0
# The recorder's figures are sums of floats; the meter counts nothing as small.
EXACT_KWH = 1e-6


def recorder_growth(seconds: int | None = None) -> tuple[Figure, ...]:
    """Play a day, and compare its rows with those of every second."""
    return asyncio.run(_measure(DAY_S if seconds is None else seconds))


async def _measure(seconds: int) -> tuple[Figure, ...]:
    """Play the day."""
    start = time.monotonic()
    day = await play_day(seconds)
    took = time.monotonic() - start
    shortened = seconds < DAY_S
    rows, most = day.rows.total(), day.changes.total()
    return (
        Figure(
            id="P6",
            name="recorder_rows_percent",
            value=100 * rows / most,
            target=TARGET_PERCENT,
            shortened=shortened,
            notes=(
                f"all entities of a wallbox in {seconds / 3600:.3g} h: {rows} rows",
                f"of the meter's with every second shown: {most} rows",
                _beside(day),
                f"{day.readings} readings, {seconds / took:.0f} seconds played in one",
            ),
        ),
        _lost_figure(day, shortened=shortened),
    )


def _beside(day: Day) -> str:
    """Return the rows of the entities that change most."""
    rows, changes = day.rows, day.changes
    return (
        f"charging_power {rows['charging_power']} of {changes['power_w']}, "
        f"energy_total {rows['energy_total']} of {changes['energy_kwh']}"
    )


def _lost_figure(day: Day, *, shortened: bool) -> Figure:
    """Return how many hours' statistics are not what the meter counted."""
    wrong = [
        hour
        for hour in day.hours
        if hour.recorded_kwh is None
        or abs(hour.recorded_kwh - hour.counted_kwh) > EXACT_KWH
    ]
    recorded = sum(hour.recorded_kwh or 0.0 for hour in day.hours)
    counted = sum(hour.counted_kwh for hour in day.hours)
    return Figure(
        id="P6",
        name="hours_not_exact",
        value=len(wrong) if day.hours else 1,
        target=0,
        shortened=shortened,
        notes=(
            f"{len(day.hours)} hours by the recorder's statistics: {recorded:.3f} kWh",
            f"by the meter's counter: {counted:.3f} kWh",
            f"an hour ends with what is shown {BEFORE_MARK_S:g} s before it",
            *(
                f"{hour.start:%H:%M} {hour.recorded_kwh} kWh, not {hour.counted_kwh}"
                for hour in wrong
            ),
        ),
    )
