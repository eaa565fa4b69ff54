"""What repeats itself many times becomes two records: the first, and how many came.

Takes entries of the security log with their instants, gives the ones to be written. A
storm of the same thing is summed up once it is over, or every ten minutes while it goes
on; too many different things of one kind are one storm too, or whoever sends them would
fill the log. What has a state, as tampering has, is no storm by changing: the last record
tells how it stands, or a power cut in a storm would leave a lie. Only what flutters is
summed up, as soon as it stands still. Nothing here reads or writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import json
from typing import Any

from .security_record import Entry, plain_detail, utc_text

# The same thing within this time is the same storm.
QUIET = timedelta(seconds=60)
# A storm that goes on is summed up so often.
LONGEST = timedelta(minutes=10)
# So many different things of one kind may be recorded one by one in a storm's time.
MOST_DIFFERENT = 20
# So many changes of one state are written in a minute; then the last, once it lasts.
MOST_CHANGES = 10
SETTLED = timedelta(seconds=5)
# What begins and what ends the same state, and the details that tell whose it is.
_PAIRS = {
    "tamper_on": "tamper",
    "tamper_off": "tamper",
    "meter_link_lost": "meter_link",
    "meter_link_restored": "meter_link",
}
_WHOSE = ("wallbox_id", "cause")
_FROM, _TO = "from", "to"

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Changes:
    """When a state changed lately; the changes that are too many to be written."""

    times: tuple[datetime, ...] = ()
    held: _Storm | None = None

    def lately(self, now: datetime) -> tuple[datetime, ...]:
        """Return the changes of the last minute, no more than matter."""
        young = [one for one in self.times if timedelta(0) <= now - one < QUIET]
        return tuple(young[-MOST_CHANGES:])

    def hold(self, entry: Entry, now: datetime) -> _Changes:
        """Return the changes with one that is not written now."""
        began = _Storm(entry=entry, began=now, first=now, last=now)
        held = replace(self.held or began, entry=entry).again(now)
        return _Changes(times=(*self.lately(now), now), held=held)


class Storms:
    """What came lately."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._storms: dict[Key, _Storm] = {}
        self._changes: dict[str, _Changes] = {}

    def take(self, entry: Entry, at: datetime) -> list[Entry]:
        """Return what is to be written now that something came."""
        written = self.due(at)
        state, key = _state(entry), self._key(entry)
        known = _Changes() if state is None else self._changes.get(state, _Changes())
        storm = self._storms.get(key)
        if storm is not None and known.held is None:
            self._storms[key] = storm.again(at)
            return written
        if state is not None:
            written += self._end(lambda one: _state(one.entry) == state)
            lately = known.lately(at)
            if known.held is not None or len(lately) >= MOST_CHANGES:
                self._changes[state] = known.hold(entry, at)
                return written
            self._changes[state] = _Changes(times=(*lately, at))
        kept = entry if key[4] else replace(entry, detail={})
        self._storms[key] = _Storm(entry=kept, began=at, first=at, last=at)
        return [*written, entry]

    def due(self, now: datetime) -> list[Entry]:
        """Return the summaries of the storms that are over or have lasted long.

        And how what fluttered stands, once it does, and each minute while it does not.
        A clock that was set back ends them all.
        """
        ended = self._end(
            lambda storm: (
                not timedelta(0) <= now - storm.last < QUIET
                or now - storm.began >= LONGEST
            )
        )
        settled = self._settle(
            lambda held: (
                not timedelta(0) <= now - held.last < SETTLED
                or now - held.began >= QUIET
            )
        )
        self._changes = {
            state: one
            for state, one in self._changes.items()
            if one.held is not None or one.lately(now)
        }
        return [*ended, *settled]

    def flush(self) -> list[Entry]:
        """Return what has not been written yet: nothing comes any more."""
        return [*self._end(lambda _storm: True), *self._settle(lambda _held: True)]

    @property
    def next_due(self) -> datetime | None:
        """Return when to ask next what is due, None while there is nothing."""
        ends = [
            min(one.last + QUIET, one.began + LONGEST) for one in self._storms.values()
        ]
        held = [one.held for one in self._changes.values() if one.held is not None]
        ends += [min(one.last + SETTLED, one.began + QUIET) for one in held]
        return min(ends, default=None)

    def _end(self, over: Callable[[_Storm], bool]) -> list[Entry]:
        """End some storms and return the summaries of those that had more than one."""
        ended = {key: one for key, one in self._storms.items() if over(one)}
        for key in ended:
            del self._storms[key]
        return [one.summary for one in ended.values() if one.count]

    def _settle(self, over: Callable[[_Storm], bool]) -> list[Entry]:
        """Return how what fluttered stands, and of how many changes nothing is told."""
        written = []
        for state, one in self._changes.items():
            if one.held is not None and over(one.held):
                written.append(one.held.summary)
                self._changes[state] = replace(one, held=None)
        return written

    def _key(self, entry: Entry) -> Key:
        """Return what makes two entries the same; too many details count for none."""
        detail = _text(entry.detail)
        of_kind = (entry.kind, entry.outcome, entry.source, entry.person)
        key: Key = (*of_kind, detail)
        if key in self._storms or _state(entry) is not None:
            return key
        different = sum(one[0] == entry.kind for one in self._storms)
        return (*of_kind, "") if different >= MOST_DIFFERENT else key


def _state(entry: Entry) -> str | None:
    """Return what is in another state by an entry, None where nothing is.

    What tells from what to what it changed is about one thing, whoever changed it.
    """
    detail = entry.detail
    if (pair := _PAIRS.get(entry.kind)) is not None:
        whose = {name: detail[name] for name in _WHOSE if name in detail}
        return f"{pair} {_text(whose)}"
    if _FROM not in detail or _TO not in detail or entry.kind == "invalid_input":
        return None
    what = {name: detail[name] for name in detail if name not in (_FROM, _TO)}
    return f"{entry.kind} {_text(what)}"


def _text(detail: Mapping[str, Any]) -> str:
    """Return details so that they can be compared."""
    return json.dumps(plain_detail(detail), sort_keys=True)
