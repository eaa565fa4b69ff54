"""One timer of a wallbox: wakes at an instant, once what is waited for is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .saving import Saver

# A clock that was set is noticed this soon, also while nothing happens.
LOOK_AGAIN = timedelta(seconds=60)
AGAIN = timedelta(seconds=1)


class Alarm:
    """The timer of one wallbox; `wake` is called when it rings."""

    def __init__(
        self, hass: HomeAssistant, title: str, saver: Saver, wake: Callable[[], None]
    ) -> None:
        """Take whom to wake, and who keeps what is waited for."""
        self._hass = hass
        self._title = title
        self._saver = saver
        self._wake = wake
        self._timer: CALLBACK_TYPE | None = None

    @property
    def is_set(self) -> bool:
        """Tell whether it is going to ring."""
        return self._timer is not None

    @callback
    def set(self, now: datetime, *instants: datetime | None) -> None:
        """Ring at the first of some instants, within a minute at the latest.

        What is past and could not be done yet is looked at again each second. The
        seconds until then are counted, for a clock that is set back would make a timer
        that waits for an instant sleep for as long again.
        """
        self.clear()
        ahead = (at if at > now else now + AGAIN for at in instants if at is not None)
        first = min((*ahead, now + LOOK_AGAIN))
        self._timer = async_call_later(
            self._hass,
            first - now,
            HassJob(self._ring, f"decision of {self._title}", cancel_on_shutdown=True),
        )

    @callback
    def clear(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def _ring(self, _now: datetime) -> None:
        """Wake who waits, once what was decided before is kept."""
        self._timer = None
        if self._saver.busy:
            self._hass.async_create_task(self._async_ring_when_kept())
        else:
            self._wake()

    async def _async_ring_when_kept(self) -> None:
        """Wait for the disk, then wake who waits."""
        await self._saver.async_idle()
        self._wake()
