"""A small client written from Loxone's papers, to look at the simulator from outside."""

import asyncio
import base64
from dataclasses import dataclass, field
import hashlib
import hmac
import json
import secrets
import ssl
import struct
from typing import Any
from urllib.parse import quote
import uuid

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulator import Simulator

CLIENT_ID = "098802e1-02b4-603c-ffffeee000d80cfd"
VALUES, TEXTS, DAYTIMERS, OUT_OF_SERVICE, KEEPALIVE, WEATHER = 2, 3, 4, 5, 6, 7


@dataclass
class Frame:
    """A header with its payload."""

    kind: int
    length: int
    payload: bytes | str | None = None
    estimates: list[int] = field(default_factory=list)


class Closed(Exception):  # noqa: N818
    """The Miniserver closed the websocket."""

    def __init__(self, code: int | None, reason: str) -> None:
        """Take code and reason."""
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


def digest(algorithm: str, text: str) -> str:
    """Return an upper-case hash."""
    return hashlib.new(algorithm.lower(), text.encode()).hexdigest().upper()


def keyed(algorithm: str, key: str, text: str) -> str:
    """Return a lower-case HMAC."""
    return hmac.new(bytes.fromhex(key), text.encode(), algorithm.lower()).hexdigest()


class Cipherer:
    """AES as both sides use it."""

    def __init__(self) -> None:
        """Make key and vector."""
        self.key, self.iv = secrets.token_bytes(32), secrets.token_bytes(16)

    @property
    def _cipher(self) -> Cipher[modes.CBC]:
        """Return the cipher."""
        return Cipher(algorithms.AES(self.key), modes.CBC(self.iv))

    def wrapped(self, odd_pem: str) -> str:
        """Return key and vector encrypted for the Miniserver."""
        body = odd_pem.replace("-----BEGIN CERTIFICATE-----", "")
        der = base64.b64decode(body.replace("-----END CERTIFICATE-----", ""))
        public = serialization.load_der_public_key(der)
        assert isinstance(public, rsa.RSAPublicKey)
        plain = f"{self.key.hex()}:{self.iv.hex()}".encode()
        return base64.b64encode(public.encrypt(plain, padding.PKCS1v15())).decode()

    def encrypt(self, text: str, tail: bytes = b"") -> str:
        """Return base64 of the padded and encrypted text."""
        raw = text.encode() + tail
        raw += bytes(-len(raw) % 16)
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(raw) + encryptor.finalize()).decode()

    def decrypt(self, text: str) -> str:
        """Return the text up to the first NUL."""
        decryptor = self._cipher.decryptor()
        raw = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
        return raw.split(b"\0")[0].decode()


