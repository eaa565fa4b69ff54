"""What a source says of the price, quarter hour by quarter hour.

Takes a price and when it was said, gives points of a tariff's series. Prices of
electricity change with the quarter hours of UTC, and an entity tells so a little late:
what it says counts for the whole quarter hour in which it says so, the last word for
all of it, and for the next one only if it still says so then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from .tariff import QUARTER, DynamicTariff, PricePoint

_SECONDS = int(QUARTER.total_seconds())


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """What a source began to say at an instant, None for nothing."""

    at: datetime
    per_kwh: Decimal | None


def quarter_of(at: datetime) -> datetime:
    """Return where the quarter hour of an instant begins, in UTC."""
    return datetime.fromtimestamp(int(at.timestamp()) // _SECONDS * _SECONDS, UTC)


def said(tariff: DynamicTariff, at: datetime, per_kwh: Decimal) -> DynamicTariff:
    """Take what is said now; the same tariff where that is known already.

    A price that goes on is one point, however long.
    """
    start = quarter_of(at)
    return _with(tariff, PricePoint(start=start, end=start + QUARTER, per_kwh=per_kwh))


def heard(
    tariff: DynamicTariff, words: Iterable[Word], until: datetime
) -> DynamicTariff:
    """Take what was said up to an instant, in its order."""
    ordered = [*words, Word(at=until, per_kwh=None)]
    for one, following in pairwise(ordered):
        if one.per_kwh is None or following.at <= one.at:
            continue
        end = quarter_of(following.at)
        if end < following.at:
            end += QUARTER
        start = quarter_of(one.at)
        tariff = _with(tariff, PricePoint(start=start, end=end, per_kwh=one.per_kwh))
    return tariff


def _with(tariff: DynamicTariff, new: PricePoint) -> DynamicTariff:
    """Return a tariff with a point, joined with an equal one before it."""
    start = new.start
    for point in tariff.points[-1:]:
        if (point.per_kwh, point.provisional) != (new.per_kwh, new.provisional):
            continue
        if point.start <= start and new.end <= point.end:
            return tariff
        if point.start <= start <= point.end:
            start = point.start
    joined = PricePoint(
        start=start,
        end=new.end,
        per_kwh=new.per_kwh,
        provisional=new.provisional,
    )
    return tariff.told([joined])
