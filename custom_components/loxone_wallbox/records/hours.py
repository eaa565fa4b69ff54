"""The hours of a wallbox's sessions, of which a new session reads only what is new.

Takes a ledger, gives what its sessions add to each hour; blocking, called in the
executor. Of the newest month it is remembered what its lines said and how far they were
read, so that the next line of a long month costs what the first one did. A file that was
written anew is read anew.
"""

from collections.abc import Iterator
from datetime import datetime

from ..charging.hourly import HourSum, added_up, hours_of
from .journal import Mark
from .ledger import Ledger, month_at

# When a session began, and its hours.
type Known = tuple[datetime, tuple[HourSum, ...]]


class LedgerHours:
    """The hours of the sessions of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger; nothing is read yet."""
        self._ledger = ledger
        self._month = ""
        self._mark: Mark | None = None
        self._known: dict[str, Known] = {}
        self._deleted: set[str] = set()

    def since(self, start: datetime) -> list[HourSum]:
        """Return the sum of each hour since an instant; raises `JournalError`."""
        return added_up(one for one in self._hours(start) if one.start >= start)

    def _hours(self, start: datetime) -> Iterator[HourSum]:
        """Return all hours there can be since an instant, and some before."""
        months = self._ledger.months()
        if months and month_at(start) >= months[-1]:
            self._follow(months[-1])
            alive = [
                one for name, one in self._known.items() if name not in self._deleted
            ]
            if any(connected < start for connected, _ in alive):
                # Whatever came before such a session ended before it began.
                for _, hours in alive:
                    yield from hours
                return
        for record in self._ledger.since(start).records:
            yield from hours_of(record)

    def _follow(self, month: str) -> None:
        """Read what is new in a month."""
        mark = self._mark if month == self._month else None
        tail = self._ledger.tail(month, mark)
        if tail.anew:
            self._known.clear()
            self._deleted.clear()
        self._deleted |= tail.deleted
        for record in tail.records:
            self._known[record.id] = (record.connected_utc, tuple(hours_of(record)))
        self._month, self._mark = month, tail.mark
