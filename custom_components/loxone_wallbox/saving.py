"""Keep a wallbox's state before it is waited for.

Takes the state whenever it is told to, writes it one after the other in the executor.
What may go wrong: the disk takes nothing; then charging goes on by what is in memory,
it is said once, and it is tried again until the disk takes it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback

from .const import LOGGER
from .records.journal import JournalError
from .records.state import StateKeeper
from .retrying import Retrying


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
        self._retrying = Retrying(hass, self._again)

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
                if self._retrying.worked():
                    LOGGER.info("The state of %s is kept again", self._title)

    async def async_forget(self, people: Collection[str]) -> int:
        """Forget people in what was kept so far; returns in how many lines.

        The state that is kept from now on has to be without them already. Raises
        `JournalError`.
        """
        async with self._turn:
            return await self._hass.async_add_executor_job(self._keeper.forget, people)

    @callback
    def stop(self) -> None:
        """Try nothing again by itself; the next save does."""
        self._retrying.cancel()

    def _failed(self, error: JournalError) -> None:
        """Say once that the disk took nothing, and try again after a while."""
        if self._retrying.failed():
            LOGGER.error(
                "The state of %s could not be kept: %s. Charging goes on, but a "
                "restart may forget a delay or an override. It is tried again",
                self._title,
                error,
            )

    @callback
    def _again(self) -> None:
        """Try again.

        No background task: those are cancelled when Home Assistant stops, and the
        next save would come while the disk is still at this one.
        """
        self._hass.async_create_task(self.async_save(), f"state of {self._title}")
