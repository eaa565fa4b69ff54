"""The HTTP side of the unit, and the door to its websockets on the same port.

Source: Communicating with the Miniserver, "HTTP requests".
"""

import base64
import binascii
import hmac
from urllib.parse import parse_qs, unquote

from aiohttp import WSCloseCode, web

from .caller import Caller
from .commands import Commands
from .config import User
from .connection import Connection
from .crypto import CryptoError
from .envelope import error_page
from .miniserver import Miniserver
from .status import upnp_xml
from .system_commands import blocked_reason

_WEBSOCKET = "/ws/rfc6455"
_UTF8 = "utf-8"


class Web:
    """Answers HTTP requests and opens websockets."""

    def __init__(self, unit: Miniserver) -> None:
        """Take the unit."""
        self._unit = unit
        self._commands = Commands(unit)
        self.connections: list[Connection] = []

    def application(self) -> web.Application:
        """Return what the server runs."""
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        if self._unit.booting:
            return _page(503, "Miniserver is starting")
        path = request.raw_path
        remaining = self._unit.accounts.remaining_block(request.remote or "")
        if path.partition("?")[0].rstrip("/") == _WEBSOCKET:
            return await self._websocket(request, remaining)
        if remaining:
            reason = blocked_reason(request.remote or "", remaining)
            return _page(403, reason, remaining=remaining)
        if path.partition("?")[0] == "/upnp.xml":
            url = str(request.url.origin())
            text = upnp_xml(self._unit.config, url)
            return web.Response(text=text, content_type="text/xml")
        if path == "/":
            # The web interface; some clients ask for it to see whether the unit lives.
            page = f"<html><title>{self._unit.config.name}</title></html>\n"
            return web.Response(text=page, content_type="text/html")
        return self._command(request, path.lstrip("/"))

    async def _websocket(
        self, request: web.Request, remaining: int
    ) -> web.StreamResponse:
        """Open a websocket; a client without a place is told by a close code."""
        unit = self._unit
        ws = web.WebSocketResponse(
            protocols=("remotecontrol",),
            compress=False,
            timeout=2.0,
            max_msg_size=2**20,
        )
        if not ws.can_prepare(request):
            return _page(400, "this is a websocket")
        await ws.prepare(request)
        if remaining:
            reason = blocked_reason(request.remote or "", remaining)
            await ws.close(code=4003, message=reason.encode())
            return ws
        no_slot = unit.faults.peek("no_slot")
        if not unit.has_slot or (no_slot and no_slot["at"] == "open"):
            unit.log("a client found no free slot")
            await ws.close(code=4008, message=b"no free event slot")
            return ws
        connection = Connection(
            unit, self._commands, ws, request, tls=request.scheme == "https"
        )
        unit.clients.append(connection)
        self.connections.append(connection)
        unit.log(f"{request.remote} connected ({len(unit.clients)} clients)")
        try:
            await connection.run()
        finally:
            unit.clients.remove(connection)
            self.connections.remove(connection)
            if ws.close_code == WSCloseCode.ABNORMAL_CLOSURE and unit.faults.take(
                "lost_slots"
            ):
                unit.lost_slots += 1
            unit.log(
                f"{request.remote} disconnected ({ws.close_code}, "
                f"{len(unit.clients)} clients)"
            )
        return ws

    def _command(self, request: web.Request, line: str) -> web.Response:
        """Answer a command over HTTP."""
        unit = self._unit
        address = request.remote or ""
        caller = Caller(
            address=address,
            tls=request.scheme == "https",
            websocket=False,
            keys=unit.http_keys.setdefault(address, []),
        )
        line = unquote(line) if line.startswith("data/") else line
        if "authorization" in request.headers:
            caller.user = self._basic(request.headers["authorization"])
            if caller.user is None:
                unit.accounts.failed(address)
                return _page(401, "Unauthorized")
        line = self._take_session_key(line, caller)
        handled = self._commands.handle(line, caller)
        if caller.user is None and not self._commands.knows_before_login(line):
            return _page(401, "Unauthorized")
        status = handled.code if handled.code in range(200, 600) else 400
        return web.Response(
            text=handled.text,
            status=status,
            content_type=handled.content_type,
            charset=_UTF8,
        )

    def _take_session_key(self, line: str, caller: Caller) -> str:
        """Take the session key that comes with an encrypted request."""
        path, _, query = line.partition("?")
        if not path.startswith(("jdev/sys/enc/", "jdev/sys/fenc/")):
            return line
        wrapped = parse_qs(query.replace("+", "%2B")).get("sk", [""])[0]
        try:
            caller.session_key = self._unit.keys.unwrap(wrapped)
        except CryptoError:
            # Stays without a key, so that decryption is answered with 401.
            self._unit.log("a session key over HTTP was refused")
        return path

    def _basic(self, authorization: str) -> User | None:
        """Return the user of HTTP Basic, if the password is right."""
        kind, _, encoded = authorization.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            plain = base64.b64decode(encoded).decode(_UTF8, errors="replace")
        except binascii.Error:
            return None
        name, _, password = plain.partition(":")
        user = self._unit.accounts.users.get(name)
        if user is None or user.disabled:
            return None
        same = hmac.compare_digest(user.password.encode(), password.encode())
        return user if same else None


def _page(code: int, detail: str, *, remaining: int | None = None) -> web.Response:
    """Return an HTTP error."""
    headers = {}
    if code == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = 'Basic realm="Authentication is required"'
    return web.Response(
        text=error_page(code, detail, remaining=remaining),
        status=code,
        content_type="text/html",
        charset=_UTF8,
        headers=headers,
    )
