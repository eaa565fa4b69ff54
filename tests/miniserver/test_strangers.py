"""Whatever else may answer at an address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
import json
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.loxone_wallbox.miniserver import (
    Address,
    Credentials,
    MiniserverClient,
    http as http_module,
    identify,
    link as link_module,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    LockedOutError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    NotAMiniserverError,
    ProtocolError,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

type Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]

API_KEY = json.dumps(
    {
        "LL": {
            "control": "dev/cfg/apiKey",
            "value": "{'snr': '50:4F:94:A0:2E:7E', 'version':'16.1.11.6'}",
            "Code": "200",
        }
    }
)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[Address]:
    """Run a web server."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Address(host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(data: bytes, *, stay: bool = False) -> AsyncIterator[Address]:
    """Run a TCP server that says the same to everybody."""
    done = asyncio.Event()

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say it."""
        writer.write(data)
        if stay:
            await done.wait()
        else:
            await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    finally:
        done.set()
        server.close()
        await server.wait_closed()


async def outcome(address: Address) -> MiniserverError:
    """Return what a client says of an address, and check the short question too."""
    async with aiohttp.ClientSession() as session:
        client = MiniserverClient(
            session,
            address,
            Credentials(username="u", client_id="c", client_name="n", password="p"),
        )
        with pytest.raises(MiniserverError) as raised:
            async with asyncio.timeout(5):
                await client.connect()
        await client.close()
        return raised.value


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "<html>Router</html>", NotAMiniserverError),
        (200, "", NotAMiniserverError),
        (200, "{}", NotAMiniserverError),
        (200, '{"LL": {"value": "x", "Code": "200"}}', NotAMiniserverError),
        (200, "[" * 50_000, NotAMiniserverError),
        (200, "x" * 500_000, NotAMiniserverError),
        (404, "no", NotAMiniserverError),
        (401, "no", NotAMiniserverError),
        (301, "no", NotAMiniserverError),
        (500, "no", NotAMiniserverError),
        (503, "no", MiniserverStartingError),
        (403, "<remaining>12</remaining>", LockedOutError),
    ],
)
async def test_web_servers(
    status: int, body: str, error: type[MiniserverError]
) -> None:
    """Any other web server is told apart."""

    async def handle(_request: web.Request) -> web.Response:
        """Answer."""
        headers = {"Location": "http://127.0.0.1:1/"} if status == 301 else {}
        return web.Response(status=status, text=body, headers=headers)

    async with served(handle) as address:
        assert type(await outcome(address)) is error


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x00\xff" * 50,
        b"HTTP/1.1 200\r\nx\r\n",
    ],
)
async def test_garbage(data: bytes) -> None:
    """What is no web server at all is our own error."""
    async with raw(data) as address:
        assert isinstance(
            await outcome(address), NotAMiniserverError | MiniserverConnectionError
        )


async def test_hangs_up() -> None:
    """A server that hangs up without a word is a broken connection."""
    async with raw(b"") as address:
        assert isinstance(await outcome(address), MiniserverConnectionError)


async def test_cut_answer() -> None:
    """A body that ends too early is our own error."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"
    async with raw(head) as address:
        assert isinstance(await outcome(address), MiniserverError)


async def test_closed_port() -> None:
    """A closed port is a connection error."""
    async with raw(b"") as address:
        pass
    assert type(await outcome(address)) is MiniserverConnectionError


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_never_answers(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    """A port that never answers is given up in time."""
    monkeypatch.setattr(http_module, "HTTP_TIMEOUT_S", 0.1)
    async with raw(part, stay=True) as address:
        assert type(await outcome(address)) is MiniserverTimeoutError


@pytest.mark.parametrize("host", ["", "bad host", "x" * 300, "a..b", "\ud800"])
async def test_host_without_sense(host: str) -> None:
    """A host that cannot be one is our own error."""
    assert isinstance(await outcome(Address(host=host)), MiniserverError)


async def test_redirect_is_not_followed() -> None:
    """Nobody sends us elsewhere."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        """Send to another path."""
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with served(handle) as address:
        assert type(await outcome(address)) is NotAMiniserverError
    assert asked == ["/jdev/cfg/apiKey"]


def half(public_key: str, websocket: Handler) -> Handler:
    """Return a server that says it is a Miniserver and is none."""

    async def handle(request: web.Request) -> web.StreamResponse:
        """Answer the first questions well."""
        if request.path.endswith("apiKey"):
            return web.Response(text=API_KEY)
        if request.path.endswith("getPublicKey"):
            return web.Response(text=public_key)
        return await websocket(request)

    return handle


async def no_websocket(_request: web.Request) -> web.StreamResponse:
    """Answer without a websocket."""
    return web.Response(text="hello")


async def test_no_websocket() -> None:
    """Without a websocket it is no Miniserver."""
    async with served(half("", no_websocket)) as address:
        assert type(await outcome(address)) is NotAMiniserverError


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, LockedOutError), (503, MiniserverStartingError), (404, NotAMiniserverError)],
)
async def test_websocket_refused(status: int, error: type[MiniserverError]) -> None:
    """A refused websocket says why by its status."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        """Refuse."""
        return web.Response(status=status)

    async with served(half("", refuse)) as address:
        assert type(await outcome(address)) is error


async def test_websocket_never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A websocket that never opens is given up in time."""
    monkeypatch.setattr(link_module, "CONNECT_TIMEOUT_S", 0.1)
    done = asyncio.Event()

    async def wait(_request: web.Request) -> web.StreamResponse:
        """Wait for the end."""
        await done.wait()
        return web.Response()

    async with served(half("", wait)) as address:
        assert type(await outcome(address)) is MiniserverTimeoutError
        done.set()


async def test_websocket_hangs_up() -> None:
    """A server that hangs up instead of opening a websocket is a broken connection."""

    async def hang_up(request: web.Request) -> web.StreamResponse:
        """Cut."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with served(half("", hang_up)) as address:
        assert isinstance(await outcome(address), MiniserverConnectionError)


@pytest.mark.parametrize(
    "value", ['{"LL": {"value": "AAAA", "Code": "200"}}', '{"LL": {"Code": "404"}}']
)
async def test_public_key_without_sense(value: str) -> None:
    """A public key that is none is our own error."""

    async def websocket(request: web.Request) -> web.StreamResponse:
        """Open a websocket and wait for its end."""
        opened = web.WebSocketResponse(timeout=0.1)
        await opened.prepare(request)
        await opened.receive()
        return opened

    async with served(half(value, websocket)) as address:
        assert type(await outcome(address)) is ProtocolError


async def test_identify_is_the_same() -> None:
    """The short question says the same of a Miniserver."""
    async with (
        served(half("", no_websocket)) as address,
        aiohttp.ClientSession() as session,
    ):
        identity = await identify(session, address)
        assert (identity.serial, identity.tls_usable) == ("504F94A02E7E", False)
