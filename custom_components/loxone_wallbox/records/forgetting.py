"""Forget people in files of records, whatever the files are about.

Takes a folder and whom to forget, writes each file anew that has one of them, line by line
and all or nothing; blocking, called in the executor while nobody else writes. What is
nobody's stays: energy, time, cost, the order of lines, tombstones, and the hashes of the
security log. A damaged line stays damaged, with the pseudonym in it made unreadable: it
is evidence, and its person is forgotten nevertheless. Raises `JournalError`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import re
from typing import Any, Self

from ..charging.session import PERSONAL
from .journal import Journal

# Of a record of the security log.
_PERSON = "person"
_PSEUDONYM = "pseudonym"
# Who it was, in what is left of a line of a session.
_TOLD = re.compile(rb'("(?:%s)":")((?:[^"\\]|\\.)*)' % "|".join(PERSONAL).encode())


@dataclass(frozen=True, kw_only=True, slots=True)
class Whom:
    """Whom to forget: `people` are who they are wherever it stands, as pseudonyms.

    By what they are `called`, letters in any case, they are only where a session tells
    whose it was: an import may once have brought that, and a name is a word like others.
    """

    people: frozenset[str]
    called: frozenset[str]

    @classmethod
    def of(cls, people: Collection[str], words: Collection[str] = ()) -> Self:
        """Return who is meant by pseudonyms and by what they are called."""
        called = frozenset(one.strip().casefold() for one in words) - {""}
        return cls(people=frozenset(people), called=called)

    def are(self, told: object) -> bool:
        """Tell whether it is one of them whom a session tells of."""
        if not isinstance(told, str):
            return False
        return told in self.people or told.strip().casefold() in self.called


def forget_in_folder(
    folder: Path, people: Collection[str], words: Collection[str] = ()
) -> int:
    """Forget people in all files of a folder, security logs apart; returns in how many.

    They are named by pseudonyms, and by the words that they are called by. The security
    log has a lock of its own, so it forgets by itself.
    """
    names = sorted(folder.glob("*.jsonl*")) if folder.is_dir() else []
    return sum(
        forget_in(Journal(path), people, words) > 0
        for path in names
        if not path.name.startswith("security.")
    )


def forget_in(
    journal: Journal, people: Collection[str], words: Collection[str] = ()
) -> int:
    """Forget people in a file; returns in how many lines."""
    whom = Whom.of(people, words)
    return journal.edit(
        lambda record: _without(record, whom), lambda raw: _unreadable(raw, whom)
    )


def forget_in_log(journal: Journal, is_person: Callable[[str], bool]) -> int:
    """Forget people in a file of the security log; returns in how many lines.

    Who it was is beside the chain, so what is left still proves that nothing changed.
    """

    def without(record: dict[str, Any]) -> dict[str, Any]:
        """Return a record without its person, where it is one of them."""
        person = record.get(_PERSON)
        known = isinstance(person, Mapping) and is_person(str(person.get(_PSEUDONYM)))
        if not known:
            return record
        return {name: value for name, value in record.items() if name != _PERSON}

    return journal.edit(without, lambda raw: _guessed(raw, is_person), exact=True)


def _without(value: Any, whom: Whom) -> Any:
    """Return plain data without people; the same object where there are none."""
    if isinstance(value, dict):
        after = {name: _without(one, whom) for name, one in value.items()}
        if any(whom.are(value.get(name)) for name in PERSONAL):
            hidden = {name: None for name in PERSONAL if name in value}
            more = {"anonymous": True} if "anonymous" in value else {}
            after |= {**hidden, **more}
        same = all(after[name] is one for name, one in value.items())
        return value if same else after
    if isinstance(value, list):
        items = [_without(one, whom) for one in value]
        same = all(one is other for one, other in zip(items, value, strict=True))
        return value if same else items
    return None if isinstance(value, str) and value in whom.people else value


def _unreadable(raw: bytes, whom: Whom) -> bytes:
    """Return a damaged line in which nobody is to be read; its length stays."""
    for word in map(str.encode, whom.people):
        raw = raw.replace(word, b"x" * len(word))
    if not whom.called:
        return raw

    def hidden(found: re.Match[bytes]) -> bytes:
        """Return who was told of, made unreadable where it is one of them."""
        try:
            told = json.loads(b'"%s"' % found[2])
        except ValueError:
            told = found[2].decode("utf-8", "replace")
        return found[1] + b"x" * len(found[2]) if whom.are(told) else found[0]

    return _TOLD.sub(hidden, raw)


def _guessed(raw: bytes, is_person: Callable[[str], bool]) -> bytes:
    """Return a damaged line of a log in which nobody is to be read.

    What was a record may be broken anywhere, so every text of it is looked at.
    """
    parts = raw.split(b'"')
    return b'"'.join(
        b"x" * len(part) if is_person(part.decode("utf-8", "replace")) else part
        for part in parts
    )
