"""The security log of one Miniserver: a chain of records that shows every change.

Takes entries, gives them back; blocking, called in the executor. A record is on the disk
when `append` returns. The log is a row of files: when one is full it is sealed by a last
record and the next one goes on with the chain. Number and hash of the last record are
kept in a file beside it, so that a tail that was cut off shows as well. What may go
wrong: the disk takes nothing, which raises `JournalError`; or somebody changed the log,
which `verify` tells, and which is recorded itself when the log is opened.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
import re
from typing import Any

from .forgetting import forget_in_log
from .journal import Journal, JournalError
from .security_record import (
    Entry,
    Link,
    follows,
    link_of,
    make_record,
    utc_text,
)
from .state import StateKeeper

KIND_ROTATED = "log_rotated"
KIND_BROKEN = "chain_broken"
INFO = "info"
# Of a file, and how many full files are kept besides the one that is written.
MOST_RECORDS = 5_000
MOST_FILES = 20
_NAME = re.compile(r"security\.(\d{6})\.jsonl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What came of looking at a chain: how many records, and the first that is wrong.

    `broken_seq` None is a log that is whole. `last_seq` 0 is a log that is empty.
    `recorded` is the record of a break that was found just now.
    """

    records: int = 0
    last_seq: int = 0
    broken_seq: int | None = None
    recorded: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What is kept beside the log.

    Where its first file begins, where its last one ends, and which break was told of.
    From the file `resumed` on, after `resumed_after`, the chain goes on behind that
    break; files before `since` belong to breaks that the owner has taken note of.
    """

    first: Link = field(default_factory=Link)
    last: Link = field(default_factory=Link)
    told: int | None = None
    resumed: int = 0
    resumed_after: Link = field(default_factory=Link)
    since: int = 0


class SecurityLog:
    """The log in a folder."""

    def __init__(self, folder: Path, *, most_records: int = MOST_RECORDS) -> None:
        """Take a folder; nothing is read or written yet."""
        self._folder = folder
        self._keeper = StateKeeper(folder / "security.head.jsonl")
        self._most = most_records
        self._head = Head()
        self._opened = False
        # What was written last may be there by halves.
        self._unsure = False
        self._number, self._count = 1, 0

    def open(self, at: datetime) -> Verdict:
        """Find the end of the chain; a break in it is recorded, once.

        A record that a crash cut off was never there: nobody was told of it.
        """
        self._head = self._kept()
        files = self._files()
        self._number = files[-1] if files else 1
        journal = self._journal(self._number)
        found = _links(journal)
        if not found or found[-1].seq >= self._head.last.seq:
            journal.trim()
        verdict = self.verify()
        self._count = len(list(journal.exact()))
        if found and found[-1].seq >= self._head.last.seq:
            self._head = replace(self._head, last=found[-1])
        self._unsure = False
        verdict = self._told(verdict, at)
        self._opened = True
        return verdict

    def check(self, at: datetime) -> Verdict:
        """Look at every byte of the log; a break in it is recorded, once."""
        if not self._opened:
            return self.open(at)
        if self._unsure:
            self._make_sure()
        return self._told(self.verify(), at)

    def settle(self) -> None:
        """Let the chain begin behind the break that was told of.

        What is before it stays to be read; the next break shows again.
        """
        if self._head.told is None:
            return
        begins = replace(
            self._head,
            first=self._head.resumed_after,
            since=self._head.resumed,
            told=None,
        )
        self._keep(begins)

    def append(self, entry: Entry, at: datetime) -> dict[str, Any]:
        """Write an entry and return its record."""
        if not self._opened:
            self.open(at)
        if self._count >= self._most - 1:
            self._rotate(at)
        return self._write(entry, at)

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        kinds: frozenset[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the records from an instant until before another, oldest first."""
        since = "" if start is None else utc_text(start)
        until = "~" if end is None else utc_text(end)
        return [
            record
            for record in self._records()
            if since <= record["utc"] < until
            and (kinds is None or record["kind"] in kinds)
        ]

    def verify(self) -> Verdict:
        """Look at every byte of the log."""
        head = self._kept()
        before, count = head.first, 0
        for number in self._files():
            if number < head.since:
                continue
            for record in self._journal(number).exact():
                if record is None or not follows(record, before):
                    return _broken(count, before.seq + 1)
                count += 1
                before = link_of(record)
                if before.seq == head.last.seq and before != head.last:
                    return _broken(count, before.seq)
        if before.seq < head.last.seq:
            return _broken(count, before.seq + 1)
        return Verdict(records=count, last_seq=before.seq)

    def forget(self, is_person: Callable[[str], bool]) -> int:
        """Forget who it was in every record of some people; returns in how many."""
        if self._unsure:
            self._make_sure()
        return sum(
            forget_in_log(self._journal(number), is_person) for number in self._files()
        )

    def delete(self) -> None:
        """Remove the whole log."""
        for number in self._files():
            self._journal(number).delete()
        self._keeper.delete()
        self._head, self._opened = Head(), False

    def _write(self, entry: Entry, at: datetime) -> dict[str, Any]:
        """Write the next record, then where the chain stands now."""
        if self._unsure:
            self._make_sure()
        record = make_record(entry, self._head.last, at)
        self._unsure = True
        self._journal(self._number).append(record)
        self._unsure = False
        self._count += 1
        # The record is there; where the chain stands can be told with the next one.
        with suppress(JournalError):
            self._keep(replace(self._head, last=link_of(record)))
        return record

    def _make_sure(self) -> None:
        """Remove half a record; one that is whole is there, whatever the disk said."""
        journal = self._journal(self._number)
        journal.trim()
        found = _links(journal)
        if found and found[-1].seq == self._head.last.seq + 1:
            self._head = replace(self._head, last=found[-1])
        self._count = len(found)
        self._unsure = False

    def _rotate(self, at: datetime) -> None:
        """Seal the file that is full and go on in the next one."""
        sealed = {"file": self._number, "records": self._count + 1}
        self._write(Entry(kind=KIND_ROTATED, outcome=INFO, detail=sealed), at)
        self._number, self._count = self._number + 1, 0
        files = self._files()
        for number in files[: max(len(files) - MOST_FILES, 0)]:
            journal = self._journal(number)
            if number >= self._head.since and (links := _links(journal)):
                self._keep(replace(self._head, first=links[-1]))
            journal.delete()

    def _told(self, verdict: Verdict, at: datetime) -> Verdict:
        """Record that the chain is broken, once, in a file of its own."""
        if verdict.broken_seq in (None, self._head.told):
            return verdict
        self._number, self._count = self._number + 1, 0
        self._head = replace(
            self._head,
            told=verdict.broken_seq,
            resumed=self._number,
            resumed_after=self._head.last,
        )
        detail = {"first_broken": verdict.broken_seq}
        entry = Entry(kind=KIND_BROKEN, outcome=INFO, detail=detail)
        return replace(verdict, recorded=self._write(entry, at))

    def _keep(self, head: Head) -> None:
        """Keep where the chain stands."""
        self._head = head
        self._keeper.save(asdict(head))

    def _kept(self) -> Head:
        """Return where the chain stood; what cannot be read is as good as nothing."""
        kept = self._keeper.load()
        try:
            return Head() if kept is None else _head(kept)
        except KeyError, TypeError, ValueError:
            return Head()

    def _files(self) -> list[int]:
        """Return the numbers of the files there are."""
        try:
            names = [one.name for one in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as err:
            raise JournalError(f"{self._folder.name}: {err}") from err
        return sorted(
            int(found[1]) for name in names if (found := _NAME.fullmatch(name))
        )

    def _journal(self, number: int) -> Journal:
        """Return one of the files."""
        return Journal(self._folder / f"security.{number:06}.jsonl")

    def _records(self) -> Iterator[dict[str, Any]]:
        """Return every record that can be read, also of a chain that is broken."""
        for number in self._files():
            yield from (
                one for one in self._journal(number).read().records if _whole(one)
            )


def _links(journal: Journal) -> list[Link]:
    """Return where the chain stood after each record of a file that can be read."""
    return [link_of(one) for one in journal.read().records if _whole(one)]


def _whole(record: Mapping[str, Any]) -> bool:
    """Tell whether a record has all that is shown of it."""
    return follows(record, None)


def _head(kept: Mapping[str, Any]) -> Head:
    """Read what was kept beside the log."""
    told = kept["told"]
    return Head(
        first=_link(kept["first"]),
        last=_link(kept["last"]),
        told=None if told is None else int(told),
        resumed=int(kept["resumed"]),
        resumed_after=_link(kept["resumed_after"]),
        since=int(kept["since"]),
    )


def _link(kept: Mapping[str, Any]) -> Link:
    """Read where a chain stood."""
    return Link(seq=int(kept["seq"]), hash=str(kept["hash"]))


def _broken(records: int, seq: int) -> Verdict:
    """Return the verdict on a chain whose record `seq` is wrong or missing."""
    return Verdict(records=records, last_seq=seq - 1, broken_seq=seq)
