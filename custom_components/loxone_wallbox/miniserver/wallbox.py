"""A wallbox in our own words: what it is and how it is.

Pure data. Source of fields and units: Loxone, "Structure File", control
`Wallbox2`; powers in kW, energies in kWh, instants in UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import math
import re
from typing import Any

from .tracker import TrackerLog, parse_tracker

MANUAL_MODE = 99
MODES = range(1, 6)
# From firmware 15.1 this value says that there is no price.
NO_PRICE = -1337.0
# Far above any charger the block can drive; a value beyond is nonsense.
MAX_PLAUSIBLE_KW = 100.0
MAX_TEXT_LENGTH = 200
# How a control says that nobody locked it.
FREE = frozenset({"", "{}"})

# Takes note of what cannot be believed: the name of the state, and what it was.
type Drop = Callable[[str, object], None]

# A key of a flat object.
_KEY = re.compile(r'[{,]\s{0,9}"(\w{1,40})"\s{0,9}:')


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeMode:
    """One of the five modes of the wallbox block; `limit_kw` is its power limit."""

    id: int
    name: str
    limit_kw: float | None
    set_by_logic: bool
    price: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WallboxInfo:
    """What the structure file says about one wallbox.

    `id` stays the same for the life of the block in Loxone Config.
    """

    id: str
    name: str
    room: str | None
    min_kw: float
    max_kw: float
    modes: tuple[ChargeMode, ...]
    manager_id: str | None
    ocpp_name: str | None
    read_only: bool
    secured: bool
    measures_power: bool
    has_meter: bool
    states: frozenset[str] = field(default_factory=frozenset)
    tracker_size: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagerInfo:
    """A wallbox manager, which shares a power among its wallboxes."""

    id: str
    name: str
    wallbox_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DiagnosticInfo:
    """A control of the structure file that can tell about a wallbox device.

    `digital` controls are 0 or 1.
    """

    id: str
    name: str
    room: str | None
    digital: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """Who locked a control: `level` 1 a user, 2 the logic."""

    level: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WallboxSession:
    """A charging session as the Miniserver tells it."""

    connected_at: datetime | None
    disconnected_at: datetime | None
    started_at: datetime | None
    energy_kwh: float | None
    power_kw: float | None
    user: str | None
    price: float | None
    authority: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WallboxState:
    """The present state of one wallbox; None is unknown, never zero."""

    power_kw: float | None = None
    energy_kwh: float | None = None
    connected: bool | None = None
    allowed: bool | None = None
    charging: bool | None = None
    load_shedding: bool | None = None
    phase_switching: bool | None = None
    mode: int | None = None
    limit_kw: float | None = None
    mode_after_unplug: int | None = None
    session: WallboxSession | None = None
    history: tuple[WallboxSession, ...] = ()
    priority: bool | None = None
    price_per_hour: float | None = None
    price_per_kwh: float | None = None
    limited_by: int | None = None
    temporary_limitation: int | None = None
    lock: Lock | None = None


def _ignore(_name: str, _value: object) -> None:
    """Take no note of what cannot be believed."""


@dataclass(slots=True)
class WallboxTexts:
    """The states that come as text, read once when they arrive."""

    session: WallboxSession | None = None
    # None until it has arrived.
    tracker: TrackerLog[WallboxSession] | None = None
    lock: Lock | None = None

    def take(self, name: str, text: str, drop: Drop = _ignore) -> None:
        """Read a text state by its name in the structure file.

        A lock that cannot be read leaves what was known: it sets nobody free.
        """
        match name:
            case "session":
                self.session = parse_session(text)
            case "entries":
                self.tracker = parse_history(text)
            case "jLocked":
                self.lock = parse_lock(text, self.lock, drop)


def make_state(
    values: dict[str, float], texts: WallboxTexts, drop: Drop = _ignore
) -> WallboxState:
    """Make a state of the raw values, by their names in the structure file.

    A value that is missing, not finite or out of any reason becomes None; `drop` takes
    note of those that were there.
    """
    return WallboxState(
        power_kw=_power(values.get("actual"), "actual", drop),
        energy_kwh=_at_least_zero(values.get("total"), "total", drop),
        connected=_flag(values.get("connected"), "connected", drop),
        allowed=_flag(values.get("enabled"), "enabled", drop),
        charging=_flag(values.get("active"), "active", drop),
        load_shedding=_flag(values.get("loadshed"), "loadshed", drop),
        phase_switching=_flag(values.get("phaseSwitching"), "phaseSwitching", drop),
        mode=_whole(values.get("mode"), "mode", drop),
        limit_kw=_at_least_zero(values.get("limit"), "limit", drop),
        mode_after_unplug=_whole(values.get("modeUnplug"), "modeUnplug", drop),
        session=texts.session,
        history=() if texts.tracker is None else texts.tracker.sessions,
        priority=_flag(values.get("priority"), "priority", drop),
        price_per_hour=_price(values.get("pricePerHour"), "pricePerHour", drop),
        price_per_kwh=_price(values.get("pricePerkWh"), "pricePerkWh", drop),
        limited_by=_whole(values.get("limitedBy"), "limitedBy", drop),
        temporary_limitation=_whole(
            values.get("temporaryLimitation"), "temporaryLimitation", drop
        ),
        lock=texts.lock,
    )


def _finite(value: float | None, name: str = "", drop: Drop = _ignore) -> float | None:
    """Return a finite value, without the negative zero of a resting wallbox."""
    if value is None:
        return None
    if not math.isfinite(value):
        drop(name, value)
        return None
    return value + 0.0


def _power(value: float | None, name: str = "", drop: Drop = _ignore) -> float | None:
    """Return a power; a wallbox only draws, so noise below zero is zero."""
    if value is None:
        return None
    if not abs(value) <= MAX_PLAUSIBLE_KW:
        drop(name, value)
        return None
    return max(value, 0.0) + 0.0


def _at_least_zero(
    value: float | None, name: str = "", drop: Drop = _ignore
) -> float | None:
    """Return a value that cannot be negative."""
    if value is None:
        return None
    if not 0 <= value < math.inf:
        drop(name, value)
        return None
    return value + 0.0


def _price(value: float | None, name: str, drop: Drop) -> float | None:
    """Return a price, if there is one."""
    value = _finite(value, name, drop)
    return None if value is None or value == NO_PRICE else value


def _flag(value: float | None, name: str, drop: Drop) -> bool | None:
    """Return a state that is 0 or 1."""
    value = _finite(value, name, drop)
    return None if value is None else value >= 0.5  # noqa: PLR2004


def _whole(value: float | None, name: str, drop: Drop) -> int | None:
    """Return a state that is a small whole number."""
    if value is None:
        return None
    if not abs(value) <= 1e6:  # noqa: PLR2004
        drop(name, value)
        return None
    return round(value)


def parse_lock(
    text: str, known: Lock | None = None, drop: Drop = _ignore
) -> Lock | None:
    """Read the lock of a control; None when it is free, `known` when it is unreadable."""
    if text.strip() in FREE:
        return None
    fields = _json_object(text)
    level = _number(fields.get("locked"))
    if level is None:
        drop("jLocked", text)
        return known
    if level <= 0:
        return None
    return Lock(level=int(level), reason=_text(fields.get("reason")) or "")


def parse_session(text: str) -> WallboxSession | None:
    """Read a session; None when there is none or it cannot be read."""
    return _session(_json_object(text))


def parse_history(text: str) -> TrackerLog[WallboxSession]:
    """Read the log of sessions; entries that cannot be read are left out and counted."""
    return parse_tracker(text, _session, _json_object)


def _json_object(text: str) -> dict[str, Any]:
    """Return a JSON object, empty for anything else."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text, strict=False)
    except ValueError, RecursionError:
        return _broken_object(text)
    return value if isinstance(value, dict) else {}


