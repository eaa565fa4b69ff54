"""Keep one wallbox's state on a journal.

Takes and gives plain objects; blocking, called in the executor. The last record that can
be read is the state.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from .forgetting import forget_in
from .journal import Journal

# The file is written anew when it has grown to so many records.
COMPACT_AT = 500
# Or to so many bytes: a state of weeks with many prices is long.
COMPACT_BYTES = 8_000_000


class StateKeeper:
    """The state file of one wallbox."""

    def __init__(self, path: Path) -> None:
        """Take the file's path."""
        self._journal = Journal(path)
        self._count = 0

    def load(self) -> dict[str, Any] | None:
        """Return the state, None where there is none; raises `JournalError`."""
        content = self._journal.read()
        self._count = len(content.records) + len(content.damaged)
        return content.records[-1] if content.records else None

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state; raises `JournalError` when the disk does not take it."""
        if self._count >= COMPACT_AT or self._journal.size() > COMPACT_BYTES:
            self._journal.replace([state])
            self._count = 1
            return
        self._journal.append(state)
        self._count += 1

    def forget(self, people: Collection[str]) -> int:
        """Forget people in every state there was; returns in how many lines.

        Raises `JournalError`.
        """
        return forget_in(self._journal, people)

    def delete(self) -> None:
        """Forget the state."""
        self._journal.delete()
        self._count = 0
