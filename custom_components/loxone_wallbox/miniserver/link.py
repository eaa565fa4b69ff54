"""A logged-in link: transport, encryption and login put together.

Takes an address and credentials, gives a `Link` whose commands are encrypted where the
transport is not. What may go wrong is in `errors`; a link that could not be logged in
is closed again.
"""

import asyncio
from collections.abc import Callable
import hashlib
import logging
from typing import Self

import aiohttp

from .answers import Answer, parse_answer, raise_for_code
from .auth import (
    Credentials,
    Token,
    kill_token,
    log_in,
    refresh_token,
    visualisation_hash,
)
from .connection import CLOSE_TIMEOUT_S, Connection
from .crypto import CommandCipher, parse_public_key
from .errors import (
    AuthenticationError,
    CertificateError,
    CommandError,
    FirmwareTooOldError,
    MiniserverConnectionError,
    MiniserverTimeoutError,
    NotAMiniserverError,
    VisualisationPasswordError,
)
from .frames import MAX_PAYLOAD_BYTES, Kind
from .http import (
    TLS_LOGIN_FIRMWARE,
    Address,
    Identity,
    SslOption,
    certificate_names,
    fetch_public_key,
    raise_for_status,
)

_LOGGER = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 15.0
STRUCTURE_TIMEOUT_S = 30.0
# Tokens as JSON web tokens exist from this firmware on.
MINIMUM_FIRMWARE = (10, 2)
PATH = "/ws/rfc6455"
SUBPROTOCOL = "remotecontrol"
WRONG_VISUALISATION_PASSWORD = 500


class Link:
    """A websocket that is logged in."""

    def __init__(
        self,
        connection: Connection,
        cipher: CommandCipher | None,
        certificate: str | None = None,
    ) -> None:
        """Take an open connection; without a cipher the transport protects it.

        `certificate` is the SHA-256 of the one that was shown then.
        """
        self._connection = connection
        self._cipher = cipher
        self.certificate = certificate
        # A one-time key is used before the next is asked for: nobody says how many of
        # them a Miniserver keeps.
        self._one_time_key = asyncio.Lock()
        self.broken = connection.broken

    @property
    def is_open(self) -> bool:
        """Tell whether commands can be sent."""
        return self._connection.is_open

    @classmethod
    async def open(
        cls,
        session: aiohttp.ClientSession,
        address: Address,
        identity: Identity,
        on_table: Callable[[Kind, bytes], None],
        *,
        certificate: SslOption = True,
    ) -> Self:
        """Open the websocket and, where it is not TLS, exchange the session key."""
        if identity.version < MINIMUM_FIRMWARE:
            raise FirmwareTooOldError(version=identity.firmware, minimum="10.2")
        if address.tls and identity.version < TLS_LOGIN_FIRMWARE:
            raise FirmwareTooOldError(version=identity.firmware, minimum="11.2.10.22")
        websocket = await _open_websocket(session, address, identity, certificate)
        connection = Connection(websocket, on_table)
        try:
            if address.tls:
                return cls(connection, None, _fingerprint(websocket))
            return cls(connection, await _exchange_keys(session, address, connection))
        except BaseException:
            await connection.close()
            raise

    async def log_in(self, credentials: Credentials, now: Callable[[], float]) -> Token:
        """Log in and return the token in use."""
        async with self._one_time_key:
            return await log_in(self, credentials, now)

    async def refresh_token(self, username: str, token: Token) -> Token:
        """Exchange a token for one that lives longer."""
        async with self._one_time_key:
            return await refresh_token(self, username, token)

    async def kill_token(self, username: str, token: Token) -> None:
        """End a token."""
        async with self._one_time_key:
            await kill_token(self, username, token)

    async def command(
        self,
        text: str,
        *,
        name: str,
        secret_answer: bool = False,
    ) -> Answer:
        """Send a command, encrypted on a plain link; raise what its code means."""
        cipher = self._cipher
        if cipher is None:
            reply = await self._connection.request(lambda: text)
        else:
            reply = await self._connection.request(
                lambda: cipher.wrap(text, secret_answer=secret_answer)
            )
            # A refusal may come in clear even where the answer would be secret.
            if secret_answer and reply and not reply.lstrip().startswith("{"):
                reply = cipher.unwrap(reply)
        answer = parse_answer(reply)
        raise_for_code(answer, name)
        return answer

    async def control(self, control_id: str, text: str, *, name: str) -> None:
        """Send a command to a control."""
        await self.command(f"jdev/sps/io/{control_id}/{text}", name=name)

    async def secured_control(
        self, control_id: str, text: str, *, name: str, username: str, password: str
    ) -> None:
        """Send a command to a control that the visualisation password protects."""
        async with self._one_time_key:
            proof = await visualisation_hash(self, username, password)
            try:
                await self.command(
                    f"jdev/sps/ios/{proof}/{control_id}/{text}", name=name
                )
            except CommandError as err:
                if err.code == WRONG_VISUALISATION_PASSWORD:
                    raise VisualisationPasswordError(err.code, name) from err
                raise

    async def structure_version(self) -> str:
        """Return when the structure file was last changed."""
        answer = await self.command("jdev/sps/LoxAPPversion3", name="LoxAPPversion3")
        return str(answer.value)

    async def structure_file(self) -> str:
        """Return the structure file's text, which comes without an envelope."""
        return await self._connection.request(
            lambda: "data/LoxAPP3.json", STRUCTURE_TIMEOUT_S
        )

    async def enable_updates(self) -> None:
        """Ask for all states now and for every change later."""
        await self.command(
            "jdev/sps/enablebinstatusupdate", name="enablebinstatusupdate"
        )

    async def close(self) -> None:
        """Close the link."""
        await self._connection.close()


