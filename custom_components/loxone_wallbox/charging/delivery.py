"""What came of a grid event: when its limit was in force and what that delivered.

Takes an event, what the wallbox shows from look to look and the power of each second;
gives a record as plain data. A second without a reading is unknown and never a zero:
energies are those of the seconds that were seen, and where too few were there is no
figure at all. Powers of the series in W, limits in kW, energies in Wh.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ..meter.series import Point
from .delay import SAME_KW, DelayMemory
from .dsr import DsrEvent, DsrKind

# How long before an event the mean power is what would have flowed on.
BASELINE_S = 900.0
# With fewer of the seconds there is no figure; for less of the time a limit was not
# kept. A share of 1.
ENOUGH = 0.9
# Less than this is nothing, whatever is left of adding up.
NOTHING_WH = 1.0
INSTANTS = frozenset(
    {
        "planned_start",
        "planned_end",
        "began_at",
        "measured_to",
        "ended_at",
        "applied_at",
        "released_at",
        "due",
        "held_since",
    }
)


class Outcome(StrEnum):
    """What became of an event."""

    DELIVERED = "delivered"
    PARTIAL = "partial"
    OPTED_OUT = "opted_out"
    MISSED = "missed"
    NO_VEHICLE = "no_vehicle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a wallbox shows at a look.

    `power_kw` is the most it may draw, None while that is not known. `settled` says
    that it is where the rules want it, and that nothing waits for a delay.
    """

    linked: bool
    connected: bool | None
    power_kw: float | None
    settled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """What flowed in the seconds that were seen."""

    wh: float = 0.0
    seen_s: float = 0.0


