"""The work that is done with the recorder's database, in the recorder's executor.

Takes a recorder and work with its engine, gives what comes of it. Work in a thread goes
on when nobody waits for it any more, and the recorder closes the connections of all its
threads when it ends: SQLite does not survive that. So whoever stops waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..const import LOGGER
from .place import Place
from .reconciling import DatabaseAwayError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from homeassistant.components.recorder import Recorder

# Longer than any statement of ours takes on a slow disk; Home Assistant waits no longer.
STOP_S = 60.0


class Jobs:
    """What is being done with the database just now."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._place = Place()
        self._running: set[asyncio.Future[Any]] = set()

    async def async_do[T](
        self, instance: Recorder, work: Callable[[Engine | None], T]
    ) -> T:
        """Do something with the engine; raises `DatabaseAwayError` and what it raises."""
        try:
            job: asyncio.Future[T] = instance.async_add_executor_job(
                self._on_its_file, instance, work
            )
            self._running.add(job)
            job.add_done_callback(self._done)
            # Not the job itself: it would be given up, and would go on unseen.
            await asyncio.wait([job])
            return job.result()
        except RuntimeError as err:
            # The recorder's executor takes nothing once it shuts down.
            raise DatabaseAwayError(str(err)) from err

    async def async_idle(self) -> None:
        """Wait until nothing is done any more, or for as long as one can wait."""
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_S)

    def _done(self, job: asyncio.Future[Any]) -> None:
        """Forget a job, and what went wrong with one that nobody waited for."""
        self._running.discard(job)
        if not job.cancelled() and (err := job.exception()) is not None:
            LOGGER.debug("The database: %s", err)

    def _on_its_file[T](
        self, instance: Recorder, work: Callable[[Engine | None], T]
    ) -> T:
        """Do something with the engine if it has the file that it had."""
        engine = instance.engine
        if engine is not None:
            self._place.check(engine)
        return work(engine)
