"""One websocket: frames, answers in order, and every way to break."""

import asyncio
import contextlib
import random

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from . import tables
from .scripted import Client, Peer, connected
from custom_components.loxone_wallbox.miniserver import connection as module
from custom_components.loxone_wallbox.miniserver.errors import (
    MiniserverError,
    MiniserverTimeoutError,
)
from custom_components.loxone_wallbox.miniserver.frames import Kind

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def ask(client: Client, text: str, timeout_s: float = 5) -> str:
    """Send a command."""
    return await client.connection.request(lambda: text, timeout_s)


async def broken(client: Client) -> MiniserverError:
    """Return how the connection ended."""
    async with asyncio.timeout(5):
        return await client.connection.broken


async def test_answers_in_order() -> None:
    """Fifty callers get their own answers, one command in flight at a time."""
    in_flight = 0

    async def script(peer: Peer) -> None:
        """Answer after a moment and notice anything that comes too early."""
        nonlocal in_flight
        while True:
            text = await peer.hear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    early = await peer.hear()
                    in_flight += bool(early)
            await peer.say(f"{text}!")

    async with connected(script) as (client, peer):
        numbers = [str(number) for number in range(50)]
        answers = await asyncio.gather(*(ask(client, number) for number in numbers))
        assert answers == [f"{number}!" for number in numbers]
        assert peer.received == numbers
        assert in_flight == 0


async def test_cancelled_callers() -> None:
    """Callers that give up at any point never shift an answer to another."""
    rng = random.Random(7)
    async with connected(Peer.serve) as (client, _):

        async def call(number: int) -> None:
            """Ask, maybe not to the end."""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rng.choice([0, 0.0005, 0.002, 1, 1])):
                    assert await ask(client, str(number)) == str(number)

        await asyncio.gather(*(call(number) for number in range(200)))
        assert await ask(client, "last") == "last"
        assert client.connection.is_open


async def test_cancelled_before_its_turn() -> None:
    """A caller who gives up while waiting sends nothing."""
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        """Hold the first answer back."""
        first = await peer.hear()
        await go.wait()
        await peer.say(first)
        await peer.serve()

    async with connected(script) as (client, peer):
        first = asyncio.create_task(ask(client, "first"))
        await asyncio.sleep(0.02)
        second = asyncio.create_task(ask(client, "second"))
        await asyncio.sleep(0.02)
        second.cancel()
        go.set()
        assert await first == "first"
        assert await ask(client, "third") == "third"
        assert peer.received == ["first", "third"]


async def test_cancelled_and_broken(caplog: pytest.LogCaptureFixture) -> None:
    """A command whose caller is gone fails without a word."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        """Take a command and close."""
        await peer.hear()
        await gone.wait()

    async with connected(script) as (client, _):
        caller = asyncio.create_task(ask(client, "x"))
        await asyncio.sleep(0.02)
        caller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await caller
        gone.set()
        await broken(client)
        await asyncio.sleep(0.02)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_events_between() -> None:
    """Events between a command and its answer, and after, are taken."""

    async def script(peer: Peer) -> None:
        """Send tables all around an answer."""
        text = await peer.hear()
        for kind in (2, 3, 4, 7):
            await peer.table(kind, bytes([kind]))
        await peer.say(text)
        await peer.table(2, b"\0")
        await peer.serve()

    async with connected(script) as (client, _):
        assert await ask(client, "x") == "x"
        assert await ask(client, "y") == "y"
        kinds = [kind for kind, _ in client.tables]
        assert kinds == [
            Kind.VALUES,
            Kind.TEXTS,
            Kind.DAYTIMERS,
            Kind.WEATHER,
            Kind.VALUES,
        ]


@pytest.mark.parametrize("flags", [0x80, 0x01])
async def test_estimated_headers(flags: int) -> None:
    """An estimate may be followed by the exact header or by the payload itself."""

    async def script(peer: Peer) -> None:
        """Answer in both ways."""
        await peer.raw(tables.header(2, 999, flags=flags))
        await peer.raw(tables.header(2, 24))
        # A payload that itself looks like a header.
        await peer.raw(tables.header(2, 24) * 3)
        text = await peer.hear()
        await peer.raw(tables.header(0, 999, flags=flags))
        await peer.say(text)
        text = await peer.hear()
        await peer.raw(tables.header(0, 999, flags=flags))
        await peer.websocket.send_str(text)
        await peer.raw(tables.header(2, 1, flags=flags))
        await peer.raw(bytes(24))
        await peer.raw(tables.header(2, 0, flags=flags))
        await peer.raw(tables.header(2, 0))
        await peer.serve()

    async with connected(script) as (client, _):
        assert [await ask(client, text) for text in ("a", "b", "c")] == ["a", "b", "c"]
        assert [payload for _, payload in client.tables] == [
            tables.header(2, 24) * 3,
            bytes(24),
            b"",
        ]


async def test_lenient_payloads() -> None:
    """Empty, binary, Latin-1 and unknown payloads do not disturb the order."""

    async def script(peer: Peer) -> None:
        """Answer oddly."""
        await peer.hear()
        await peer.raw(tables.header(0, 0))
        await peer.hear()
        await peer.table(1, b"J\xfcrgen")
        await peer.hear()
        await peer.table(9, b"later firmware")
        await peer.raw(tables.header(9, 0))
        await peer.raw(tables.header(2, 0))
        await peer.say("third")
        await peer.say("nobody asked")
        await peer.serve()

    async with connected(script) as (client, _):
        assert await ask(client, "1") == ""
        assert await ask(client, "2") == "Jürgen"
        assert await ask(client, "3") == "third"
        await asyncio.sleep(0.02)
        assert await ask(client, "4") == "4"
        assert client.tables == [(Kind.VALUES, b"")]


async def test_late_answer() -> None:
    """An answer that comes too late is nobody's: the connection goes with it."""

    async def script(peer: Peer) -> None:
        """Answer late."""
        await peer.say(await asyncio.wait_for(peer.hear(), 1))
        text = await peer.hear()
        await asyncio.sleep(0.2)
        await peer.say(text)
        await peer.serve()

    async with connected(script) as (client, _):
        await ask(client, "1")
        waiting = asyncio.create_task(ask(client, "2", 0.05))
        queued = asyncio.create_task(ask(client, "3"))
        with pytest.raises(MiniserverTimeoutError):
            await waiting
        with pytest.raises(MiniserverTimeoutError):
            await queued
        assert not client.connection.is_open


