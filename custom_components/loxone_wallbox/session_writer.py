"""The way of one wallbox's sessions to the disk.

Takes each change of a session and writes it to the ledger, one after the other and in
the executor, then what is needed to go on. What may go wrong: the disk takes nothing;
then everything waits in memory, it is said once, and it is tried again until it does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .charging.session import SessionRecord
from .const import LOGGER
from .records.journal import JournalError
from .records.ledger import Ledger, LedgerError
from .records.state import StateKeeper
from .saving import RETRY_FIRST_S, RETRY_LONGEST_S

# Of so many lines that wait only the last of each session matters.
MOST_WAITING = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A record and at which change it is written."""

    record: SessionRecord
    transition: str


class SessionWriter:
    """Writes the sessions of one wallbox.

    `state` gives what is needed to go on after a restart; `written` is called with each
    record that the ledger has.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        ledger: Ledger,
        keeper: StateKeeper,
        *,
        state: Callable[[], Mapping[str, Any]],
        written: Callable[[SessionRecord], None],
    ) -> None:
        """Take where to write, and what the owner calls the wallbox."""
        self._hass = hass
        self._title = title
        self._ledger = ledger
        self._keeper = keeper
        self._state = state
        self._written = written
        self._lines: deque[Line] = deque()
        self._due = False
        self._turn = asyncio.Lock()
        # The next patience after a failure, None while the disk takes everything.
        self._patience_s: float | None = None
        self._retry: CALLBACK_TYPE | None = None

    @callback
    def write(self, *lines: Line) -> None:
        """Write records in their order and then the state, as soon as possible."""
        self._lines.extend(lines)
        if len(self._lines) > MOST_WAITING:
            last = {line.record.id: line for line in self._lines}
            self._lines = deque(last.values())
        waits = self._due or self._turn.locked()
        self._due = True
        if not waits and self._patience_s is None:
            self._start()

    async def async_stop(self) -> None:
        """Write what waits, if the disk takes it, and try nothing again."""
        await self._async_flush()
        self._cancel()

    @callback
    def _start(self) -> None:
        """Write.

        No background task: those are cancelled when Home Assistant stops, and the last
        word would come while the disk is still at this one.
        """
        self._hass.async_create_task(
            self._async_flush(), f"sessions of {self._title}", eager_start=False
        )

    async def _async_flush(self) -> None:
        """Write what waits, one after the other; never raises."""
        async with self._turn:
            self._cancel()
            while self._due:
                self._due = False
                lines = list(self._lines)
                done, error = await self._hass.async_add_executor_job(
                    self._write, lines, dict(self._state())
                )
                for line in lines[:done]:
                    if self._lines and self._lines[0] is line:
                        self._lines.popleft()
                    self._written(line.record)
                if error is not None:
                    self._due = True
                    self._failed(error)
                    return
            self._worked()

    def _write(
        self, lines: list[Line], state: Mapping[str, Any]
    ) -> tuple[int, Exception | None]:
        """Write lines and the state; returns how many lines, and what went wrong.

        The ledger first: a crash leaves a state behind it that it makes good for.
        """
        done = 0
        try:
            for line in lines:
                self._ledger.write(line.record, line.transition)
                done += 1
            self._keeper.save(state)
        except (JournalError, LedgerError) as err:
            return done, err
        return done, None

    def _failed(self, error: Exception) -> None:
        """Say once that the disk took nothing, and try again after a while."""
        if self._patience_s is None:
            LOGGER.error(
                "The sessions of %s could not be written: %s. Charging goes on and "
                "they wait in memory, so a crash would lose them. It is tried again",
                self._title,
                error,
            )
        patience = RETRY_FIRST_S if self._patience_s is None else self._patience_s
        self._patience_s = min(2 * patience, RETRY_LONGEST_S)
        self._retry = async_call_later(
            self._hass, patience, HassJob(self._again, cancel_on_shutdown=True)
        )

    def _worked(self) -> None:
        """Say once that the disk takes sessions again."""
        if self._patience_s is not None:
            LOGGER.info("The sessions of %s are written again", self._title)
        self._patience_s = None

    @callback
    def _again(self, _now: datetime) -> None:
        """Try again."""
        self._retry = None
        self._start()

    def _cancel(self) -> None:
        """Try nothing again by itself."""
        if self._retry is not None:
            self._retry()
            self._retry = None
