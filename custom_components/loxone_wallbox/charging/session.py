"""The record of a charging session (an occasion in the words of regulation 9).

From plug-in to unplug, with its energy in whole Wh, the time in which it was imported,
its parts and what is known of their quality. Plain data; `check` says which of its own
rules a record breaks.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
import re
from typing import Any, Self

from .money import PriceStatus
from .slices import Slice

SCHEMA = 1
SECOND = timedelta(seconds=1)


class SessionError(ValueError):
    """A record that breaks a rule or cannot be read; `key` names which."""

    def __init__(self, key: str, detail: str = "") -> None:
        """Keep the rule and what broke it."""
        super().__init__(f"{key}: {detail}" if detail else key)
        self.key = key


class Kind(StrEnum):
    """What a stay has been so far."""

    OPEN = "open"
    OCCASION = "occasion"
    VISIT = "visit"


class Origin(StrEnum):
    """Who watched a session: we, or the Miniserver while we were away."""

    HOME_ASSISTANT = "home_assistant"
    MINISERVER = "miniserver"


class Source(StrEnum):
    """Whose figures they are: a meter's of the wallbox's own, or coarser ones."""

    METER = "meter"
    MINISERVER = "miniserver"
    # Calculated from the power that was allowed while the wallbox said it charges.
    ESTIMATED = "estimated"


class StopReason(StrEnum):
    """Why charging ended."""

    USER = "user"
    WINDOW_END = "window_end"
    DSR = "dsr"
    UNPLUGGED = "unplugged"
    CAR = "car"
    FAULT = "fault"
    TAMPER = "tamper"
    LOAD_SHED = "load_shed"
    COMMS = "comms"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of charging, with the time above the threshold in it."""

    start: datetime
    end: datetime
    importing: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class HourEnergy:
    """The energy of an hour of UTC that begins at `start`, in Wh."""

    start: datetime
    wh: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayNote:
    """A random delay of the session: why, how many seconds, whether it was skipped."""

    cause: str
    seconds: int
    skipped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """What is known about the figures.

    `estimated_timing`: some energy is exact, but not when it flowed. `integral_wh` is
    the energy by the power alone and `error_pct` how far that is from the counter.
    `coarse` figures are not our own; with `connection_only` nobody knows for how long
    of the stay the car charged. `source` is whose figures they are, None where that is
    not known; `flagged` are those whose energy and power do not agree.
    """

    estimated_timing: bool = False
    gaps_s: int = 0
    integral_wh: int | None = None
    error_pct: float | None = None
    coarse: bool = False
    connection_only: bool = False
    source: Source | None = None
    flagged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Repricing:
    """A price that was replaced: of which slice, what stood there, when it changed."""

    at: datetime
    slice_start: datetime
    price: Decimal | None
    currency: str | None
    price_status: PriceStatus
    cost_minor: int | None


