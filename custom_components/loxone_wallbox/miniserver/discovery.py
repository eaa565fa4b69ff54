"""Find Miniservers on the local network.

A Miniserver answers one zero byte sent to UDP 7070 with a line of text, to UDP 7071 of
the sender. Takes addresses to ask, gives a `DiscoveredMiniserver` for each that
answered, ignores whatever cannot be read. Source: Loxone, "Ports & Domains"; the line's
form as seen on Miniservers of both generations.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
import re
from typing import override

from .errors import MiniserverConnectionError

DISCOVERY_PORT = 7070
ANSWER_PORT = 7071
# Three probes, spread over the time in which a busy Miniserver answers.
PROBES = 3
LISTEN_S = 3.0
MAX_ANSWER_BYTES = 2048

MAX_NAME_LENGTH = 200

_START = "LoxLIVE:"
# The name may hold anything, so the line is anchored on address, port and serial.
_ANCHOR = re.compile(
    r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})\]?\s{1,9}\[?"
    r"(?P<serial>[0-9A-Fa-f]{12})\b"
    r"(?:\]?\s{1,9}\[?(?P<firmware>\d{1,9}(?:\.\d{1,9}){1,4}))?",
    re.ASCII,
)
_TYPE = re.compile(r"\bType:(\d{1,3})\b", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscoveredMiniserver:
    """A Miniserver that said it is there."""

    name: str
    host: str
    port: int
    serial: str
    firmware: str | None
    miniserver_type: int | None


def parse_answer(data: bytes) -> DiscoveredMiniserver | None:
    """Read an answer; None when it is no Miniserver's."""
    text = data[:MAX_ANSWER_BYTES].decode("utf-8", errors="replace")
    start = text.find(_START)
    match = None if start < 0 else _ANCHOR.search(text, start)
    if match is None:
        return None
    port = int(match["port"])
    if not _is_address(match["host"]) or not 0 < port < 65536:  # noqa: PLR2004
        return None
    name = " ".join(text[start + len(_START) : match.start()].split()).strip("[] ")
    kind = _TYPE.search(text, match.end())
    return DiscoveredMiniserver(
        name=name[:MAX_NAME_LENGTH] or match["serial"].upper(),
        host=match["host"],
        port=port,
        serial=match["serial"].upper(),
        firmware=match["firmware"],
        miniserver_type=None if kind is None else int(kind[1]),
    )


def _is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 address."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


class _Listener(asyncio.DatagramProtocol):
    """Collects the answers, one a serial number."""

    def __init__(self) -> None:
        """Start with none."""
        self.found: dict[str, DiscoveredMiniserver] = {}

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Take an answer."""
        if (miniserver := parse_answer(data)) is not None:
            self.found.setdefault(miniserver.serial, miniserver)


async def discover(
    addresses: Iterable[str],
    *,
    port: int = DISCOVERY_PORT,
    answer_port: int = ANSWER_PORT,
    local_address: str = "0.0.0.0",  # noqa: S104 - broadcasts are answered to any
    listen_s: float = LISTEN_S,
) -> tuple[DiscoveredMiniserver, ...]:
    """Ask the given (broadcast) addresses and return who answered, by serial number.

    Only IPv4 addresses are asked, no names.
    Raises `MiniserverConnectionError` when the answers' port cannot be opened.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, listener = await loop.create_datagram_endpoint(
            _Listener, local_addr=(local_address, answer_port), allow_broadcast=True
        )
    except OSError as err:
        raise MiniserverConnectionError(
            f"UDP port {answer_port} cannot be opened: {err}"
        ) from err
    try:
        targets = [address for address in addresses if _is_address(address)]
        for _ in range(PROBES):
            for address in targets:
                transport.sendto(b"\0", (address, port))
            await asyncio.sleep(listen_s / PROBES)
    finally:
        transport.close()
    return tuple(listener.found[serial] for serial in sorted(listener.found))
