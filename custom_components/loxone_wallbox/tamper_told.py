"""By what a wallbox is tampered with, as far as the owner may be told of it.

Follows the security log: a cause that began or is over is told once its record is on the
disk. What is done about it waits for nothing. What may go wrong: the disk takes nothing
or takes long; then it is told without the record, as nobody may be silenced by that.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .records.security_record import utc_text
from .security import ATTR_WALLBOX_ID, Security

# So long a record is waited for.
PATIENCE_S = 5.0


class TamperTold:
    """The causes of one wallbox that may be told."""

    def __init__(
        self,
        hass: HomeAssistant,
        security: Security,
        wallbox_id: str,
        told: Iterable[str],
        changed: Callable[[], None],
    ) -> None:
        """Take the log, what was told before a restart, and who wants to know."""
        self._hass = hass
        self._security = security
        self._wallbox_id = wallbox_id
        self._changed = changed
        self.causes = tuple(told)
        self._now = self.causes
        # What was recorded before is older than what was told without a record.
        self._without = ""
        self._leave: CALLBACK_TYPE | None = None
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def look(self, causes: tuple[str, ...]) -> None:
        """Take by what it is tampered with now."""
        if self._leave is None:
            self._leave = self._security.listen(self._recorded, self._failing)
        self._now = causes
        if set(causes) == set(self.causes):
            self._disarm()
        elif self._security.failing:
            self._settle()
        elif self._timer is None:
            self._timer = async_call_later(
                self._hass, PATIENCE_S, HassJob(self._late, cancel_on_shutdown=True)
            )

    @callback
    def stop(self) -> None:
        """Follow nothing any more; may come twice."""
        self._disarm()
        if self._leave is not None:
            self._leave()
            self._leave = None

    @callback
    def _recorded(self, record: Mapping[str, Any]) -> None:
        """Take a record that is on the disk, also of what is over again by now."""
        detail = record["detail"]
        began = record["kind"] == "tamper_on"
        if not began and record["kind"] != "tamper_off":
            return
        if detail.get(ATTR_WALLBOX_ID) != self._wallbox_id:
            return
        cause = str(detail.get("cause"))
        if record["utc"] < self._without or (cause in self.causes) is began:
            return
        others = [one for one in self.causes if one != cause]
        self.causes = tuple(sorted([*others, cause] if began else others))
        self._changed()

    @callback
    def _failing(self) -> None:
        """Wait no longer: the disk takes nothing."""
        if set(self._now) != set(self.causes):
            self._settle()
            self._changed()

    @callback
    def _late(self, _now: datetime) -> None:
        """Wait no longer."""
        self._timer = None
        self._failing()

    def _settle(self) -> None:
        """Tell how it is now, without the record of it."""
        self._disarm()
        self._without = utc_text(dt_util.utcnow())
        self.causes = self._now

    def _disarm(self) -> None:
        """Wait for nothing."""
        if self._timer is not None:
            self._timer()
            self._timer = None
