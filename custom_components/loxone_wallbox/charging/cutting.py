"""Cut a session's energy where the clock, the price or an event says so.

Takes the energy that flowed between two instants, gives closed slices and hours. Cuts
are made by the running sum, and only when energy has flowed past them: while nothing
flows nothing is done.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from .session import HourEnergy
from .slices import HOUR, MICROSECOND, SessionRules, Slice, floor_hour, part_wh


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """From an instant on another price or another event holds."""

    at: datetime
    name: str
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """Energy in whole Wh that flowed evenly from an instant to another.

    It is `estimated` where nobody watched it flow.
    """

    wh: int
    start: datetime
    end: datetime
    estimated: bool = False

    def by(self, at: datetime) -> int:
        """Return how much has flowed by an instant."""
        return part_wh(self.wh, self.start, self.end, at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """The slice and the hour that are not closed yet: how far their energy reaches.

    `wh` is all that was booked; what it exceeds the closed parts by is theirs. Without
    a start nothing is in the slice, which begins at `end`. `estimated` tells whether
    nobody watched some of the slice's energy flow.
    """

    wh: int = 0
    start: datetime | None = None
    end: datetime | None = None
    estimated: bool = False

    def plus(self, flow: Flow) -> Self:
        """Book energy that needs no cut."""
        return self.reaching(self.wh + flow.wh, flow, flow.end)

    def reaching(self, wh: int, flow: Flow, at: datetime) -> Self:
        """Return it with so much booked when a flow has come to an instant."""
        if wh == self.wh:
            return self
        end, start = min(flow.end, at), self.start
        if start is None:
            start = flow.start if self.end is None else max(flow.start, self.end)
        estimated = self.estimated or flow.estimated
        return type(self)(wh=wh, start=start, end=max(start, end), estimated=estimated)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cuts:
    """The closed parts, and where the next clock cut is.

    `slices_wh` and `hours_wh` are the sums of what is closed; everything up to `at` is.
    """

    at: datetime
    next_at: datetime
    in_peak: bool
    price_id: str | None = None
    dsr_id: str | None = None
    marks: tuple[Mark, ...] = ()
    slices: tuple[Slice, ...] = ()
    slices_wh: int = 0
    hours: tuple[HourEnergy, ...] = ()
    hours_wh: int = 0

    @classmethod
    def begun(
        cls, at: datetime, rules: SessionRules, price_id: str | None, dsr_id: str | None
    ) -> Self:
        """Begin at an instant."""
        return cls(
            at=at,
            next_at=rules.next_cut(at),
            in_peak=rules.in_peak(at),
            price_id=price_id,
            dsr_id=dsr_id,
        )

    def needed_by(self, at: datetime) -> bool:
        """Tell whether energy at an instant lies beyond a cut."""
        return at >= self.next_at or bool(self.marks and self.marks[0].at <= at)

    def marked(self, mark: Mark, most: int) -> Self:
        """Take a mark; it waits until energy has flowed past it."""
        mark = replace(mark, at=max(mark.at, self.at))
        marks = sorted((*self.marks, mark), key=_when)
        return replace(self, marks=tuple(marks[-most:]))

    def advanced(
        self, tail: Tail, flow: Flow, upto: datetime, rules: SessionRules
    ) -> tuple[Self, Tail]:
        """Book energy, closing every part that ends up to an instant."""
        clock = frozenset(rules.edges(self.at, upto))
        due = [mark for mark in self.marks if mark.at <= upto]
        hours = _hours(self.at, upto)
        cuts, before = self, tail
        for at in sorted({*clock, *hours, *(mark.at for mark in due)}):
            wh = tail.wh + flow.by(at)
            before = before.reaching(wh, flow, at)
            if at in hours:
                cuts = cuts._hour_closed(at, wh)
            here = [mark for mark in due if mark.at == at]
            key = cuts._keyed(here)  # noqa: SLF001
            if at in clock:
                key = replace(key, in_peak=rules.in_peak(at))
            if at in clock or not key._same_key(cuts):  # noqa: SLF001
                key, before = cuts._slice_closed(before, key, at)  # noqa: SLF001
            cuts = key
        waiting = self.marks[len(due) :]
        following = rules.next_cut(upto)
        cuts = replace(cuts, at=upto, next_at=following, marks=waiting)
        return cuts, before.reaching(tail.wh + flow.wh, flow, flow.end)

    def _same_key(self, other: Cuts) -> bool:
        """Tell whether energy of both may stand in one slice."""
        mine = (self.in_peak, self.price_id, self.dsr_id)
        return mine == (other.in_peak, other.price_id, other.dsr_id)

    def _keyed(self, marks: list[Mark]) -> Self:
        """Return it with what holds after some marks."""
        price_id, dsr_id = self.price_id, self.dsr_id
        for mark in marks:
            if mark.name == "price_id":
                price_id = mark.value
            else:
                dsr_id = mark.value
        return replace(self, price_id=price_id, dsr_id=dsr_id)

    def _slice_closed(self, tail: Tail, key: Self, at: datetime) -> tuple[Self, Tail]:
        """Close the slice, if anything is in it, and go on under another key."""
        closed = self.open_slice(tail)
        if closed is not None:
            slices = (*self.slices, closed)
            key = replace(key, slices=slices, slices_wh=tail.wh)
        return key, Tail(wh=tail.wh, end=at)

    def _hour_closed(self, end: datetime, wh: int) -> Self:
        """Close the hour that ends, if anything is in it."""
        if wh == self.hours_wh:
            return self
        hour = HourEnergy(start=end - HOUR, wh=wh - self.hours_wh)
        return replace(self, hours=(*self.hours, hour), hours_wh=wh)

    def open_slice(self, tail: Tail) -> Slice | None:
        """Return the slice that is not closed, if anything is in it."""
        if tail.wh == self.slices_wh or tail.start is None or tail.end is None:
            return None
        return Slice(
            start=tail.start,
            end=tail.end,
            wh=tail.wh - self.slices_wh,
            in_peak=self.in_peak,
            price_id=self.price_id,
            dsr_id=self.dsr_id,
            estimated=tail.estimated,
        )

    def open_hour(self, tail: Tail) -> HourEnergy | None:
        """Return the hour that is not closed, if anything is in it."""
        if tail.wh == self.hours_wh:
            return None
        start = floor_hour(self.next_at - MICROSECOND)
        return HourEnergy(start=start, wh=tail.wh - self.hours_wh)


def _when(mark: Mark) -> datetime:
    """Return the instant of a mark."""
    return mark.at


def _hours(start: datetime, end: datetime) -> frozenset[datetime]:
    """Return the full hours after an instant and up to another."""
    found = []
    hour = floor_hour(start) + HOUR
    while hour <= end:
        found.append(hour)
        hour += HOUR
    return frozenset(found)
