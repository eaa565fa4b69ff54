"""Hold what overrides after a change that nobody announced, where the owner wants that.

Takes the questions about changes that wait for an answer, which outlive a restart; tells
whether a wallbox is held until they are answered. What is held is what starts or raises
charging at somebody's word. The charging hours, their delays, grid events and all that
protects go on: a car that nobody may charge would be no safer.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN

# An option of the entry; without it only a question is asked.
CONF_HOLD = "hold_after_change"

FIRMWARE = "firmware_unexpected"
MODEL = "model_unexpected"
WALLBOX = "wallbox_unexpected"
CHANGES = (FIRMWARE, MODEL, WALLBOX)


def holds(options: Mapping[str, Any]) -> bool:
    """Tell whether the owner wants a wallbox held after such a change."""
    return bool(options.get(CONF_HOLD))


def change_issue(kind: str, whose: str) -> str:
    """Return the id of a repair; it travels in diagnostics."""
    return f"{kind}_{whose}"


@callback
def is_held(hass: HomeAssistant, entry: ConfigEntry[Any], subentry_id: str) -> bool:
    """Tell whether a wallbox is held until its owner has answered."""
    if not holds(entry.options):
        return False
    registry = ir.async_get(hass)
    return any(
        registry.async_get_issue(DOMAIN, change_issue(kind, whose)) is not None
        for kind in CHANGES
        for whose in (entry.entry_id, subentry_id)
    )
