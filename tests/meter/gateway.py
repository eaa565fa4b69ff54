"""Gateways before the line of simulated meters on RTU through TCP.

`transparent` knows nothing of Modbus, as most serial servers do: what comes in on its
serial side goes to whoever is connected, so an answer that is held back reaches the
client's next connection, in order and late. `gateway` takes Modbus TCP from many clients
and asks on its line one thing after the other, at the speed of that line.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
import contextlib
from contextlib import asynccontextmanager

from simulator.meters.frames import Mbap, Request, Rtu, crc, exception
from simulator.meters.limits import GATEWAY_TARGET_SILENT

_LOCAL = "127.0.0.1"
# Ten bits a byte at 9600 baud.
BYTE_S = 10 / 9600
# How long it waits for a meter.
WAIT_S = 1.0


class Transparent:
    """Bytes from clients to a line and back, held back at will."""

    def __init__(self) -> None:
        """Start without clients."""
        self.address = ""
        # Seconds by which the next answers are held back.
        self.delays: deque[float] = deque()
        self._client: asyncio.StreamWriter | None = None
        self._line: asyncio.StreamWriter | None = None

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on what a client sends; the newest client gets the answers."""
        self._client = writer
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1024):
                assert self._line is not None
                self._line.write(data)
        writer.close()

    async def answer(self, line: asyncio.StreamReader) -> None:
        """Pass on what the line answers, one after the other."""
        while data := await line.read(1024):
            if self.delays:
                await asyncio.sleep(self.delays.popleft())
            if self._client is not None and not self._client.is_closing():
                self._client.write(data)


@asynccontextmanager
async def transparent(line_address: str) -> AsyncIterator[Transparent]:
    """Put a gateway before a line that hands bytes through."""
    host, _, port = line_address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    between = Transparent()
    between._line = writer
    server = await asyncio.start_server(between.serve, _LOCAL, 0)
    between.address = f"{_LOCAL}:{server.sockets[0].getsockname()[1]}"
    answering = asyncio.create_task(between.answer(reader))
    try:
        yield between
    finally:
        answering.cancel()
        server.close()
        server.close_clients()
        writer.close()
        await asyncio.wait([answering])
        await server.wait_closed()


class Gateway:
    """Modbus TCP for many clients on one side, one line on the other."""

    def __init__(self) -> None:
        """Start without clients."""
        self.port = 0
        # Takes connections and says nothing.
        self.deaf = False
        # Connections there were, and what came of the requests of each unit.
        self.connections = 0
        self.outcomes: Counter[tuple[int, str]] = Counter()
        # How many requests of a unit have waited at the same time, at most.
        self.most_waiting: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._line: asyncio.StreamWriter | None = None
        self._heard = bytearray()
        self._hears = asyncio.Event()
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Return where it can be reached."""
        return f"{_LOCAL}:{self.port}"

    async def switch_on(self) -> None:
        """Take clients, at the same port each time."""
        self._server = await asyncio.start_server(self._serve, _LOCAL, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def switch_off(self) -> None:
        """Be gone, with all connections."""
        if self._server is not None:
            self._server.close()
            self._server.close_clients()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def listen(self, line: asyncio.StreamReader) -> None:
        """Hear what is said on the line."""
        while data := await line.read(1024):
            self._heard += data
            self._hears.set()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer a client, one request after the other."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        buffer = bytearray()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1024):
                buffer += data
                for request in Mbap().split(buffer):
                    if self.deaf:
                        continue
                    pdu = await self._ask(request)
                    if not writer.is_closing():
                        writer.write(Mbap().build(request, pdu))
        writer.close()

    async def _ask(self, request: Request) -> bytes:
        """Ask a meter when it is this request's turn; return what to answer."""
        unit = request.unit
        self._waiting[unit] += 1
        self.most_waiting |= self._waiting
        try:
            async with self._turn:
                pdu = await self._answer(request)
        finally:
            self._waiting[unit] -= 1
        self.outcomes[unit, "silent" if pdu is None else "answered"] += 1
        return pdu or exception(request, GATEWAY_TARGET_SILENT)

    async def _answer(self, request: Request) -> bytes | None:
        """Return what a meter answers, None if it does not in time."""
        assert self._line is not None
        body = bytes([request.unit]) + request.pdu
        frame = body + crc(body)
        self._heard.clear()
        self._line.write(frame)
        try:
            async with asyncio.timeout(WAIT_S):
                while Rtu().missing(bytes(self._heard)) > 0:
                    self._hears.clear()
                    await self._hears.wait()
        except TimeoutError:
            return None
        heard = bytes(self._heard)
        await asyncio.sleep((len(frame) + len(heard)) * BYTE_S)
        return Rtu().pdu(heard) if heard[0] == request.unit else None


@asynccontextmanager
async def gateway(line_address: str) -> AsyncIterator[Gateway]:
    """Put a gateway for Modbus TCP before a line."""
    host, _, port = line_address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    between = Gateway()
    between._line = writer
    listening = asyncio.create_task(between.listen(reader))
    await between.switch_on()
    try:
        yield between
    finally:
        await between.switch_off()
        listening.cancel()
        writer.close()
        await asyncio.wait([listening])
