"""What a Miniserver tells over HTTP before anyone has logged in.

Takes an address, gives who answers there; raises what keeps us from talking to it. No
password ever passes here. Source: Loxone, "Communicating with the Miniserver", `apiKey`
and `getPublicKey`; the error pages as seen on Miniservers.
"""

import asyncio
from dataclasses import dataclass
import ipaddress
import re
import socket
import ssl
from typing import Any

import aiohttp
from yarl import URL

from .answers import Answer, parse_answer, value_object
from .errors import (
    CertificateError,
    LockedOutError,
    MiniserverConnectionError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    NotAMiniserverError,
    ProtocolError,
)

HTTP_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65536
CLOUD_DOMAIN = "dyndns.loxonecloud"
# From this firmware on, TLS is protection enough for the login commands.
TLS_LOGIN_FIRMWARE = (11, 2, 10, 22)
FORBIDDEN = 403
STARTING = 503
OK = 200

_REMAINING = re.compile(r"<remaining>\s*(\d{1,7})\s*</remaining>")
_SERIAL = re.compile(r"[0-9A-F]{12}")

type SslOption = ssl.SSLContext | bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a Miniserver is and how to talk to it.

    `tls` takes wss on `tls_port`, otherwise the commands are encrypted on ws. Without
    `verify` the certificate is not looked at: the owner's deliberate choice.
    """

    host: str
    port: int = 80
    tls: bool = False
    tls_port: int = 443
    verify: bool = True

    def url(self, path: str, *, websocket: bool = False) -> URL:
        """Return the address of a path."""
        scheme = ("ws" if websocket else "http") + ("s" if self.tls else "")
        return URL.build(
            scheme=scheme,
            host=self.host,
            port=self.tls_port if self.tls else self.port,
            path=path,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who answers at an address.

    `tls_usable` is the Miniserver's own word that its certificate is valid; `local`
    whether it counts this connection as local. `certificate` is the SHA-256 of the
    certificate that it showed on a TLS link, in hexadecimal digits.
    """

    serial: str
    firmware: str
    tls_usable: bool
    tls_expired: bool
    local: bool
    cloud_domain: str
    certificate: str | None = None

    @property
    def version(self) -> tuple[int, ...]:
        """Return the firmware as numbers that compare."""
        return parse_version(self.firmware)


def parse_version(text: str) -> tuple[int, ...]:
    """Return a version's numbers, none for an unreadable one."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:5])


async def identify(
    session: aiohttp.ClientSession, address: Address, certificate: SslOption = True
) -> Identity:
    """Ask who is there.

    Raises `NotAMiniserverError`, `LockedOutError`, `MiniserverStartingError`,
    `CertificateError` or another `MiniserverConnectionError`.
    """
    return parse_identity(await _get(session, address, "/jdev/cfg/apiKey", certificate))


def parse_identity(answer: Answer) -> Identity:
    """Read the answer to apiKey; raises `NotAMiniserverError` for anything else."""
    try:
        fields = value_object(answer)
    except ProtocolError as err:
        raise NotAMiniserverError("The answer is not a Miniserver's") from err
    serial = str(fields.get("snr", "")).replace(":", "").upper()
    firmware = str(fields.get("version", ""))
    if not _SERIAL.fullmatch(serial) or not parse_version(firmware):
        raise NotAMiniserverError("The answer lacks serial number or version")
    status = str(fields.get("httpsStatus", ""))
    return Identity(
        serial=serial,
        firmware=firmware[:40],
        tls_usable=status == "1",
        tls_expired=status == "2",
        local=bool(fields.get("local", True)),
        cloud_domain="cn" if fields.get("certTLD") == "cn" else "com",
    )


async def fetch_public_key(session: aiohttp.ClientSession, address: Address) -> str:
    """Return the public key for the session key, in the Miniserver's own form."""
    answer = await _get(session, address, "/jdev/sys/getPublicKey", True)
    if answer.code != OK or not isinstance(answer.value, str):
        raise ProtocolError("The Miniserver gives no public key")
    return answer.value


async def _get(
    session: aiohttp.ClientSession, address: Address, path: str, certificate: SslOption
) -> Answer:
    """Ask for a path and read its answer."""
    options: dict[str, Any] = {"ssl": certificate} if address.tls else {}
    try:
        async with (
            asyncio.timeout(HTTP_TIMEOUT_S),
            session.get(
                address.url(path), allow_redirects=False, **options
            ) as response,
        ):
            body = bytearray()
            while len(body) <= MAX_ANSWER_BYTES:
                if not (part := await response.content.read(MAX_ANSWER_BYTES)):
                    break
                body += part
    except TimeoutError as err:
        raise MiniserverTimeoutError("The Miniserver does not answer") from err
    except aiohttp.ClientConnectorCertificateError as err:
        raise CertificateError(str(err)) from err
    except aiohttp.ServerDisconnectedError as err:
        raise MiniserverConnectionError("The link was closed") from err
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as err:
        raise NotAMiniserverError("Something answers that is no web server") from err
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise MiniserverConnectionError(str(err) or type(err).__name__) from err
    text = body.decode("utf-8", errors="replace")
    raise_for_status(response.status, text)
    try:
        return parse_answer(text)
    except ProtocolError as err:
        raise NotAMiniserverError("The answer is not a Miniserver's") from err


def raise_for_status(status: int, body: str = "") -> None:
    """Raise what an HTTP status before the login means."""
    if status == FORBIDDEN:
        remaining = _REMAINING.search(body)
        raise LockedOutError(float(remaining[1]) if remaining else None)
    if status == STARTING:
        raise MiniserverStartingError("The Miniserver is starting")
    if status != OK:
        raise NotAMiniserverError(f"The answer has HTTP status {status}")


async def certificate_names(
    address: Address, identity: Identity
) -> tuple[tuple[str, str | None], ...]:
    """Return host to connect to and name to verify, in the order to try them.

    Loxone's certificate is for `<ip with dashes>.<serial>.dyndns.loxonecloud.com`,
    whatever the Miniserver is called at home. A host name may have a certificate of
    its owner's instead, so it is tried under its own name too.
    """
    if CLOUD_DOMAIN in address.host:
        return ((address.host, None),)
    try:
        ip = str(ipaddress.ip_address(address.host))
        own: tuple[tuple[str, str | None], ...] = ()
    except ValueError:
        ip = await _resolve(address)
        own = ((address.host, None),)
    dashed = ip.partition("%")[0].replace(".", "-").replace(":", "-")
    domain = f"{CLOUD_DOMAIN}.{identity.cloud_domain}"
    return ((ip, f"{dashed}.{identity.serial}.{domain}"), *own)


async def _resolve(address: Address) -> str:
    """Return the IP address of a host name."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host, address.tls_port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as err:
        raise MiniserverConnectionError(f"{address.host} has no address") from err
    return str(found[0][4][0])
