"""Tell the owner that default charging hours reach into the peak; nothing forbidden."""

from datetime import tzinfo

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations
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
        self._looked_at: DefaultHours | None = None

    @callback
    def report(self, hours: DefaultHours) -> None:
        """Raise the repair, or clear it; hours that are suspended reach nowhere."""
        if hours == self._looked_at:
            return
        self._looked_at = hours
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
                "hours": in_words(spans, self._zone, self._day_names()),
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

    def _day_names(self) -> dict[str, str]:
        """Return the days' names in the language of Home Assistant, where known."""
        texts = async_get_cached_translations(
            self._hass, self._hass.config.language, "selector", DOMAIN
        )
        prefix = f"component.{DOMAIN}.selector.days.options."
        return {day: texts[prefix + day] for day in DAY_NAMES if prefix + day in texts}
