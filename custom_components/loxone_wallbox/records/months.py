"""Which months of a ledger there are to be, so that one that is gone is noticed.

Takes the months whose file was begun, gives those that have none any more; blocking,
called in the executor. What is noted is never needed to read a session: where it cannot
be written or read it is done another time.
"""

from collections.abc import Collection
from pathlib import Path

from .journal import Journal, JournalError

_MONTH = "month"


class MonthsNoted:
    """The months of a ledger that were begun, in a small file beside theirs."""

    def __init__(self, path: Path) -> None:
        """Take the file; nothing is read or written yet."""
        self._journal = Journal(path)
        self._noted: set[str] | None = None

    def note(self, *months: str) -> None:
        """Note that months have a file."""
        try:
            for month in months:
                if month not in self._known():
                    self._journal.append({_MONTH: month})
                    self._known().add(month)
        except JournalError:
            # Whoever looks next notes what is there.
            self._noted = None

    def lost(self, there: Collection[str], oldest: str) -> list[str]:
        """Return the months from an oldest one on that have lost their file."""
        self.note(*there)
        try:
            known = self._known()
        except JournalError:
            return []
        return sorted(one for one in known if one >= oldest and one not in there)

    def forget(self) -> None:
        """Know of no month any more; the file is gone."""
        self._noted = None

    def _known(self) -> set[str]:
        """Return what is noted; raises `JournalError`."""
        if self._noted is None:
            lines = self._journal.read().records
            self._noted = {str(one[_MONTH]) for one in lines if _MONTH in one}
        return self._noted
