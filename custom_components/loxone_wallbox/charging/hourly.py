"""What a session adds to each hour of UTC: energy, cost and charging time.

Takes a session's record, gives its hours in their order. Energy is what the record says
of the hour; cost goes with the energy of each slice, charging time with the segments,
both as running sums, so that the hours add up to the session.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .session import Kind, SessionRecord
from .slices import HOUR, Slice, floor_hour

# What adding fractions may be off by, in seconds.
NOISE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class HourSum:
    """An hour that begins at `start`; `costs` in the smallest unit of each currency.

    What has no price yet costs nothing in any.
    """

    start: datetime
    energy_wh: int = 0
    charging_s: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)
    sessions: int = 0


def hours_of(record: SessionRecord) -> list[HourSum]:
    """Return the hours of an occasion; a visit adds to none."""
    if record.kind is Kind.VISIT:
        return []
    energy = {one.start: one.wh for one in record.hours}
    charging = _charging(record)
    costs = _costs(record)
    begin = floor_hour(record.first_import_utc or record.connected_utc)
    counts = {begin: 1} if record.kind is Kind.OCCASION else {}
    return [
        HourSum(
            start=start,
            energy_wh=energy.get(start, 0),
            charging_s=charging.get(start, 0),
            costs=costs.get(start, {}),
            sessions=counts.get(start, 0),
        )
        for start in sorted({*energy, *charging, *costs, *counts})
    ]


def added_up(hours: Iterable[HourSum]) -> list[HourSum]:
    """Return one sum for each hour, in their order."""
    found: dict[datetime, HourSum] = {}
    for hour in hours:
        other = found.get(hour.start)
        found[hour.start] = hour if other is None else _plus(other, hour)
    return [found[start] for start in sorted(found)]


def _plus(one: HourSum, other: HourSum) -> HourSum:
    """Add two sums of the same hour."""
    costs = dict(one.costs)
    for currency, cost in other.costs.items():
        costs[currency] = costs.get(currency, 0) + cost
    return HourSum(
        start=one.start,
        energy_wh=one.energy_wh + other.energy_wh,
        charging_s=one.charging_s + other.charging_s,
        costs=costs,
        sessions=one.sessions + other.sessions,
    )


def _charging(record: SessionRecord) -> dict[datetime, int]:
    """Return the charging time of each hour, in whole seconds."""
    exact: dict[datetime, float] = {}
    for one in record.segments:
        length = (one.end - one.start).total_seconds()
        for start, end in _cut(one.start, one.end):
            share = (end - start).total_seconds() / length if length else 1.0
            hour = floor_hour(start)
            seconds = one.importing.total_seconds() * share
            exact[hour] = exact.get(hour, 0.0) + seconds
    found: dict[datetime, int] = {}
    running, told = 0.0, 0
    hours = sorted(exact)
    for hour in hours:
        running += exact[hour]
        upto = record.importing_s if hour == hours[-1] else int(running + NOISE)
        found[hour] = min(upto, record.importing_s) - told
        told += found[hour]
    return found


def _cut(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Return the parts of a stretch by hour; a stretch of no length is one part."""
    while True:
        edge = floor_hour(start) + HOUR
        yield start, min(edge, end)
        if edge >= end:
            return
        start = edge


def _costs(record: SessionRecord) -> dict[datetime, dict[str, int]]:
    """Return the cost of each hour, by currency.

    A slice may lie in many hours and an hour may have many slices. Both are in order,
    so their energy can be laid side by side from the beginning.
    """
    found: dict[datetime, dict[str, int]] = {}
    left: list[tuple[datetime, int]] = [(one.start, one.wh) for one in record.hours]
    for part in record.slices:
        told = wh = 0
        while wh < part.wh and left:
            hour, there = left[0]
            taken = min(there, part.wh - wh)
            wh += taken
            if taken == there:
                left.pop(0)
            else:
                left[0] = (hour, there - taken)
            if part.cost_minor is None or part.currency is None:
                continue
            upto = _share(part, wh)
            costs = found.setdefault(hour, {})
            costs[part.currency] = costs.get(part.currency, 0) + upto - told
            told = upto
    return found


def _share(part: Slice, wh: int) -> int:
    """Return the cost of the first watt-hours of a slice, in whole minor units."""
    cost = part.cost_minor or 0
    return cost if wh == part.wh else cost * wh // part.wh
