"""Tell the owner that a random delay may outlast a window of the hours."""

from datetime import UTC, datetime, timedelta, tzinfo

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .charging.owner import DefaultHours, OwnerState
from .charging.regulation import Cause, Profile
from .charging.schedule import Schedule, Span
from .const import DOMAIN
from .flow_notices import in_words
from .peak_repair import day_names

A_WEEK = timedelta(days=7)
# In February no country that has a regulation of ours changes its clocks.
MONTH_LOOKED_AT = 2


class WindowRepair:
    """The repair of one wallbox with windows that its longest delay may outlast.

    What a window lets happen then: the stop takes at most its second half, so the start
    may come too late to be worth it, or not at all.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        subentry_id: str,
        title: str,
        profile: Profile,
        zone: tzinfo,
    ) -> None:
        """Take the wallbox, and what is delayed on which clock."""
        self._hass = hass
        self._issue_id = f"window_shorter_than_delay_{subentry_id}"
        self._title = title
        self._delayed = Cause.DEFAULT_HOURS in profile.delayed
        self._zone = zone
        self._looked_at: tuple[DefaultHours, int, dict[str, str]] | None = None

    @callback
    def report(self, state: OwnerState) -> None:
        """Raise the repair, or clear it."""
        names = day_names(self._hass)
        looked_at = state.hours, state.max_delay_s, names
        if looked_at == self._looked_at:
            return
        self._looked_at = looked_at
        schedule = state.hours.schedule(self._zone) if self._delayed else None
        short = [] if schedule is None else _outlasted(schedule, state.max_delay_s)
        if not short:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="window_shorter_than_delay",
            translation_placeholders={
                "wallbox": self._title,
                "seconds": str(state.max_delay_s),
                "hours": in_words(short, self._zone, names),
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


def _outlasted(schedule: Schedule, longest_s: int) -> list[Span]:
    """Return the spans of a week that a delay in seconds may outlast."""
    start = datetime(dt_util.utcnow().year, MONTH_LOOKED_AT, 3, tzinfo=UTC)
    longest = timedelta(seconds=longest_s)
    return [
        span
        for span in schedule.spans(start, start + A_WEEK)
        if span.end - span.start <= longest and start <= span.start < start + A_WEEK
    ]
