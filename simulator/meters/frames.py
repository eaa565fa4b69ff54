"""Frames on the wire: a header on Modbus TCP, a checksum on RTU.

Values are put into frames by pymodbus; this takes frames apart to know what is asked, and
makes the wrong ones. Source: Modbus Application Protocol 1.1b3, Modbus over Serial Line
1.02, Modbus Messaging on TCP/IP 1.0b.
"""

from dataclasses import dataclass
import struct
from typing import Protocol, override

_HEADER = struct.Struct(">HHHB")
_BEFORE_LENGTH = 6
_MOST = 260
_ERROR = 0x80
# Bytes of a request with its checksum, by function code.
_RTU_SIZES = dict.fromkeys((1, 2, 3, 4, 5, 6), 8)
_RTU_COUNTED = (15, 16)
_RTU_COUNT_AT = 6
_RTU_LEAST = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a client asks; address and count are 0 where the function has none."""

    frame: bytes
    unit: int
    pdu: bytes
    transaction: int = 0

    @property
    def function(self) -> int:
        """Return the function code."""
        return self.pdu[0]

    @property
    def address(self) -> int:
        """Return the first address."""
        return int.from_bytes(self.pdu[1:3])

    @property
    def count(self) -> int:
        """Return the count of registers."""
        return int.from_bytes(self.pdu[3:5])


class NoFrameError(ValueError):
    """What came in has no header of Modbus TCP."""


class Framing(Protocol):
    """How frames look on a line."""

    def split(self, buffer: bytearray) -> list[Request]:
        """Take the whole requests out of what has come in."""

    def build(self, request: Request, pdu: bytes, *, unit: int | None = None) -> bytes:
        """Return the frame of an answer to a request."""

    def pdu(self, frame: bytes) -> bytes:
        """Return what an answer's frame carries."""

    def missing(self, head: bytes) -> int:
        """Return how many bytes an answer still needs behind its first ones."""

    def cut(self, frame: bytes, by: int) -> bytes:
        """Return what a client gets of an answer whose last bytes a line has lost."""


class Mbap(Framing):
    """Modbus TCP."""

    @override
    def split(self, buffer: bytearray) -> list[Request]:
        """Take the whole requests out of what has come in.

        What does not begin with a header raises a NoFrameError.
        """
        found: list[Request] = []
        while len(buffer) > _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(buffer)
            if protocol or not 1 < length < _MOST:
                # Nobody can tell where the next one would begin.
                raise NoFrameError
            end = _BEFORE_LENGTH + length
            if len(buffer) < end:
                break
            frame = bytes(buffer[:end])
            del buffer[:end]
            found.append(
                Request(
                    frame=frame,
                    unit=unit,
                    pdu=frame[_HEADER.size :],
                    transaction=transaction,
                )
            )
        return found

    @override
    def build(self, request: Request, pdu: bytes, *, unit: int | None = None) -> bytes:
        """Return the frame of an answer to a request."""
        who = request.unit if unit is None else unit
        return _HEADER.pack(request.transaction, 0, len(pdu) + 1, who) + pdu

    @override
    def pdu(self, frame: bytes) -> bytes:
        """Return what an answer's frame carries."""
        return frame[_HEADER.size :]

    @override
    def missing(self, head: bytes) -> int:
        """Return how many bytes an answer still needs behind its first ones."""
        if len(head) < _BEFORE_LENGTH:
            return _BEFORE_LENGTH - len(head)
        return _BEFORE_LENGTH + int.from_bytes(head[4:6]) - len(head)

    @override
    def cut(self, frame: bytes, by: int) -> bytes:
        """Return what a client gets of an answer whose last bytes a line has lost.

        That was the line behind a gateway, whose header counts what it has to send.
        """
        pdu = self.pdu(frame)
        left = pdu[: max(len(pdu) - by, 1)]
        return frame[:4] + (len(left) + 1).to_bytes(2) + frame[6 : _HEADER.size] + left


class Rtu(Framing):
    """Modbus RTU, on a serial line or through TCP."""

    @override
    def split(self, buffer: bytearray) -> list[Request]:
        """Take the whole requests out of what has come in.

        What has no valid checksum is noise; nobody answers it.
        """
        found: list[Request] = []
        while len(buffer) >= _RTU_LEAST:
            size = _rtu_size(buffer)
            if len(buffer) < size:
                break
            frame = bytes(buffer[:size])
            if crc(frame[:-2]) != frame[-2:]:
                buffer.clear()
                break
            del buffer[:size]
            found.append(Request(frame=frame, unit=frame[0], pdu=frame[1:-2]))
        return found

    @override
    def build(self, request: Request, pdu: bytes, *, unit: int | None = None) -> bytes:
        """Return the frame of an answer to a request."""
        body = bytes([request.unit if unit is None else unit]) + pdu
        return body + crc(body)

    @override
    def pdu(self, frame: bytes) -> bytes:
        """Return what an answer's frame carries."""
        return frame[1:-2]

    @override
    def missing(self, head: bytes) -> int:
        """Return how many bytes an answer still needs behind its first ones."""
        least = 5
        if len(head) < least:
            return least - len(head)
        if head[1] & _ERROR:
            return least - len(head)
        return least + head[2] - len(head)

    @override
    def cut(self, frame: bytes, by: int) -> bytes:
        """Return what a client gets of an answer whose last bytes a line has lost."""
        return frame[: max(len(frame) - by, 0)]


def _rtu_size(buffer: bytearray) -> int:
    """Return the bytes of the request at the start of a buffer."""
    function = buffer[1]
    if function in _RTU_COUNTED and len(buffer) > _RTU_COUNT_AT:
        return buffer[_RTU_COUNT_AT] + _RTU_COUNT_AT + 3
    if function in _RTU_SIZES:
        return _RTU_SIZES[function]
    # The end of any other one shows only in its checksum.
    for size in range(_RTU_LEAST, len(buffer) + 1):
        if crc(buffer[: size - 2]) == buffer[size - 2 : size]:
            return size
    return len(buffer) + 1 if len(buffer) < _MOST else len(buffer)


def crc(data: bytes | bytearray) -> bytes:
    """Return the checksum of an RTU frame as it stands on the wire."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 * (value & 1)
    return value.to_bytes(2, "little")


def exception(request: Request, code: int) -> bytes:
    """Return what an exception's frame carries."""
    return bytes([request.function | _ERROR, code])


def shortened(pdu: bytes, by: int) -> bytes:
    """Return an answer with fewer registers that is sound in itself."""
    if pdu[0] & _ERROR:
        return pdu
    values = pdu[2 : max(len(pdu) - 2 * by, 2)]
    return bytes([pdu[0], len(values)]) + values
