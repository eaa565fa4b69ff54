"""Work anew when a wallbox's sessions change, and when its day is over.

Takes the work, which is done once at a time however often something changes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .charging.slices import next_midnight
from .history import async_get_store


class HistoryWatch:
    """One wallbox's sessions, watched from `start` to `stop`."""

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        zone: tzinfo,
        work: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the wallbox by its key in the store, and the zone of its days."""
        self._hass = hass
        self._key = key
        self._zone = zone
        self._work = work
        self._stop_listening: CALLBACK_TYPE | None = None
        self._stop_waiting: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._again = False

    @callback
    def start(self) -> None:
        """Work now and from now on."""
        self._stop_listening = async_get_store(self._hass).listen(self._changed)
        self._wait_for_midnight()
        self._do()

    @callback
    def stop(self) -> None:
        """Work no more."""
        for stop in (self._stop_listening, self._stop_waiting):
            if stop is not None:
                stop()
        self._stop_listening = self._stop_waiting = None
        if self._task is not None:
            self._task.cancel()

    @callback
    def look_again(self) -> None:
        """Work, since more has flowed in a running session."""
        if self._stop_listening is not None:
            self._do()

    @callback
    def _changed(self, wallbox: str | None) -> None:
        """Look whose sessions changed."""
        if wallbox in (None, self._key):
            self._do()

    @callback
    def _do(self) -> None:
        """Work, or once more when it is being worked."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = self._hass.async_create_task(
                self._async_work(), f"sessions of {self._key}", eager_start=False
            )

    async def _async_work(self) -> None:
        """Work until nothing has changed since it began."""
        while self._again:
            self._again = False
            await self._work()

    def _wait_for_midnight(self) -> None:
        """Work again when the day is over."""

        @callback
        def over(_now: datetime) -> None:
            """Begin the next day."""
            self._wait_for_midnight()
            self._do()

        self._stop_waiting = async_track_point_in_utc_time(
            self._hass,
            HassJob(over, cancel_on_shutdown=True),
            next_midnight(self._zone, dt_util.utcnow()),
        )
