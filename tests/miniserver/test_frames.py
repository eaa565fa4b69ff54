"""Headers and event tables, against an encoder of our own."""

from collections.abc import Callable
from contextlib import suppress
import math
from typing import Any, override

from hypothesis import given, settings, strategies as st
import pytest

from . import tables
from custom_components.loxone_wallbox.miniserver.errors import ProtocolError
from custom_components.loxone_wallbox.miniserver.frames import (
    MAX_PAYLOAD_BYTES,
    Daytimer,
    DaytimerEntry,
    Weather,
    WeatherEntry,
    decode_daytimers,
    decode_text,
    decode_texts,
    decode_values,
    decode_weather,
    format_uuid,
    looks_like_header,
    parse_header,
    raw_uuid,
)

UUID = "1ee5cba0-019c-7bfc-ffff55b4338cf594"
RAW = bytes.fromhex("a0cbe51e9c01fc7bffff55b4338cf594")

raws = st.binary(min_size=16, max_size=16)
floats = st.floats(allow_nan=False)
int32 = st.integers(-(2**31), 2**31 - 1)
rows = st.tuples(int32, int32, int32, st.booleans(), floats)
forecasts = st.tuples(*[int32] * 5, *[floats] * 6)

DECODERS: list[Callable[[bytes, dict[bytes, Any]], Any]] = [
    decode_values,
    decode_texts,
    decode_daytimers,
    decode_weather,
]


class _Everything(dict[bytes, bytes]):
    """Watches whatever comes."""

    @override
    def __contains__(self, key: object) -> bool:
        """Say yes."""
        return True

    def __missing__(self, key: bytes) -> bytes:
        """Return the key itself."""
        return key


EVERYTHING = _Everything()


def test_header() -> None:
    """A header gives kind, flag and length."""
    parsed = parse_header(bytes.fromhex("0302000078563401"))
    assert (parsed.kind, parsed.estimated, parsed.length) == (2, False, 0x01345678)


@pytest.mark.parametrize(
    ("flags", "estimated"), [(0, False), (0x80, True), (0x01, True), (0x40, False)]
)
def test_header_estimated(flags: int, estimated: bool) -> None:
    """Both readings of the documented first bit announce an estimate."""
    assert parse_header(tables.header(0, 1, flags=flags)).estimated is estimated


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        bytes.fromhex("03020000000000"),
        bytes.fromhex("030200000000000000"),
        tables.header(2, MAX_PAYLOAD_BYTES + 1),
        tables.header(2, 0xFFFFFFFF),
    ],
)
def test_header_refused(data: bytes) -> None:
    """What is no header, or announces more than anything known, is refused."""
    with pytest.raises(ProtocolError):
        parse_header(data)


@given(st.binary(max_size=16))
def test_header_arbitrary(data: bytes) -> None:
    """Any bytes are a header or refused."""
    with suppress(ProtocolError):
        parse_header(data)
        assert looks_like_header(data)


def test_uuid() -> None:
    """The text of a uuid has three dashes and mixed byte order."""
    assert raw_uuid(UUID) == RAW == tables.wire_uuid(UUID)
    assert format_uuid(RAW) == UUID


@given(raws)
def test_uuid_round_trip(raw: bytes) -> None:
    """Every uuid survives."""
    assert raw_uuid(format_uuid(raw)) == raw


@given(st.text(max_size=60))
def test_uuid_arbitrary(text: str) -> None:
    """Any text is a uuid or refused."""
    with suppress(ProtocolError):
        assert len(raw_uuid(text)) == 16


@given(st.lists(st.tuples(raws, floats), max_size=30))
def test_values(entries: list[tuple[bytes, float]]) -> None:
    """A value table gives its entries in order."""
    assert decode_values(tables.values(entries), EVERYTHING) == entries


def test_values_watched() -> None:
    """Only what is watched comes out, under the key it is watched by."""
    payload = tables.values([(bytes(16), 1.0), (RAW, 2.5), (RAW, -0.0)])
    found = decode_values(payload, {RAW: "power"})
    assert found == [("power", 2.5), ("power", 0.0)]
    assert math.copysign(1, found[1][1]) < 0


@given(st.lists(st.tuples(raws, st.text(max_size=20)), max_size=20))
def test_texts(entries: list[tuple[bytes, str]]) -> None:
    """A text table gives its entries in order, whatever the length of a text."""
    assert decode_texts(tables.texts(entries), EVERYTHING) == entries


def test_texts_latin_1() -> None:
    """A text that is no UTF-8 is read as Latin-1."""
    payload = tables.texts([(RAW, "Jürgen"), (bytes(16), "x")], "latin-1")
    assert decode_texts(payload, EVERYTHING)[0] == (RAW, "Jürgen")


