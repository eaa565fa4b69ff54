"""The security log of one Miniserver: a chain of records that shows every change.

Takes entries, gives them back; blocking, called in the executor. A record is on the disk
when `append` returns. The log is a row of files: when one is full it is sealed by a last
record and the next one goes on with the chain. Number and hash of the last record are
kept in a file beside it, and somewhere else by whoever uses the log, so that a tail that
was cut off shows as well. What may go wrong: the disk takes nothing, which raises
`JournalError`; or somebody changed the log, which `verify` tells, and which is recorded
itself when the log is opened.
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
    break, and `lost` was a record that is not in it any more; files before `since` belong
    to breaks that the owner has taken note of, files before `begins` are to be gone.
    """

    first: Link = field(default_factory=Link)
    last: Link = field(default_factory=Link)
    told: int | None = None
    resumed: int = 0
    resumed_after: Link = field(default_factory=Link)
    lost: Link = field(default_factory=Link)
    since: int = 0
    begins: int = 0


class SecurityLog:
    """The log in a folder."""

    def __init__(self, folder: Path, *, most_records: int = MOST_RECORDS) -> None:
        """Take a folder; nothing is read or written yet."""
        self._folder = folder
        self._keeper = StateKeeper(folder / "security.head.jsonl")
        self._most = most_records
        self._head = Head()
        self._elsewhere = Link()
        # While a backup reads one file after the other nothing may be ahead of the log.
        self.held = False
        self._opened = False
        # What was written last may be there by halves.
        self._unsure = False
        self._number, self._count = 1, 0

    @property
    def last(self) -> Link:
        """Return where the chain stands, to be kept elsewhere too."""
        return self._head.last

    def remind(self, elsewhere: Link) -> None:
        """Take how far the chain had come at least, by what was kept elsewhere."""
        self._elsewhere = _newest(self._elsewhere, elsewhere)

    def open(self, at: datetime) -> Verdict:
        """Find the end of the chain; a break in it is recorded, once.

        A record that a crash cut off was never there: nobody was told of it.
        """
        head = self._head = self._kept()
        self._opened = False
        self._sweep()
        files = self._chain(head)
        self._number = max([1, head.since, head.begins, *files])
        journal = self._journal(self._number)
        end = self._end(files)
        known = _newest(head.last, self._elsewhere)
        if end.seq >= known.seq or not _links(journal):
            journal.trim()
        verdict, lost = self._look()
        self._count = len(list(journal.exact()))
        # What is missing had its number; none comes twice.
        self._head = replace(head, last=_newest(end, known))
        self._unsure = False
        verdict = self._told(verdict, lost, at)
        self._opened = True
        return verdict

    def check(self, at: datetime) -> Verdict:
        """Look at every byte of the log; a break in it is recorded, once."""
        if not self._opened:
            return self.open(at)
        if self._unsure:
            self._make_sure()
        return self._told(*self._look(), at)

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
            lost=Link(),
            told=None,
        )
        self._keep(begins)

    def append(self, entry: Entry, at: datetime) -> dict[str, Any]:
        """Write an entry and return its record."""
        if not self._opened:
            self.open(at)
        if self._count >= self._most - 1 and not self.held:
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
        """Look at every byte of the log, and whether it is all there."""
        return self._look()[0]

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
        self._head, self._elsewhere, self._opened = Head(), Link(), False

    def _look(self) -> tuple[Verdict, Link]:
        """Return what comes of looking, and what is known to have been and is not there.

        While it is written the chain has to reach what is in memory too: the file beside
        it may be gone as well.
        """
        kept = self._kept()
        head = self._head if self._opened else kept
        known = [kept.last, head.last, self._elsewhere]
        if head.told is not None:
            known.append(head.lost)
        before, count = head.first, 0
        for number in self._chain(head):
            for record in self._journal(number).exact():
                if record is None or not follows(record, before):
                    return _broken(count, before.seq + 1), Link()
                count += 1
                before = link_of(record)
                for one in known:
                    if one.seq == before.seq and one != before:
                        return _broken(count, before.seq), one
        if before.seq < (missing := _newest(*known)).seq:
            return _broken(count, before.seq + 1), missing
        return Verdict(records=count, last_seq=before.seq), Link()

    def _write(self, entry: Entry, at: datetime) -> dict[str, Any]:
        """Write the next record, then where the chain stands now."""
        if self._unsure:
            self._make_sure()
        record = make_record(entry, self._head.last, at)
        self._unsure = True
        self._journal(self._number).append(record)
        self._unsure = False
        self._count += 1
        self._head = replace(self._head, last=link_of(record))
        if not self.held:
            # The record is there; where the chain stands can be told with the next one.
            with suppress(JournalError):
                self._keep(self._head)
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
        oldest = files[: max(len(files) - MOST_FILES, 0)]
        if not oldest:
            return
        head = replace(self._head, begins=oldest[-1] + 1)
        gone = [one for one in self._chain(self._head) if one in oldest]
        if (first := self._end(gone)).seq:
            head = replace(head, first=first)
        self._keep(head)
        self._sweep()

    def _sweep(self) -> None:
        """Remove the files before the first one; one that stays is tried again later."""
        for number in self._files():
            if number < self._head.begins:
                with suppress(JournalError):
                    self._journal(number).delete()

    def _told(self, verdict: Verdict, lost: Link, at: datetime) -> Verdict:
        """Record that the chain is broken, once, in a file of its own.

        Where the disk does not take that the log is opened anew, to be told of it later.
        """
        if verdict.broken_seq in (None, self._head.told):
            return verdict
        self._number, self._count = self._number + 1, 0
        self._head = replace(
            self._head,
            told=verdict.broken_seq,
            resumed=self._number,
            resumed_after=self._head.last,
            lost=lost,
        )
        detail = {"first_broken": verdict.broken_seq}
        entry = Entry(kind=KIND_BROKEN, outcome=INFO, detail=detail)
        try:
            record = self._write(entry, at)
        except JournalError:
            self._elsewhere = _newest(self._head.last, self._elsewhere)
            self._opened = False
            raise
        if self.held:
            # In a copy it is broken anyway; here it is not to be told twice.
            with suppress(JournalError):
                self._keep(self._head)
        return replace(verdict, recorded=record)

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

    def _chain(self, head: Head) -> list[int]:
        """Return the numbers of the files that the chain goes through."""
        begins = max(head.since, head.begins)
        return [number for number in self._files() if number >= begins]

    def _end(self, files: list[int]) -> Link:
        """Return the last record in some files that can be read, seq 0 for none."""
        for number in reversed(files):
            if links := _links(self._journal(number)):
                return links[-1]
        return Link()

    def _journal(self, number: int) -> Journal:
        """Return one of the files."""
        return Journal(self._folder / f"security.{number:06}.jsonl")

    def _records(self) -> Iterator[dict[str, Any]]:
        """Return every record that can be read, also of a chain that is broken."""
        begins = self._head.begins if self._opened else self._kept().begins
        for number in self._files():
            if number < begins:
                continue
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
        # Logs of before did not have these two.
        lost=_link(kept.get("lost", asdict(Link()))),
        since=int(kept["since"]),
        begins=int(kept.get("begins", 0)),
    )


def _link(kept: Mapping[str, Any]) -> Link:
    """Read where a chain stood."""
    return Link(seq=int(kept["seq"]), hash=str(kept["hash"]))


def _newest(*links: Link) -> Link:
    """Return the one that is farthest in its chain."""
    return max(links, key=lambda one: one.seq)


def _broken(records: int, seq: int) -> Verdict:
    """Return the verdict on a chain whose record `seq` is wrong or missing."""
    return Verdict(records=records, last_seq=seq - 1, broken_seq=seq)
