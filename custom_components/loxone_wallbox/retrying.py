"""Try again what the disk did not take, with growing patience.

Takes what to do again; tells whether it failed just now for the first time, or works
again, so that each is said once.
"""

from collections.abc import Callable
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

# How long after a failure it is tried again: doubled each time, up to the longest.
RETRY_FIRST_S = 5.0
RETRY_LONGEST_S = 300.0


class Retrying:
    """What failed and is to be tried again."""

    def __init__(self, hass: HomeAssistant, again: Callable[[], None]) -> None:
        """Take what tries again."""
        self._hass = hass
        self._again = again
        # The next patience after a failure, None while everything works.
        self._patience_s: float | None = None
        self._timer: CALLBACK_TYPE | None = None

    @property
    def failing(self) -> bool:
        """Tell whether it failed the last time."""
        return self._patience_s is not None

    @callback
    def failed(self) -> bool:
        """Try again after a while; tells whether that is the first failure."""
        first = self._patience_s is None
        patience = RETRY_FIRST_S if self._patience_s is None else self._patience_s
        self._patience_s = min(2 * patience, RETRY_LONGEST_S)
        self.cancel()
        self._timer = async_call_later(
            self._hass, patience, HassJob(self._due, cancel_on_shutdown=True)
        )
        return first

    @callback
    def worked(self) -> bool:
        """Have no patience any more; tells whether it had failed before."""
        failed = self._patience_s is not None
        self._patience_s = None
        return failed

    @callback
    def cancel(self) -> None:
        """Try nothing again by itself."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def _due(self, _now: datetime) -> None:
        """Try again."""
        self._timer = None
        self._again()
