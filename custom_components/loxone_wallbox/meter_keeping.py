"""When what a meter has counted is worth a write to the disk.

Takes the counter and the stay after each sample; writes a counter that changed at most
once a minute, and at once what may not be lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback

from .meter.clock import MeterClock
from .meter.counter import Counter
from .meter.latch import SessionEnergy, Stage
from .records.state import StateKeeper
from .saving import Saver


class MeterKeeping:
    """The way of one meter's account to the disk."""

    def __init__(
        self,
        hass: HomeAssistant,
        keeper: StateKeeper,
        title: str,
        state: Callable[[], Mapping[str, Any]],
        clock: MeterClock,
    ) -> None:
        """Take where and what to keep, and what the owner calls the wallbox."""
        self._hass = hass
        self._saver = Saver(hass, keeper, title, state)
        self._clock = clock
        # What of it is on the disk, and since when.
        self._saved: Counter | None = None
        self._saved_at = clock.monotonic()
        self._stage: Stage | None = None

    @callback
    def begin(self, saved: Counter | None, session: SessionEnergy | None) -> None:
        """Go on from what was kept, None where nothing was."""
        self._saved, self._stage = saved, _stage(session)

    @callback
    def take(self, counter: Counter, session: SessionEnergy | None) -> None:
        """Keep the counter when it changed, at most once a minute, or at a turn."""
        before, self._stage = self._stage, _stage(session)
        passed_s = self._clock.monotonic() - self._saved_at
        if self._stage is not before or counter.worth_saving(self._saved, passed_s):
            self.save(counter)

    @callback
    def save(self, counter: Counter) -> None:
        """Keep everything as it is when the disk is ready."""
        self._saved, self._saved_at = counter, self._clock.monotonic()
        self._hass.async_create_task(self._saver.async_save(), eager_start=True)

    async def async_save(self) -> None:
        """Keep everything as it is; never raises."""
        await self._saver.async_save()

    @callback
    def stop(self) -> None:
        """Try nothing again by itself."""
        self._saver.stop()


def _stage(session: SessionEnergy | None) -> Stage | None:
    """Return how final the energy of a stay is."""
    return None if session is None else session.stage