# What stands for a person or a car; the key that makes it is somebody else's matter.
PSEUDONYM = re.compile(r"p[0-9a-f]{16}")
# Of a record, all that tells who it was.
PERSONAL = ("user_id", "tag", "vehicle")


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRecord:
    """A session; instants in UTC, energies in whole Wh.

    The meter's readings are its own, `meter_offset_wh` is what exchanged meters put in
    between. `user_id`, `tag` and `vehicle` are pseudonyms, `anonymous` is a record whose
    person was forgotten. Of two records of an id the one with the higher `revision`
    holds.
    """

    id: str
    wallbox: str
    seq: int
    connected_utc: datetime
    disconnected_utc: datetime | None = None
    kind: Kind = Kind.OPEN
    revision: int = 0
    first_import_utc: datetime | None = None
    last_import_utc: datetime | None = None
    import_wh: int = 0
    export_wh: int = 0
    importing_s: int = 0
    connected_s: int = 0
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    meter_offset_wh: int = 0
    max_w: int = 0
    user_id: str | None = None
    tag: str | None = None
    vehicle: str | None = None
    anonymous: bool = False
    mode_last: int | None = None
    stop_reason: StopReason | None = None
    delays: tuple[DelayNote, ...] = ()
    segments: tuple[Segment, ...] = ()
    slices: tuple[Slice, ...] = ()
    hours: tuple[HourEnergy, ...] = ()
    quality: Quality = field(default_factory=Quality)
    currency: str | None = None
    cost_minor: int | None = None
    cost_status: PriceStatus = PriceStatus.UNKNOWN
    repricings: tuple[Repricing, ...] = ()
    origin: Origin = Origin.HOME_ASSISTANT
    schema: int = SCHEMA

    def check(self) -> None:
        """Raise `SessionError`, naming it, for the first rule the record breaks."""
        for key, holds in self._rules():
            if not holds:
                raise SessionError(key, self.id)

    def _rules(self) -> Iterable[tuple[str, bool]]:
        """Give each rule and whether it holds."""
        yield "schema", self.schema == SCHEMA
        yield "sum_of_slices", sum(one.wh for one in self.slices) == self.import_wh
        yield "sum_of_hours", sum(one.wh for one in self.hours) == self.import_wh
        yield "negative", min(self.import_wh, self.export_wh, self.importing_s) >= 0
        yield "empty_part", self._has_no_empty_part()
        yield "importing_longer", self.importing_s <= self.connected_s
        yield "sum_of_segments", self._segments_add_up()
        yield "meter_difference", self._meter_agrees()
        yield "instants_order", self._is_ordered()
        yield "slices_order", _in_order(self.slices)
        yield "segments_order", _in_order(self.segments)
        yield (
            "hours_order",
            all(one.start < other.start for one, other in pairwise(self.hours)),
        )
        yield "part_outside", self._is_within()
        yield "kind", (self.kind is Kind.OPEN) is (self.disconnected_utc is None)
        yield "cost_without_price", self._cost_is_known()

    def _has_no_empty_part(self) -> bool:
        """Tell whether every slice and hour has energy."""
        whs = [one.wh for one in self.slices] + [one.wh for one in self.hours]
        return all(wh > 0 for wh in whs)

    def _segments_add_up(self) -> bool:
        """Tell whether charging time is what its segments say."""
        total = sum((one.importing for one in self.segments), timedelta())
        inside = all(one.importing <= one.end - one.start for one in self.segments)
        return inside and whole_seconds(total) == self.importing_s

    def _meter_agrees(self) -> bool:
        """Tell whether the meter's difference is the energy, to a watt-hour."""
        if self.meter_start_wh is None or self.meter_stop_wh is None:
            # The Miniserver tells of a stay what it took, no readings.
            return self.import_wh == 0 or self.origin is Origin.MINISERVER
        counted = self.meter_stop_wh - self.meter_start_wh + self.meter_offset_wh
        return abs(counted - self.import_wh) <= 1

    def _is_ordered(self) -> bool:
        """Tell whether it began before it ended, with its energy in between."""
        ends = (self.first_import_utc, self.last_import_utc, self.disconnected_utc)
        known = [at for at in (self.connected_utc, *ends) if at is not None]
        if any(one > other for one, other in pairwise(known)):
            return False
        return self.disconnected_utc is None or (
            self.connected_utc < self.disconnected_utc
        )

    def _is_within(self) -> bool:
        """Tell whether every part lies within the stay."""
        parts = [(one.start, one.end) for one in self.slices]
        parts += [(one.start, one.end) for one in self.segments]
        end = self.disconnected_utc
        return all(
            self.connected_utc <= start and (end is None or stop <= end)
            for start, stop in parts
        )

    def _cost_is_known(self) -> bool:
        """Tell whether there is a cost exactly where it is said to be known."""
        unknown = self.cost_status is PriceStatus.UNKNOWN
        return unknown is (self.cost_minor is None or self.currency is None)

    @property
    def personal(self) -> frozenset[str]:
        """Return all that tells who it was."""
        told = (self.user_id, self.tag, self.vehicle)
        return frozenset(one for one in told if one is not None)

    def without_person(self) -> Self:
        """Return it with nothing that tells who charged."""
        return replace(self, user_id=None, tag=None, vehicle=None, anonymous=True)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        plain: dict[str, Any] = to_plain(replace(self, slices=()))
        return {**plain, "slices": [one.as_dict() for one in self.slices]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data of this or an older schema.

        Raises `SessionError` for what cannot be read.
        """
        try:
            known = migrated(data)
            return cls(**{**known, **_read(known)})
        except SessionError:
            raise
        except (KeyError, TypeError, ValueError, ArithmeticError) as err:
            raise SessionError("unreadable", str(err)) from err


# How a record of an older schema becomes one of the next, by the older's number.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def migrated(
    data: Mapping[str, Any],
    migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
    schema: int = SCHEMA,
) -> dict[str, Any]:
    """Return plain data as the present schema has it.

    Raises `SessionError` for one that is newer, or has no way to here.
    """
    steps = MIGRATIONS if migrations is None else migrations
    current = dict(data)
    version = current.get("schema")
    while version != schema:
        if not isinstance(version, int) or version not in steps or version > schema:
            raise SessionError("schema_unknown", str(version))
        current = steps[version](current)
        version = version + 1
        current["schema"] = version
    return current


def check_no_overlap(records: Iterable[SessionRecord]) -> None:
    """Raise `SessionError` where two sessions of a wallbox lie upon each other."""
    ordered = sorted(records, key=lambda one: (one.wallbox, one.connected_utc, one.seq))
    for one, other in pairwise(ordered):
        if one.wallbox != other.wallbox:
            continue
        if one.disconnected_utc is None or one.disconnected_utc > other.connected_utc:
            raise SessionError("sessions_overlap", f"{one.id} {other.id}")


def _in_order(parts: Iterable[Slice | Segment]) -> bool:
    """Tell whether parts follow each other and none lies upon another."""
    ordered = list(parts)
    return all(one.start <= one.end for one in ordered) and all(
        one.end <= other.start for one, other in pairwise(ordered)
    )


def whole_seconds(time: timedelta) -> int:
    """Return a length in whole seconds, the rest cut off."""
    return time // SECOND


def to_plain(value: Any) -> Any:
    """Return a value as JSON has it: instants as ISO text, lengths in seconds."""
    if is_dataclass(value):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | StrEnum():
            return str(value)
        case list() | tuple():
            return [to_plain(one) for one in value]
    return value


def instant(text: str | None) -> datetime | None:
    """Read an instant."""
    return None if text is None else datetime.fromisoformat(text)


def read_segment(data: Mapping[str, Any]) -> Segment:
    """Read a stretch of charging."""
    return Segment(
        start=datetime.fromisoformat(data["start"]),
        end=datetime.fromisoformat(data["end"]),
        importing=timedelta(seconds=data["importing"]),
    )


def read_hour(data: Mapping[str, Any]) -> HourEnergy:
    """Read the energy of an hour."""
    return HourEnergy(start=datetime.fromisoformat(data["start"]), wh=data["wh"])


def read_quality(data: Mapping[str, Any]) -> Quality:
    """Read what is known about the figures."""
    source = data.get("source")
    return Quality(**{**data, "source": None if source is None else Source(source)})


def read_repricing(data: Mapping[str, Any]) -> Repricing:
    """Read a replaced price."""
    price = data["price"]
    return Repricing(
        at=datetime.fromisoformat(data["at"]),
        slice_start=datetime.fromisoformat(data["slice_start"]),
        price=None if price is None else Decimal(price),
        currency=data["currency"],
        price_status=PriceStatus(data["price_status"]),
        cost_minor=data["cost_minor"],
    )


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields that JSON has no type for."""
    reason = data["stop_reason"]
    return {
        "connected_utc": datetime.fromisoformat(data["connected_utc"]),
        "disconnected_utc": instant(data["disconnected_utc"]),
        "first_import_utc": instant(data["first_import_utc"]),
        "last_import_utc": instant(data["last_import_utc"]),
        "kind": Kind(data["kind"]),
        "stop_reason": None if reason is None else StopReason(reason),
        "delays": tuple(DelayNote(**one) for one in data["delays"]),
        "segments": tuple(read_segment(one) for one in data["segments"]),
        "slices": tuple(Slice.from_dict(one) for one in data["slices"]),
        "hours": tuple(read_hour(one) for one in data["hours"]),
        "quality": read_quality(data["quality"]),
        "cost_status": PriceStatus(data["cost_status"]),
        "origin": Origin(data.get("origin", Origin.HOME_ASSISTANT)),
        "repricings": tuple(read_repricing(one) for one in data["repricings"]),
    }