def _broken_object(text: str) -> dict[str, Any]:
    """Return the fields of a flat object with quotes in it that are not escaped."""
    keys = list(_KEY.finditer(text))
    ends = [key.start() for key in keys[1:]] + [len(text.rstrip().removesuffix("}"))]
    fields: dict[str, Any] = {}
    for key, end in zip(keys, ends, strict=False):
        value = text[key.end() : end].strip()
        try:
            fields[key[1]] = json.loads(value, strict=False)
        except ValueError, RecursionError:
            fields[key[1]] = value.removeprefix('"').removesuffix('"')
    return fields


def _session(fields: dict[str, Any]) -> WallboxSession | None:
    """Make a session of its fields; without a plug-in there is none."""
    connected_at = _instant(fields.get("connect"))
    if connected_at is None:
        return None
    price = _number(fields.get("price"))
    return WallboxSession(
        connected_at=connected_at,
        disconnected_at=_instant(fields.get("disconnect")),
        started_at=_instant(fields.get("start")),
        energy_kwh=_at_least_zero(_number(fields.get("energy"))),
        power_kw=_power(_number(fields.get("power"))),
        user=_text(fields.get("user")),
        price=None if price is None or price == NO_PRICE else price,
        authority=_text(fields.get("extAuthority")),
    )


def _number(value: object) -> float | None:
    """Return a number, also where it came as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return _finite(float(value))
    except ValueError, OverflowError:
        return None


def _instant(value: object) -> datetime | None:
    """Return a unix time as an instant; absent is 0 or missing."""
    number = _number(value)
    if number is None or number <= 0:
        return None
    try:
        return datetime.fromtimestamp(number, UTC)
    except ValueError, OverflowError, OSError:
        return None


def _text(value: object) -> str | None:
    """Return a text with something in it, also where it came as a number."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 10**18:
        value = str(value)
    return clean_text(value) or None if isinstance(value, str) else None


def clean_text(text: str) -> str:
    """Return a text that can be stored: not endless, no half characters."""
    return text[:MAX_TEXT_LENGTH].encode(errors="replace").decode()
