"""An append-only file of records, each one whole or not there.

Takes plain objects, gives them back in their order. A line is on the disk when
`append` returns, carries its checksum, and is either read as it was written or
reported as damaged; a line that a crash cut off at the end is dropped. Raises
`JournalError` when the disk does not take a record: the caller has to know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from typing import Any
import zlib

# Far above any record; a longer line is damage, not data.
MAX_LINE_BYTES = 1_000_000
_NEWLINE = b"\n"


class JournalError(Exception):
    """The disk did not take a record, or does not give the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What a journal holds: its records and the numbers of damaged lines."""

    records: list[dict[str, Any]] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)

    def latest(self, key: str) -> dict[Any, dict[str, Any]]:
        """Return the last record of each value of a key."""
        return {record[key]: record for record in self.records if key in record}


class Journal:
    """One file of records."""

    def __init__(self, path: Path) -> None:
        """Take a path; nothing is read or written yet."""
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record and wait until the disk has it."""
        line = _line(record)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = not self.path.exists()
            with self.path.open("ab") as file:
                if file.tell() and not self._ends_whole():
                    # A crash cut the last line off; its rest must not join ours.
                    file.write(_NEWLINE)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            if new:
                _sync_folder(self.path.parent)
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err

    def read(self) -> Content:
        """Return everything that can be read."""
        content = Content()
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return content
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err
        for number, (raw, whole) in enumerate(_lines(data), 1):
            record = _record(raw)
            if record is not None:
                content.records.append(record)
            elif whole and raw.strip():
                content.damaged.append(number)
        return content

    def replace(self, records: list[Mapping[str, Any]]) -> None:
        """Write the file anew with these records, all or nothing."""
        temporary = self.path.with_suffix(self.path.suffix + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.writelines(_line(record) for record in records)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err

    def delete(self) -> None:
        """Remove the file, if there is one."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err

    def _ends_whole(self) -> bool:
        """Tell whether the last line is complete."""
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == _NEWLINE


def _line(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line: checksum and content."""
    text = json.dumps(record, separators=(",", ":"), sort_keys=True)
    body = text.encode()
    return b'{"c":"%08x","r":%s}\n' % (zlib.crc32(body), body)


def _record(raw: bytes) -> dict[str, Any] | None:
    """Return the record of a line, None where it is damaged."""
    if len(raw) > MAX_LINE_BYTES:
        return None
    try:
        line = json.loads(raw)
        record = line["r"]
        text = json.dumps(record, separators=(",", ":"), sort_keys=True)
        if line["c"] != f"{zlib.crc32(text.encode()):08x}":
            return None
    except ValueError, KeyError, TypeError, RecursionError:
        return None
    return record if isinstance(record, dict) else None


def _lines(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Return each line and whether it is complete."""
    *whole, rest = data.split(_NEWLINE)
    for raw in whole:
        yield raw, True
    if rest:
        yield rest, False


def _sync_folder(folder: Path) -> None:
    """Have the disk keep a new name in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
