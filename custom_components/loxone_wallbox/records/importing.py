"""Look through sessions from elsewhere before any of them is written to a ledger.

Takes plain data that anybody may have changed, and what a ledger has; gives what can be
taken, what is there already and what is refused for which reason. Blocking, called in
the executor; nothing is written here.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..charging.money import TariffError, checked_currency
from ..charging.session import Kind, SessionError, SessionRecord
from ..charging.transition import session_id
from .ledger import Ledger, LedgerError, Page, month_at, month_of

# What every engine's smallest column takes; no wallbox counts so far in its life.
MOST = 2**31 - 1
LONGEST_TEXT = 120
LONGEST_USER = 64
LONGEST_LIST = 20_000
LONGEST_STAY = timedelta(days=3660)
LEAST_STAY = timedelta(seconds=1)
FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
MOST_DISTANT = datetime.max.replace(tzinfo=UTC)
LONGEST_DETAIL = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A session that is not taken: its id as it stands there, and why."""

    id: str
    reason: str


@dataclass(kw_only=True, slots=True)
class Plan:
    """What becomes of the sessions: to be taken, already there, refused."""

    take: list[SessionRecord] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def plan(
    ledger: Ledger,
    wallbox: str,
    sessions: Iterable[Any],
    until: datetime,
    *,
    kept: Callable[[str | None], str | None],
) -> Plan:
    """Return what becomes of sessions that are to be those of a wallbox.

    Sessions of another wallbox get names of their own here, the same each time; of whom
    they tell is as it is `kept`. Nothing may be later than `until`. Raises
    `JournalError` when the ledger cannot be read.
    """
    found = Plan()
    readable: list[SessionRecord] = []
    for data in sessions:
        try:
            own = _as_own(_checked(data, until), wallbox)
            readable.append(
                replace(
                    own,
                    user_id=kept(own.user_id),
                    tag=kept(own.tag),
                    vehicle=kept(own.vehicle),
                )
            )
        except SessionError as err:
            found.refused.append(Refused(id=_name_of(data), reason=err.key))
    stays = _Stays(ledger, readable)
    for record in sorted(readable, key=lambda one: (one.connected_utc, one.revision)):
        reason = stays.refusal(record)
        if reason is not None:
            found.refused.append(Refused(id=record.id, reason=reason))
        elif stays.has(record):
            found.there.append(record.id)
        else:
            stays.add(record)
            found.take.append(record)
    return found


def beside(
    ledger: Ledger, record: SessionRecord, until: datetime
) -> tuple[datetime, datetime] | None:
    """Return a time for a session that surely lies upon no other one.

    That is its own, or the nearest one in which there is none, shorter maybe; it ends
    before `until`. None where there is no such time. Raises `JournalError`.
    """
    start, end = record.connected_utc, record.disconnected_utc or MOST_DISTANT
    spans = [
        (one.connected_utc, one.disconnected_utc or MOST_DISTANT)
        for page in _pages(ledger, [record])
        for one in page.records
        if one.id != record.id
    ]
    if not any(one[0] < end and one[1] > start for one in spans):
        return start, end
    begins = [FIRST_DAY, *sorted(one[1] for one in spans)]
    free = [
        (begin, min([until, *(one[0] for one in spans if one[1] > begin)]))
        for begin in begins
    ]
    room = [one for one in free if one[1] - one[0] >= LEAST_STAY]
    placed = [(max(begin, min(start, last - LEAST_STAY)), last) for begin, last in room]
    if not placed:
        return None
    at, last = min(placed, key=lambda one: abs(one[0] - start))
    return at, min(at + (end - start), last)


class _Stays:
    """The sessions of a ledger by their time, with those that are to come."""

    def __init__(self, ledger: Ledger, records: Iterable[SessionRecord]) -> None:
        """Read what the ledger has of the time of these records."""
        pages = _pages(ledger, records)
        self._deleted = frozenset().union(*(page.deleted for page in pages))
        self._revisions: dict[str, int] = {}
        self._spans: list[tuple[datetime, datetime, str]] = []
        for page in pages:
            for record in page.records:
                self.add(record)

    def add(self, record: SessionRecord) -> None:
        """Take a session, in the place of what was there of it."""
        if record.id in self._revisions:
            self._spans = [one for one in self._spans if one[2] != record.id]
        self._revisions[record.id] = record.revision
        end = record.disconnected_utc or MOST_DISTANT
        span = (record.connected_utc, end, record.id)
        self._spans.insert(bisect_right(self._spans, span), span)

    def has(self, record: SessionRecord) -> bool:
        """Tell whether a session is there, as it is or newer."""
        return record.revision <= self._revisions.get(record.id, -1)

    def refusal(self, record: SessionRecord) -> str | None:
        """Return why a session cannot be taken, None where it can."""
        if record.id in self._deleted:
            return "deleted"
        if self.has(record):
            return None
        if record.kind is Kind.OPEN:
            return "still_open"
        return "sessions_overlap" if self._overlaps(record) else None

    def _overlaps(self, record: SessionRecord) -> bool:
        """Tell whether a session lies upon another one."""
        start, end = record.connected_utc, record.disconnected_utc or MOST_DISTANT
        at = bisect_right(self._spans, start, key=lambda one: one[0])
        # An older version of the session itself may be one of the neighbours.
        near = self._spans[max(at - 2, 0) : at + 2]
        return any(
            one[0] < end and one[1] > start for one in near if one[2] != record.id
        )


