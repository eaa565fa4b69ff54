"""The answer to a search by UDP.

Source: public tools that search with one zero byte on port 7070 and listen on 7071.
"""

import asyncio
from typing import override

from .miniserver import Miniserver
from .status import discovery_text

_PROBE = b"\x00"


class Discovery(asyncio.DatagramProtocol):
    """Answers probes; anything else is ignored."""

    def __init__(self, unit: Miniserver, http_port: int) -> None:
        """Take what is announced."""
        self._unit = unit
        self._http_port = http_port
        self._transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.DatagramTransport):
            self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe to its sender, and to the port clients listen on."""
        if data != _PROBE or self._transport is None:
            return
        # A unit that is starting cannot be found.
        if self._unit.booting:
            return
        text = discovery_text(self._unit, self._http_port).encode()
        ports = {addr[1], self._unit.config.discovery_reply_port or addr[1]}
        for port in ports:
            self._transport.sendto(text, (addr[0], port))
