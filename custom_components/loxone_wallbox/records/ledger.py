"""The ledger of one wallbox's sessions: the durable truth, a file a month.

Takes records, gives them back; blocking, called in the executor. A line is written at
each transition and the last line of an id holds; a tombstone holds over every line. The
month of a session is that of its plug-in in UTC, which its id tells. Raises
`JournalError` when the disk does not take a line or does not give a file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
import os
from pathlib import Path
import re
from typing import Any

from ..charging.session import Kind, SessionError, SessionRecord
from .journal import Content, FileState, Journal, JournalError, Mark
from .months import MonthsNoted

MIN_MONTHS = 13
DEFAULT_MONTHS = 25
MONTHS_A_YEAR = 12

_ID = re.compile(r"(\d{4})(\d{2})\d{2}T\d{6}Z-[0-9a-f]{12}")
_MONTH = re.compile(r"\d{4}-\d{2}")


class LedgerError(ValueError):
    """What cannot be kept or asked for; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """What could not be read: numbers of lines by file, and ids with such a line.

    `broken` are records that can be read and break a rule of their own, by id.
    """

    lines: dict[str, list[int]] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    broken: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.lines or self.ids or self.broken)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Records in the order of their plug-in, what was deleted, what is damaged."""

    records: tuple[SessionRecord, ...] = ()
    deleted: frozenset[str] = frozenset()
    damage: Damage = field(default_factory=Damage)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """What the last lines of a month say, `anew` where they are all of them."""

    records: list[SessionRecord]
    deleted: set[str]
    mark: Mark
    anew: bool


class Ledger:
    """The sessions of one wallbox."""

    def __init__(self, folder: Path, name: str) -> None:
        """Take a folder and the wallbox's name in it; nothing is read or written yet."""
        self._folder = folder
        self._name = name
        self._expired = Journal(folder / f"{name}.sessions.expired.jsonl")
        self._oldest: str | None = None
        self._noted = MonthsNoted(folder / f"{name}.sessions.months.jsonl")
        # What was damaged of each month when it was last read, and which file that was.
        self._damage: dict[str, tuple[FileState, Damage]] = {}

    def write(self, record: SessionRecord, transition: str) -> bool:
        """Write a record at a transition; False where its month has expired.

        One that breaks a rule of its own is written as well: energy is not thrown away.
        """
        month = month_of(record.id)
        if month < self._oldest_month():
            return False
        line = {"id": record.id, "at": transition, "record": record.as_dict()}
        self._journal(month).append(line)
        self._noted.note(month)
        return True

    def delete(self, session_id: str, at: datetime, why: str) -> None:
        """Write a tombstone; the lines of the session stay until `rewrite`."""
        line = {"id": session_id, "deleted": at.isoformat(), "why": why}
        self._journal(month_of(session_id)).append(line)

    def months(self) -> list[str]:
        """Return the months that have sessions, `YYYY-MM`, in their order."""
        oldest = self._oldest_month()
        return [one for one in self._files() if one >= oldest]

    def _files(self) -> list[str]:
        """Return the months that have a file, in their order."""
        start, end = f"{self._name}.sessions.", ".jsonl"
        try:
            # A folder may have a thousand files of others: no path is made of each.
            with os.scandir(self._folder) as files:
                names = [one.name for one in files]
        except FileNotFoundError:
            return []
        except OSError as err:
            raise JournalError(f"{self._folder.name}: {err}") from err
        found = {
            name.removeprefix(start).removesuffix(end)
            for name in names
            if name.startswith(start) and name.endswith(end)
        }
        return sorted(one for one in found if _MONTH.fullmatch(one))

    def month(self, month: str) -> Page:
        """Return the sessions that began in a month of UTC."""
        if month < self._oldest_month():
            return Page()
        journal, state = self._journal(month), self.state(month)
        page = _page(journal.path.name, journal.read())
        self._damage[month] = (state, page.damage)
        return page

    def tail(self, month: str, mark: Mark | None) -> Tail:
        """Return what was written to a month after a mark; of a session the last holds."""
        lines, mark, anew = self._journal(month).read_on(mark)
        deleted = {str(line.get("id", "")) for line in lines if "deleted" in line}
        records = (_read(line) for line in lines if "deleted" not in line)
        found = [one for one in records if one is not None]
        return Tail(records=found, deleted=deleted, mark=mark, anew=anew)

    def damage(self, month: str) -> Damage:
        """Return what of a month cannot be read; a file that has not changed is not."""
        known = self._damage.get(month)
        if known is not None and known[0] == self.state(month):
            return known[1]
        return self.month(month).damage

    def state(self, month: str) -> FileState:
        """Return what tells the file of a month from what it was before."""
        return self._journal(month).state()

    def lost(self) -> list[str]:
        """Return the months whose file is gone, though they have not expired."""
        return self._noted.lost(self._files(), self._oldest_month())

    def get(self, session_id: str) -> SessionRecord | None:
        """Return a session, None where there is none."""
        page = self.month(month_of(session_id))
        return next((one for one in page.records if one.id == session_id), None)

    def between(self, start: datetime, end: datetime) -> Page:
        """Return the sessions that were plugged in at some time of a span.

        Reads the months of the span, and before it the last month with a session:
        since none lies upon another, only its last one can reach into the span.
        """
        found = self._reaching(start, month_at(end))
        records = tuple(
            one
            for one in found.records
            if one.connected_utc < end
            and (one.disconnected_utc is None or one.disconnected_utc > start)
        )
        return Page(records=records, deleted=found.deleted, damage=found.damage)

    def since(self, start: datetime) -> Page:
        """Return all that can have been going on since an instant, and a little more.

        Reads the month of the instant, those after it, and the one before it only where
        a session of that month can reach into the time that is asked for.
        """
        return self._reaching(start, None)

    def _reaching(self, start: datetime, last: str | None) -> Page:
        """Return the months up to one in which something can reach into a span."""
        pages: list[Page] = []
        for month in reversed(self.months()):
            if last is not None and month > last:
                continue
            pages.append(self.month(month))
            records = pages[-1].records
            if records and records[0].connected_utc < start:
                # Whatever came before this session ended before it began.
                break
        return _joined(reversed(pages))

    def ids(self, start: datetime, end: datetime) -> list[str]:
        """Return the ids of the sessions of a span."""
        return [one.id for one in self.between(start, end).records]

    def newest(self) -> SessionRecord | None:
        """Return the last session, which may still be open."""
        for month in reversed(self.months()):
            records = self.month(month).records
            if records:
                return records[-1]
        return None

    def absorb(self, records: Iterable[SessionRecord]) -> list[str]:
        """Take records from elsewhere that are newer than ours; return their ids.

        What was deleted or has expired stays so.
        """
        newest = {one.id: one for one in sorted(records, key=_revision)}
        pages: dict[str, Page] = {}
        taken = []
        for record in sorted(newest.values(), key=_order):
            month = month_of(record.id)
            if month not in pages:
                pages[month] = self.month(month)
            page = pages[month]
            known = {one.id: one.revision for one in page.records}
            if record.id in page.deleted:
                continue
            if record.revision <= known.get(record.id, -1):
                continue
            if self.write(record, "absorbed"):
                taken.append(record.id)
        return taken

    def rewrite(
        self, change: Callable[[SessionRecord], SessionRecord | None], at: datetime
    ) -> int:
        """Write each month anew where a record changes; None deletes it.

        Nothing of what was there before is left in the file, damaged lines included.
        Each month is replaced as a whole or not at all. Returns how many changed.
        """
        return sum(self._rewrite(month, change, at) for month in self.months())

    def _rewrite(
        self,
        month: str,
        change: Callable[[SessionRecord], SessionRecord | None],
        at: datetime,
    ) -> int:
        """Write a month anew, if anything of it changes."""
        page, lines, changed = self.month(month), [], 0
        for record in page.records:
            after = change(record)
            changed += after is not record
            if after is None:
                lines.append(_tombstone(record.id, at))
            else:
                line = {"id": after.id, "at": "rewritten", "record": after.as_dict()}
                lines.append(line)
        lines += [_tombstone(one, at) for one in sorted(page.deleted)]
        if changed or page.damage.lines or page.damage.ids:
            self._journal(month).replace(list(lines))
        return changed

    def expire(self, now: datetime, months: int = DEFAULT_MONTHS) -> list[str]:
        """Remove the months that are older than so many whole ones; return them.

        A month stays as long as a session that began in it is younger. Raises
        `LedgerError` for less than regulation 9 asks for.
        """
        if months < MIN_MONTHS:
            raise LedgerError("retention_too_short")
        cutoff = months_before(month_at(now), months)
        gone = []
        for month in self.months():
            records = self.month(month).records
            ends = [one.disconnected_utc for one in records]
            young = any(end is None or month_at(end) >= cutoff for end in ends)
            if month >= cutoff or young:
                break
            gone.append(month)
        if gone:
            # First the word that they are gone, so that nothing brings them back.
            oldest = months_before(gone[-1], -1)
            self._expired.append({"before": oldest, "at": now.isoformat()})
            self._oldest = oldest
        # Also what a crash left between the word and the deed.
        for month in self._files():
            if month < self._oldest_month():
                self._journal(month).delete()
        return gone

    def wipe(self) -> None:
        """Delete everything, as if the wallbox had never been there."""
        try:
            for file in self._folder.glob(f"{self._name}.sessions.*"):
                file.unlink()
        except OSError as err:
            raise JournalError(f"{self._folder.name}: {err}") from err
        self._oldest = None
        self._noted.forget()
        self._damage.clear()

    def first_month(self) -> str:
        """Return the first month that has not expired, empty where none has."""
        return self._oldest_month()

    def _oldest_month(self) -> str:
        """Return the first month that has not expired."""
        if self._oldest is None:
            lines = self._expired.read().records
            self._oldest = max(
                (str(one.get("before", "")) for one in lines), default=""
            )
        return self._oldest

    def file_of(self, month: str) -> str:
        """Return what the file of a month is called."""
        return f"{self._name}.sessions.{month}.jsonl"

    def _journal(self, month: str) -> Journal:
        """Return the file of a month."""
        return Journal(self._folder / self.file_of(month))


