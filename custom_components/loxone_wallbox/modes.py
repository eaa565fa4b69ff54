"""The charge modes of a wallbox as options to choose from.

Modes have the names their installer gave them. Options of our own are translated.
"""

from .miniserver import MANUAL_MODE, WallboxInfo
from .miniserver.commands import KEEP_MODE

OPTION_MANUAL = "manual"
OPTION_KEEP = "keep"
# A manager decides by itself; the wallbox only shows what it was given.
MANAGER_MODES = {"not_allowed": 0, "eco": 1, "priority": 2}


def selectable_modes(info: WallboxInfo) -> dict[str, int]:
    """Return the charge modes by option."""
    if info.manager_id is not None:
        return dict(MANAGER_MODES)
    return {**_named_modes(info), OPTION_MANUAL: MANUAL_MODE}


def modes_after_unplug(info: WallboxInfo) -> dict[str, int]:
    """Return the modes a wallbox can take after unplugging, by option."""
    return {OPTION_KEEP: KEEP_MODE, **_named_modes(info)}


def _named_modes(info: WallboxInfo) -> dict[str, int]:
    """Return the installer's modes; a name that is taken gets its number."""
    modes: dict[str, int] = {}
    for mode in info.modes:
        name = mode.name
        if name in modes or name in {OPTION_MANUAL, OPTION_KEEP}:
            name = f"{name} ({mode.id})"
        modes[name] = mode.id
    return modes
