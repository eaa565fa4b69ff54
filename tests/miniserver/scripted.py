"""A websocket server that does exactly what a test tells it, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import ClientSession, ClientWSTimeout, WSMsgType, web

from . import tables
from custom_components.loxone_wallbox.miniserver.connection import Connection
from custom_components.loxone_wallbox.miniserver.frames import Kind

type Script = Callable[["Peer"], Coroutine[None, None, None]]


class Peer:
    """The server's end of a websocket."""

    def __init__(self, websocket: web.WebSocketResponse, request: web.Request) -> None:
        """Take the websocket."""
        self.websocket = websocket
        self.request = request
        self.received: list[str] = []

    async def hear(self) -> str:
        """Return the client's next message."""
        message = await self.websocket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionResetError
        self.received.append(message.data)
        return str(message.data)

    async def say(self, text: str, *, kind: int = 0) -> None:
        """Send an answer with its header."""
        await self.raw(tables.header(kind, len(text.encode())))
        await self.websocket.send_str(text)

    async def table(self, kind: int, payload: bytes) -> None:
        """Send an event table with its header."""
        await self.raw(tables.header(kind, len(payload)))
        await self.websocket.send_bytes(payload)

    async def raw(self, data: bytes) -> None:
        """Send a binary message."""
        await self.websocket.send_bytes(data)

    def write(self, data: bytes) -> None:
        """Send bytes that are no websocket message."""
        transport = self.request.transport
        assert isinstance(transport, asyncio.Transport)
        transport.write(data)

    async def serve(self) -> None:
        """Answer every command with itself until the end."""
        while True:
            text = await self.hear()
            if text == "keepalive":
                await self.raw(tables.header(6, 0))
            else:
                await self.say(text)


class Client:
    """The client's end: a connection and the tables it took."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.tables: list[tuple[Kind, bytes]] = []
        self.fault: Exception | None = None
        self.connection: Connection

    def take(self, kind: Kind, payload: bytes) -> None:
        """Keep a table."""
        if self.fault is not None:
            raise self.fault
        self.tables.append((kind, payload))


@asynccontextmanager
async def connected(script: Script) -> AsyncIterator[tuple[Client, Peer]]:
    """Connect to a server that follows a script."""
    peers: list[Peer] = []
    works: list[asyncio.Future[None]] = []
    ready = asyncio.Event()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        """Open a websocket and follow the script."""
        websocket = web.WebSocketResponse(timeout=0.2, max_msg_size=0)
        await websocket.prepare(request)
        peer = Peer(websocket, request)
        peers.append(peer)
        ready.set()
        with suppress(ConnectionError, asyncio.CancelledError):
            work = asyncio.ensure_future(script(peer))
            works.append(work)
            await work
        return websocket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    client = Client()
    options: dict[str, Any] = {"decode_text": False, "max_msg_size": 2**25 + 1}
    try:
        async with ClientSession() as session:
            websocket = await session.ws_connect(
                f"http://127.0.0.1:{runner.addresses[0][1]}/",
                timeout=ClientWSTimeout(ws_close=0.2),
                **options,
            )
            client.connection = Connection(websocket, client.take)
            await ready.wait()
            try:
                yield client, peers[0]
            finally:
                await client.connection.close()
    finally:
        for work in works:
            work.cancel()
        await runner.cleanup()
