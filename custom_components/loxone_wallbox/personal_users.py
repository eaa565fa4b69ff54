"""Forget users of Home Assistant in the settings and states of wallboxes.

Takes users by their ids, which stand there as they are: who answered a question of the
setup, who may override, who did what. Answers and acts stay, as nobody's; a right that
was given to somebody by name goes with them, and nobody gets one by it.
"""

from collections.abc import Mapping, Set as AbstractSet
from typing import Any

from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator


@callback
def forget_in_settings(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, users: AbstractSet[str]
) -> int:
    """Forget users in the settings of an entry's wallboxes; returns of how many."""
    changed = 0
    for subentry in list(entry.subentries.values()):
        before = dict(subentry.data)
        after: dict[str, Any] = without_users(before, users)
        if after == before:
            continue
        for wallbox in _wallboxes(hass, entry):
            # One whose settings are as they should be is not built anew for this.
            if wallbox.subentry_id == subentry.subentry_id:
                wallbox.settings = without_users(wallbox.settings, users)
        hass.config_entries.async_update_subentry(entry, subentry, data=after)
        changed += 1
    return changed


async def async_forget_in_states(hass: HomeAssistant, users: AbstractSet[str]) -> int:
    """Forget users in the states of all wallboxes that are set up, and in their files.

    Returns in how many files. Raises `JournalError`.
    """
    found = [
        await wallbox.controller.async_forget(users)
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        for wallbox in _wallboxes(hass, entry)
    ]
    return sum(lines > 0 for lines in found)


def _wallboxes(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> list[WallboxCoordinator]:
    """Return the wallboxes of an entry that are set up."""
    loaded = entry in hass.config_entries.async_loaded_entries(DOMAIN)
    return list(entry.runtime_data.wallboxes.values()) if loaded else []


def without_users(value: Any, users: AbstractSet[str]) -> Any:
    """Return plain data without users: nobody in their place, fewer in a list."""
    if isinstance(value, Mapping):
        return {name: without_users(one, users) for name, one in value.items()}
    if isinstance(value, list | tuple):
        left = (one for one in value if not _is_one(one, users))
        return type(value)(without_users(one, users) for one in left)
    return None if _is_one(value, users) else value


def _is_one(value: Any, users: AbstractSet[str]) -> bool:
    """Tell whether a value is one of some users."""
    return isinstance(value, str) and value in users
