"""Sessions in Home Assistant's recorder: a copy of the ledgers that answers questions.

Takes records as they are written to a ledger, gives lists and sums. One writer puts them
into the database and goes on trying; what the database lacks comes from the ledgers, and
what a ledger lost comes from the database. What may go wrong: no recorder, a database
that is locked, broken, exchanged or away. Then questions are answered from the ledgers.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
import json
from typing import TYPE_CHECKING, Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..charging.session import SessionError, SessionRecord
from ..const import LOGGER
from . import scan
from .journal import JournalError
from .ledger import Ledger, LedgerError
from .mapping import row_of
from .rows import SessionRow, Sum, Wanted

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from homeassistant.components.recorder import Recorder

RECORDER = "recorder"
# After a failure; the last of them again and again.
RETRY_S = (10.0, 60.0, 600.0)


class DatabaseAwayError(Exception):
    """The database does not answer now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Where a wallbox's sessions are kept, and the zone its days are counted in."""

    ledger: Ledger
    zone: tzinfo


class SessionStore:
    """The sessions of all wallboxes, as the database knows them.

    `repaired` is called with a wallbox whose ledger took something from the database.
    """

    def __init__(
        self, hass: HomeAssistant, *, repaired: Callable[[str], None] | None = None
    ) -> None:
        """Start with no wallbox."""
        self._hass = hass
        self._repaired = repaired or (lambda _wallbox: None)
        self._kept: dict[str, Kept] = {}
        self._listeners: list[Callable[[str | None], None]] = []
        self._waiting: dict[str, SessionRow | None] = {}
        self._whole: dict[str, int] = {}
        # Which engine has our tables, and how often they had to be made ready.
        self._prepared: Engine | None = None
        self._generation = 0
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    @callback
    def start(self) -> None:
        """Write from now on."""
        if self._task is None:
            self._task = self._hass.async_create_background_task(
                self._async_run(), "sessions to the database"
            )

    async def async_stop(self) -> None:
        """Write what waits, if the database takes it now, and write no more."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if self._waiting and not self._failing:
            try:
                await self._async_flush()
            except DatabaseAwayError as err:
                LOGGER.debug("The ledgers bring it at the next start: %s", err)

    @callback
    def attach(self, wallbox: str, kept: Kept) -> None:
        """Take a wallbox; its ledger and the database are compared soon."""
        self._kept[wallbox] = kept
        self._whole.pop(wallbox, None)
        self._wake.set()
        self._tell(wallbox)

    @callback
    def detach(self, wallbox: str) -> None:
        """Let go of a wallbox; what the database has of it stays."""
        self._kept.pop(wallbox, None)
        self._whole.pop(wallbox, None)

    @callback
    def listen(self, listener: Callable[[str | None], None]) -> CALLBACK_TYPE:
        """Have a listener told whose sessions changed, None where that is unknown.

        Returns what ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _tell(self, wallbox: str | None) -> None:
        """Tell whose sessions changed."""
        for listener in tuple(self._listeners):
            listener(wallbox)

    @callback
    def compare(self) -> None:
        """Compare all ledgers with the database again, as once a day."""
        self._whole.clear()
        self._wake.set()

    @callback
    def put(self, record: SessionRecord) -> None:
        """Take a record that the ledger has."""
        if (kept := self._kept.get(record.wallbox)) is not None:
            self._waiting[record.id] = row_of(record, kept.zone)
            self._wake.set()
            self._tell(record.wallbox)

    @callback
    def drop(self, session_id: str) -> None:
        """Delete a session that the ledger has deleted."""
        self._waiting[session_id] = None
        self._wake.set()
        self._tell(None)

    @property
    def behind(self) -> bool:
        """Tell whether the database lacks something that the ledgers have."""
        return (
            bool(self._waiting)
            or not self._is_prepared
            or any(self._whole.get(one) != self._generation for one in self._kept)
        )

    @property
    def _is_prepared(self) -> bool:
        """Tell whether our tables were made ready where the recorder writes now."""
        if self._prepared is None or RECORDER not in self._hass.config.components:
            return False
        return get_instance(self._hass).engine is self._prepared

    async def async_listed(
        self, wanted: Wanted, *, limit: int, offset: int = 0
    ) -> tuple[list[dict[str, Any]], int]:
        """Return the records of sessions, the newest first, and how many there are."""

        def ask(engine: Engine) -> tuple[list[dict[str, Any]], int]:
            """Ask the database."""
            from . import queries  # noqa: PLC0415

            return queries.listed(engine, wanted, limit=limit, offset=offset)

        def look(rows: list[SessionRow]) -> tuple[list[dict[str, Any]], int]:
            """Look the rows through."""
            return scan.listed(rows, wanted, limit=limit, offset=offset)

        return await self._async_answer(ask, look, [wanted])

    async def async_sums(
        self,
        spans: list[Wanted],
        *,
        by_wallbox: bool = False,
        by_user: bool = False,
    ) -> list[list[Sum]]:
        """Return what sessions add up to, for each span that is asked for."""

        def ask(engine: Engine) -> list[list[Sum]]:
            """Ask the database."""
            from . import queries  # noqa: PLC0415

            return [
                queries.sums(engine, one, by_wallbox=by_wallbox, by_user=by_user)
                for one in spans
            ]

        def look(rows: list[SessionRow]) -> list[list[Sum]]:
            """Look the rows through."""
            return [
                scan.sums(rows, one, by_wallbox=by_wallbox, by_user=by_user)
                for one in spans
            ]

        return await self._async_answer(ask, look, spans)

    async def _async_answer[T](
        self,
        ask: Callable[[Engine], T],
        look: Callable[[list[SessionRow]], T],
        spans: list[Wanted],
    ) -> T:
        """Answer from the database, or from the ledgers while it is away or behind."""
        try:
            if self.behind:
                await self._async_catch_up()
            return await self._async_job(ask)
        except DatabaseAwayError as err:
            LOGGER.debug("Answered from the ledgers: %s", err)
            self._wake.set()
            some = self._asked_for(spans)
            return await self._hass.async_add_executor_job(
                lambda: look([row for one in some for row in _rows_of(one)])
            )

    def _asked_for(self, spans: list[Wanted]) -> list[Kept]:
        """Return where the sessions of the wallboxes are that are asked for."""
        wallboxes: set[str] = set()
        for one in spans:
            wallboxes.update(self._kept if one.wallboxes is None else one.wallboxes)
        return [kept for key, kept in self._kept.items() if key in wallboxes]

    async def _async_catch_up(self) -> None:
        """Write what waits before an answer, unless that failed just now."""
        if self._failing:
            raise DatabaseAwayError("it was away just now")
        await self._async_flush()

    async def _async_run(self) -> None:
        """Write what waits, and try again what could not be written."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            tries = 0
            while self.behind and await self._async_has_recorder():
                try:
                    await self._async_flush()
                except DatabaseAwayError as err:
                    self._say_away(err)
                    await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                    tries += 1
                except Exception:  # noqa: BLE001
                    # Whatever it is: the ledgers have all, and nothing else stops.
                    LOGGER.exception("Sessions could not be put into the database")
                    await asyncio.sleep(RETRY_S[-1])

    async def _async_has_recorder(self) -> bool:
        """Wait until the recorder has started; without one there is nothing to do."""
        if RECORDER not in self._hass.config.components:
            return False
        await get_instance(self._hass).async_recorder_ready.wait()
        return True

    def _say_away(self, err: DatabaseAwayError) -> None:
        """Say once that the database takes nothing."""
        if not self._failing:
            LOGGER.warning(
                "Sessions cannot be put into the database now (%s). They are kept in "
                "their own files and follow when it is back",
                err,
            )
        self._failing = True

    async def _async_flush(self) -> None:
        """Write all that waits; raises `DatabaseAwayError`."""
        async with self._turn:
            if not self._is_prepared:
                await self._async_job(lambda _engine: None, prepare=True)
            for wallbox, kept in list(self._kept.items()):
                if self._whole.get(wallbox) != self._generation:
                    await self._async_reconcile(wallbox, kept)
            waiting = dict(self._waiting)
            if waiting:
                await self._async_job(lambda engine: _write(engine, waiting))
            for session_id, row in waiting.items():
                if self._waiting.get(session_id) is row:
                    del self._waiting[session_id]
        if self._failing and not self.behind:
            LOGGER.info("The database has all sessions again")
            self._failing = False

    async def _async_reconcile(self, wallbox: str, kept: Kept) -> None:
        """Bring a ledger and the database together."""
        generation = self._generation
        taken = await self._async_job(lambda engine: _reconcile(engine, wallbox, kept))
        self._whole[wallbox] = generation
        if taken:
            LOGGER.warning(
                "%s sessions were missing in the files of %s and were taken from the "
                "database",
                len(taken),
                wallbox,
            )
            self._repaired(wallbox)
            self._tell(wallbox)

    async def _async_job[T](
        self, work: Callable[[Engine], T], *, prepare: bool = False
    ) -> T:
        """Do something with the database in its executor."""
        if RECORDER not in self._hass.config.components:
            raise DatabaseAwayError("the recorder is not set up")
        instance = get_instance(self._hass)
        if not instance.async_recorder_ready.is_set():
            raise DatabaseAwayError("the recorder is starting")
        try:
            return await instance.async_add_executor_job(
                self._work, instance, work, prepare
            )
        except RuntimeError as err:
            # The recorder's executor takes nothing once it shuts down.
            raise DatabaseAwayError(str(err)) from err

    def _work[T](
        self,
        instance: Recorder,
        work: Callable[[Engine], T],
        prepare: bool,
    ) -> T:
        """Do something with an engine that has our tables."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        from . import table  # noqa: PLC0415

        engine = instance.engine
        try:
            if engine is not None and prepare:
                table.prepare(engine)
                self._prepared = engine
                self._generation += 1
            if engine is None or engine is not self._prepared:
                raise DatabaseAwayError("it is another one, or none")
            return work(engine)
        except SQLAlchemyError as err:
            # Nobody knows what is left of the tables: next time all is compared.
            self._prepared = None
            raise DatabaseAwayError(str(err).partition("\n")[0]) from err