async def _open_websocket(
    session: aiohttp.ClientSession,
    address: Address,
    identity: Identity,
    certificate: SslOption,
) -> aiohttp.ClientWebSocketResponse[bool]:
    """Open the websocket, on TLS under the names its certificate may have."""
    if not address.tls or not address.verify:
        return await _connect(session, address, address.host, None, certificate)
    names = await certificate_names(address, identity)
    for host, name in names[:-1]:
        try:
            return await _connect(session, address, host, name, certificate)
        except CertificateError as err:
            _LOGGER.debug("The certificate is not for %s: %s", name, err)
    host, name = names[-1]
    return await _connect(session, address, host, name, certificate)


async def _connect(
    session: aiohttp.ClientSession,
    address: Address,
    host: str,
    server_hostname: str | None,
    certificate: SslOption,
) -> aiohttp.ClientWebSocketResponse[bool]:
    """Open the websocket at a host, verified under a name."""
    url = address.url(PATH, websocket=True).with_host(host)
    verify: SslOption = (
        (certificate if address.verify else False) if address.tls else True
    )
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await session.ws_connect(
                url,
                protocols=(SUBPROTOCOL,),
                autoping=True,
                max_msg_size=MAX_PAYLOAD_BYTES + 1,
                decode_text=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                ssl=verify,
                server_hostname=server_hostname,
            )
    except TimeoutError as err:
        raise MiniserverTimeoutError("The Miniserver does not answer") from err
    except aiohttp.WSServerHandshakeError as err:
        raise_for_status(err.status)
        raise NotAMiniserverError("The websocket is refused") from err
    except aiohttp.ClientConnectorCertificateError as err:
        raise CertificateError(str(err)) from err
    except (aiohttp.ClientError, OSError) as err:
        raise MiniserverConnectionError(str(err) or type(err).__name__) from err


def _fingerprint(websocket: aiohttp.ClientWebSocketResponse[bool]) -> str | None:
    """Return the SHA-256 of the certificate that the other side showed."""
    transport = websocket.get_extra_info("ssl_object")
    shown = None if transport is None else transport.getpeercert(binary_form=True)
    return None if shown is None else hashlib.sha256(shown).hexdigest()


async def _exchange_keys(
    session: aiohttp.ClientSession, address: Address, connection: Connection
) -> CommandCipher:
    """Agree on a session key.

    A refusal says that the Miniserver has a new key pair since we read its public key,
    so it is read again, once.
    """
    try:
        return await _offer_key(session, address, connection)
    except AuthenticationError:
        _LOGGER.debug("The key exchange is refused; reading the public key again")
    try:
        return await _offer_key(session, address, connection)
    except AuthenticationError as err:
        # Not a matter of credentials, so it must not ask the owner for any.
        raise MiniserverConnectionError(
            "The Miniserver refuses the key exchange"
        ) from err


async def _offer_key(
    session: aiohttp.ClientSession, address: Address, connection: Connection
) -> CommandCipher:
    """Draw a session key and send it, sealed with the public key."""
    public_key = parse_public_key(await fetch_public_key(session, address))
    cipher = CommandCipher(asyncio.get_running_loop().time)
    session_key = cipher.session_key(public_key)
    reply = await connection.request(lambda: f"jdev/sys/keyexchange/{session_key}")
    raise_for_code(parse_answer(reply), "keyexchange")
    return cipher
