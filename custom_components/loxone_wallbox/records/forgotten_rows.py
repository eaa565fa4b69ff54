"""Forget people in the recorder's database, so that nothing of them is left in its file.

A task of the recorder, which works through it in its own thread after all that happened
before: sessions lose who they were, and the recorded calls of our own actions lose the
names they were made with. SQLite overwrites what it deletes only when asked to, keeps
older pages in its log until that is written back, and may have left a copy in a page that
nobody uses; so its files are searched, and packed anew where something is still there.
Other engines do with old versions of rows as they are set up.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import batched
import json
from pathlib import Path
import re
from typing import Any, Self, override

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    false,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
from homeassistant.components.recorder.repack import repack_database
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from ..charging.session import PERSONAL, PSEUDONYM
from ..const import DOMAIN, LOGGER
from .forgetting import Whom
from .mapping import revision_of
from .table import BATCH, SESSION, SLICE, overwriting, write_back

GONE = "deleted"
CHUNK_BYTES = 1 << 20
SOME = 100
_TELLING = re.compile(r"(?=.*\d)[0-9A-Za-z-]{6,}")


class Traces(StrEnum):
    """What a database may still have of somebody."""

    NONE = "none"
    PACKED = "none_after_packing"
    SOME = "some"
    SERVER = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What became of a database: sessions that lost their person, and what is left."""

    sessions: int = 0
    calls: int = 0
    traces: Traces = Traces.NONE

    @property
    def clean(self) -> bool:
        """Tell whether the database has nothing of anybody any more."""
        return self.traces in {Traces.NONE, Traces.PACKED}


@dataclass(slots=True)
class ForgetTask(RecorderTask):
    """Forget people: by `people`, their pseudonyms, and by `words`, what they are called.

    `users` are their ids in Home Assistant, which tells of them by itself: they go from
    calls only, and are not searched for afterwards. `done` is called in the recorder's
    thread with what became of it, or what failed.
    """

    people: Collection[str]
    words: Collection[str]
    users: Collection[str]
    done: Callable[[Rows | SQLAlchemyError], None]

    @override
    def run(self, instance: Recorder) -> None:
        """Forget them."""
        engine = instance.engine
        if engine is None:
            self.done(SQLAlchemyError("there is no database"))
            return
        try:
            found = forget_rows(engine, self.people, self.words, self.users)
            if found.traces is Traces.SOME:
                repack_database(instance)
                write_back(engine)
                left = traces_in(engine, [*self.people, *_tellings(self.words)])
                traces = Traces.PACKED if left is Traces.NONE else left
                found = replace(found, traces=traces)
        except SQLAlchemyError as err:
            self.done(err)
        else:
            self.done(found)


def forget_rows(
    engine: Engine,
    people: Collection[str],
    words: Collection[str],
    users: Collection[str] = (),
) -> Rows:
    """Forget people in our tables and in the calls of our actions. Blocking."""
    with engine.connect() as connection, overwriting(connection):
        there = _is_there(engine)
        sessions = _forget_sessions(connection, people, words) if there else 0
        calls = _forget_calls(connection, _Whom.of(people, {*words, *users}))
        connection.commit()
    write_back(engine)
    traces = traces_in(engine, [*people, *_tellings(words)])
    return Rows(sessions=sessions, calls=calls, traces=traces)


def forget_copies(hass: HomeAssistant, people: Collection[str]) -> None:
    """Have the recorder forget people of whom no row tells any more.

    SQLite moves rows from page to page, and may leave a copy behind that it does not
    overwrite when the row is deleted; and its log stays where somebody reads meanwhile.
    """

    def done(found: Rows | SQLAlchemyError) -> None:
        """Say where something may be left."""
        if not isinstance(found, Rows) or not found.clean:
            LOGGER.info("What a database still has of deleted sessions: %s", found)

    if people:
        known = [one for one in sorted(people) if PSEUDONYM.fullmatch(one)]
        words = sorted(set(people) - set(known))
        task = ForgetTask(people=known, words=words, users=(), done=done)
        get_instance(hass).queue_task(task)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Whom:
    """Whom to take out of plain data.

    A pseudonym is nothing else anywhere; a `word` is somebody only where it is all that
    is said: its letters are in other words, too.
    """

    people: Collection[str]
    words: Collection[str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, people: Collection[str], words: Collection[str]) -> Self:
        """Return who is meant by pseudonyms and by what they are called."""
        called = {one.strip().casefold() for one in words} - {""}
        pattern = "|".join(map(re.escape, sorted(people))) or r"(?!)"
        return cls(people=frozenset(people), words=called, pattern=re.compile(pattern))

    def blank(self, value: Any) -> Any:
        """Return plain data in which nobody is named; the same where nobody was."""
        match value:
            case dict():
                named = value.keys() - self.people
                return {
                    key: self.blank(one) for key, one in value.items() if key in named
                }
            case list():
                return [self.blank(one) for one in value]
            case str():
                return self._blank_text(value)
            case int() if _TELLING.fullmatch(text := str(value)) and text in self.words:
                return GONE
        return value

    def _blank_text(self, text: str) -> str:
        """Return a text in which nobody is named, also one that is data itself."""
        if text.strip().casefold() in self.words:
            return GONE
        if text.lstrip()[:1] in {"{", "["}:
            try:
                before = json.loads(text)
                after = self.blank(before)
            except ValueError, RecursionError:
                pass
            else:
                if after != before:
                    text = json.dumps(after, ensure_ascii=False)
        return self.pattern.sub(GONE, text)