async def test_announced_answer_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long payload that has been announced is waited for."""
    monkeypatch.setattr(module, "SLOWEST_BYTES_PER_S", 1000)

    async def script(peer: Peer) -> None:
        """Announce at once and deliver later."""
        await peer.hear()
        await peer.raw(tables.header(1, 1000))
        await asyncio.sleep(0.2)
        await peer.websocket.send_str("x" * 1000)
        await peer.serve()

    async with connected(script) as (client, _):
        assert await ask(client, "file", 0.05) == "x" * 1000


async def test_keepalive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client shows that it is there; any sign of life is one."""
    monkeypatch.setattr(module, "KEEPALIVE_INTERVAL_S", 0.02)
    monkeypatch.setattr(module, "KEEPALIVE_TIMEOUT_S", 0.3)
    async with connected(Peer.serve) as (client, peer):
        await asyncio.sleep(0.15)
        assert client.connection.is_open
        assert peer.received.count("keepalive") >= 3


async def test_dead_link_while_a_file_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a long payload is on its way, silence means nothing."""
    monkeypatch.setattr(module, "KEEPALIVE_INTERVAL_S", 0.02)
    monkeypatch.setattr(module, "KEEPALIVE_TIMEOUT_S", 0.02)
    monkeypatch.setattr(module, "SLOWEST_BYTES_PER_S", 1000)

    async def script(peer: Peer) -> None:
        """Deliver slowly."""
        await peer.hear()
        await peer.raw(tables.header(1, 1000))
        await asyncio.sleep(0.2)
        await peer.websocket.send_str("x" * 1000)
        await peer.serve()

    async with connected(script) as (client, _):
        assert len(await ask(client, "file")) == 1000


messages = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=20),
        st.builds(
            tables.header,
            st.integers(0, 9),
            st.integers(0, 60),
            flags=st.sampled_from([0, 0x80, 1]),
        ),
    ),
    max_size=12,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(messages)
async def test_arbitrary_messages(sent: list[bytes | str]) -> None:
    """Whatever is sent, a caller gets an answer or our own error, and soon."""

    async def script(peer: Peer) -> None:
        """Send it all instead of an answer, then close."""
        await peer.hear()
        for message in sent:
            if isinstance(message, bytes):
                await peer.raw(message)
            else:
                await peer.websocket.send_str(message)

    async with connected(script) as (client, _):
        with contextlib.suppress(MiniserverError):
            async with asyncio.timeout(3):
                assert isinstance(await ask(client, "x"), str)
        await broken(client)
