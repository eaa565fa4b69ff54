"""Forget people in files of records, whatever the files are about.

Takes a folder and pseudonyms, writes each file anew that has one of them, line by line
and all or nothing; blocking, called in the executor while nobody else writes. What is
nobody's stays: energy, time, cost, the order of lines, tombstones, and the hashes of the
security log. A damaged line stays damaged, with the pseudonym in it made unreadable: it
is evidence, and its person is forgotten nevertheless. Raises `JournalError`.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from .journal import Journal

# Of a session: all that tells who it was.
_OF_SESSION = ("user_id", "tag", "vehicle")
# Of a record of the security log.
_PERSON = "person"
_PSEUDONYM = "pseudonym"


def forget_in_folder(folder: Path, people: Collection[str]) -> int:
    """Forget people in all files of a folder, security logs apart; returns in how many.

    The security log has a lock of its own, so it forgets by itself.
    """
    names = sorted(folder.glob("*.jsonl*")) if folder.is_dir() else []
    return sum(
        forget_in(Journal(path), people) > 0
        for path in names
        if not path.name.startswith("security.")
    )


def forget_in(journal: Journal, people: Collection[str]) -> int:
    """Forget people in a file; returns in how many lines."""
    words = [one.encode() for one in people]
    return journal.edit(
        lambda record: _without(record, people), lambda raw: _unreadable(raw, words)
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


def _without(value: Any, people: Collection[str]) -> Any:
    """Return plain data without people; the same object where there are none."""
    if isinstance(value, dict):
        after = {name: _without(one, people) for name, one in value.items()}
        if any(value.get(name) in people for name in _OF_SESSION if name in value):
            hidden = {name: None for name in _OF_SESSION if name in value}
            more = {"anonymous": True} if "anonymous" in value else {}
            after |= {**hidden, **more}
        same = all(after[name] is one for name, one in value.items())
        return value if same else after
    if isinstance(value, list):
        items = [_without(one, people) for one in value]
        same = all(one is other for one, other in zip(items, value, strict=True))
        return value if same else items
    return None if isinstance(value, str) and value in people else value


def _unreadable(raw: bytes, words: Collection[bytes]) -> bytes:
    """Return a damaged line in which nobody is to be read; its length stays."""
    for word in words:
        raw = raw.replace(word, b"x" * len(word))
    return raw


def _guessed(raw: bytes, is_person: Callable[[str], bool]) -> bytes:
    """Return a damaged line of a log in which nobody is to be read.

    What was a record may be broken anywhere, so every text of it is looked at.
    """
    parts = raw.split(b'"')
    return b'"'.join(
        b"x" * len(part) if is_person(part.decode("utf-8", "replace")) else part
        for part in parts
    )
