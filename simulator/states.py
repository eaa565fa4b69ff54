"""All states of the Miniserver and the event tables that carry them.

Source: Communicating with the Miniserver, "Event tables".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
import math
import struct

from .identifiers import wire_uuid

_NO_ICON = bytes(16)


class Kind(IntEnum):
    """Identifiers of messages."""

    TEXT = 0
    FILE = 1
    VALUES = 2
    TEXTS = 3
    DAYTIMERS = 4
    OUT_OF_SERVICE = 5
    KEEPALIVE = 6
    WEATHER = 7


TABLES = (Kind.VALUES, Kind.TEXTS, Kind.DAYTIMERS, Kind.WEATHER)


@dataclass(frozen=True, kw_only=True)
class DaytimerEntry:
    """A span of a day timer."""

    mode: int
    start_minute: int
    end_minute: int
    need_activate: bool
    value: float


@dataclass(frozen=True, kw_only=True)
class Daytimer:
    """The state of a day timer."""

    default: float
    entries: tuple[DaytimerEntry, ...]


@dataclass(frozen=True, kw_only=True)
class WeatherEntry:
    """The weather of an hour."""

    timestamp: int
    type: int
    wind_direction: int
    solar: int
    humidity: int
    temperature: float
    perceived: float
    dew_point: float
    precipitation: float
    wind_speed: float
    pressure: float


@dataclass(frozen=True, kw_only=True)
class Weather:
    """The state of the weather service; `updated` counts from 2009 (UTC)."""

    updated: int
    entries: tuple[WeatherEntry, ...]


type Value = float | str | Daytimer | Weather


def kind_of(value: Value) -> Kind:
    """Return the table a value travels in."""
    match value:
        case str():
            return Kind.TEXTS
        case Daytimer():
            return Kind.DAYTIMERS
        case Weather():
            return Kind.WEATHER
        case _:
            return Kind.VALUES


class StateTable:
    """The current value of every state, and which of them changed."""

    def __init__(self) -> None:
        """Start empty."""
        self._values: dict[str, Value] = {}
        self._owners: dict[str, str | None] = {}
        self._changed: dict[str, None] = {}

    def declare(self, state: str, value: Value, owner: str | None = None) -> None:
        """Add a state; `owner` is the control that decides who sees it."""
        self._values.setdefault(state, value)
        self._owners[state] = owner

    def forget(self, owner: str) -> None:
        """Remove the states of a control."""
        for state in [key for key, value in self._owners.items() if value == owner]:
            del self._values[state]
            del self._owners[state]
            self._changed.pop(state, None)

    def set(self, state: str, value: Value) -> None:
        """Change a state; an equal value is no change, except for the sign of zero."""
        if not _same(self._values[state], value):
            self._values[state] = value
            self._changed[state] = None

    def get(self, state: str) -> Value:
        """Return the value of a state."""
        return self._values[state]

    def owner(self, state: str) -> str | None:
        """Return the control a state belongs to."""
        return self._owners[state]

    def __contains__(self, state: object) -> bool:
        """Return whether there is such a state."""
        return state in self._values

    def __iter__(self) -> Iterator[str]:
        """Go through all states."""
        return iter(self._values)

    def repeat(self, states: Iterable[str]) -> None:
        """Send states again although they did not change."""
        self._changed.update(dict.fromkeys(states))

    def take_changes(self) -> list[str]:
        """Return what changed since the last call."""
        changed = list(self._changed)
        self._changed.clear()
        return changed


def _same(old: Value, new: Value) -> bool:
    """Return whether a client could not tell two values apart."""
    if isinstance(old, float | int) and isinstance(new, float | int):
        if math.isnan(old) and math.isnan(new):
            return True
        return old == new and math.copysign(1, old) == math.copysign(1, new)
    return old == new


def encode_entry(state: str, value: Value, text_encoding: str = "utf-8") -> bytes:
    """Return one entry of an event table."""
    head = wire_uuid(state)
    match value:
        case str():
            text = value.encode(text_encoding, errors="replace")
            padding = bytes(-len(text) % 4)
            return head + _NO_ICON + struct.pack("<I", len(text)) + text + padding
        case Daytimer():
            return head + _encode_daytimer(value)
        case Weather():
            return head + _encode_weather(value)
        case _:
            return head + struct.pack("<d", value)


def _encode_daytimer(value: Daytimer) -> bytes:
    """Return the rest of a day timer's entry."""
    packed = struct.pack("<di", value.default, len(value.entries))
    return packed + b"".join(
        struct.pack(
            "<4id",
            entry.mode,
            entry.start_minute,
            entry.end_minute,
            int(entry.need_activate),
            entry.value,
        )
        for entry in value.entries
    )


def _encode_weather(value: Weather) -> bytes:
    """Return the rest of a weather entry."""
    packed = struct.pack("<Ii", value.updated, len(value.entries))
    return packed + b"".join(
        struct.pack(
            "<5i6d",
            entry.timestamp,
            entry.type,
            entry.wind_direction,
            entry.solar,
            entry.humidity,
            entry.temperature,
            entry.perceived,
            entry.dew_point,
            entry.precipitation,
            entry.wind_speed,
            entry.pressure,
        )
        for entry in value.entries
    )


def encode_tables(
    entries: Iterable[tuple[str, Value]],
    *,
    per_table: int = 2000,
    text_encoding: str = "utf-8",
) -> list[tuple[Kind, bytes]]:
    """Return event tables, one or more of each kind that occurs."""
    sorted_by_kind: dict[Kind, list[bytes]] = {kind: [] for kind in TABLES}
    for state, value in entries:
        sorted_by_kind[kind_of(value)].append(encode_entry(state, value, text_encoding))
    return [
        (kind, b"".join(packed[start : start + per_table]))
        for kind, packed in sorted_by_kind.items()
        for start in range(0, len(packed), per_table)
    ]