def _tellings(words: Collection[str]) -> list[str]:
    """Return what is found in a database only where somebody is meant.

    A name has letters that are in many words; a user or tag of a Miniserver has not, and
    who is named in the record of a session is meant.
    """
    telling = [one for one in words if _TELLING.fullmatch(one)]
    return [*telling, *(one for word in words for one in _in_records(word))]


def _in_records(word: str) -> list[str]:
    """Return how the record of a session tells of somebody under a name."""
    return [f'"{name}":{json.dumps(word)}' for name in PERSONAL]


def _is_there(engine: Engine) -> bool:
    """Tell whether our tables were ever made."""
    with engine.connect() as connection:
        return engine.dialect.has_table(connection, SESSION.name)


def _forget_sessions(
    connection: Connection, people: Collection[str], words: Collection[str]
) -> int:
    """Take away who charged, in the columns and in the records.

    By `words` only who is called so and no more, as an import may once have brought it.
    """
    whom = Whom.of(people, words)
    known = {
        one
        for table in (SESSION, SLICE)
        for one in connection.execute(select(table.c.user_id).distinct()).scalars()
        if whom.are(one)
    }
    told = [*people, *(one for word in words for one in _in_records(word))]
    whose: list[ColumnElement[bool]] = [SESSION.c.user_id.in_(known)]
    whose += [SESSION.c.record.contains(one, autoescape=True) for one in told]
    found: dict[str, str] = {}
    # An engine takes so many conditions at once, and no more.
    for some in batched(whose, SOME, strict=False):
        query = select(SESSION.c.id, SESSION.c.record).where(or_(false(), *some))
        found |= {row.id: row.record for row in connection.execute(query)}
    for part in batched(found.items(), BATCH, strict=False):
        rows = [_nobodys(*one) for one in part]
        statement = update(SESSION).where(SESSION.c.id == bindparam("of"))
        connection.execute(
            statement.values(
                user_id=None, record=bindparam("text"), revision=bindparam("version")
            ),
            rows,
        )
        # The tag may have been theirs, and the user somebody else.
        parts = SLICE.c.session_id.in_([session_id for session_id, _ in part])
        connection.execute(update(SLICE).where(parts).values(user_id=None))
    connection.execute(
        update(SLICE).where(SLICE.c.user_id.in_(known)).values(user_id=None)
    )
    return len(found)


def _nobodys(session_id: str, text: str) -> dict[str, Any]:
    """Return what a session's row is told once it is nobody's.

    A record that cannot be read says nothing that could be kept of it.
    """
    try:
        record = {**json.loads(text), **dict.fromkeys(PERSONAL), "anonymous": True}
        after = json.dumps(record, separators=(",", ":"), sort_keys=True)
    except ValueError, TypeError:
        after = ""
    return {"of": session_id, "text": after, "version": revision_of(after)}


def _forget_calls(connection: Connection, whom: _Whom) -> int:
    """Take names away from the recorded calls of our own actions.

    That somebody called them, and when, stays.
    """
    query = (
        select(EventData.data_id, EventData.shared_data)
        .join(Events, Events.data_id == EventData.data_id)
        .join(EventTypes, EventTypes.event_type_id == Events.event_type_id)
        .where(EventTypes.event_type == EVENT_CALL_SERVICE)
        .where(EventData.shared_data.contains(f'"domain":"{DOMAIN}"', autoescape=True))
        .distinct()
    )
    changed = 0
    for data_id, text in connection.execute(query).all():
        data = json.loads(text)
        told = whom.blank(data.get("service_data"))
        if told == data.get("service_data"):
            continue
        # As Home Assistant writes it, so that the call is found the next time as well.
        after = {**data, "service_data": told}
        plain = json.dumps(after, ensure_ascii=False, separators=(",", ":"))
        connection.execute(
            update(EventData)
            .where(EventData.data_id == data_id)
            .values(
                shared_data=plain,
                hash=EventData.hash_shared_data_bytes(plain.encode()),
            )
        )
        changed += 1
    return changed


def traces_in(engine: Engine, people: Collection[str]) -> Traces:
    """Search the files of a database for pseudonyms. Blocking, reads all of them."""
    if engine.dialect.name != "sqlite":
        return Traces.SERVER
    name = engine.url.database
    if not name or name == ":memory:":
        return Traces.NONE
    words = [one.encode() for one in people]
    for path in (Path(name), Path(f"{name}-wal"), Path(f"{name}-journal")):
        if path.is_file() and any(
            word in part for part in _parts(path) for word in words
        ):
            return Traces.SOME
    return Traces.NONE


def _parts(path: Path) -> Iterator[bytes]:
    """Return a file in parts that overlap by more than any word is long."""
    before = b""
    with path.open("rb") as file:
        while part := file.read(CHUNK_BYTES):
            yield before + part
            before = part[-256:]
