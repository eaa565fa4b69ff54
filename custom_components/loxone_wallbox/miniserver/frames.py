"""The binary messages of a Miniserver: headers and event tables.

Takes bytes, gives typed values, raises `ProtocolError` for anything cut short or
hostile and nothing else. Source: Loxone, "Communicating with the Miniserver", message
header and event tables; all numbers are little endian.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
import struct
import uuid

from .errors import ProtocolError

HEADER_BYTES = 8
# Structure files of large buildings are some MiB; this is far above any seen.
MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
# Loxone's documents call it the first bit and its own client reads the bits from the
# other side, so both values occur.
ESTIMATED_MASK = 0x81

_HEADER = struct.Struct("<BBBBI")
_VALUE = struct.Struct("<16sd")
_TEXT = struct.Struct("<16s16sI")
_DAYTIMER = struct.Struct("<16sdi")
_DAYTIMER_ENTRY = struct.Struct("<iiiid")
_WEATHER = struct.Struct("<16sIi")
_WEATHER_ENTRY = struct.Struct("<5i6d")


class Kind(IntEnum):
    """What follows a header."""

    TEXT = 0
    FILE = 1
    VALUES = 2
    TEXTS = 3
    DAYTIMERS = 4
    OUT_OF_SERVICE = 5
    KEEPALIVE = 6
    WEATHER = 7


@dataclass(frozen=True, slots=True)
class Header:
    """One message header; `length` is the payload's in bytes."""

    kind: int
    estimated: bool
    length: int


def parse_header(data: bytes) -> Header:
    """Read the eight bytes before every message."""
    if len(data) != HEADER_BYTES or data[0] != 0x03:  # noqa: PLR2004
        raise ProtocolError("A message header was expected")
    _, kind, flags, _, length = _HEADER.unpack(data)
    if length > MAX_PAYLOAD_BYTES:
        raise ProtocolError(f"A payload of {length} bytes is announced")
    return Header(kind, bool(flags & ESTIMATED_MASK), length)


def looks_like_header(data: bytes) -> bool:
    """Tell whether a binary message can be a header."""
    return len(data) == HEADER_BYTES and data[0] == 0x03  # noqa: PLR2004


def raw_uuid(text: str) -> bytes:
    """Return the 16 bytes a uuid has in a table.

    The text has three dashes (8-4-4-16). Raises `ProtocolError` for other texts: ids
    with a suffix never occur in tables.
    """
    try:
        return uuid.UUID(text.replace("-", "")).bytes_le
    except ValueError as err:
        raise ProtocolError(f"{text!r} is no uuid") from err


def format_uuid(raw: bytes) -> str:
    """Return the text of a uuid in Loxone's form."""
    digits = uuid.UUID(bytes_le=raw).hex
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:]}"


def decode_values[K](
    payload: bytes, watched: Mapping[bytes, K]
) -> list[tuple[K, float]]:
    """Return the watched entries of a value-state table, in their order."""
    if len(payload) % _VALUE.size:
        raise ProtocolError("A value table is cut short")
    return [
        (watched[raw], value)
        for raw, value in _VALUE.iter_unpack(payload)
        if raw in watched
    ]


def decode_texts[K](payload: bytes, watched: Mapping[bytes, K]) -> list[tuple[K, str]]:
    """Return the watched entries of a text-state table, in their order.

    Each text is followed by zero to three bytes, so that the next entry starts at a
    multiple of four. Not every Miniserver sends valid UTF-8.
    """
    found: list[tuple[K, str]] = []
    position, end = 0, len(payload)
    while position < end:
        if end - position < _TEXT.size:
            raise ProtocolError("A text table is cut short")
        raw, _, length = _TEXT.unpack_from(payload, position)
        position += _TEXT.size
        if length > end - position:
            raise ProtocolError("A text table is cut short")
        if raw in watched:
            found.append(
                (watched[raw], decode_text(payload[position : position + length]))
            )
        position += length + (-length % 4)
    return found


def decode_text(data: bytes) -> str:
    """Return a text that should be UTF-8 and may be Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class DaytimerEntry:
    """One switching time; minutes since midnight."""

    mode: int
    start: int
    end: int
    needs_activation: bool
    value: float


@dataclass(frozen=True, slots=True)
class Daytimer:
    """A daytimer's default value and its switching times."""

    default: float
    entries: tuple[DaytimerEntry, ...]


def decode_daytimers[K](
    payload: bytes, watched: Mapping[bytes, K]
) -> list[tuple[K, Daytimer]]:
    """Return the watched entries of a daytimer table, in their order."""
    found: list[tuple[K, Daytimer]] = []
    position = 0
    while position < len(payload):
        raw, default, count, position = _counted(
            payload, position, _DAYTIMER, _DAYTIMER_ENTRY
        )
        stop = position + count * _DAYTIMER_ENTRY.size
        if raw in watched:
            entries = tuple(
                DaytimerEntry(mode, start, end, bool(activate), value)
                for mode, start, end, activate, value in _DAYTIMER_ENTRY.iter_unpack(
                    payload[position:stop]
                )
            )
            found.append((watched[raw], Daytimer(default, entries)))
        position = stop
    return found


@dataclass(frozen=True, slots=True)
class WeatherEntry:
    """One hour of a forecast, in the order of the table."""

    timestamp: int
    weather_type: int
    wind_direction: int
    solar_radiation: int
    relative_humidity: int
    temperature: float
    perceived_temperature: float
    dew_point: float
    precipitation: float
    wind_speed: float
    barometric_pressure: float


@dataclass(frozen=True, slots=True)
class Weather:
    """A forecast; `last_update` in seconds since 2009-01-01 UTC."""

    last_update: int
    entries: tuple[WeatherEntry, ...]


def decode_weather[K](
    payload: bytes, watched: Mapping[bytes, K]
) -> list[tuple[K, Weather]]:
    """Return the watched entries of a weather table, in their order."""
    found: list[tuple[K, Weather]] = []
    position = 0
    while position < len(payload):
        raw, last_update, count, position = _counted(
            payload, position, _WEATHER, _WEATHER_ENTRY
        )
        stop = position + count * _WEATHER_ENTRY.size
        if raw in watched:
            entries = tuple(
                WeatherEntry(*fields)
                for fields in _WEATHER_ENTRY.iter_unpack(payload[position:stop])
            )
            found.append((watched[raw], Weather(int(last_update), entries)))
        position = stop
    return found


def _counted(
    payload: bytes, position: int, head: struct.Struct, entry: struct.Struct
) -> tuple[bytes, float, int, int]:
    """Read the head of a counted list; its entries are all there."""
    if len(payload) - position < head.size:
        raise ProtocolError("A table is cut short")
    raw, first, count = head.unpack_from(payload, position)
    position += head.size
    if count < 0 or count * entry.size > len(payload) - position:
        raise ProtocolError("A table announces more entries than it has")
    return raw, first, count, position