def _write(engine: Engine, waiting: dict[str, SessionRow | None]) -> None:
    """Write rows and delete those that are gone."""
    from . import table  # noqa: PLC0415

    table.write(engine, [row for row in waiting.values() if row is not None])
    table.remove(engine, [one for one, row in waiting.items() if row is None])


def _rows_of(kept: Kept) -> list[SessionRow]:
    """Return all sessions of a ledger; a file that cannot be read is left out."""
    rows = []
    try:
        for month in kept.ledger.months():
            rows += [row_of(one, kept.zone) for one in kept.ledger.month(month).records]
    except JournalError as err:
        LOGGER.error("A file of sessions cannot be read: %s", err)
    return rows


def _reconcile(engine: Engine, wallbox: str, kept: Kept) -> list[str]:
    """Give each side what it lacks; returns what the ledger took.

    A tombstone holds on both sides. What neither can read stays where it is.
    """
    from . import table  # noqa: PLC0415

    there = table.revisions(engine, wallbox)
    try:
        pages = [kept.ledger.month(month) for month in kept.ledger.months()]
        rows = {
            one.id: row_of(one, kept.zone) for page in pages for one in page.records
        }
        doubtful = {one for page in pages for one in page.damage.ids}
        asked = [one for one in there if one not in rows or one in doubtful]
        found = _readable(table.records(engine, asked))
        taken = kept.ledger.absorb(found)
        gone = {one.id for one in found if one.id not in rows} - set(taken)
        records = {one.id: one for one in found}
    except (JournalError, LedgerError) as err:
        raise DatabaseAwayError(f"a file of sessions cannot be read: {err}") from err
    rows |= {one: row_of(records[one], kept.zone) for one in taken}
    table.remove(engine, gone)
    lacks = [row for row in rows.values() if there.get(row.id) != row.revision]
    table.write(engine, lacks)
    return taken


def _readable(texts: Any) -> list[SessionRecord]:
    """Return the records that this version can read."""
    found = []
    for text in texts:
        try:
            found.append(SessionRecord.from_dict(json.loads(text)))
        except SessionError, ValueError, TypeError:
            LOGGER.debug("A record of another version stays in the database")
    return found
