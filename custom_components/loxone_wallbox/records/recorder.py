"""Sessions in Home Assistant's recorder: a copy of the ledgers that answers questions.

Takes records as they are written to a ledger, gives lists and sums. One writer puts them
into the database and goes on trying; what the database lacks comes from the ledgers, and
what a ledger lost comes from the database. What may go wrong: no recorder, a database
that is locked, broken, exchanged or away. Then questions are answered from the ledgers.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..charging.session import SessionRecord
from ..const import LOGGER
from . import reconciling, scan
from .jobs import Jobs
from .journal import JournalError
from .reconciling import Compared, DatabaseAwayError, Kept, Standing
from .rows import SessionRow, Sum, Wanted
from .statistics import statistic_ids
from .wiping import Wipes

if TYPE_CHECKING:
    from sqlalchemy import Engine

RECORDER = "recorder"
# After a failure; the last of them again and again.
RETRY_S = (10.0, 60.0, 600.0)


class SessionStore:
    """The sessions of all wallboxes, as the database knows them.

    `repaired` is called with a wallbox whose statistics have to be made anew, `restored`
    with one and the ids of the sessions that its files had lost and got back; `wipes` is
    where it is kept whose rows have to go.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        repaired: Callable[[str], None] | None = None,
        restored: Callable[[str, list[str]], None] | None = None,
        wipes: Wipes | None = None,
    ) -> None:
        """Start with no wallbox."""
        self._hass = hass
        self._repaired = repaired or (lambda _wallbox: None)
        self._restored = restored or (lambda _wallbox, _ids: None)
        self._wipes = wipes
        # None until it was read whose rows have to go.
        self._to_wipe: set[str] | None = None
        self._kept: dict[str, Kept] = {}
        self._listeners: list[Callable[[str | None], None]] = []
        self._waiting: dict[str, Standing | None] = {}
        self._ran: dict[str, Standing] = {}
        self._whole: dict[str, int] = {}
        self._filled: dict[str, int] = {}
        self._compared: dict[str, Compared] = {}
        # Which engine has our tables, and how often they had to be made ready.
        self._prepared: Engine | None = None
        self._generation = 0
        self._jobs = Jobs()
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
        await self._jobs.async_idle()
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
            self._waiting[record.id] = (record, kept.zone)
            self._wake.set()
            self._tell(record.wallbox)

    @callback
    def drop(self, session_id: str) -> None:
        """Delete a session that the ledger has deleted."""
        self._waiting[session_id] = None
        self._wake.set()
        self._tell(None)

    async def async_note_wipe(self, wallbox: str) -> None:
        """Take note, also for after a restart, that all of a wallbox has to go.

        Raises `JournalError`.
        """
        if self._wipes is not None:
            await self._hass.async_add_executor_job(self._wipes.note, wallbox)
        if self._to_wipe is not None:
            self._to_wipe.add(wallbox)

    async def async_wipe(self, wallbox: str) -> None:
        """Delete the rows and statistics of a wallbox that was let go and noted.

        What the database does not take now it takes later.
        """
        self._waiting = {
            name: one
            for name, one in self._waiting.items()
            if one is None or one[0].wallbox != wallbox
        }
        self._wake.set()
        self._tell(wallbox)
        try:
            await self._async_catch_up()
        except DatabaseAwayError as err:
            LOGGER.debug("The rows of %s go later: %s", wallbox, err)

    async def async_forget_before(self, wallbox: str, before: float) -> None:
        """Delete the sessions of a wallbox that began before an instant (s UTC).

        The ledger has forgotten them before. Does nothing while the database is away.
        """
        if not await self._async_has_recorder():
            return
        try:
            async with self._turn:
                if not self._is_prepared:
                    await self._async_job(lambda _engine: None, prepare=True)
                await self._async_job(
                    lambda engine: reconciling.wipe(engine, wallbox, before)
                )
        except DatabaseAwayError as err:
            LOGGER.debug("Rows of %s that are too old stay: %s", wallbox, err)
        self._tell(wallbox)

    @property
    def behind(self) -> bool:
        """Tell whether the database lacks something that the ledgers have."""
        return (
            bool(self._waiting)
            or bool(self._to_wipe)
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
        some = self._asked_for(spans)
        running = self._take_running(some)
        try:
            if self.behind:
                await self._async_catch_up()
            generation = self._generation
            answer = await self._async_job(ask)
            if self._generation != generation:
                raise DatabaseAwayError("its tables were made anew meanwhile")  # noqa: TRY301
        except DatabaseAwayError as err:
            LOGGER.debug("Answered from the ledgers: %s", err)
            self._wake.set()
            return await self._hass.async_add_executor_job(
                lambda: look(reconciling.rows(some, running))
            )
        return answer

    def _asked_for(self, spans: list[Wanted]) -> list[Kept]:
        """Return where the sessions of the wallboxes are that are asked for."""
        wallboxes: set[str] = set()
        for one in spans:
            wallboxes.update(self._kept if one.wallboxes is None else one.wallboxes)
        return [kept for key, kept in self._kept.items() if key in wallboxes]

    def _take_running(self, some: list[Kept]) -> dict[str, Standing]:
        """Bring what has flowed in the running sessions since they last changed."""
        found = {}
        for kept in some:
            if (record := kept.running()) is not None:
                found[record.id] = one = (record, kept.zone)
                if self._ran.get(record.wallbox) != one:
                    self._ran[record.wallbox] = self._waiting[record.id] = one
        return found

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
            await self._async_wipe_all()
            for wallbox, kept in list(self._kept.items()):
                if self._whole.get(wallbox) != self._generation:
                    await self._async_reconcile(wallbox, kept)
            waiting = dict(self._waiting)
            if waiting:
                await self._async_job(lambda engine: reconciling.write(engine, waiting))
            for session_id, row in waiting.items():
                if self._waiting.get(session_id) is row:
                    del self._waiting[session_id]
        if self._failing and not self.behind:
            LOGGER.info("The database has all sessions again")
            self._failing = False

    async def _async_wipe_all(self) -> None:
        """Delete the rows of those whose history has to go, before anything else."""
        if self._wipes is None:
            return
        job = self._hass.async_add_executor_job
        try:
            if self._to_wipe is None:
                self._to_wipe = await job(self._wipes.pending)
            for wallbox in sorted(self._to_wipe):
                await self._async_wipe_one(wallbox)
                await job(self._wipes.done, wallbox)
                self._to_wipe.discard(wallbox)
        except JournalError as err:
            raise DatabaseAwayError(f"a file cannot be read or written: {err}") from err

    async def _async_wipe_one(self, wallbox: str) -> None:
        """Delete the rows and the statistics of a wallbox."""
        from .forgotten_rows import forget_copies  # noqa: PLC0415

        def wiped(engine: Engine) -> tuple[list[str], set[str]]:
            """Delete the rows; return which statistics there are, and whose they were."""
            people = reconciling.wiped(engine, wallbox)
            return statistic_ids(self._hass, wallbox), people

        ids, people = await self._async_job(wiped)
        get_instance(self._hass).async_clear_statistics(ids)
        forget_copies(self._hass, people)
        self._whole.pop(wallbox, None)

    async def _async_reconcile(self, wallbox: str, kept: Kept) -> None:
        """Bring a ledger and the database together."""
        generation = self._generation
        compared = self._compared.setdefault(wallbox, {})
        async with kept.turn:
            if self._kept.get(wallbox) is not kept:
                # It was let go meanwhile, and its files may be gone.
                return
            taken = await self._async_job(
                lambda engine: reconciling.reconcile(engine, wallbox, kept, compared)
            )
        # A database that is another one, or was broken, has lost statistics as well.
        fresh = self._filled.get(wallbox, generation) != generation
        self._whole[wallbox] = self._filled[wallbox] = generation
        if taken:
            LOGGER.warning(
                "%s sessions were missing in the files of %s and were taken from the "
                "database",
                len(taken),
                wallbox,
            )
            self._restored(wallbox, taken)
        if taken or fresh:
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
        return await self._jobs.async_do(
            instance, lambda engine: self._work(engine, work, prepare)
        )

    def _work[T](
        self, engine: Engine | None, work: Callable[[Engine], T], prepare: bool
    ) -> T:
        """Do something with an engine that has our tables."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        from . import table  # noqa: PLC0415

        try:
            if engine is not None and prepare:
                # Before it too: whoever asks in between finds empty tables.
                self._generation += 1
                table.prepare(engine)
                self._prepared, self._generation = engine, self._generation + 1
            if engine is None or engine is not self._prepared:
                raise DatabaseAwayError("it is another one, or none")
            return work(engine)
        except SQLAlchemyError as err:
            # Nobody knows what is left of the tables: next time all is compared.
            self._prepared = None
            raise DatabaseAwayError(str(err).partition("\n")[0]) from err
