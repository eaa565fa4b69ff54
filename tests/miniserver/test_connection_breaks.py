"""One websocket: every way to break, and the end."""

import asyncio
import contextlib
import struct

import pytest

from . import tables
from .scripted import Client, Peer, connected
from custom_components.loxone_wallbox.miniserver import connection as module
from custom_components.loxone_wallbox.miniserver.errors import (
    LockedOutError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    NoSlotError,
    ProtocolError,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def ask(client: Client, text: str, timeout_s: float = 5) -> str:
    """Send a command."""
    return await client.connection.request(lambda: text, timeout_s)


async def broken(client: Client) -> MiniserverError:
    """Return how the connection ended."""
    async with asyncio.timeout(5):
        return await client.connection.broken


BREAKS = {
    "garbage": bytes(8),
    "short header": tables.header(2, 5)[:7],
    "too long": tables.header(2, 0xFFFFFFF0),
    "wrong start": tables.header(2, 5, start=4),
}


@pytest.mark.parametrize("data", BREAKS.values(), ids=BREAKS)
async def test_garbage(data: bytes) -> None:
    """What is no header ends the connection for everybody."""

    async def script(peer: Peer) -> None:
        """Send garbage instead of an answer."""
        await peer.hear()
        await peer.raw(data)
        await peer.hear()

    async with connected(script) as (client, peer):
        with pytest.raises(ProtocolError):
            await ask(client, "x")
        assert isinstance(await broken(client), ProtocolError)
        with pytest.raises(ProtocolError):
            await ask(client, "y")
        assert peer.received == ["x"]


async def test_text_without_header() -> None:
    """A text that nothing announced ends the connection."""

    async def script(peer: Peer) -> None:
        """Send a text alone."""
        await peer.websocket.send_str("{}")
        await peer.hear()

    async with connected(script) as (client, _):
        assert isinstance(await broken(client), ProtocolError)


async def test_wrong_length() -> None:
    """A binary payload of another length than announced ends the connection."""

    async def script(peer: Peer) -> None:
        """Announce too much."""
        await peer.raw(tables.header(2, 48))
        await peer.raw(bytes(24))
        await peer.hear()

    async with connected(script) as (client, _):
        assert isinstance(await broken(client), ProtocolError)
        assert client.tables == []


async def test_broken_websocket_frame() -> None:
    """Bytes that are no websocket frame end the connection soon."""

    async def script(peer: Peer) -> None:
        """Send a reserved opcode and stay."""
        peer.write(b"\xff\xff\xff\xff")
        await asyncio.sleep(3)

    async with connected(script) as (client, _):
        async with asyncio.timeout(1):
            assert isinstance(await client.connection.broken, ProtocolError)


async def test_message_too_big() -> None:
    """A message above every limit ends the connection before it is read."""

    async def script(peer: Peer) -> None:
        """Begin a message of 4 GiB."""
        peer.write(b"\x82\x7f" + struct.pack(">Q", 2**32) + b"x")
        await asyncio.sleep(3)

    async with connected(script) as (client, _):
        assert isinstance(await broken(client), ProtocolError)


async def test_out_of_service() -> None:
    """A Miniserver that announces its restart is not asked any more."""

    async def script(peer: Peer) -> None:
        """Announce it."""
        await peer.hear()
        await peer.raw(tables.header(5, 0))
        await peer.hear()

    async with connected(script) as (client, _):
        with pytest.raises(MiniserverStartingError):
            await ask(client, "x")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1000, MiniserverConnectionError),
        (1001, MiniserverConnectionError),
        (4003, LockedOutError),
        (4007, MiniserverStartingError),
        (4008, NoSlotError),
    ],
)
async def test_closes(code: int, error: type[MiniserverError]) -> None:
    """A close tells everybody who waits why."""

    async def script(peer: Peer) -> None:
        """Close."""
        await peer.hear()
        await peer.websocket.close(code=code, message=b"remaining 38")

    async with connected(script) as (client, _):
        with pytest.raises(error) as raised:
            await ask(client, "x")
        if isinstance(raised.value, LockedOutError):
            assert raised.value.remaining == 38


async def test_reset() -> None:
    """A connection that is cut fails at once."""

    async def script(peer: Peer) -> None:
        """Cut."""
        await peer.hear()
        transport = peer.request.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()

    async with connected(script) as (client, _):
        with pytest.raises(MiniserverConnectionError):
            await ask(client, "x")
        with pytest.raises(MiniserverConnectionError):
            await ask(client, "y")


async def test_dead_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Miniserver that falls silent is found out, and asked no more."""
    monkeypatch.setattr(module, "KEEPALIVE_INTERVAL_S", 0.02)
    monkeypatch.setattr(module, "KEEPALIVE_TIMEOUT_S", 0.05)

    async def script(peer: Peer) -> None:
        """Listen only."""
        while True:
            await peer.hear()

    async with connected(script) as (client, peer):
        assert isinstance(await broken(client), MiniserverTimeoutError)
        await asyncio.sleep(0.1)
        assert peer.received == ["keepalive"]


async def test_close_frame() -> None:
    """Our end is a close frame, so that the Miniserver frees the slot."""
    seen: list[int | None] = []

    async def script(peer: Peer) -> None:
        """Wait for the end."""
        with contextlib.suppress(ConnectionError):
            while True:
                await peer.hear()
        seen.append(peer.websocket.close_code)

    async with connected(script) as (client, _):
        waiting = asyncio.create_task(ask(client, "x"))
        queued = [asyncio.create_task(ask(client, "y")) for _ in range(20)]
        await asyncio.sleep(0.02)
        await client.connection.close()
        for task in (waiting, *queued):
            with pytest.raises(MiniserverConnectionError):
                await task
        await client.connection.close()
    assert seen == [1000]


@pytest.mark.parametrize("turns", range(6))
async def test_cancelled_close(turns: int) -> None:
    """A close that is given up half-way is finished all the same."""
    async with connected(Peer.serve) as (client, _):
        waiting = asyncio.create_task(ask(client, "x"))
        closing = asyncio.create_task(client.connection.close())
        for _turn in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        if turns:
            assert client.connection._websocket.closed
            with pytest.raises(MiniserverConnectionError):
                await waiting
        else:
            assert await waiting == "x"


async def test_close_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Miniserver that sends without end and never closes is left alone."""
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.1)

    async def script(peer: Peer) -> None:
        """Break the protocol and go on sending."""
        await peer.websocket.send_str("no header")
        while True:
            await peer.raw(tables.header(2, 0))
            await asyncio.sleep(0.01)

    async with connected(script) as (client, _):
        assert isinstance(await broken(client), ProtocolError)
        async with asyncio.timeout(1):
            await client.connection.close()


async def test_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """A fault while taking a table ends the connection and is logged."""

    async def script(peer: Peer) -> None:
        """Send a table."""
        await peer.table(2, bytes(24))
        await peer.hear()

    async with connected(script) as (client, _):
        client.fault = KeyError("ours")
        assert isinstance(await broken(client), MiniserverConnectionError)
    assert "A message could not be taken" in caplog.text
    caplog.clear()


async def test_our_error_from_a_table() -> None:
    """A broken table ends the connection with its own error."""

    async def script(peer: Peer) -> None:
        """Send a table."""
        await peer.table(2, bytes(23))
        await peer.hear()

    async with connected(script) as (client, _):
        client.fault = ProtocolError("cut")
        assert await broken(client) is client.fault
