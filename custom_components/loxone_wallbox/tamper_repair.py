"""Tell the owner that a wallbox is tampered with, and take the word that it is not.

A contact says itself when it is over. A link that is cut may be one that was given up
for good, so that the owner may say that it was looked into; the log keeps who did.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .charging.boundary import Breach
from .const import DOMAIN

# By its cause: the repair, and whether the owner's word ends it.
TEXTS = {
    "contact": ("tamper_contact", False),
    Breach.WALLBOX.value: ("tamper_wallbox_link", True),
    Breach.METER.value: ("tamper_meter_link", True),
}


class TamperRepair:
    """The repairs of one wallbox that is tampered with."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._subentry_id = subentry_id
        self._title = title
        self._raised: tuple[str, ...] = ()

    @callback
    def report(self, causes: tuple[str, ...]) -> None:
        """Raise what is wrong now, and clear what is over."""
        if causes == self._raised:
            return
        for cause in set(self._raised) - set(causes):
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(cause))
        for cause in causes:
            text, by_word = TEXTS[cause]
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id(cause),
                is_fixable=by_word,
                # It is raised anew after a restart.
                is_persistent=False,
                data={"subentry_id": self._subentry_id, "cause": cause},
                severity=ir.IssueSeverity.ERROR,
                translation_key=text,
                translation_placeholders={"wallbox": self._title},
            )
        self._raised = causes

    @callback
    def clear(self) -> None:
        """Take everything back with the wallbox.

        Not when Home Assistant stops: what the owner ignores stays ignored then.
        """
        if not self._hass.is_stopping:
            self.report(())

    def _issue_id(self, cause: str) -> str:
        """Return the id of a repair."""
        return f"tamper_{cause}_{self._subentry_id}"
