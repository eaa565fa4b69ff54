"""What the demo's household does from yesterday evening on.

At any hour of today there is a car that charges, waits or has finished.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scripts.demo_lib.stage import Stage

# Of the demo's Home Assistant.
ZONE = ZoneInfo("Europe/London")
EVENING = time(17, 25)
GRID_KW = 6.0


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that happens at an instant, to the wallbox with this number."""

    at: datetime
    wallbox: int
    text: str
    do: Callable[[Stage, int], Awaitable[None]]


def yesterday_evening(now: datetime) -> datetime:
    """Return when the history begins."""
    return _local(now, -1, EVENING.hour, EVENING.minute)


def acts(evening: datetime) -> list[Act]:
    """Return what happens between an evening and the end of the next day.

    The first car is a commuter's; the second only leaves for a short trip. The grid
    asks for less in a part of the night.
    """
    start, end = _local(evening, 0, 23), _local(evening, 0, 23, 30)
    return [
        _plug(_local(evening, 0, 17, 30), 0, 60),
        _plug(_local(evening, 0, 18, 40), 1, 24),
        Act(
            at=_local(evening, 0, 22, 30),
            wallbox=0,
            text=f"the grid asks for {GRID_KW:g} kW from 23:00 to 23:30",
            do=lambda stage, number: stage.wallboxes[number].act(
                "dsr_start",
                event_id="evening",
                kind="limit",
                limit_kw=GRID_KW,
                start=start.isoformat(),
                end=end.isoformat(),
            ),
        ),
        _unplug(_local(evening, 1, 7, 45), 0),
        _unplug(_local(evening, 1, 11, 10), 1),
        _plug(_local(evening, 1, 11, 30), 1, 9),
        _plug(_local(evening, 1, 17, 30), 0, 40),
    ]


def _local(since: datetime, day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of the household in UTC, so many days from another's day."""
    date = since.astimezone(ZONE).date() + timedelta(days=day)
    return datetime.combine(date, time(hour, minute), ZONE).astimezone(UTC)


def _plug(at: datetime, wallbox: int, free_kwh: float) -> Act:
    """Return a car's arrival."""
    return Act(
        at=at,
        wallbox=wallbox,
        text=f"a car with {free_kwh:g} kWh free is plugged in",
        do=lambda stage, number: stage.world.plug(
            stage.wallboxes[number].name, free_kwh
        ),
    )


def _unplug(at: datetime, wallbox: int) -> Act:
    """Return a car's departure."""
    return Act(
        at=at,
        wallbox=wallbox,
        text="the car leaves",
        do=lambda stage, number: stage.world.unplug(stage.wallboxes[number].name),
    )
