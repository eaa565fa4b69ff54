"""Hold the states of all wallboxes still while Home Assistant is backed up.

A backup reads one file after the other. Its ledgers may be newer than its states, which
is what a crash leaves behind, too; with a state newer than its ledger a session could be
gone. So a state waits until the backup is done, while the ledgers are written as always.
What may go wrong: a backup of which nobody says that it is over; then it is assumed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER

# No backup of a home takes longer.
LONGEST_S = 3600.0


class Holding:
    """Whether states are held, and who has to be told when they are not any more."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Hold nothing yet."""
        self._hass = hass
        self._writers: dict[Callable[[], None], asyncio.Lock] = {}
        self._timer: CALLBACK_TYPE | None = None
        self.held = False

    @callback
    def join(self, turn: asyncio.Lock, go_on: Callable[[], None]) -> CALLBACK_TYPE:
        """Take a writer, which holds its `turn` while it writes; returns what ends it."""
        self._writers[go_on] = turn

        @callback
        def leave() -> None:
            """Tell it no longer."""
            self._writers.pop(go_on, None)

        return leave

    async def async_hold(self) -> None:
        """Hold all states, and wait for what is being written just now."""
        self.held = True
        self._cancel()
        self._timer = async_call_later(
            self._hass, LONGEST_S, HassJob(self._expired, cancel_on_shutdown=True)
        )
        for turn in set(self._writers.values()):
            async with turn:
                pass

    @callback
    def release(self) -> None:
        """Have all states written that waited."""
        self._cancel()
        self.held = False
        for go_on in tuple(self._writers):
            go_on()

    @callback
    def _expired(self, _now: datetime) -> None:
        """Wait no longer for a word that does not come."""
        self._timer = None
        LOGGER.debug("A backup did not say that it is done; states are written again")
        self.release()

    def _cancel(self) -> None:
        """Take the timer away."""
        if self._timer is not None:
            self._timer()
            self._timer = None


_HOLDING: HassKey[Holding] = HassKey(f"{DOMAIN}_holding")


@callback
def async_get_holding(hass: HomeAssistant) -> Holding:
    """Return the one that holds all states."""
    if (known := hass.data.get(_HOLDING)) is not None:
        return known
    made = hass.data[_HOLDING] = Holding(hass)
    return made
