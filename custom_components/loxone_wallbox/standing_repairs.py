"""The repairs of what lasts: a wallbox out of reach, and one that does not obey.

Takes how the wallbox stands from look to look; raises a repair where an alert alone would
be forgotten, and takes it back when it is over. Who is told of what at once is not
decided here.
"""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN

# A Miniserver that restarts or is updated is back by then.
OUT_OF_REACH_AFTER = timedelta(minutes=15)
# What was not obeyed once is tried again after a minute.
DISOBEDIENT_AFTER = timedelta(minutes=2)

UNREACHABLE = "wallbox_out_of_reach"
DISOBEDIENT = "command_not_followed"


class StandingRepairs:
    """The repairs of one wallbox."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._subentry_id = subentry_id
        self._title = title
        self._lost_since: datetime | None = None
        self._disobeyed_since: datetime | None = None
        self._raised: set[str] = set()

    @callback
    def disobeyed(self, now: datetime) -> None:
        """Take note of a command that was not obeyed."""
        if self._disobeyed_since is None:
            self._disobeyed_since = now

    @callback
    def look(
        self, now: datetime, *, reachable: bool, obeys: bool | None
    ) -> datetime | None:
        """Raise what has lasted and clear what is over; returns when to look again.

        `obeys` None is a wallbox of which nobody knows.
        """
        self._lost_since = None if reachable else self._lost_since or now
        if obeys:
            self._disobeyed_since = None
        waits = (
            self._report(UNREACHABLE, self._lost_since, OUT_OF_REACH_AFTER, now),
            self._report(DISOBEDIENT, self._disobeyed_since, DISOBEDIENT_AFTER, now),
        )
        return min((at for at in waits if at is not None), default=None)

    @callback
    def clear(self) -> None:
        """Take all back with the wallbox.

        Not when Home Assistant stops: what the owner ignores stays ignored then.
        """
        for key in self._raised if not self._hass.is_stopping else ():
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))
        self._raised.clear()
        self._lost_since = self._disobeyed_since = None

    def _issue_id(self, key: str) -> str:
        """Return the id of a repair."""
        return f"{key}_{self._subentry_id}"

    def _report(
        self, key: str, since: datetime | None, after: timedelta, now: datetime
    ) -> datetime | None:
        """Raise or clear a repair; returns when it would be raised."""
        if since is None:
            if key in self._raised:
                self._raised.discard(key)
                ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))
            return None
        if key in self._raised:
            return None
        if now - since < after:
            return since + after
        self._raised.add(key)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(key),
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"wallbox": self._title},
        )
        return None
