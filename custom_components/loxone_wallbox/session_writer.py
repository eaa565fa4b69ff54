"""The way of one wallbox's sessions to the disk.

Takes each change of a session and writes what is needed to go on and then the ledger,
one after the other and in the executor. What may go wrong: the disk takes nothing; then
everything waits in memory, it is said once, and it is tried again until it does.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import count, islice
from typing import Any

from homeassistant.core import HomeAssistant, callback

from .charging.session import SessionRecord
from .const import LOGGER
from .holding import async_get_holding
from .records.journal import JournalError
from .records.ledger import Ledger
from .records.state import StateKeeper
from .records.together import Line, keep
from .retrying import Retrying

# Of so many lines that wait only the last of each session matters.
MOST_WAITING = 1000


class SessionWriter:
    """Writes the sessions of one wallbox.

    `turn` is held by whoever writes to the ledger. `state` gives what is needed to go on
    after a restart, or of what is long whatever gives it in the executor; `written` is
    called with each record that the ledger has.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        ledger: Ledger,
        keeper: StateKeeper,
        *,
        turn: asyncio.Lock,
        state: Callable[[], Mapping[str, Any]],
        written: Callable[[SessionRecord], None],
        lines: Iterable[Line] = (),
    ) -> None:
        """Take where to write, and what the owner calls the wallbox.

        `lines` are what a restart found that waits; they go with the next ones.
        """
        self._hass = hass
        self._title = title
        self._ledger = ledger
        self._keeper = keeper
        self._state = state
        self._written = written
        # By running numbers: a line that waits may be changed while it is written.
        self._numbers = count()
        self._lines = dict(zip(self._numbers, lines, strict=False))
        self._due = False
        self._turn = turn
        self._writing = False
        self._retrying = Retrying(hass, self._start)
        self._holding = async_get_holding(hass)
        self._leave = self._holding.join(turn, self.write)
        self._stopping = False

    @callback
    def write(self, *lines: Line) -> None:
        """Write records in their order with the state, as soon as possible."""
        self._lines |= dict(zip(self._numbers, lines, strict=False))
        if len(self._lines) > MOST_WAITING:
            last = {line.record.id: number for number, line in self._lines.items()}
            self._lines = {one: self._lines[one] for one in sorted(last.values())}
        waits = self._due or self._writing
        self._due = True
        if not waits and not self._retrying.failing:
            self._start()

    @callback
    def forget(self, people: Collection[str]) -> None:
        """Forget some people, by pseudonym, in the lines that wait."""
        for number, line in self._lines.items():
            if {line.record.user_id, line.record.tag} & set(people):
                alone = line.record.without_person()
                self._lines[number] = replace(line, record=alone)

    async def async_absorb(
        self, choose: Callable[[Ledger], list[SessionRecord]]
    ) -> list[SessionRecord]:
        """Take records of elsewhere into the ledger, after all that waits.

        `choose` looks at the ledger, in the executor, and returns them. Returns what
        the ledger has of them now. Raises `JournalError`.
        """
        await self._async_flush()
        if self._lines:
            raise JournalError("sessions of our own wait for the disk")

        def absorb() -> list[SessionRecord]:
            """Choose and write."""
            chosen = choose(self._ledger)
            names = set(self._ledger.absorb(chosen))
            return [one for one in chosen if one.id in names]

        async with self._turn:
            taken = await self._hass.async_add_executor_job(absorb)
        for record in taken:
            self._written(record)
        return taken

    async def async_stop(self) -> None:
        """Write what waits, if the disk takes it, and try nothing again.

        Whoever comes after us goes on from the state, be there a backup or not.
        """
        self._leave()
        self._stopping, self._due = True, self._due or self._holding.held
        await self._async_flush()
        self._retrying.cancel()

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
            self._writing = True
            try:
                await self._async_write_all()
            finally:
                self._writing = False

    async def _async_write_all(self) -> None:
        """Write until nothing waits any more, or the disk takes nothing."""
        self._retrying.cancel()
        while self._due:
            self._due = False
            lines = dict(self._lines)
            held = self._holding.held and not self._stopping
            done, error = await self._hass.async_add_executor_job(
                self._write,
                [*lines.values()],
                None if held else dict(self._state()),
            )
            for number, line in islice(lines.items(), done):
                self._lines.pop(number, None)
                self._written(line.record)
            if error is not None:
                self._due = True
                self._failed(error)
                return
        if self._retrying.worked():
            LOGGER.info("The sessions of %s are written again", self._title)

    def _write(
        self, lines: list[Line], state: Mapping[str, Any] | None
    ) -> tuple[int, Exception | None]:
        """Write lines and the state; returns how many lines, and what went wrong."""
        if state is not None:
            state = {
                name: one() if callable(one) else one for name, one in state.items()
            }
        return keep(self._ledger, self._keeper, lines, state)

    def _failed(self, error: Exception) -> None:
        """Say once that the disk took nothing, and try again after a while."""
        if self._retrying.failed():
            LOGGER.error(
                "The sessions of %s could not be written: %s. Charging goes on and "
                "they wait in memory, so a crash would lose them. It is tried again",
                self._title,
                error,
            )
