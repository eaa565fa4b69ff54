"""Tell the owner that somebody else steers a wallbox too."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class TwoMastersRepair:
    """The repair of one wallbox that has two masters."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._issue_id = f"two_masters_{subentry_id}"
        self._title = title
        self._raised = False

    @callback
    def report(self, *, two_masters: bool) -> None:
        """Raise the repair, or clear it."""
        if self._raised is two_masters:
            return
        self._raised = two_masters
        if not two_masters:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="two_masters",
            translation_placeholders={"wallbox": self._title},
        )