def month_of(session_id: str) -> str:
    """Return the month of a session. Raises `LedgerError` for what is no id."""
    match = _ID.fullmatch(session_id)
    if match is None:
        raise LedgerError("session_id_invalid")
    return f"{match[1]}-{match[2]}"


def month_at(at: datetime) -> str:
    """Return the month of an instant in UTC."""
    return f"{at.astimezone(UTC):%Y-%m}"


def months_before(month: str, count: int) -> str:
    """Return the month that lies so many before another."""
    number = int(month[:4]) * MONTHS_A_YEAR + int(month[5:]) - 1 - count
    return f"{number // MONTHS_A_YEAR:04}-{number % MONTHS_A_YEAR + 1:02}"


def _tombstone(session_id: str, at: datetime) -> dict[str, Any]:
    """Return the line that says that a session was deleted."""
    return {"id": session_id, "deleted": at.isoformat(), "why": "rewritten"}


def _revision(record: SessionRecord) -> int:
    """Return which of two records of an id is newer."""
    return record.revision


def _order(record: SessionRecord) -> tuple[datetime, int]:
    """Return what sessions are ordered by."""
    return record.connected_utc, record.seq


def _page(name: str, content: Content) -> Page:
    """Return what the lines of a file say."""
    records: dict[str, SessionRecord] = {}
    deleted, unreadable = set(), set()
    for line in content.records:
        session_id = str(line.get("id", ""))
        if "deleted" in line:
            deleted.add(session_id)
            continue
        if (record := _read(line)) is not None:
            records[session_id] = record
        else:
            # The line before it is the best there is.
            unreadable.add(session_id)
    alive = [one for key, one in records.items() if key not in deleted]
    lines = {name: content.damaged} if content.damaged else {}
    return Page(
        records=tuple(sorted(alive, key=_order)),
        deleted=frozenset(deleted),
        damage=Damage(lines=lines, ids=frozenset(unreadable), broken=_broken(alive)),
    )


def _read(line: dict[str, Any]) -> SessionRecord | None:
    """Return the record of a line, None where it cannot be read."""
    try:
        return SessionRecord.from_dict(line["record"])
    except SessionError, KeyError, TypeError:
        return None


def _broken(records: Iterable[SessionRecord]) -> dict[str, str]:
    """Return the rule that a record breaks, by id."""
    found = {}
    for record in records:
        try:
            record.check()
        except SessionError as err:
            found[record.id] = err.key
    return found


def _joined(pages: Iterable[Page]) -> Page:
    """Return pages as one."""
    records: list[SessionRecord] = []
    deleted: frozenset[str] = frozenset()
    lines: dict[str, list[int]] = {}
    ids: frozenset[str] = frozenset()
    broken: dict[str, str] = {}
    for page in pages:
        records += page.records
        deleted |= page.deleted
        lines |= page.damage.lines
        ids |= page.damage.ids
        broken |= page.damage.broken
    return Page(
        records=tuple(sorted(records, key=_order)),
        deleted=deleted,
        damage=Damage(lines=lines, ids=ids, broken=broken),
    )


def is_open(record: SessionRecord | None) -> bool:
    """Tell whether a session was running when it was last written."""
    return record is not None and record.kind is Kind.OPEN