def seen_energy(points: Sequence[Point], start: float, end: float) -> Energy:
    """Return the energy of points between two instants in seconds UTC.

    Each power holds until the next point, the first one from the start on.
    """
    wh = seen_s = 0.0
    begin = start
    for number, (_, power_w) in enumerate(points):
        last = number + 1 == len(points)
        until = end if last else min(max(points[number + 1][0], begin), end)
        if power_w is not None:
            wh += power_w * (until - begin) / 3600
            seen_s += until - begin
        begin = until
    return Energy(wh=wh, seen_s=seen_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """The record of one event on one wallbox; instants in UTC.

    `limit_kw` is what the wallbox was to keep to, None for an increase. `began_at` and
    `ended_at` are when the event held, `applied_at` and `released_at` when the wallbox
    showed it. `due` is the end of the delay drawn for the start. `seen_wh` is what
    flowed in the `seen_s` seconds with a reading, up to `measured_to`; `held_s` how
    long the limit was seen in force. `baseline_10_w` is the mean of the same hour of
    the last ten weekdays, from whoever has it.
    """

    program: str
    event_id: str
    version: int
    kind: DsrKind
    planned_start: datetime
    planned_end: datetime
    limit_kw: float | None
    began_at: datetime
    measured_to: datetime
    baseline_w: float | None
    baseline_coverage: float
    baseline_10_w: float | None = None
    ended_at: datetime | None = None
    opted_out: bool = False
    applied_at: datetime | None = None
    released_at: datetime | None = None
    due: datetime | None = None
    drawn_start_s: int | None = None
    drawn_end_s: int | None = None
    seen_wh: float = 0.0
    seen_s: float = 0.0
    held_s: float = 0.0
    held_since: datetime | None = None
    linked: bool = False
    vehicle: bool = False

    @classmethod
    def begin(
        cls,
        event: DsrEvent,
        limit_kw: float | None,
        before: Sequence[Point],
        baseline_10_w: float | None = None,
    ) -> Self:
        """Begin the record of an event; `before` are the points of `BASELINE_S`."""
        start = event.effective_start.timestamp()
        energy = seen_energy(before, start - BASELINE_S, start)
        mean = energy.wh * 3600 / energy.seen_s if energy.seen_s else None
        return cls(
            program=event.program,
            event_id=event.event_id,
            version=event.version,
            kind=event.kind,
            planned_start=event.start,
            planned_end=event.end,
            limit_kw=limit_kw,
            began_at=event.effective_start,
            measured_to=event.effective_start,
            baseline_w=mean,
            baseline_coverage=energy.seen_s / BASELINE_S,
            baseline_10_w=baseline_10_w,
        )

    @property
    def key(self) -> tuple[str, str]:
        """Return which event it is of."""
        return (self.program, self.event_id)

    @property
    def complete(self) -> bool:
        """Tell whether nothing is to be added any more."""
        return self.ended_at is not None and (
            self.applied_at is None or self.released_at is not None
        )

    def updated(self, event: DsrEvent) -> Self:
        """Return it going on under a newer version of its event."""
        return replace(
            self,
            version=event.version,
            planned_start=event.start,
            planned_end=event.end,
        )

    def look(self, shown: Shown, limit_kw: float | None, now: datetime) -> Self:
        """Take what the wallbox shows while the event holds."""
        record = replace(
            self,
            limit_kw=limit_kw,
            linked=self.linked or shown.linked,
            vehicle=self.vehicle or (shown.linked and bool(shown.connected)),
        )
        if not record.in_force(shown):
            return record._let_go(now)  # noqa: SLF001
        return replace(
            record,
            applied_at=self.applied_at or now,
            held_since=self.held_since or now,
        )

    def in_force(self, shown: Shown) -> bool:
        """Tell whether a wallbox with a car shows what was asked for."""
        if not shown.linked or not shown.connected or shown.power_kw is None:
            return False
        if self.limit_kw is None:
            return shown.power_kw > 0
        return shown.power_kw <= self.limit_kw + SAME_KW

    def _let_go(self, at: datetime) -> Self:
        """Count how long the limit was in force."""
        if self.held_since is None:
            return self
        held_s = max((at - self.held_since).total_seconds(), 0.0)
        return replace(self, held_s=self.held_s + held_s, held_since=None)

    def resumed(self) -> Self:
        """Return it as it goes on after a restart: nobody saw what was in between."""
        return self._let_go(self.measured_to)

    def measure(self, points: Sequence[Point], to: datetime) -> Self:
        """Take the points from `measured_to` up to an instant."""
        energy = seen_energy(points, self.measured_to.timestamp(), to.timestamp())
        return replace(
            self,
            seen_wh=self.seen_wh + energy.wh,
            seen_s=self.seen_s + energy.seen_s,
            measured_to=to,
        )

    def end(self, at: datetime, *, opted_out: bool) -> Self:
        """End it; what was measured has to be up to that instant."""
        return replace(self._let_go(at), ended_at=at, opted_out=opted_out)

    def reopen(self) -> Self:
        """Go on: the end was taken back, or a silent source spoke again."""
        return replace(self, ended_at=None, released_at=None, opted_out=False)

    def release(self, shown: Shown, now: datetime) -> Self:
        """Take what the wallbox shows when the event is over.

        It is let go when more flows, or when nothing of ours holds it back any more.
        """
        if self.complete or not shown.linked:
            return self
        if self.in_force(shown) and not shown.settled:
            return self
        return replace(self, released_at=now)

    def take_draws(self, memory: DelayMemory) -> Self:
        """Take the delays that were drawn for its start and for its end."""
        record = self
        pending = () if memory.pending is None else (memory.pending,)
        for drawn in (*memory.draws, *pending):
            if drawn.relevant_at == self.began_at and self.applied_at is None:
                record = replace(record, drawn_start_s=drawn.drawn_s, due=drawn.due)
            elif drawn.relevant_at == self.ended_at and self.applied_at is not None:
                record = replace(record, drawn_end_s=drawn.drawn_s)
        return record

    @property
    def coverage(self) -> float | None:
        """Return the share of its seconds with a reading, None before the first."""
        seconds = (self.measured_to - self.began_at).total_seconds()
        return min(self.seen_s / seconds, 1.0) if seconds > 0 else None

    @property
    def measured_wh(self) -> float | None:
        """Return what flowed in the seconds that were seen, None with too few."""
        coverage = self.coverage
        return None if coverage is None or coverage < ENOUGH else self.seen_wh

    @property
    def delivered_wh(self) -> float | None:
        """Return how much less flowed than before it, or more for an increase.

        Only of the seconds that were seen: a hole delivers nothing. None where too few
        were, of the event or of the time before it.
        """
        measured = self.measured_wh
        if measured is None or self.baseline_w is None:
            return None
        if self.baseline_coverage < ENOUGH:
            return None
        less = self.baseline_w * self.seen_s / 3600 - measured
        return -less if self.kind is DsrKind.INCREASE else less

    @property
    def outcome(self) -> Outcome | None:
        """Return what became of it, None while it runs.

        The limit has to be in force from the end of its drawn delay on.
        """
        if self.ended_at is None:
            return None
        if self.opted_out:
            return Outcome.OPTED_OUT
        if self.linked and not self.vehicle:
            return Outcome.NO_VEHICLE
        delivered = self.delivered_wh
        nothing_more = self.kind is DsrKind.INCREASE and (
            delivered is not None and delivered < NOTHING_WH
        )
        if self.held_s <= 0 or nothing_more:
            return Outcome.MISSED
        due = self.began_at if self.due is None else max(self.due, self.began_at)
        asked_s = max((self.ended_at - due).total_seconds(), 0.0)
        kept = self.held_s >= ENOUGH * asked_s
        return Outcome.DELIVERED if kept else Outcome.PARTIAL

    def described(self) -> dict[str, Any]:
        """Return it as an automation reads it."""
        outcome = self.outcome
        return {
            "planned_start": self.planned_start.isoformat(),
            "planned_end": self.planned_end.isoformat(),
            "limit_kw": self.limit_kw,
            "began_at": self.began_at.isoformat(),
            "ended_at": _text(self.ended_at),
            "applied_at": _text(self.applied_at),
            "released_at": _text(self.released_at),
            "drawn_start_s": self.drawn_start_s,
            "drawn_end_s": self.drawn_end_s,
            "baseline_w": _rounded(self.baseline_w),
            "baseline_coverage": _rounded(self.baseline_coverage, 4),
            "baseline_10_w": _rounded(self.baseline_10_w),
            "measured_wh": _rounded(self.measured_wh),
            "delivered_wh": _rounded(self.delivered_wh),
            "coverage": _rounded(self.coverage, 4),
            "outcome": None if outcome is None else outcome.value,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        fields: dict[str, Any] = {
            name: datetime.fromisoformat(value) if name in INSTANTS and value else value
            for name, value in data.items()
        }
        fields["kind"] = DsrKind(fields["kind"])
        return cls(**fields)


def summed(records: Mapping[str, Delivery]) -> dict[str, Any] | None:
    """Return what the wallboxes of a site delivered together, None before the start.

    A sum with an unknown part is unknown. Of the outcomes those of wallboxes without a
    car do not count, as long as another one has a car.
    """
    if not records:
        return None
    ones = list(records.values())
    return {
        "baseline_w": _sum(one.baseline_w for one in ones),
        "measured_wh": _sum(one.measured_wh for one in ones),
        "delivered_wh": _sum(one.delivered_wh for one in ones),
        "outcome": _joint([one.outcome for one in ones]),
        "wallboxes": {name: one.described() for name, one in records.items()},
    }


def _joint(outcomes: Sequence[Outcome | None]) -> str | None:
    """Return the outcome of several wallboxes, None while one of them runs."""
    if None in outcomes:
        return None
    found = {one for one in outcomes if one is not None}
    counting = found - {Outcome.NO_VEHICLE} or found
    return (counting.pop() if len(counting) == 1 else Outcome.PARTIAL).value


def _sum(figures: Iterable[float | None]) -> float | None:
    """Return the sum of figures that are all known."""
    total = 0.0
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return round(total, 1)


def _rounded(figure: float | None, digits: int = 1) -> float | None:
    """Return a figure as precise as it is worth showing."""
    return None if figure is None else round(figure, digits)


def _text(at: datetime | None) -> str | None:
    """Return an instant as text."""
    return None if at is None else at.isoformat()
