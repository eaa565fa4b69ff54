"""A file that grows page by page, beside its place until it is whole.

Takes pages of text, writes them where only Home Assistant's own user can read; blocking,
called in the executor. A file is there as a whole or not at all. Raises `OSError`.
"""

from contextlib import suppress
import os
from pathlib import Path
import tempfile
from typing import TextIO


class GrowingFile:
    """A file that is written a page at a time: `add`, then `finish` or `discard`."""

    def __init__(self, path: str) -> None:
        """Take its place; nothing is written yet."""
        self._place = Path(path)
        self._file: TextIO | None = None
        self._name = ""

    def add(self, text: str) -> None:
        """Write a page."""
        if self._file is None:
            handle, self._name = tempfile.mkstemp(
                dir=self._place.parent, prefix=f".{self._place.stem}-", suffix=".tmp"
            )
            # As it is given: a table has line ends of its own.
            self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._file.write(text)

    def finish(self) -> None:
        """Put the file in its place once the disk has it."""
        if self._file is None:
            self.add("")
        assert self._file is not None  # noqa: S101  (just opened)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._name).replace(self._place)
        self._name = ""

    def discard(self) -> None:
        """Leave nothing behind of what was not finished."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._name:
            with suppress(OSError):
                Path(self._name).unlink()
            self._name = ""
