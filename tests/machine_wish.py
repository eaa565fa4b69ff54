"""What should hold at an instant, in the test's own words.

Written from the rules of the regulations and not from the integration's code: facts,
which only the test changes, and what follows from them.
"""

from collections.abc import Iterator
import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MANUAL = 99
DAY = timedelta(days=1)
SAME_KW = 0.005


class Goal(NamedTuple):
    """What a wallbox is to do, and why."""

    allowed: bool
    limit_kw: float = 0.0
    why: str = ""

    def same(self, other: Goal) -> bool:
        """Tell whether a device could tell the two apart."""
        return self.allowed is other.allowed and (
            not self.allowed or abs(self.limit_kw - other.limit_kw) < SAME_KW
        )

    @property
    def kw(self) -> float:
        """Return the most that may flow."""
        return self.limit_kw if self.allowed else 0.0


class Hours(NamedTuple):
    """A window on the wall clock: days from Monday 0, minutes, up to 1440."""

    days: tuple[int, ...]
    start: int
    end: int


EVERY_DAY = tuple(range(7))
NIGHT = (Hours(EVERY_DAY, 1320, 480),)
COMPLEMENT = (
    Hours((0, 1, 2, 3, 4), 0, 480),
    Hours((0, 1, 2, 3, 4), 660, 960),
    Hours((0, 1, 2, 3, 4), 1320, 1440),
    Hours((5, 6), 0, 1440),
)
# Shorter than the longest delay, and around the clock's change.
SHORT = (Hours(EVERY_DAY, 750, 770),)
SMALL_HOURS = (Hours(EVERY_DAY, 30, 270), Hours((1, 3, 6), 1080, 1170))


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A grid event as it was last told."""

    reduces: bool
    limit_kw: float
    exempt: bool
    response: bool
    start: datetime
    end: datetime
    taken: datetime
    version: int
    validity_s: int | None = None
    left: datetime | None = None
    cancelled: datetime | None = None

    @property
    def begins(self) -> datetime:
        """Return when it has an effect: not before it was told."""
        return max(self.start, self.taken)

    def ends(self, *, holds_on: timedelta) -> datetime:
        """Return when its effect ends; silence is borne for so long."""
        ends = [self.end, *(one for one in (self.left, self.cancelled) if one)]
        if self.validity_s is not None:
            ends.append(self.taken + timedelta(seconds=self.validity_s) + holds_on)
        return max(min(ends), self.start)


@dataclass(frozen=True, kw_only=True)
class Word:
    """The owner's override, or that of a program."""

    charge: bool
    start: datetime
    end: datetime | None
    cause: str

    def holds(self, at: datetime) -> bool:
        """Tell whether it holds at an instant."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(kw_only=True)
class Facts:
    """Everything that decides."""

    min_kw: float
    max_kw: float
    modes: dict[int, float]
    zone: ZoneInfo
    managed: bool
    strict: bool
    floor_kw: float
    holds_on: timedelta
    hours: tuple[Hours, ...] = ()
    utc: bool = False
    enabled: bool = True
    # How much earlier a window's end is, so that the delay ends in time.
    early: timedelta = timedelta(0)
    # The end of a window and its stop, which has come and which nothing takes back.
    kept: tuple[datetime, datetime] | None = None
    permitted: bool = True
    permitted_at: datetime | None = None
    word: Word | None = None
    mode: int | None = None
    manual_kw: float | None = None
    asks: dict[str, Ask] = field(default_factory=dict)
    # The versions that newer ones replaced, with their end.
    replaced: dict[str, Ask] = field(default_factory=dict)
    plugged: bool = False
    blocked: bool = False
    limited: bool = False

    def wish(self, at: datetime) -> Goal:
        """Return what should hold at an instant, were there no delay."""
        if not self.plugged:
            return Goal(False, why="no car")
        if self.blocked:
            return Goal(False, why="blocked")
        return self.wish_with_car(at)

    def wish_with_car(self, at: datetime) -> Goal:
        """Return the same for a car that is there and no protection."""
        word = self.word
        if word is not None and word.holds(at):
            newer = self.permitted_at is None or word.start >= self.permitted_at
            if self.permitted or newer:
                if word.charge:
                    return Goal(True, self.own_kw, "charge")
                return Goal(False, why="pause")
        if not self.permitted:
            return Goal(False, why="forbidden")
        limits = [self.own_kw, *self.reductions(at, exempt=False)]
        if min(limits) < self.min_kw:
            return Goal(False, why="dsr" if len(limits) > 1 else "forbidden")
        if not self.is_open(at) and not self.increases(at):
            return Goal(False, why="closed")
        return Goal(True, min(limits), "hours")

    @property
    def own_kw(self) -> float:
        """Return the limit the owner chose, as far as it is left."""
        return self.min_kw if self.limited else self.chosen_kw

    @property
    def chosen_kw(self) -> float:
        """Return the limit the owner chose."""
        if self.mode is not None and self.mode != MANUAL:
            wanted = self.max_kw if self.managed else self.modes[self.mode]
        else:
            wanted = self.max_kw if self.manual_kw is None else self.manual_kw
            wanted = max(wanted, self.min_kw)
        return min(wanted, self.max_kw)

    def active(self, at: datetime) -> list[Ask]:
        """Return the grid events that hold at an instant."""
        return [
            one
            for one in self.asks.values()
            if one.begins <= at < one.ends(holds_on=self.holds_on)
        ]

    def reductions(self, at: datetime, *, exempt: bool) -> list[float]:
        """Return the limits that grid events set, with or without a delay."""
        return [
            max(one.limit_kw, self.floor_kw)
            for one in self.active(at)
            if one.reduces and one.exempt is exempt
        ]

    def increases(self, at: datetime) -> bool:
        """Tell whether a grid event asks for more."""
        return any(not one.reduces for one in self.active(at))

    @property
    def plain(self) -> Facts:
        """Return the facts without what asks for more and has no delay."""
        asks = {
            key: one for key, one in self.asks.items() if one.reduces or not one.exempt
        }
        return copy.replace(self, asks=asks)

    def starts_at_once(self, at: datetime, since: datetime) -> bool:
        """Tell whether a start wanted since an instant waits for nothing.

        Not while a response service asks for it, nor once somebody else's delay is over
        that was for this start.
        """
        return any(
            one.response or (one.exempt and one.begins >= since)
            for one in self.active(at)
            if not one.reduces
        )

    def overlaid(self, goal: Goal, at: datetime, why: str) -> Goal:
        """Return a goal with what reduces without a delay laid over it."""
        limits = self.reductions(at, exempt=True)
        if why == "charge" or not goal.allowed or not limits:
            return goal
        if min(limits) >= goal.limit_kw:
            return goal
        if min(limits) < self.min_kw:
            return Goal(False, why="dsr")
        return Goal(True, min(limits), "dsr")

    def is_by_hand(self, at: datetime) -> bool:
        """Tell whether a person's override decides at an instant."""
        decides = self.wish(at).why in {"charge", "pause"}
        return decides and self.word is not None and self.word.cause == "user"

    def replace(self, key: str, ask: Ask, now: datetime) -> None:
        """Remember the version that a newer one replaces now, if it ever held."""
        known = self.asks.get(key)
        if known is None or known.version == ask.version:
            return
        if known.cancelled is None or known.cancelled > now:
            known = copy.replace(known, cancelled=now)
        if known.begins < known.ends(holds_on=self.holds_on):
            self.replaced = {**self.replaced, key: known}

    def has_end_at(self, at: datetime) -> bool:
        """Tell whether a grid event ends at an instant."""
        found = (*self.asks.values(), *self.replaced.values())
        return any(one.ends(holds_on=self.holds_on) == at for one in found)

    def left_behind(self, since: datetime, now: datetime) -> list[float]:
        """Return what reductions without a delay kept to that ended since an instant.

        What was left is no longer kept to.
        """
        found = [*self.asks.values(), *self.replaced.values()]
        ends = [(one, one.ends(holds_on=self.holds_on)) for one in found]
        return [
            max(one.limit_kw, self.floor_kw)
            for one, end in ends
            if one.reduces and one.exempt and one.begins < end
            if since <= end <= now and one.left != end
        ]

    def spans(self, at: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return when the default charging hours are open, around an instant."""
        zone = ZoneInfo("UTC") if self.utc else self.zone
        return _spans(self.hours, zone, at.astimezone(zone).date())

    def is_open(self, at: datetime) -> bool:
        """Tell whether the default charging hours let a car charge."""
        if not self.hours or not self.enabled:
            return True
        return any(start <= at < self.stop(start, end) for start, end in self.spans(at))

    def stop(self, start: datetime, end: datetime) -> datetime:
        """Return when a window's stop is due: at its middle at the earliest."""
        kept, at = self.kept or (None, end)
        if kept == end:
            return at
        return max(end - self.early, start + (end - start) / 2)

    def come(self, at: datetime) -> tuple[datetime, datetime] | None:
        """Return the end of the present window and its stop, where that has come."""
        if not (self.plugged and self.hours and self.enabled):
            return None
        stops = ((end, self.stop(start, end)) for start, end in self.spans(at))
        return next((one for one in stops if one[1] <= at < one[0]), None)

    def keep(
        self, before: tuple[datetime, datetime] | None, at: datetime, *, at_once: bool
    ) -> None:
        """Keep a stop that had come before, or have one that has come since come now."""
        self.kept = None
        come = self.come(at)
        self.kept = None if at_once else before or (come and (come[0], at))

    def window_end(self, at: datetime) -> datetime | None:
        """Return the end of the window around an instant, or that it is itself."""
        if not self.hours or not self.enabled:
            return None
        spans = self.spans(at)
        return next((end for start, end in spans if start <= at <= end), None)

    def next_edge(self, at: datetime) -> datetime | None:
        """Return the next opening or closing, as an override until then ends."""
        if not self.hours or not self.enabled:
            return None
        edges = [edge for span in self.spans(at) for edge in span if edge > at]
        return min([*edges, at + DAY]) if edges else None

    def edges(self, at: datetime) -> list[tuple[datetime, str]]:
        """Return the instants around one at which the wish may change, and why."""
        found: list[tuple[datetime, str]] = []
        if self.word is not None and self.word.end is not None:
            found.append((self.word.end, "auto"))
        for one in self.asks.values():
            cause = "exempt" if one.exempt and not one.reduces else "auto"
            found += [(one.begins, cause), (one.ends(holds_on=self.holds_on), cause)]
        if self.hours and self.enabled:
            for start, end in self.spans(at):
                found += [(start, "auto"), (self.stop(start, end), "auto")]
        return sorted(found)


def instant(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """Return a time of day as an instant; none of ours lies where clocks change."""
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=4096)
def _spans(
    hours: tuple[Hours, ...], zone: ZoneInfo, around: date
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when windows are open in the days around one, joined where they touch."""
    found = sorted(_single(hours, zone, around))
    joined: list[tuple[datetime, datetime]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _single(
    hours: tuple[Hours, ...], zone: ZoneInfo, around: date
) -> Iterator[tuple[datetime, datetime]]:
    """Return each window of the days around one."""
    for offset in range(-8, 10):
        day = around + offset * DAY
        for window in hours:
            if day.weekday() not in window.days:
                continue
            over = DAY if window.end <= window.start else timedelta(0)
            start = instant(zone, day, window.start)
            end = instant(zone, day + over, window.end)
            if start < end:
                yield start, end
