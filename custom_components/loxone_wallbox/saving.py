"""Keep a wallbox's state before it is waited for.

Takes the state whenever it is told to, writes it one after the other in the executor. What may go wrong: the
disk takes nothing; then charging goes on by what is in memory, and it is said once.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from .const import LOGGER
from .records.journal import JournalError
from .records.state import StateKeeper


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
        self._failed = False

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
            try:
                await self._hass.async_add_executor_job(
                    self._keeper.save, self._state()
                )
            except JournalError as err:
                if not self._failed:
                    LOGGER.error(
                        "The state of %s could not be kept: %s. Charging goes on, but "
                        "a restart may forget a delay or an override",
                        self._title,
                        err,
                    )
                self._failed = True
            else:
                self._failed = False