def test_texts_last_padding_may_lack() -> None:
    """The filling after the last text does not have to be there."""
    payload = tables.texts([(RAW, "abcde")])
    assert decode_texts(payload[:-3], EVERYTHING) == [(RAW, "abcde")]


@given(st.binary())
def test_decode_text(data: bytes) -> None:
    """Any bytes are some text."""
    assert isinstance(decode_text(data), str)


@given(st.lists(st.tuples(raws, floats, st.lists(rows, max_size=4)), max_size=6))
def test_daytimers(entries: list[tuple[bytes, float, list[Any]]]) -> None:
    """A daytimer table gives its entries in order."""
    payload = b"".join(tables.daytimer(*entry) for entry in entries)
    assert decode_daytimers(payload, EVERYTHING) == [
        (raw, Daytimer(default, tuple(DaytimerEntry(*row) for row in times)))
        for raw, default, times in entries
    ]


@given(
    st.lists(
        st.tuples(raws, st.integers(0, 2**32 - 1), st.lists(forecasts, max_size=3)),
        max_size=6,
    )
)
def test_weather(entries: list[tuple[bytes, int, list[Any]]]) -> None:
    """A weather table gives its entries in order."""
    payload = b"".join(tables.weather(*entry) for entry in entries)
    assert decode_weather(payload, EVERYTHING) == [
        (raw, Weather(updated, tuple(WeatherEntry(*hour) for hour in hours)))
        for raw, updated, hours in entries
    ]


def test_unwatched_lists_are_skipped() -> None:
    """An entry that nobody watches does not hide the next one."""
    payload = tables.daytimer(bytes(16), 0, [(0, 1, 2, True, 3.0)])
    payload += tables.daytimer(RAW, 1, [])
    assert decode_daytimers(payload, {RAW: "x"}) == [("x", Daytimer(1.0, ()))]
    payload = tables.weather(bytes(16), 1, [(1,) * 11]) + tables.weather(RAW, 2, [])
    assert decode_weather(payload, {RAW: "x"}) == [("x", Weather(2, ()))]


@pytest.mark.parametrize(
    ("decode", "payload", "whole", "tolerated"),
    [
        (decode_values, tables.values([(RAW, 1.0)] * 3), {0, 24, 48, 72}, set()),
        (
            decode_texts,
            tables.texts([(RAW, "abcde"), (RAW, ""), (RAW, "ab")]),
            {0, 44, 80, 120},
            # Inside the filling after a text.
            {41, 42, 43, 118, 119},
        ),
        (
            decode_daytimers,
            tables.daytimer(RAW, 1, [(0, 1, 2, True, 3.0)]) * 2,
            {0, 52, 104},
            set(),
        ),
        (
            decode_weather,
            tables.weather(RAW, 1, [(1,) * 11]) * 2,
            {0, 92, 184},
            set(),
        ),
    ],
)
def test_truncation(
    decode: Callable[[bytes, dict[bytes, Any]], Any],
    payload: bytes,
    whole: set[int],
    tolerated: set[int],
) -> None:
    """A table cut at any byte is read only where an entry ends."""
    for end in range(len(payload) + 1):
        if end in whole | tolerated:
            decode(payload[:end], EVERYTHING)
            continue
        with pytest.raises(ProtocolError):
            decode(payload[:end], EVERYTHING)


@pytest.mark.parametrize("decode", DECODERS)
@given(payload=st.binary(max_size=300))
@settings(max_examples=200)
def test_arbitrary_tables(
    decode: Callable[[bytes, dict[bytes, Any]], Any], payload: bytes
) -> None:
    """Any bytes are a table or refused with our own error."""
    with suppress(ProtocolError):
        decode(payload, EVERYTHING)


@pytest.mark.parametrize("count", [-1, -(2**31), 2**31 - 1])
def test_hostile_counts(count: int) -> None:
    """A count that the table cannot hold is refused at once."""
    head = RAW + count.to_bytes(4, "little", signed=True)
    with pytest.raises(ProtocolError):
        decode_daytimers(RAW + bytes(8) + head[16:] + bytes(24), {})
    with pytest.raises(ProtocolError):
        decode_weather(RAW + bytes(4) + head[16:] + bytes(68), {})


def test_hostile_text_length() -> None:
    """A text longer than its table is refused."""
    with pytest.raises(ProtocolError):
        decode_texts(RAW + bytes(16) + b"\xff\xff\xff\xff" + b"abcd", {})
