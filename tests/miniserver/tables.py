"""Write event tables and headers as a Miniserver does, independently of the package.

Source: Loxone, "Communicating with the Miniserver", message header and event tables.
"""

from collections.abc import Iterable
import struct

NO_ICON = bytes(16)


def wire_uuid(text: str) -> bytes:
    """Return the 16 bytes of a uuid in Loxone's form (8-4-4-16)."""
    first, second, third, rest = text.split("-")
    return struct.pack(
        "<IHH8s", int(first, 16), int(second, 16), int(third, 16), bytes.fromhex(rest)
    )


def header(kind: int, length: int, *, flags: int = 0, start: int = 3) -> bytes:
    """Return the eight bytes before a message."""
    return bytes((start, kind, flags, 0)) + length.to_bytes(4, "little")


def values(entries: Iterable[tuple[bytes, float]]) -> bytes:
    """Return a value-state table."""
    return b"".join(raw + struct.pack("<d", value) for raw, value in entries)


def texts(entries: Iterable[tuple[bytes, str]], encoding: str = "utf-8") -> bytes:
    """Return a text-state table."""
    packed = b""
    for raw, text in entries:
        data = text.encode(encoding)
        packed += raw + NO_ICON + len(data).to_bytes(4, "little") + data
        packed += bytes(-len(data) % 4)
    return packed


def daytimer(
    raw: bytes, default: float, entries: Iterable[tuple[int, int, int, bool, float]]
) -> bytes:
    """Return one entry of a daytimer table."""
    rows = [struct.pack("<iiiid", *entry) for entry in entries]
    return raw + struct.pack("<di", default, len(rows)) + b"".join(rows)


def weather(raw: bytes, updated: int, entries: Iterable[tuple[float, ...]]) -> bytes:
    """Return one entry of a weather table; five whole numbers and six others a row."""
    rows = [
        struct.pack("<5i", *(int(number) for number in entry[:5]))
        + struct.pack("<6d", *entry[5:])
        for entry in entries
    ]
    return raw + struct.pack("<Ii", updated, len(rows)) + b"".join(rows)
