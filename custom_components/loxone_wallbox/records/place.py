"""Whether the database is still the file that its engine has open.

Takes an engine, tells when another file lies in its place, or none; blocking, called in
the recorder's executor. Each of its threads has a connection of its own: one that is
opened after a file was exchanged reads and writes the new one, the others the old one,
and what is written here is missing there. Then the ledgers answer, until the recorder
is started again and has one file only.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from .reconciling import DatabaseAwayError

if TYPE_CHECKING:
    from sqlalchemy import Engine

# What tells one file from another, None where a database has none.
type FileId = tuple[int, int] | None

NOTHING = (0, 0)


class Place:
    """The file of an engine, as it was when the engine was first seen."""

    def __init__(self) -> None:
        """Start with no engine."""
        self._engine: Engine | None = None
        self._file: FileId = None

    def check(self, engine: Engine) -> None:
        """Raise `DatabaseAwayError` where the file is not what it was."""
        file = _file_of(engine)
        if engine is not self._engine or self._file == NOTHING:
            # The first connection makes the file.
            self._engine, self._file = engine, file
        elif file != self._file:
            raise DatabaseAwayError(
                "its file was exchanged or removed; restart Home Assistant"
            )


def _file_of(engine: Engine) -> FileId:
    """Return what tells the file of an engine from another at its place."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    try:
        found = Path(path).stat()
    except OSError:
        return NOTHING
    return found.st_dev, found.st_ino
