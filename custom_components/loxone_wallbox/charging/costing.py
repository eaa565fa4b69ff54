"""What a session costs: which tariff held when, and prices that come late or change.

Takes a record and the book of tariffs, gives the record with prices. Energy stands
first and is never touched by a price: only where a late price begins within a slice is
that slice divided, and its energy with it. A price that was replaced is kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Self

from .money import Price, PriceStatus, TariffError, cost_minor
from .session import Repricing, SessionRecord
from .slices import Slice, part_wh
from .tariff import SCHEMA, DynamicTariff, Tariff, tariff_from_dict

# A price that changes without end does not make a record endless.
MOST_REPRICINGS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A tariff, or none, from an instant on; without one it has held since ever."""

    tariff: Tariff | None
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TariffBook:
    """The tariffs of a wallbox in the order in which they came to hold."""

    agreements: tuple[Agreement, ...] = ()

    def switched(self, tariff: Tariff | None, since: datetime | None = None) -> Self:
        """Let a tariff, or none, hold from an instant on; what was before stays."""
        if since is None:
            return replace(self, agreements=(Agreement(tariff=tariff),))
        earlier = tuple(
            one for one in self.agreements if one.since is None or one.since < since
        )
        return replace(
            self, agreements=(*earlier, Agreement(tariff=tariff, since=since))
        )

    def updated(self, tariff: Tariff) -> Self:
        """Take a newer word of a tariff that is in the book, by its id."""
        agreements = tuple(
            replace(one, tariff=tariff) if _id(one) == tariff.id else one
            for one in self.agreements
        )
        return replace(self, agreements=agreements)

    def forgotten(self, before: datetime) -> Self:
        """Forget what held at an earlier time only, and the prices told of that time."""
        first = 0
        for number, one in enumerate(self.agreements):
            if one.since is not None and one.since <= before:
                first = number
        kept = self.agreements[first:]
        return replace(self, agreements=tuple(_recent(one, before) for one in kept))

    def at(self, at: datetime) -> Tariff | None:
        """Return the tariff that holds at an instant."""
        for one in reversed(self.agreements):
            if one.since is None or one.since <= at:
                return one.tariff
        return None

    def price_at(self, at: datetime) -> Price | None:
        """Return the price at an instant, None where it is not known."""
        tariff = self.at(at)
        return None if tariff is None else tariff.price_at(at)

    def price_id(self, at: datetime) -> str | None:
        """Return what changes exactly where the price may change."""
        tariff = self.at(at)
        return None if tariff is None else tariff.price_id(at)

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return where the price may change, after an instant and up to another."""
        found = {
            one.since
            for one in self.agreements
            if one.since is not None and start < one.since <= end
        }
        for one in self.agreements:
            if one.tariff is None:
                continue
            found |= {
                edge
                for edge in one.tariff.edges(start, end)
                if self.at(edge) is one.tariff
            }
        return sorted(found)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": SCHEMA,
            "agreements": [
                {
                    "since": None if one.since is None else one.since.isoformat(),
                    "tariff": None if one.tariff is None else one.tariff.as_dict(),
                }
                for one in self.agreements
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], zone: tzinfo) -> Self:
        """Read plain data. Raises `TariffError` for what cannot be read."""
        if data.get("schema") != SCHEMA:
            raise TariffError("tariff_schema_unknown")
        try:
            return cls(
                agreements=tuple(
                    Agreement(
                        tariff=one["tariff"] and tariff_from_dict(one["tariff"], zone),
                        since=one["since"] and datetime.fromisoformat(one["since"]),
                    )
                    for one in data["agreements"]
                )
            )
        except TariffError:
            raise
        except (KeyError, TypeError, ValueError) as err:
            raise TariffError("tariff_unreadable") from err


def _id(one: Agreement) -> str | None:
    """Return the id of what was agreed."""
    return None if one.tariff is None else one.tariff.id


def _recent(one: Agreement, before: datetime) -> Agreement:
    """Return an agreement without prices of a time that is over."""
    if not isinstance(one.tariff, DynamicTariff):
        return one
    return replace(one, tariff=one.tariff.forgotten(before))


def priced(
    record: SessionRecord,
    tariffs: TariffBook,
    at: datetime,
    *,
    being_said: datetime | None = None,
    stays: Callable[[Slice], bool] = lambda _one: False,
    fresh: Callable[[Slice, TariffBook], Iterable[Slice]] | None = None,
) -> SessionRecord:
    """Return a record with the prices that are known at an instant.

    The same record where nothing changes. A price that is not known any more stays.
    What a source says of the time after `being_said` may still be corrected by it: such
    a correction replaces nothing that was said for good. Whoever knows which slice
    `stays` as it is, or the parts of one that has no price yet, saves the work.
    """
    slices: list[Slice] = []
    replaced: list[Repricing] = []
    for one in record.slices:
        if stays(one):
            slices.append(one)
            continue
        if one.price is None:
            slices += (fresh or parts_of)(one, tariffs)
            continue
        for part in _divided(one, tariffs):
            now = _with_price(part, tariffs.price_at(part.start))
            still = being_said is not None and part.start >= being_said
            said = still and part.price_status is PriceStatus.FINAL
            if _terms(part) != _terms(now) and not said:
                replaced.append(_replaced(part, at))
            slices.append(now)
    total = _total(slices)
    currency, cost, status = total
    if tuple(slices) == record.slices and total == _cost(record):
        return record
    return replace(
        record,
        slices=tuple(slices),
        currency=currency,
        cost_minor=cost,
        cost_status=status,
        repricings=(*record.repricings, *replaced)[-MOST_REPRICINGS:],
        revision=record.revision + 1,
    )


def parts_of(one: Slice, tariffs: TariffBook) -> tuple[Slice, ...]:
    """Return the parts of a slice that has no price yet, each with its own."""
    return tuple(
        _with_price(part, tariffs.price_at(part.start))
        for part in _divided(one, tariffs)
    )


def _divided(one: Slice, tariffs: TariffBook) -> Iterable[Slice]:
    """Give the parts of a slice with a price each; mostly that is the slice.

    Within a slice energy counts as even; the rest of a watt-hour is the last part's.
    """
    price, start, before = tariffs.price_at(one.start), one.start, 0
    for edge in tariffs.edges(one.start, one.end):
        following = tariffs.price_at(edge)
        if edge >= one.end or following == price:
            continue
        by_then = part_wh(one.wh, one.start, one.end, edge)
        if by_then > before:
            yield _part(one, start, edge, by_then - before)
            before = by_then
        price, start = following, edge
    if before == 0 and start == one.start:
        yield one
    elif one.wh > before:
        yield _part(one, start, one.end, one.wh - before)


def _part(one: Slice, start: datetime, end: datetime, wh: int) -> Slice:
    """Return a part of a slice, at what the slice cost so far."""
    part = replace(one, start=start, end=end, wh=wh)
    if one.price is None or one.currency is None:
        return part
    price = Price(per_kwh=one.price, currency=one.currency, status=one.price_status)
    return replace(part, cost_minor=cost_minor(wh, price))


def _with_price(one: Slice, price: Price | None) -> Slice:
    """Return a slice with a price, as it is without one.

    What is final is replaced by what is final only, not by a guess.
    """
    if price is None:
        return one
    final = PriceStatus.FINAL
    if one.price_status is final and price.status is not final:
        return one
    return replace(
        one,
        price=price.per_kwh,
        currency=price.currency,
        price_status=price.status,
        cost_minor=cost_minor(one.wh, price),
    )


def _terms(one: Slice) -> tuple[Any, ...]:
    """Return what a slice is charged by."""
    return one.price, one.currency


def _replaced(one: Slice, at: datetime) -> Repricing:
    """Return what stood at a slice before."""
    return Repricing(
        at=at,
        slice_start=one.start,
        price=one.price,
        currency=one.currency,
        price_status=one.price_status,
        cost_minor=one.cost_minor,
    )


def _cost(record: SessionRecord) -> tuple[str | None, int | None, PriceStatus]:
    """Return what a record says that it costs."""
    return record.currency, record.cost_minor, record.cost_status


def _total(slices: list[Slice]) -> tuple[str | None, int | None, PriceStatus]:
    """Return currency, cost and how sure it is; unknown where a part is."""
    currencies = {one.currency for one in slices}
    costs = [one.cost_minor for one in slices if one.cost_minor is not None]
    if not slices or len(currencies) > 1 or len(costs) < len(slices):
        return None, None, PriceStatus.UNKNOWN
    sure = all(one.price_status is PriceStatus.FINAL for one in slices)
    status = PriceStatus.FINAL if sure else PriceStatus.PROVISIONAL
    return currencies.pop(), sum(costs), status