class Client:
    """A websocket to a Miniserver."""

    def __init__(self, sim: Simulator, session: ClientSession) -> None:
        """Take the Miniserver."""
        self.sim = sim
        self.session = session
        self.cipher = Cipherer()
        self.salt: str | None = None
        self.exchanged_key = ""
        self.token: dict[str, Any] = {}
        self.values: dict[str, float] = {}
        self.texts: dict[str, str] = {}
        self.daytimers: dict[str, list[tuple[Any, ...]]] = {}
        self.weather: dict[str, list[tuple[Any, ...]]] = {}
        self.frames: list[Frame] = []
        self.encrypts = True
        self._ws: ClientWebSocketResponse | None = None

    @property
    def ws(self) -> ClientWebSocketResponse:
        """Return the websocket."""
        assert self._ws is not None
        return self._ws

    async def http(self, path: str) -> Any:
        """Return the value of a command over HTTP."""
        async with self.session.get(f"{self.sim.url}/{path}") as response:
            return json.loads(await response.text())["LL"]["value"]

    async def open(
        self, *, path: str = "/ws/rfc6455", protocols: tuple[str, ...] = ()
    ) -> None:
        """Open a websocket without TLS."""
        url = f"ws://127.0.0.1:{self.sim.port}{path}"
        self._ws = await self.session.ws_connect(url, protocols=protocols)

    async def open_tls(self) -> None:
        """Open a websocket with TLS, checking the certificate."""
        context = ssl.create_default_context(cadata=self.sim.ca_pem)
        self._ws = await self.session.ws_connect(
            f"wss://127.0.0.1:{self.sim.tls_port}/ws/rfc6455",
            ssl=context,
            server_hostname=self.sim.tls_name,
        )
        self.encrypts = False

    async def exchange_keys(self) -> dict[str, Any]:
        """Agree upon a session key."""
        wrapped = self.cipher.wrapped(await self.http("jdev/sys/getPublicKey"))
        answer = await self.plain(f"jdev/sys/keyexchange/{wrapped}")
        if code(answer) == 200:
            self.exchanged_key = self.cipher.decrypt(answer["value"])
        return answer

    async def plain(self, command: str) -> dict[str, Any]:
        """Send a command as it is and return its answer."""
        await self.ws.send_str(command)
        return await self.answer()

    async def secret(
        self, command: str, *, how: str = "enc", tail: bytes = b"", escape: bool = True
    ) -> dict[str, Any]:
        """Send a command encrypted and return its answer."""
        fresh = secrets.token_hex(2)
        if self.salt is None:
            text = f"salt/{fresh}/{command}"
        else:
            text = f"nextSalt/{self.salt}/{fresh}/{command}"
        self.salt = fresh
        cipher = self.cipher.encrypt(text, tail)
        shown = quote(cipher, safe="") if escape else cipher
        await self.ws.send_str(f"jdev/sys/{how}/{shown}")
        return await self.answer(decrypt=how == "fenc")

    async def command(self, command: str) -> dict[str, Any]:
        """Send a command in the usual way of this connection."""
        return await (self.secret(command) if self.encrypts else self.plain(command))

    async def password(
        self, user: str, password: str, *, permission: int = 4, how: str = "fenc"
    ) -> dict[str, Any]:
        """Ask for a token with a password and return the answer."""
        get = self.plain
        if self.encrypts:

            async def get(command: str) -> dict[str, Any]:
                return await self.secret(command, how=how)

        salted = (await get(f"jdev/sys/getkey2/{quote(user, safe='')}"))["value"]
        algorithm = salted.get("hashAlg", "SHA1")
        secret = digest(algorithm, f"{password}:{salted['salt']}")
        proof = keyed(algorithm, salted["key"], f"{user}:{secret}")
        name = quote(user, safe="")
        answer = await get(
            f"jdev/sys/getjwt/{proof}/{name}/{permission}/{CLIENT_ID}/A%20test"
        )
        if code(answer) == 200:
            self.token = {**answer["value"], "user": user, "algorithm": algorithm}
        return answer

    async def with_token(
        self, verb: str, token: dict[str, Any], *, key: str | None = None
    ) -> dict[str, Any]:
        """Send a command that carries the hash of a token."""
        if key is None:
            key = (await self.command("jdev/sys/getkey"))["value"]
        proof = keyed(token["algorithm"], key, token["token"])
        return await self.command(f"{verb}/{proof}/{quote(token['user'], safe='')}")

    async def log_in(self, user: str = "admin", password: str = "") -> None:
        """Open, exchange keys and log in."""
        await self.open()
        await self.exchange_keys()
        answer = await self.password(user, password or self.password_of(user))
        assert code(answer) == 200, answer

    async def start(self, user: str = "admin") -> dict[str, Any]:
        """Log in, read the structure and start the events; return the structure."""
        await self.log_in(user)
        structure = await self.structure()
        await self.events()
        return structure

    async def structure(self) -> dict[str, Any]:
        """Return the structure file."""
        await self.ws.send_str("data/LoxAPP3.json")
        frame = await self.frame_of(0, 1)
        assert isinstance(frame.payload, str)
        loaded: dict[str, Any] = json.loads(frame.payload)
        return loaded

    async def events(self) -> None:
        """Ask for events and wait until all states have come."""
        assert code(await self.plain("jdev/sps/enablebinstatusupdate")) == 200
        await self.keepalive()

    async def keepalive(self) -> None:
        """Send a keepalive and read everything up to its answer."""
        await self.ws.send_str("keepalive")
        await self.frame_of(KEEPALIVE)

    def password_of(self, user: str) -> str:
        """Return the password of a user of the simulator."""
        return next(one.password for one in self.sim.config.users if one.name == user)

    async def answer(self, *, decrypt: bool = False) -> dict[str, Any]:
        """Return the next answer, taking in the events before it."""
        frame = await self.frame_of(0)
        assert isinstance(frame.payload, str)
        text = self.cipher.decrypt(frame.payload) if decrypt else frame.payload
        answer: dict[str, Any] = json.loads(text, strict=False)["LL"]
        return answer

    async def frame_of(self, *kinds: int) -> Frame:
        """Return the next frame of some kinds, taking in the events before it."""
        while True:
            frame = await self.frame()
            if frame.kind in kinds:
                return frame

    async def until(self, state: str, value: float, within: float = 5.0) -> None:
        """Read until a state has a value."""
        async with asyncio.timeout(within):
            while self.values.get(state) != value:
                await self.frame()

    async def frame(self) -> Frame:
        """Return the next frame."""
        estimates = []
        while True:
            raw = await self._message()
            assert isinstance(raw, bytes), f"{raw!r} without a header"
            assert len(raw) == 8, raw
            fixed, kind, flags, reserved, length = struct.unpack("<BBBBI", raw)
            assert fixed == 3
            assert reserved == 0
            if not flags & 0x81:
                break
            estimates.append(length)
        frame = Frame(kind, length, estimates=estimates)
        if kind not in (OUT_OF_SERVICE, KEEPALIVE) and length:
            frame.payload = await self._message()
            payload = frame.payload
            size = payload.encode() if isinstance(payload, str) else payload
            assert len(size) == length
            if isinstance(payload, bytes):
                self._take(kind, payload)
        self.frames.append(frame)
        return frame

    async def _message(self) -> bytes | str:
        """Return the next websocket message."""
        message = await self.ws.receive(timeout=8)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            payload: bytes | str = message.data
            return payload
        raise Closed(self.ws.close_code, str(message.extra or ""))

    def _take(self, kind: int, payload: bytes) -> None:
        """Remember the states of a table."""
        at = 0
        while at < len(payload):
            name = loxone_uuid(payload[at : at + 16])
            at += 16
            match kind:
                case 2:
                    (self.values[name],) = struct.unpack_from("<d", payload, at)
                    at += 8
                case 3:
                    (size,) = struct.unpack_from("<I", payload, at + 16)
                    raw = payload[at + 20 : at + 20 + size]
                    self.texts[name] = raw.decode("utf-8", errors="replace")
                    at += 20 + size + -size % 4
                case 4:
                    _, count = struct.unpack_from("<di", payload, at)
                    part = payload[at + 12 : at + 12 + 24 * count]
                    self.daytimers[name] = list(struct.iter_unpack("<4id", part))
                    at += 12 + 24 * count
                case 7:
                    _, count = struct.unpack_from("<Ii", payload, at)
                    part = payload[at + 8 : at + 8 + 68 * count]
                    self.weather[name] = list(struct.iter_unpack("<5i6d", part))
                    at += 8 + 68 * count
        assert at == len(payload)


def loxone_uuid(raw: bytes) -> str:
    """Return the text of an identifier."""
    text = uuid.UUID(bytes_le=raw).hex
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:]}"


def code(answer: dict[str, Any]) -> int:
    """Return the code of an answer in either spelling."""
    return int(answer["Code"] if "Code" in answer else answer["code"])
