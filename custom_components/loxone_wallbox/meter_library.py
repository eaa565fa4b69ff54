"""Find the wallboxes whose meter cannot be read, because its library does not load.

Such a wallbox works as one without a meter, and its owner is told what to do. Loading
is tried again and again: a library that was repaired is found without a restart.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from .const import DOMAIN, LOGGER
from .meter_link import MeterLibraryError, async_load_for
from .meter_settings import MeterSettings

RETRY = timedelta(minutes=1)


class MeterLibraries:
    """The wallboxes of an entry that lack what their meter is read with."""

    def __init__(self, hass: HomeAssistant, mended: Callable[[], None]) -> None:
        """Lack nothing yet; `mended` is called when something loads that did not."""
        self._hass = hass
        self._mended = mended
        self._lacking: dict[str, MeterSettings] = {}
        self._stop_trying: CALLBACK_TYPE | None = None

    def lacks(self, subentry_id: str) -> bool:
        """Tell whether a wallbox lacks what its meter is read with."""
        return subentry_id in self._lacking

    async def async_loads(
        self, subentry: ConfigSubentry, settings: MeterSettings
    ) -> bool:
        """Load what the meter of a wallbox is read with, and tell whether it loads."""
        subentry_id = subentry.subentry_id
        try:
            await async_load_for(self._hass, settings)
        except MeterLibraryError as err:
            LOGGER.error(
                "The meter of %s cannot be read: %s. Until it loads, power and energy "
                "come from the Miniserver",
                subentry.title,
                err,
            )
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                library_issue(subentry_id),
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="meter_library_missing",
                translation_placeholders={
                    "wallbox": subentry.title,
                    "error": err.reason,
                },
            )
            self._lacking[subentry_id] = settings
            if self._stop_trying is None:
                self._stop_trying = async_track_time_interval(
                    self._hass, self._async_try, RETRY, cancel_on_shutdown=True
                )
            return False
        return True

    @callback
    def forget(self, subentry_id: str) -> None:
        """Take back what was told of a wallbox, which is built anew or gone."""
        self._lacking.pop(subentry_id, None)
        ir.async_delete_issue(self._hass, DOMAIN, library_issue(subentry_id))
        if not self._lacking and self._stop_trying is not None:
            self._stop_trying()
            self._stop_trying = None

    @callback
    def stop(self) -> None:
        """Try no longer."""
        for subentry_id in tuple(self._lacking):
            self.forget(subentry_id)

    async def _async_try(self, _now: datetime) -> None:
        """Load what did not load before."""
        for subentry_id, settings in tuple(self._lacking.items()):
            try:
                await async_load_for(self._hass, settings)
            except MeterLibraryError as err:
                LOGGER.debug("Still: %s", err)
                continue
            LOGGER.info("What a meter is read with loads now")
            self.forget(subentry_id)
            self._mended()


def library_issue(subentry_id: str) -> str:
    """Return the id of the repair of a meter whose library does not load."""
    return f"meter_library_missing_{subentry_id}"