def _pages(ledger: Ledger, records: Iterable[SessionRecord]) -> list[Page]:
    """Return the months of a ledger that say something of records.

    Their own months, and before each the last one with a session, which may go on.
    """
    spans = {
        (month_at(one.connected_utc), month_at(one.disconnected_utc or MOST_DISTANT))
        for one in records
    }
    pages: dict[str, Page] = {}
    months = ledger.months() if spans else []
    for first, last in spans:
        for month in reversed([one for one in months if one <= last]):
            if month not in pages:
                pages[month] = ledger.month(month)
            if month < first and pages[month].records:
                break
    return [pages[month] for month in sorted(pages)]


def _as_own(record: SessionRecord, wallbox: str) -> SessionRecord:
    """Return a session as one of a wallbox; one that is stays as it is."""
    if record.wallbox == wallbox:
        return record
    name = session_id(wallbox, record.connected_utc, record.seq)
    return replace(record, id=name, wallbox=wallbox)


def _checked(data: Any, until: datetime) -> SessionRecord:
    """Return a record. Raises `SessionError` with the reason for what is none."""
    if not isinstance(data, Mapping):
        raise SessionError("unreadable")
    try:
        record = SessionRecord.from_dict(data)
        _check_bounds(record, until)
        record.check()
    except SessionError:
        raise
    except (ArithmeticError, AttributeError, TypeError, ValueError) as err:
        raise SessionError("unreadable", str(err)[:LONGEST_DETAIL]) from err
    return record


def _check_bounds(record: SessionRecord, until: datetime) -> None:
    """Raise `SessionError` for a record that is possible nowhere."""
    if not _is(record, SessionRecord):
        raise SessionError("unreadable")
    end = record.disconnected_utc or record.connected_utc
    instants = [record.connected_utc, end, *(one.end for one in record.segments)]
    instants += [one.start for one in record.slices]
    instants += [one.start for one in record.hours]
    if min(instants) < FIRST_DAY or end - record.connected_utc > LONGEST_STAY:
        raise SessionError("time_impossible")
    if max(instants) > until:
        raise SessionError("in_future")
    stay = (end - record.connected_utc).total_seconds()
    if record.kind is not Kind.OPEN and record.connected_s > stay:
        raise SessionError("connected_longer")
    if record.user_id is not None and len(record.user_id) > LONGEST_USER:
        raise SessionError("user_invalid")
    for currency in {record.currency, *(one.currency for one in record.slices)}:
        if currency is not None:
            _check_currency(currency)
    try:
        known = month_of(record.id) == month_at(record.connected_utc)
    except LedgerError as err:
        raise SessionError("session_id_invalid") from err
    if not known:
        raise SessionError("session_id_invalid")


def _check_currency(currency: str) -> None:
    """Raise `SessionError` for a currency that is none."""
    try:
        checked_currency(currency)
    except TariffError as err:
        raise SessionError(err.key) from err


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    """Return the types of a record's fields."""
    return get_type_hints(kind)


def _is(value: Any, kind: Any) -> bool:
    """Tell whether a value is what its type says, within reason."""
    if get_origin(kind) in (Union, UnionType):
        return any(_is(value, one) for one in get_args(kind))
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        listed = isinstance(value, tuple) and len(value) <= LONGEST_LIST
        return listed and all(_is(one, item) for one in value)
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return isinstance(value, kind) and all(  # type: ignore[arg-type]
            _is(getattr(value, one.name), hints[one.name]) for one in fields(kind)
        )
    return _is_plain(value, kind)


def _is_plain(value: Any, kind: Any) -> bool:
    """Tell whether a single value is what its type says."""
    known = (int, float) if kind is float else (kind,)
    if type(value) not in known:
        return False
    match value:
        case int() | float():
            return abs(value) <= MOST
        case datetime():
            return value.utcoffset() == timedelta()
        case Decimal():
            return value.is_finite()
        case str() if not isinstance(value, Enum):
            return len(value) <= LONGEST_TEXT and value.isprintable()
    return True


def _name_of(data: Any) -> str:
    """Return what a session is called where it comes from, cut to a length."""
    name = data.get("id") if isinstance(data, Mapping) else None
    return name[:LONGEST_TEXT] if isinstance(name, str) else ""
