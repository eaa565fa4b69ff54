"""What a session that goes on was priced at before, so that only what is new is reckoned.

A session of weeks has more than a thousand parts, and hardly one of them changes from one
look to the next. Takes two books of tariffs, gives the time in which they say the same;
takes records of sessions that still change, gives them with prices as `costing` does.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime

from .costing import Agreement, TariffBook, parts_of, priced
from .schedule import BEGINNING, END, Span
from .session import SessionRecord
from .slices import Slice
from .tariff import DynamicTariff, PricePoint

ALWAYS = Span(BEGINNING, END)
NEVER = Span(END, BEGINNING)
# The session that runs, and the one before it.
MOST_SESSIONS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """The parts of a session's slices, each known by being the very same object."""

    tariffs: TariffBook
    parts: dict[int, tuple[Slice, tuple[Slice, ...]]]


class PriceMemory:
    """The sessions that were priced last. A mere memory: without it all is the same."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._seen: dict[str, _Seen] = {}

    def priced(
        self, record: SessionRecord, tariffs: TariffBook, at: datetime
    ) -> SessionRecord:
        """Return a record with the prices that are known at an instant."""
        before = self._seen.pop(record.id, None)
        known = {} if before is None else before.parts
        same = NEVER if before is None else agreed(before.tariffs, tariffs)
        parts: dict[int, tuple[Slice, tuple[Slice, ...]]] = {}

        def fresh(one: Slice, tariffs: TariffBook) -> tuple[Slice, ...]:
            """Return the parts of a slice, as they were where nothing has changed."""
            old = known.get(id(one))
            if old is None or old[0] is not one or not within(one, same):
                old = (one, parts_of(one, tariffs))
            parts[id(one)] = old
            return old[1]

        after = priced(record, tariffs, at, fresh=fresh)
        self._seen[record.id] = _Seen(tariffs=tariffs, parts=parts)
        while len(self._seen) > MOST_SESSIONS:
            del self._seen[next(iter(self._seen))]
        return after


def within(one: Slice, span: Span) -> bool:
    """Tell whether all that decides on a slice's price is within a span."""
    return span.start <= one.start < span.end and one.end <= span.end


def agreed(one: TariffBook, other: TariffBook) -> Span:
    """Return a time in which two books say the same, none where that is not easy to see.

    From one word of a source to the next that is all the time before the new word.
    """
    if len(one.agreements) != len(other.agreements):
        return NEVER
    start, end = ALWAYS.start, ALWAYS.end
    for mine, theirs in zip(one.agreements, other.agreements, strict=True):
        span = _agreed(mine, theirs)
        start, end = max(start, span.start), min(end, span.end)
    return Span(start, end)


def _agreed(one: Agreement, other: Agreement) -> Span:
    """Return when two agreements say the same."""
    mine, theirs = one.tariff, other.tariff
    if one.since != other.since:
        return NEVER
    if mine is theirs:
        return ALWAYS
    if isinstance(mine, DynamicTariff) and isinstance(theirs, DynamicTariff):
        terms = (mine.id, mine.currency, mine.step, mine.fallback)
        if terms == (theirs.id, theirs.currency, theirs.step, theirs.fallback):
            return _told_alike(mine.points, theirs.points)
    return ALWAYS if mine == theirs else NEVER


def _told_alike(one: tuple[PricePoint, ...], other: tuple[PricePoint, ...]) -> Span:
    """Return when two series say the same; of the past either may have forgotten some."""
    start = ALWAYS.start
    if one[:1] != other[:1]:
        if not one or not other:
            return NEVER
        start = max(one[0].start, other[0].start)
    begin = bisect_left(one, start, key=_start), bisect_left(other, start, key=_start)
    mine, theirs = one[begin[0] :], other[begin[1] :]
    for point, another in zip(mine, theirs, strict=False):
        if point is another or point == another:
            continue
        if point.start != another.start or _word(point) != _word(another):
            return Span(start, min(point.start, another.start))
        return Span(start, min(point.end, another.end))
    rest = mine[len(theirs) :] or theirs[len(mine) :]
    return Span(start, rest[0].start if rest else ALWAYS.end)


def _start(point: PricePoint) -> datetime:
    """Return where a price begins."""
    return point.start


def _word(point: PricePoint) -> tuple[object, ...]:
    """Return what is said in a time."""
    return point.per_kwh, point.provisional
