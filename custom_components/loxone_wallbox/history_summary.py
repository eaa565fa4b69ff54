"""What sessions add up to in a month, a year, the last twelve months or any time.

Takes wallboxes and a period, gives sums in words and units. Energy counts in the month
in which it flowed, also that of a session over the month's end; a session counts where
it begins.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import Any

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .charging.schedule import Span, wall_clock
from .charging.slices import DAY, MONTHS, month_span, year_before
from .history import async_get_store
from .history_plain import kwh, major
from .history_query import (
    ATTR_END,
    ATTR_START,
    ATTR_VISITS,
    FILTERS,
    Box,
    async_names_of,
    home_zone,
    span_of,
    users_of,
)
from .naming import Names
from .records.rows import Sum, Wanted
from .targets import invalid

ATTR_BY_USER = "by_user"
ATTR_BY_WALLBOX = "by_wallbox"
ATTR_DATE = "date"
ATTR_MONTHS = "months"
ATTR_PERIOD = "period"
# A list of more months is no view of anything.
MOST_MONTHS = 120
FIRST_YEAR, LAST_YEAR = 2000, 2199


class Period(StrEnum):
    """Of which time the sums are."""

    MONTH = "month"
    YEAR = "year"
    ROLLING_YEAR = "rolling_year"
    CUSTOM = "custom"


SUMMARY_SCHEMA: dict[Any, Any] = {
    probatio.Optional(ATTR_PERIOD, default=Period.MONTH): probatio.Coerce(Period),
    probatio.Optional(ATTR_DATE): cv.date,
    probatio.Optional(ATTR_BY_WALLBOX, default=False): cv.boolean,
    probatio.Optional(ATTR_BY_USER, default=False): cv.boolean,
    probatio.Optional(ATTR_MONTHS): cv.boolean,
    **FILTERS,
}


async def async_summary(
    hass: HomeAssistant, boxes: Mapping[str, Box], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what sessions add up to."""
    names, zone = await async_names_of(hass, boxes), home_zone()
    users = users_of(asked, names)
    whole = period_span(asked, zone, dt_util.utcnow())
    listed = asked.get(ATTR_MONTHS, asked[ATTR_PERIOD] is Period.YEAR)
    months = list(_months(whole, zone)) if listed else []
    spans = [
        Wanted(
            start=span.start.timestamp(),
            end=span.end.timestamp(),
            wallboxes=tuple(boxes),
            users=users,
            visits=asked[ATTR_VISITS],
        )
        for span in (whole, *(span for _, span in months))
    ]
    total, *by_month = await async_get_store(hass).async_sums(
        spans, by_wallbox=asked[ATTR_BY_WALLBOX], by_user=asked[ATTR_BY_USER]
    )
    answer: dict[str, Any] = {
        "period": asked[ATTR_PERIOD].value,
        **_times(whole, zone),
        "total": _figures(total),
    }
    if asked[ATTR_BY_WALLBOX]:
        answer["wallboxes"] = list(_by_wallbox(boxes, total))
    if asked[ATTR_BY_USER]:
        answer["users"] = list(_by_user(total, names))
    if listed:
        answer["months"] = [
            {"month": name, **_times(span, zone), **_figures(sums)}
            for (name, span), sums in zip(months, by_month, strict=True)
        ]
    return answer


def period_span(asked: Mapping[str, Any], zone: tzinfo, now: datetime) -> Span:
    """Return from when to when a period lasts by the clock of a zone, in UTC.

    A year before a day ends with that day; without a day it ends now.
    """
    period, day = asked[ATTR_PERIOD], asked.get(ATTR_DATE)
    start, end = span_of(asked)
    if period is Period.CUSTOM:
        if start is None or end is None or day is not None:
            raise invalid("summary_custom_fields")
        return Span(start, end)
    if asked.get(ATTR_START) is not None or asked.get(ATTR_END) is not None:
        raise invalid("summary_only_custom")
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise invalid("summary_date_invalid")
    if period is Period.ROLLING_YEAR:
        if day is not None:
            now = _midnight(day + DAY, zone)
        return Span(year_before(now, zone), now)
    day = now.astimezone(zone).date() if day is None else day
    if period is Period.MONTH:
        return month_span(day.year, day.month, zone)
    return Span(
        month_span(day.year, 1, zone).start, month_span(day.year, MONTHS, zone).end
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return where a day begins."""
    return wall_clock(zone, day, 0, second=False)


def _months(span: Span, zone: tzinfo) -> Iterator[tuple[str, Span]]:
    """Return the months that a span is in, the first and the last cut by it."""
    if not FIRST_YEAR <= span.start.year <= span.end.year <= LAST_YEAR:
        raise invalid("summary_too_many_months")
    local = span.start.astimezone(zone)
    number = local.year * MONTHS + local.month - 1
    for count in range(MOST_MONTHS + 1):
        year, month = divmod(number + count, MONTHS)
        whole = month_span(year, month + 1, zone)
        if whole.start >= span.end:
            return
        if count == MOST_MONTHS:
            raise invalid("summary_too_many_months")
        part = Span(max(whole.start, span.start), min(whole.end, span.end))
        yield f"{year:04}-{month + 1:02}", part


def _times(span: Span, zone: tzinfo) -> dict[str, str]:
    """Return from when to when, by both clocks."""
    return {
        f"{name}_{clock}": at.astimezone(by).isoformat()
        for name, at in (("start", span.start), ("end", span.end))
        for clock, by in (("local", zone), ("utc", UTC))
    }


def _by_wallbox(boxes: Mapping[str, Box], sums: list[Sum]) -> Iterator[dict[str, Any]]:
    """Return the sums of each wallbox, also of one without a session."""
    for box in boxes.values():
        own = [one for one in sums if one.wallbox == box.key]
        yield {"device_id": box.device_id, "wallbox": box.title, **_figures(own)}


def _by_user(sums: list[Sum], names: Names) -> Iterator[dict[str, Any]]:
    """Return the sums of each user; None are sessions of nobody known.

    Whom the owner calls the same is one.
    """
    users = {names.shown(one.user_id) for one in sums}
    for user in sorted(users, key=lambda one: (not one, one)):
        own = [one for one in sums if names.shown(one.user_id) == user]
        yield {"user": user, **_figures(own)}


def _figures(sums: list[Sum]) -> dict[str, Any]:
    """Return sums as one; each currency has its own cost."""

    def total(pick: Callable[[Sum], int]) -> int:
        """Add a figure up."""
        return sum(pick(one) for one in sums)

    return {
        "sessions": total(lambda one: one.sessions),
        "energy_kwh": kwh(total(lambda one: one.energy_wh)),
        "charging_s": total(lambda one: one.charging_s),
        "connected_s": total(lambda one: one.connected_s),
        "costs": list(_costs(sums)),
        "provisional_kwh": kwh(total(lambda one: one.provisional_wh)),
        "unknown_kwh": kwh(total(lambda one: one.unknown_wh)),
    }


def _costs(sums: Iterable[Sum]) -> Iterator[dict[str, Any]]:
    """Return the cost in each currency."""
    costs: dict[str, int] = {}
    for one in sums:
        if one.currency is not None and one.cost is not None:
            costs[one.currency] = costs.get(one.currency, 0) + one.cost
    for currency in sorted(costs):
        yield {"currency": currency, "cost": major(costs[currency], currency)}
