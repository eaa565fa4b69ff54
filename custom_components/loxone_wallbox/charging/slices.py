"""The parts of a session's energy, and where a clock cuts them.

Takes instants and a time zone, gives the next cut; takes parts, gives the energy within
a span. Energy is in whole Wh and is cut by its running sum, so that parts always add up
to the whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Self

from .money import PriceStatus
from .schedule import Schedule, Span, wall_clock
from .status import CHARGING_W, FINISHED_WH

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MONTHS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRules:
    """What a session is measured by.

    `zone` is that of the home, `peak` the peak hours of the regulation profile in its
    own zone. A stay with less than `min_wh` is a visit; a car charges above
    `charging_w`, and never above `max_w`, 0 where that is unknown.
    """

    zone: tzinfo
    peak: Schedule | None = None
    min_wh: int = int(FINISHED_WH)
    charging_w: float = CHARGING_W
    max_w: float = 0.0

    def in_peak(self, at: datetime) -> bool:
        """Tell whether an instant is in the peak."""
        return self.peak is not None and self.peak.is_open(at)

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the midnights and the edges of the peak, after start up to end."""
        found: set[datetime] = set()
        midnight = next_midnight(self.zone, start)
        while midnight <= end:
            found.add(midnight)
            midnight = next_midnight(self.zone, midnight)
        if self.peak is not None:
            found.update(self.peak.boundaries(start, end))
        return sorted(found)

    def next_cut(self, after: datetime) -> datetime:
        """Return the next full hour of UTC, or the edge before it."""
        hour = floor_hour(after) + HOUR
        return next(iter(self.edges(after, hour)), hour)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """A part within one day, price, event and side of the peak; instants in UTC.

    It reaches from its first energy to its last. `price` is that of a kWh, `cost_minor`
    in the currency's smallest unit. It is `estimated` where some of its energy is exact,
    but not when it flowed.
    """

    start: datetime
    end: datetime
    wh: int
    in_peak: bool = False
    dsr_id: str | None = None
    price_id: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    price_status: PriceStatus = PriceStatus.UNKNOWN
    cost_minor: int | None = None
    estimated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "wh": self.wh,
            "in_peak": self.in_peak,
            "dsr_id": self.dsr_id,
            "price_id": self.price_id,
            "price": None if self.price is None else str(self.price),
            "currency": self.currency,
            "price_status": self.price_status.value,
            "cost_minor": self.cost_minor,
            "estimated": self.estimated,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        price = data["price"]
        return cls(
            start=datetime.fromisoformat(data["start"]),
            end=datetime.fromisoformat(data["end"]),
            wh=data["wh"],
            in_peak=data["in_peak"],
            dsr_id=data["dsr_id"],
            price_id=data["price_id"],
            price=None if price is None else Decimal(price),
            currency=data["currency"],
            price_status=PriceStatus(data["price_status"]),
            cost_minor=data["cost_minor"],
            # What was kept before anybody marked it has no mark.
            estimated=data.get("estimated", False),
        )


def floor_hour(at: datetime) -> datetime:
    """Return the full hour of UTC before an instant."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def next_midnight(zone: tzinfo, after: datetime) -> datetime:
    """Return where the next day of a zone begins, in UTC.

    Where the clock skips midnight it is the first instant of that day.
    """
    day = after.astimezone(zone).date()
    while True:
        day += DAY
        midnight = wall_clock(zone, day, 0, second=False)
        if midnight > after:
            return midnight


def part_wh(wh: int, start: datetime, end: datetime, at: datetime) -> int:
    """Return how much of an energy has flowed by an instant, in whole Wh.

    It flows evenly from start to end; what flows in no time at all flows just after
    start.
    """
    if at <= start:
        return 0
    if at >= end:
        return wh
    return wh * ((at - start) // MICROSECOND) // ((end - start) // MICROSECOND)


def energy_wh(slices: Iterable[Slice], start: datetime, end: datetime) -> int:
    """Return the energy from an instant up to another.

    Neighbouring spans share a slice without a rest: months add up to their year.
    """
    return sum(
        part_wh(one.wh, one.start, one.end, end)
        - part_wh(one.wh, one.start, one.end, start)
        for one in slices
    )


def month_span(year: int, month: int, zone: tzinfo) -> Span:
    """Return a month of a zone."""
    following = date(year + month // MONTHS, month % MONTHS + 1, 1)
    return Span(
        wall_clock(zone, date(year, month, 1), 0, second=False),
        wall_clock(zone, following, 0, second=False),
    )


def year_before(at: datetime, zone: tzinfo) -> datetime:
    """Return the same local time a year back; the 28th for the 29th of February."""
    local = at.astimezone(zone)
    try:
        day = local.date().replace(year=local.year - 1)
    except ValueError:
        day = local.date().replace(year=local.year - 1, day=28)
    minutes = local.hour * 60 + local.minute
    begin = wall_clock(zone, day, minutes, second=bool(local.fold))
    return begin + timedelta(seconds=local.second, microseconds=local.microsecond)
