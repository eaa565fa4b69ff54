"""Tell the owner that default charging hours reach into the peak; nothing forbidden."""

from collections.abc import Mapping
from datetime import tzinfo

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_get_translations,
)
from homeassistant.util import dt as dt_util

from .charging.owner import DefaultHours
from .charging.regulation import Profile
from .charging.schedule import DAY_NAMES
from .const import DOMAIN
from .flow_notices import in_peak, in_words


class PeakRepair:
    """The repair of one wallbox whose hours reach into its profile's peak."""

    def __init__(
        self,
        hass: HomeAssistant,
        subentry_id: str,
        title: str,
        profile: Profile,
        zone: tzinfo,
    ) -> None:
        """Take the wallbox, and whose peak it is on which clock."""
        self._hass = hass
        self._issue_id = f"hours_in_peak_{subentry_id}"
        self._title = title
        self._profile = profile
        self._zone = zone
        self._looked_at: tuple[DefaultHours, dict[str, str]] | None = None

    @callback
    def report(self, hours: DefaultHours) -> None:
        """Raise the repair, or clear it; hours that are suspended reach nowhere."""
        names = day_names(self._hass)
        if (hours, names) == self._looked_at:
            return
        self._looked_at = hours, names
        schedule, year = hours.schedule(self._zone), dt_util.now(self._zone).year
        spans = [] if schedule is None else in_peak(schedule, self._profile, year)
        if not spans:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="hours_in_peak",
            translation_placeholders={
                "wallbox": self._title,
                "hours": in_words(spans, self._zone, names),
            },
        )

    @callback
    def clear(self) -> None:
        """Take it back with the wallbox.

        Not when Home Assistant stops: what the owner ignores stays ignored then.
        """
        if not self._hass.is_stopping:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
        self._looked_at = None


def day_names(hass: HomeAssistant) -> dict[str, str]:
    """Return the days' names in the language of Home Assistant, where known.

    Right after another language is chosen they are not read yet.
    """
    texts = async_get_cached_translations(
        hass, hass.config.language, "selector", DOMAIN
    )
    return _named(texts)


async def async_day_names(hass: HomeAssistant, language: str) -> dict[str, str]:
    """Return the days' names in a language, read from the disk where they must be."""
    return _named(await async_get_translations(hass, language, "selector", {DOMAIN}))


def _named(texts: Mapping[str, str]) -> dict[str, str]:
    """Return what the days are called in the texts of a language."""
    prefix = f"component.{DOMAIN}.selector.days.options."
    return {day: texts[prefix + day] for day in DAY_NAMES if prefix + day in texts}
