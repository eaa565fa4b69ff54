"""Keep a wallbox's state before it is waited for.

Takes the state whenever it is told to, writes it one after the other in the executor.
What may go wrong: the disk takes nothing; then charging goes on by what is in memory,
it is said once, and it is tried again until the disk takes it.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .const import LOGGER
from .records.journal import JournalError
from .records.state import StateKeeper

# How long after a failure it is tried again: doubled each time, up to the longest.
RETRY_FIRST_S = 5.0
RETRY_LONGEST_S = 300.0


class Saver:
    """The way of one wallbox's state to the disk."""

    def __init__(
        self,
        hass: HomeAssistant,
        keeper: StateKeeper,
        title: str,
        state: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Take where and what to keep, and what the owner calls the wallbox."""
        self._hass = hass
        self._keeper = keeper
        self._state = state
        self._title = title
        self._turn = asyncio.Lock()
        # The next patience after a failure, None while the disk takes everything.
        self._patience_s: float | None = None
        self._retry: CALLBACK_TYPE | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something is being written."""
        return self._turn.locked()

    async def async_idle(self) -> None:
        """Wait until all is written."""
        async with self._turn:
            pass

    async def async_save(self) -> None:
        """Keep the state as it is when its turn comes; never raises."""
        async with self._turn:
            self.stop()
            try:
                await self._hass.async_add_executor_job(
                    self._keeper.save, self._state()
                )
            except JournalError as err:
                self._failed(err)
            else:
                self._worked()

    @callback
    def stop(self) -> None:
        """Try nothing again by itself; the next save does."""
        if self._retry is not None:
            self._retry()
            self._retry = None

    def _failed(self, error: JournalError) -> None:
        """Say once that the disk took nothing, and try again after a while."""
        if self._patience_s is None:
            LOGGER.error(
                "The state of %s could not be kept: %s. Charging goes on, but a "
                "restart may forget a delay or an override. It is tried again",
                self._title,
                error,
            )
        patience = RETRY_FIRST_S if self._patience_s is None else self._patience_s
        self._patience_s = min(2 * patience, RETRY_LONGEST_S)
        self._retry = async_call_later(
            self._hass, patience, HassJob(self._again, cancel_on_shutdown=True)
        )

    def _worked(self) -> None:
        """Say once that the disk takes the state again."""
        if self._patience_s is not None:
            LOGGER.info("The state of %s is kept again", self._title)
        self._patience_s = None

    @callback
    def _again(self, _now: datetime) -> None:
        """Try again.

        No background task: those are cancelled when Home Assistant stops, and the
        next save would come while the disk is still at this one.
        """
        self._retry = None
        self._hass.async_create_task(self.async_save(), f"state of {self._title}")
