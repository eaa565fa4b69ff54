"""What repeats itself many times becomes two records: the first, and how many came.

Takes entries of the security log with their instants, gives the ones to be written. A
storm of the same thing is summed up once it is over, or every ten minutes while it goes
on; too many different things of one kind are one storm too, or whoever sends them would
fill the log. Nothing here reads or writes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import json

from .security_record import Entry, plain_detail, utc_text

# The same thing within this time is the same storm.
QUIET = timedelta(seconds=60)
# A storm that goes on is summed up so often.
LONGEST = timedelta(minutes=10)
# So many different things of one kind may be recorded one by one in a storm's time.
MOST_DIFFERENT = 20

type Key = tuple[str, str, str, str | None, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Storm:
    """The same thing again and again."""

    entry: Entry
    began: datetime
    first: datetime
    last: datetime
    count: int = 0

    def again(self, at: datetime) -> _Storm:
        """Return the storm with one more."""
        first = at if self.count == 0 else self.first
        return replace(self, first=first, last=at, count=self.count + 1)

    @property
    def summary(self) -> Entry:
        """Return how many came after the one that was recorded."""
        detail = {
            "repeated": self.count,
            "first": utc_text(self.first),
            "last": utc_text(self.last),
        }
        return replace(self.entry, detail={**detail, **self.entry.detail})


class Storms:
    """What came lately."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._storms: dict[Key, _Storm] = {}

    def take(self, entry: Entry, at: datetime) -> list[Entry]:
        """Return what is to be written now that something came."""
        written = self.due(at)
        key = self._key(entry)
        storm = self._storms.get(key)
        if storm is not None:
            self._storms[key] = storm.again(at)
            return written
        kept = entry if key[4] else replace(entry, detail={})
        self._storms[key] = _Storm(entry=kept, began=at, first=at, last=at)
        return [*written, entry]

    def due(self, now: datetime) -> list[Entry]:
        """Return the summaries of the storms that are over or have lasted long.

        A clock that was set back ends them all.
        """
        return self._end(
            lambda storm: (
                not timedelta(0) <= now - storm.last < QUIET
                or now - storm.began >= LONGEST
            )
        )

    def flush(self) -> list[Entry]:
        """Return what has not been written yet: nothing comes any more."""
        return self._end(lambda _storm: True)

    @property
    def next_due(self) -> datetime | None:
        """Return when to ask next what is due, None while there is nothing."""
        ends = (
            min(one.last + QUIET, one.began + LONGEST) for one in self._storms.values()
        )
        return min(ends, default=None)

    def _end(self, over: Callable[[_Storm], bool]) -> list[Entry]:
        """End some storms and return the summaries of those that had more than one."""
        ended = {key: one for key, one in self._storms.items() if over(one)}
        for key in ended:
            del self._storms[key]
        return [one.summary for one in ended.values() if one.count]

    def _key(self, entry: Entry) -> Key:
        """Return what makes two entries the same; too many details count for none."""
        detail = json.dumps(plain_detail(entry.detail), sort_keys=True)
        of_kind = (entry.kind, entry.outcome, entry.source, entry.person)
        key: Key = (*of_kind, detail)
        if key in self._storms:
            return key
        different = sum(one[0] == entry.kind for one in self._storms)
        return (*of_kind, "") if different >= MOST_DIFFERENT else key
