"""What a wallbox's month added up to, and when that is told.

Takes an instant and the history, gives the month that is over; months are those of the
home's calendar.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from homeassistant.core import HomeAssistant

from .coordinator import WallboxCoordinator
from .history_query import ATTR_VISITS, Box, home_zone, key_of
from .history_summary import (
    ATTR_BY_USER,
    ATTR_BY_WALLBOX,
    ATTR_DATE,
    ATTR_PERIOD,
    Period,
    async_summary,
)

# In the morning of the first day; nobody wants to hear of it at midnight.
TOLD_AT = time(hour=8)
# Later in the month nobody asks for the last one any more.
TOLD_UNTIL_DAY = 7
DAY = timedelta(days=1)


def month_due(now: datetime) -> tuple[date | None, datetime]:
    """Return the first day of a month to be told of now, and when the next one is."""
    zone = home_zone()
    local = now.astimezone(zone)
    first = local.date().replace(day=1)
    begin = datetime.combine(first, TOLD_AT, zone)
    due = local >= begin and local.day <= TOLD_UNTIL_DAY
    if local < begin:
        following = begin
    else:
        later = (first + 31 * DAY).replace(day=1)
        following = datetime.combine(later, TOLD_AT, zone)
    month = (first - DAY).replace(day=1) if due else None
    return month, following.astimezone(UTC)


async def async_month(
    hass: HomeAssistant, wallbox: WallboxCoordinator, month: date
) -> dict[str, Any] | None:
    """Return what a month added up to, None where nothing was charged."""
    key = key_of(wallbox)
    box = Box(device_id="", title=wallbox.title, key=key, wallbox=wallbox)
    asked = {
        ATTR_PERIOD: Period.MONTH,
        ATTR_DATE: month,
        ATTR_BY_WALLBOX: False,
        ATTR_BY_USER: False,
        ATTR_VISITS: False,
    }
    total = (await async_summary(hass, {key: box}, asked))["total"]
    if not total["sessions"] and not total["energy_kwh"]:
        return None
    return {
        "month": f"{month:%Y-%m}",
        "sessions": total["sessions"],
        "energy": total["energy_kwh"],
        "charging_time": total["charging_s"],
        "costs": total["costs"],
    }
