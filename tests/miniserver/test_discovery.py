"""Discovery: the line a Miniserver answers with, and the asking."""

import asyncio
import time
from typing import override

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.discovery import (
    DiscoveredMiniserver,
    discover,
    parse_answer,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    MiniserverConnectionError,
)

GEN_1 = (
    b"LoxLIVE: Haus am See 192.168.1.77:80 504F94100001 9.1.10.30 Prog:2018-05-11 "
    b"14:55:35 Type:0 HwId:A0000 IPv6:"
)
GEN_2 = (
    b"LoxLIVE: Home 10.0.0.5:8080 504F94A02E7E 16.1.11.6 Prog:2026-01-02 03:04:05 "
    b"Type:2 HwId:0000 IPv6:fe80::1,504F94FFFE000001:16.1.11.6/O"
)


def test_generations() -> None:
    """The lines of both generations are read."""
    assert parse_answer(GEN_1) == DiscoveredMiniserver(
        name="Haus am See",
        host="192.168.1.77",
        port=80,
        serial="504F94100001",
        firmware="9.1.10.30",
        miniserver_type=0,
    )
    found = parse_answer(GEN_2)
    assert found is not None
    assert (found.host, found.port, found.miniserver_type) == ("10.0.0.5", 8080, 2)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"LoxLIVE: 1.2.3.4:80 504f94a02e7e", "504F94A02E7E"),
        (b"LoxLIVE: [Home] [1.2.3.4:80] 504F94A02E7E", "Home"),
        (b"LoxLIVE: at 9.9.9.9:9 1.2.3.4:80 504F94A02E7E", "at 9.9.9.9:9"),
        (b"LoxLIVE: J\xfcrgen 1.2.3.4:80 504F94A02E7E", "J\ufffdrgen"),
        (b"LoxLIVE: a\r\n\tb 1.2.3.4:80 504F94A02E7E", "a b"),
        (b"LoxLIVE:  1.2.3.4:80  504F94A02E7E  Type:x", "504F94A02E7E"),
        (b"LoxLIVE: x LoxLIVE: y 1.2.3.4:80 504F94A02E7E", "x LoxLIVE: y"),
    ],
)
def test_variants(line: bytes, name: str) -> None:
    """Whatever the name holds and whatever is missing, the line is read."""
    found = parse_answer(line)
    assert found is not None
    assert (found.host, found.port, found.serial) == ("1.2.3.4", 80, "504F94A02E7E")
    assert found.name == name
    assert found.firmware is None


def test_long_name() -> None:
    """A name that never ends is cut."""
    found = parse_answer(b"LoxLIVE: " + b"x" * 1500 + b" 1.2.3.4:80 504F94A02E7E")
    assert found is not None
    assert len(found.name) == 200


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0",
        b"LoxLIVE:",
        b"LoxLIVE: Home 1.2.3.4:80",
        b"LoxLIVE: Home 1.2.3.4 504F94A02E7E",
        b"LoxLIVE: Home 1.2.3.4:80 504F94A02E7",
        b"LoxLIVE: Home 1.2.3.4:80 504F94A02E7E0",
        b"LoxLIVE: Home 1.2.3.256:80 504F94A02E7E",
        b"LoxLIVE: Home 010.2.3.4:80 504F94A02E7E",
        b"LoxLIVE: Home 1.2.3.4:0 504F94A02E7E",
        b"LoxLIVE: Home 1.2.3.4:65536 504F94A02E7E",
        "LoxLIVE: Home \u0661.2.3.4:80 504F94A02E7E".encode(),
        b"M-SEARCH * HTTP/1.1",
    ],
)
def test_refused(line: bytes) -> None:
    """What is no Miniserver's answer is left out."""
    assert parse_answer(line) is None


@given(st.binary(max_size=300))
def test_arbitrary(data: bytes) -> None:
    """Any bytes are an answer or none."""
    for line in (data, b"LoxLIVE: " + data, GEN_1 + data, data + GEN_2):
        parse_answer(line)


@pytest.mark.parametrize(
    "data",
    [
        b"LoxLIVE:" + b" " * 2000,
        b"LoxLIVE:" + b" " * 100_000,
        b"LoxLIVE:" * 250,
        b"LoxLIVE: " + b"1.1.1.1:1 " * 200,
        b"LoxLIVE: " + b"1.1.1.1:1" + b" " * 1900,
        b"LoxLIVE: 1.2.3.4:80 504F94A02E7E " + b"Type: " * 300,
    ],
    ids=len,
)
def test_no_hang(data: bytes) -> None:
    """A line made to keep a pattern busy is done with at once."""
    started = time.process_time()
    parse_answer(data)
    assert time.process_time() - started < 0.5


class _Miniserver(asyncio.DatagramProtocol):
    """Answers every probe with a line, to a port of our choice."""

    def __init__(self, lines: list[bytes], answer_port: int) -> None:
        """Take what to answer."""
        self._lines = lines
        self._answer_port = answer_port
        self.probes: list[bytes] = []

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Answer."""
        self.probes.append(data)
        for line in self._lines:
            self._transport.sendto(line, ("127.0.0.1", self._answer_port))


async def test_discover(socket_enabled: None) -> None:
    """Who answers is found once, whatever else comes in."""
    loop = asyncio.get_running_loop()
    spare, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    answer_port = spare.get_extra_info("sockname")[1]
    spare.close()
    await asyncio.sleep(0)
    transport, miniserver = await loop.create_datagram_endpoint(
        lambda: _Miniserver([GEN_2, b"\xff" * 50, GEN_1, GEN_2], answer_port),
        local_addr=("127.0.0.1", 0),
    )
    try:
        found = await discover(
            ["127.0.0.1"],
            port=transport.get_extra_info("sockname")[1],
            answer_port=answer_port,
            local_address="127.0.0.1",
            listen_s=0.15,
        )
    finally:
        transport.close()
    assert [miniserver.serial for miniserver in found] == [
        "504F94100001",
        "504F94A02E7E",
    ]
    assert miniserver.probes == [b"\0"] * 3


async def test_discover_port_taken(socket_enabled: None) -> None:
    """A port that somebody else has is our own error."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    with pytest.raises(MiniserverConnectionError, match=str(port)):
        await discover([], answer_port=port, local_address="127.0.0.1", listen_s=0)
    transport.close()


@pytest.mark.parametrize(
    "address", ["not an address", "", "1.2.3.4.5", "::1", "\ud800"]
)
async def test_discover_bad_target(socket_enabled: None, address: str) -> None:
    """An address that cannot be asked does not keep the others from being asked."""
    assert (
        await discover(
            [address], port=9, answer_port=0, local_address="127.0.0.1", listen_s=0.03
        )
        == ()
    )
