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

from sqlalchemy import Connection, Engine, bindparam, false, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
from homeassistant.components.recorder.repack import repack_database
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from ..const import DOMAIN, LOGGER
from .mapping import revision_of
from .table import BATCH, SESSION, SLICE, overwriting, write_back

GONE = "deleted"
CHUNK_BYTES = 1 << 20
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
    calls only, and are not searched for afterwards. `done` is called in the recorder's thread with what became of it, or what failed.
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
        sessions = _forget_sessions(connection, people) if _is_there(engine) else 0
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
        task = ForgetTask(people=sorted(people), words=(), users=(), done=done)
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
    """Return the words that are found in a database only where somebody is meant.

    A name has letters that are in many words; a user or tag of a Miniserver has not.
    """
    return [one for one in words if _TELLING.fullmatch(one)]


def _is_there(engine: Engine) -> bool:
    """Tell whether our tables were ever made."""
    with engine.connect() as connection:
        return engine.dialect.has_table(connection, SESSION.name)


def _forget_sessions(connection: Connection, people: Collection[str]) -> int:
    """Take away who charged, in the columns and in the records."""
    told = (SESSION.c.record.contains(one, autoescape=True) for one in people)
    whose = or_(false(), SESSION.c.user_id.in_(people), *told)
    query = select(SESSION.c.id, SESSION.c.record).where(whose)
    found = connection.execute(query).all()
    for some in batched(found, BATCH, strict=False):
        rows = [_nobodys(row.id, row.record) for row in some]
        statement = update(SESSION).where(SESSION.c.id == bindparam("of"))
        connection.execute(
            statement.values(
                user_id=None, record=bindparam("text"), revision=bindparam("version")
            ),
            rows,
        )
    connection.execute(
        update(SLICE).where(SLICE.c.user_id.in_(people)).values(user_id=None)
    )
    return len(found)


def _nobodys(session_id: str, text: str) -> dict[str, Any]:
    """Return what a session's row is told once it is nobody's.

    A record that cannot be read says nothing that could be kept of it.
    """
    try:
        record = {**json.loads(text), "user_id": None, "tag": None, "vehicle": None}
        record["anonymous"] = True
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
