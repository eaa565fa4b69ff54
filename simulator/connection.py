"""A websocket of a client.

Source: Communicating with the Miniserver, "Message header" and "Keepalive".
"""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from dataclasses import dataclass
import socket
import struct
from typing import Any, override

from aiohttp import ClientConnectionResetError, WSMsgType, web

from .caller import Caller
from .commands import Commands, Handled
from .miniserver import Client, Miniserver
from .states import Kind

_FIXED = 0x03
# A client that reads nothing is dropped when so much waits for it.
_MOST_WAITING = 20_000
_CLOSE_S = 2.0
# Having begun to log in, a client gets this many times the time.
_PATIENCE = 6


@dataclass(frozen=True, kw_only=True)
class _Message:
    """A payload with its header; None as payload sends the header alone."""

    kind: int
    payload: bytes | str | None
    # Announced instead of the true length.
    length: int | None = None
    slow_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Raw:
    """Bytes of one message without a header."""

    data: bytes


@dataclass(frozen=True, kw_only=True)
class _Shut:
    """The end of the connection."""

    code: int
    reason: str


def header(kind: int, length: int, flags: int = 0) -> bytes:
    """Return the eight bytes before a payload."""
    return struct.pack("<BBBBI", _FIXED, kind, flags, 0, length)


class Connection(Client):
    """Reads commands in order, answers them in order, and sends events in between."""

    def __init__(
        self,
        unit: Miniserver,
        commands: Commands,
        ws: web.WebSocketResponse,
        request: web.Request,
        *,
        tls: bool,
    ) -> None:
        """Take an open websocket."""
        self.caller = Caller(address=request.remote or "", tls=tls, websocket=True)
        self._unit = unit
        self._commands = commands
        self._ws = ws
        self._request = request
        self._inbox: asyncio.Queue[str] = asyncio.Queue()
        self._outbox: asyncio.Queue[_Message | _Raw | _Shut] = asyncio.Queue()
        self._opened_at = self._heard_at = unit.clock.monotonic()
        # Counts the commands of the client.
        self._heard = 0
        self._ending = False
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> None:
        """Serve the client until one side closes."""
        worker = asyncio.create_task(self._work())
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._ws:
                if message.type is WSMsgType.TEXT:
                    self._hear(message.data)
        finally:
            self._ending = True
            for timer in self._timers:
                timer.cancel()
            for task in (worker, writer):
                task.cancel()
            await asyncio.gather(worker, writer, return_exceptions=True)

    @override
    def send_tables(self, tables: Iterable[tuple[Kind, bytes]]) -> None:
        """Send event tables."""
        for kind, payload in tables:
            self._put(_Message(kind=kind, payload=payload))

    @override
    def shut(self, code: int, reason: str = "") -> None:
        """Close with a code after everything that waits to be sent."""
        self._put(_Shut(code=code, reason=reason))

    def send_all_states(self) -> None:
        """Send everything the user may see."""
        if self.caller.user:
            self.send_tables(
                self._unit.tables_for(self.caller.user, list(self._unit.states))
            )

    def go_out_of_service(self) -> None:
        """Announce a restart and close."""
        self._put(_Message(kind=Kind.OUT_OF_SERVICE, payload=None))
        self.shut(1001, "out of service")

    def reset(self) -> None:
        """Cut the connection without a close frame."""
        transport = self._request.transport
        if not isinstance(transport, asyncio.Transport):
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            # Lingering for no time turns the end into a reset.
            linger = struct.pack("ii", 1, 0)
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()

    def watch(self) -> None:
        """Close a client that does not log in or has fallen silent."""
        now = self._unit.clock.monotonic()
        config = self._unit.config
        if self.caller.user is None:
            patience = _PATIENCE if self.caller.started else 1
            if now - self._opened_at > config.login_timeout_s * patience:
                self._unit.log("a client did not log in in time")
                text = '{"LL": { "control": "", "value": "", "Code": "420"}}'
                self._put(_Message(kind=Kind.TEXT, payload=text))
                self.shut(1000, "not authenticated in time")
                return
        if now - self._heard_at > config.idle_timeout_s:
            self._unit.log("a client was silent for too long")
            self.shut(1000, "idle")

    def disturb(self, name: str, options: dict[str, Any]) -> None:
        """Send something that no client should have to read."""
        table = self._table(options.get("kind", Kind.VALUES))
        match name:
            case "zero_header":
                for _ in range(options["count"]):
                    self._put(_Message(kind=options["kind"], payload=None))
            case "half_table":
                # Cut within the last entry, and announced as it is.
                self._put(_Message(kind=options["kind"], payload=table[:-11]))
            case "garbage_frame":
                data = bytes((7 * index + 77) % 256 for index in range(options["size"]))
                self._put(_Raw(data=data))
            case "wrong_length":
                length = max(len(table) + options["by"], 0)
                self._put(_Message(kind=Kind.VALUES, payload=table, length=length))
            case "huge_length":
                length = options["length"]
                self._put(_Message(kind=Kind.VALUES, payload=table, length=length))
            case "half_frame":
                transport = self._request.transport
                if isinstance(transport, asyncio.Transport):
                    # A binary frame that promises 4096 bytes.
                    transport.write(b"\x82\x7e\x10\x00" + b"cut")
                self._later(0.05, self.reset)

    def _later(self, seconds: float, act: Callable[..., None], *args: Any) -> None:
        """Do something after a while, if the connection is still open then."""
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(seconds, act, *args))

    def _close_if_refused(self, heard: int) -> None:
        """Close after a refused login, unless the client tries again."""
        if self.caller.user is None and self._heard == heard:
            self.shut(1000, "login refused")

    def _hear(self, text: str) -> None:
        """Take a message of the client."""
        self._heard_at = self._unit.clock.monotonic()
        if text == "keepalive":
            self._put(_Message(kind=Kind.KEEPALIVE, payload=None))
        else:
            self._heard += 1
            self._inbox.put_nowait(text)

    async def _work(self) -> None:
        """Answer commands one after the other."""
        while True:
            text = await self._inbox.get()
            if self._ending:
                return
            try:
                handled = self._commands.handle(text, self.caller)
            except Exception as err:  # noqa: BLE001  (a bug here must show)
                self._unit.log(f"internal error for {text!r}: {err!r}")
                self.shut(1011, "internal error")
                return
            await self._answer(handled)

    async def _answer(self, handled: Handled) -> None:
        """Send an answer, and what is to follow it."""
        faults = self._unit.faults
        if faults.take("events_before_answer", handled.command):
            self.send_tables(self._value_tables())
        if late := faults.take("delay", handled.command):
            await asyncio.sleep(late["seconds"])
        if faults.take("no_answer", handled.command):
            pass
        elif faults.take("empty_answer", handled.command):
            self._put(_Message(kind=handled.kind, payload=None))
        else:
            self._put(
                _Message(kind=handled.kind, payload=handled.text, slow_s=handled.slow_s)
            )
        if self.caller.asked_for_events:
            self.caller.asked_for_events = False
            self.caller.wants_events = True
            self.send_all_states()
        grace = self._unit.config.refusal_grace_s
        if self.caller.refused and grace is not None:
            self.caller.refused = False
            self._later(grace, self._close_if_refused, self._heard)
        if self.caller.close:
            self.shut(*self.caller.close)
            self.caller.close = None

    def _value_tables(self) -> list[tuple[Kind, bytes]]:
        """Return tables with the states of all wallboxes."""
        if self.caller.user is None:
            return []
        return self._unit.tables_for(self.caller.user, self._unit.wallbox_states())

    def _table(self, wanted: int) -> bytes:
        """Return one table of a kind."""
        tables = (table for kind, table in self._value_tables() if kind == wanted)
        return next(tables, bytes(48))

    def _put(self, item: _Message | _Raw | _Shut) -> None:
        """Queue something for the writer."""
        if self._ending:
            return
        if isinstance(item, _Shut):
            self._ending = True
        elif self._outbox.qsize() > _MOST_WAITING:
            self._unit.log("a client reads too slowly and is dropped")
            self._ending = True
            self.reset()
            return
        self._outbox.put_nowait(item)

    async def _write(self) -> None:
        """Send what is queued, each payload right after its header."""
        with contextlib.suppress(ClientConnectionResetError, ConnectionError):
            while True:
                item = await self._outbox.get()
                if self._unit.faults.peek("silence"):
                    continue
                match item:
                    case _Shut():
                        await self._ws.close(
                            code=item.code, message=item.reason.encode()[:123]
                        )
                        return
                    case _Raw():
                        await self._ws.send_bytes(item.data)
                    case _Message():
                        await self._send(item)

    async def _send(self, message: _Message) -> None:
        """Send a header and, where there is one, its payload."""
        payload = message.payload
        raw = payload.encode() if isinstance(payload, str) else payload or b""
        length = len(raw) if message.length is None else message.length
        mask = self._estimated_mask()
        if mask and payload is not None:
            estimate = length + length // 10 + 20
            await self._ws.send_bytes(header(message.kind, estimate, mask))
        await self._ws.send_bytes(header(message.kind, length))
        if payload is None:
            return
        if message.slow_s:
            await asyncio.sleep(message.slow_s)
        if isinstance(payload, str):
            await self._ws.send_str(payload)
        else:
            await self._ws.send_bytes(payload)

    def _estimated_mask(self) -> int:
        """Return the flag of estimates, 0 if none are sent."""
        config = self._unit.config
        on, mask = config.estimated_headers, config.estimated_mask
        if fault := self._unit.faults.peek("estimated_headers"):
            on, mask = fault["on"], fault["mask"] or mask
        return mask if on else 0
