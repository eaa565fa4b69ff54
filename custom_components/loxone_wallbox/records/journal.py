"""An append-only file of records, each one whole or not there.

Takes plain objects, gives them back in their order. A line is on the disk when
`append` returns, carries its checksum, and is either read as it was written or
reported as damaged; a line that a crash cut off at the end is dropped. Raises
`JournalError` when the disk does not take a record: the caller has to know.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from typing import Any
import zlib

# Far above any record, and what a database takes; a longer line is damage, not data.
MAX_LINE_BYTES = 16_000_000
_NEWLINE = b"\n"

# A file's number, when it was changed (ns) and its size; None is no file.
type FileState = tuple[int, int, int] | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far a file was read: which file, so many bytes, and the last line of them."""

    file: int
    offset: int
    last: bytes


class Journal:
    """One file of records."""

    def __init__(self, path: Path) -> None:
        """Take a path; nothing is read or written yet."""
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record and wait until the disk has it.

        One that could not be read back is not written: the caller has to know.
        """
        line = self._checked(record)
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

    def read_on(self, mark: Mark | None) -> tuple[list[dict[str, Any]], Mark, bool]:
        """Return the records after a mark, where the next ones begin, and if these are all.

        They are where there is no mark, or the file is another one by now. What is
        damaged is left out, and so is what a crash left of a last line.
        """
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                goes_on = mark is not None and found.st_ino == mark.file
                if mark is not None and goes_on:
                    file.seek(mark.offset - len(mark.last))
                    goes_on = file.read(len(mark.last)) == mark.last
                if mark is None or not goes_on:
                    mark = Mark(file=found.st_ino, offset=0, last=b"")
                    file.seek(0)
                data = file.read()
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err
        data = data[: data.rfind(_NEWLINE) + 1]
        lines = data.splitlines(keepends=True)
        if lines:
            offset = mark.offset + len(data)
            mark = Mark(file=mark.file, offset=offset, last=lines[-1])
        read = (_record(line) for line in lines)
        return [one for one in read if one is not None], mark, not goes_on

    def exact(self) -> Iterator[dict[str, Any] | None]:
        """Return each line's record, None for one that is not byte for byte as written.

        The newline belongs to the record that it ends.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err
        for raw, whole in _lines(data):
            yield _exactly(raw) if whole else None

    def trim(self) -> None:
        """Remove what a crash left of a last line."""
        try:
            if not self.path.exists() or not self.path.stat().st_size:
                return
            if self._ends_whole():
                return
            with self.path.open("r+b") as file:
                data = file.read()
                file.truncate(data.rfind(_NEWLINE) + 1)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err

    def replace(self, records: list[Mapping[str, Any]]) -> None:
        """Write the file anew with these records, all or nothing."""
        self._replace([self._checked(record) for record in records])

    def edit(
        self,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        damaged: Callable[[bytes], bytes],
        *,
        exact: bool = False,
    ) -> int:
        """Write the file anew where a line changes; returns how many did.

        A record that stays is the same object. What is damaged is changed as it stands
        there and stays damaged, byte for byte the same where nothing of it changes; with
        `exact` so is a line that can be read and is not as it was written.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err
        lines: list[bytes] = []
        changed = 0
        for raw, whole in _lines(data):
            line = raw + _NEWLINE if whole else raw
            written = whole or not exact
            record = (_exactly(raw) if exact else _record(raw)) if written else None
            if record is None:
                after = damaged(line)
            else:
                kept = change(record)
                after = line if kept is record else self._checked(kept)
            changed += after != line
            lines.append(after)
        if changed:
            self._replace(lines)
        return changed

    def _replace(self, lines: list[bytes]) -> None:
        """Write the file anew, all or nothing."""
        temporary = self.path.with_suffix(self.path.suffix + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.writelines(lines)
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

    def state(self) -> FileState:
        """Return what tells the file from what it was before, None without a file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err
        return found.st_ino, found.st_mtime_ns, found.st_size

    def size(self) -> int:
        """Return how many bytes the file has, 0 where there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as err:
            raise JournalError(f"{self.path.name}: {err}") from err

    def _checked(self, record: Mapping[str, Any]) -> bytes:
        """Return a record's line; raises `JournalError` for one that is too long."""
        line = _line(record)
        if len(line) > MAX_LINE_BYTES:
            raise JournalError(f"{self.path.name}: a record of {len(line)} bytes")
        return line

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


def _exactly(raw: bytes) -> dict[str, Any] | None:
    """Return the record of a line that is byte for byte as it was written."""
    record = _record(raw)
    same = record is not None and raw + _NEWLINE == _line(record)
    return record if same else None


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
