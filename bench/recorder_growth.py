"""P6: what a day of charging adds to the recorder's database."""

import asyncio
import time

from .charging_day import METER, PROFILE, Day, play_day
from .report import Figure
from custom_components.loxone_wallbox.meter.shown import BEFORE_MARK_S

DAY_S = 86_400
TARGET_PERCENT = 3.0
# The recorder's figures are sums of floats; the meter counts nothing as small.
EXACT_KWH = 1e-6
# So many entities are named with their rows.
NAMED = 8


def recorder_growth(seconds: int | None = None) -> tuple[Figure, ...]:
    """Play a day as it is, and again with every reading shown; compare their rows.

    Each has a loop of its own: where a Home Assistant has ended, another one's recorder
    cannot ask for states.
    """
    seconds = DAY_S if seconds is None else seconds
    start = time.monotonic()
    day = asyncio.run(play_day(seconds))
    every = asyncio.run(play_day(seconds, each_reading=True))
    took = time.monotonic() - start
    shortened = seconds < DAY_S
    rows, most = day.rows.total(), every.rows.total()
    return (
        Figure(
            id="P6",
            name="recorder_rows_percent",
            value=100 * rows / most,
            target=TARGET_PERCENT,
            shortened=shortened,
            notes=(
                f"all entities of a wallbox in {seconds / 3600:.3g} h: {rows} rows",
                f"the same ones with every reading shown: {most} rows",
                *_by_entity(day, every),
                f"{day.readings} readings of {METER}, one each {PROFILE.poll_s:g} s",
                "the target is for a meter that is read each second",
                f"both played in {took:.0f} s",
            ),
        ),
        _lost_figure(day, shortened=shortened),
    )


def _by_entity(day: Day, every: Day) -> list[str]:
    """Return the rows of the entities that have most of them."""
    named = [
        f"{name} {rows} of {every.rows[name]}"
        for name, rows in day.rows.most_common(NAMED)
    ]
    others = day.rows.total() - sum(rows for _, rows in day.rows.most_common(NAMED))
    return [*named, f"all others {others}"]


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
