"""What a kilowatt-hour costs, when that changes, and what was agreed before.

Takes instants, gives prices. Three models of a tariff stand side by side: one price,
prices by the time of the week, and a series of prices that another source tells. A
price that is not known yet is None, never zero. Changing the supplier adds a line to
the book of tariffs: what was charged before keeps the tariff of its day.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import Any, Protocol, Self

from .money import Price, PriceStatus, TariffError, checked_currency, parse_price
from .schedule import ClockKind, Schedule, ScheduleError, Window

SCHEMA = 1
QUARTER = timedelta(minutes=15)
LONGEST_STEP = timedelta(hours=24)
MOST_RATES = 48
# Two years of hours with room: what a source may tell is not endless.
MOST_POINTS = 20_000


class Tariff(Protocol):
    """What every model can tell."""

    @property
    def id(self) -> str:
        """Return what tells it from the owner's other tariffs."""

    @property
    def currency(self) -> str:
        """Return the currency of its prices."""

    def price_at(self, at: datetime) -> Price | None:
        """Return the price at an instant, None where it is not known."""

    def price_id(self, at: datetime) -> str:
        """Return what changes exactly where the price may change."""

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return where the price may change, after an instant and up to another."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedTariff:
    """One price, always."""

    id: str
    currency: str
    per_kwh: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no tariff."""
        checked_currency(self.currency)
        parse_price(self.per_kwh)

    def price_at(self, _at: datetime) -> Price:
        """Return the price."""
        return Price(per_kwh=self.per_kwh, currency=self.currency)

    def price_id(self, _at: datetime) -> str:
        """Return what never changes."""
        return self.id

    def edges(self, _start: datetime, _end: datetime) -> list[datetime]:
        """Return none."""
        return []

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "kind": "fixed",
            "id": self.id,
            "currency": self.currency,
            "per_kwh": str(self.per_kwh),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A price within weekly windows."""

    per_kwh: Decimal
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeOfUseTariff:
    """Prices by the time of the week; of overlapping rates the first counts.

    Outside all of them `per_kwh` holds. `clock`: the meter of an old night tariff
    follows UTC all year.
    """

    id: str
    currency: str
    per_kwh: Decimal
    rates: tuple[Rate, ...]
    zone: tzinfo
    clock: ClockKind = ClockKind.LOCAL

    def __post_init__(self) -> None:
        """Refuse what is no tariff."""
        checked_currency(self.currency)
        for price in (self.per_kwh, *(rate.per_kwh for rate in self.rates)):
            parse_price(price)
        if not self.rates or len(self.rates) > MOST_RATES:
            raise TariffError("rates_invalid")
        if not all(rate.windows for rate in self.rates):
            raise TariffError("rate_without_windows")

    def _schedule(self, rate: Rate) -> Schedule:
        """Return when a rate is in force."""
        return Schedule(windows=rate.windows, zone=self.zone, clock=self.clock)

    def _rate_at(self, at: datetime) -> int | None:
        """Return the number of the rate in force, None outside all of them."""
        for number, rate in enumerate(self.rates):
            if self._schedule(rate).is_open(at):
                return number
        return None

    def price_at(self, at: datetime) -> Price:
        """Return the price at an instant."""
        number = self._rate_at(at)
        price = self.per_kwh if number is None else self.rates[number].per_kwh
        return Price(per_kwh=price, currency=self.currency)

    def price_id(self, at: datetime) -> str:
        """Return which rate is in force."""
        number = self._rate_at(at)
        return f"{self.id}:{'base' if number is None else number}"

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return where another rate begins."""
        found = {
            edge
            for rate in self.rates
            for edge in self._schedule(rate).boundaries(start, end)
        }
        return sorted(found)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; the zone is the home's and not part of it."""
        return {
            "kind": "time_of_use",
            "id": self.id,
            "currency": self.currency,
            "per_kwh": str(self.per_kwh),
            "clock": self.clock.value,
            "rates": [
                {
                    "per_kwh": str(rate.per_kwh),
                    "windows": [window.as_dict() for window in rate.windows],
                }
                for rate in self.rates
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class PricePoint:
    """A price from an instant on up to another, in UTC.

    It is provisional as long as the supplier may still change it.
    """

    start: datetime
    end: datetime
    per_kwh: Decimal
    provisional: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no price of a time."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise TariffError("price_time_naive")
        if self.end <= self.start:
            raise TariffError("price_end_before_start")
        parse_price(self.per_kwh)


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicTariff:
    """A series of prices as another source told them, in their order.

    `step` is how often the price may change: energy is kept apart at each step of UTC
    even while no price is known, so that a late one fits exactly. `fallback` holds,
    provisionally, where the source told none.
    """

    id: str
    currency: str
    step: timedelta = timedelta(minutes=30)
    fallback: Decimal | None = None
    points: tuple[PricePoint, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no tariff."""
        checked_currency(self.currency)
        if self.fallback is not None:
            parse_price(self.fallback)
        if not QUARTER <= self.step <= LONGEST_STEP or LONGEST_STEP % self.step:
            raise TariffError("price_step_invalid")
        if any(one.end > other.start for one, other in pairwise(self.points)):
            raise TariffError("prices_overlap")

    def told(self, points: Iterable[PricePoint]) -> Self:
        """Take prices that were told; the newer word holds where two differ."""
        kept = self.points
        for point in points:
            kept = _with(kept, point)
        return replace(self, points=kept[-MOST_POINTS:])

    def forgotten(self, before: datetime) -> Self:
        """Forget the prices of a time that no record needs any more."""
        kept = tuple(point for point in self.points if point.end > before)
        return replace(self, points=kept)

    def _point(self, at: datetime) -> PricePoint | None:
        """Return what was told about an instant."""
        number = bisect_right(self.points, at, key=_start) - 1
        if number < 0 or self.points[number].end <= at:
            return None
        return self.points[number]

    def price_at(self, at: datetime) -> Price | None:
        """Return the price at an instant, None where it is not known."""
        point = self._point(at)
        if point is not None:
            status = PriceStatus.PROVISIONAL if point.provisional else PriceStatus.FINAL
            return Price(per_kwh=point.per_kwh, currency=self.currency, status=status)
        if self.fallback is None:
            return None
        return Price(
            per_kwh=self.fallback,
            currency=self.currency,
            status=PriceStatus.PROVISIONAL,
        )

    def _step_at(self, at: datetime) -> datetime:
        """Return where the step of an instant begins."""
        seconds = int(self.step.total_seconds())
        return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)

    def price_id(self, at: datetime) -> str:
        """Return the step of an instant, or where within it a price begins or ends."""
        begin = self._step_at(at)
        number = bisect_right(self.points, at, key=_start) - 1
        if number >= 0:
            last = self.points[number]
            begin = max(begin, last.start if at < last.end else last.end)
        return f"{self.id}:{begin.astimezone(UTC):%Y%m%dT%H%M%S}"

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return each step, and where a told price begins or ends within one."""
        first = bisect_right(self.points, start, key=_end)
        found = set()
        for point in self.points[first:]:
            if point.start > end:
                break
            found |= {point.start, point.end}
        edge = self._step_at(start)
        while edge <= end:
            found.add(edge)
            edge += self.step
        return sorted(edge for edge in found if start < edge <= end)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "kind": "dynamic",
            "id": self.id,
            "currency": self.currency,
            "step_s": int(self.step.total_seconds()),
            "fallback": None if self.fallback is None else str(self.fallback),
            "points": [
                [
                    point.start.isoformat(),
                    point.end.isoformat(),
                    str(point.per_kwh),
                    point.provisional,
                ]
                for point in self.points
            ],
        }


def _start(point: PricePoint) -> datetime:
    """Return where a price begins."""
    return point.start


def _end(point: PricePoint) -> datetime:
    """Return where a price ends."""
    return point.end


def _with(points: tuple[PricePoint, ...], new: PricePoint) -> tuple[PricePoint, ...]:
    """Return the points with a new one, and what it leaves of those it covers."""
    first = bisect_right(points, new.start, key=_end)
    last = first
    middle: list[PricePoint] = []
    after: list[PricePoint] = []
    while last < len(points) and points[last].start < new.end:
        old = points[last]
        if old.start < new.start:
            middle.append(replace(old, end=new.start))
        if old.end > new.end:
            after.append(replace(old, start=new.end))
        last += 1
    return (*points[:first], *middle, new, *after, *points[last:])


def tariff_from_dict(data: Any, zone: tzinfo) -> Tariff:
    """Read a tariff; `zone` is that of the home. Raises `TariffError`."""
    try:
        match data["kind"]:
            case "fixed":
                return FixedTariff(
                    **_common(data), per_kwh=parse_price(data["per_kwh"])
                )
            case "time_of_use":
                return _time_of_use(data, zone)
            case "dynamic":
                return _dynamic(data)
    except TariffError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
        raise TariffError("tariff_unreadable") from err
    raise TariffError("tariff_unreadable")


def _common(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read what every tariff has."""
    return {"id": str(data["id"]), "currency": checked_currency(data["currency"])}


def _time_of_use(data: Mapping[str, Any], zone: tzinfo) -> TimeOfUseTariff:
    """Read prices by the time of the week."""
    try:
        rates = tuple(
            Rate(
                per_kwh=parse_price(rate["per_kwh"]),
                windows=tuple(Window.from_dict(one) for one in rate["windows"]),
            )
            for rate in data["rates"]
        )
    except ScheduleError as err:
        raise TariffError(err.key) from err
    return TimeOfUseTariff(
        **_common(data),
        per_kwh=parse_price(data["per_kwh"]),
        rates=rates,
        zone=zone,
        clock=ClockKind(data.get("clock", ClockKind.LOCAL)),
    )


def _dynamic(data: Mapping[str, Any]) -> DynamicTariff:
    """Read a series of prices."""
    fallback = data.get("fallback")
    return DynamicTariff(
        **_common(data),
        step=timedelta(seconds=int(data["step_s"])),
        fallback=None if fallback is None else parse_price(fallback),
        points=tuple(
            PricePoint(
                start=datetime.fromisoformat(start),
                end=datetime.fromisoformat(end),
                per_kwh=parse_price(price),
                provisional=bool(provisional),
            )
            for start, end, price, provisional in data.get("points", ())
        ),
    )
