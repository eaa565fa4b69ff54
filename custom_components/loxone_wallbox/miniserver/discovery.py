"""Find Miniservers on the local network.

A Miniserver answers one zero byte sent to UDP 7070 with a line of text, to UDP 7071 of
the sender. Takes addresses to ask, gives a `DiscoveredMiniserver` for each that
answered, ignores whatever cannot be read. Source: Loxone, "Ports & Domains"; the line's
form as seen on Miniservers of both generations.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
import re
from typing import override

from .errors import MiniserverConnectionError

DISCOVERY_PORT = 7070
ANSWER_PORT = 7071
# Three probes, spread over the time in which a busy Miniserver answers.
PROBES = 3
LISTEN_S = 3.0
MAX_ANSWER_BYTES = 2048

# The name may hold anything, so the line is anchored on address, port and serial.
_ANSWER = re.compile(
    r"LoxLIVE:\s*(?P<name>.*?)\s*"
    r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})\s+"
    r"(?P<serial>[0-9A-Fa-f]{12})\b"
    r"(?:\s+(?P<firmware>\d+(?:\.\d+){1,4}))?"
    r"(?:.*?\bType:(?P<type>\d+))?",
    re.DOTALL,
)


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
    match = _ANSWER.search(text)
    if match is None:
        return None
    octets = [int(octet) for octet in match["host"].split(".")]
    port = int(match["port"])
    if max(octets) > 255 or not 0 < port < 65536:  # noqa: PLR2004
        return None
    return DiscoveredMiniserver(
        name=match["name"].strip("[] ") or match["serial"].upper(),
        host=match["host"],
        port=port,
        serial=match["serial"].upper(),
        firmware=match["firmware"],
        miniserver_type=int(match["type"]) if match["type"] else None,
    )


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
        targets = tuple(addresses)
        for _ in range(PROBES):
            for address in targets:
                transport.sendto(b"\0", (address, port))
            await asyncio.sleep(listen_s / PROBES)
    finally:
        transport.close()
    return tuple(listener.found[serial] for serial in sorted(listener.found))
