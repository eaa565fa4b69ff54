"""Guess which controls tell about a wallbox, by the names installers give them.

Loxone Config names a diagnostic input after what it shows, in the installer's language.
A guess is only a suggestion in a form.
"""

from .const import (
    INPUT_CHARGING_ERROR,
    INPUT_ERROR_CODE,
    INPUT_FAULT_CURRENT,
    INPUT_ONLINE,
    INPUT_OVER_TEMPERATURE,
    INPUT_TAMPER,
    INPUT_TEMPERATURE,
)
from .miniserver import DiagnosticInfo, Structure, WallboxInfo

# The names of Loxone Config in English and German; the more precise ones first,
# because "error" is also part of "error code".
WORDS: dict[str, tuple[bool, tuple[str, ...]]] = {
    INPUT_ERROR_CODE: (False, ("error code", "fehlercode")),
    INPUT_FAULT_CURRENT: (True, ("fault current", "fehlerstrom")),
    INPUT_CHARGING_ERROR: (True, ("charging error", "ladefehler")),
    INPUT_TEMPERATURE: (False, ("temperature", "temperatur")),
    INPUT_ONLINE: (True, ("online",)),
    INPUT_OVER_TEMPERATURE: (True, ("overtemperature", "over-temperature", "übertemp")),
    INPUT_TAMPER: (True, ("tamper", "sabotage", "manipulation")),
}


def likely_inputs(info: WallboxInfo, structure: Structure) -> dict[str, str]:
    """Return control ids by input, for those of which just one is likely."""
    return {
        name: control_id
        for name, (digital, words) in WORDS.items()
        if (control_id := _likely(info, structure, digital, words)) is not None
    }


def _likely(
    info: WallboxInfo, structure: Structure, digital: bool, words: tuple[str, ...]
) -> str | None:
    """Return the control that names the input and the wallbox, or is its only one."""
    named = [
        control
        for control in structure.diagnostics.values()
        if control.digital is digital
        and any(word in control.name.lower() for word in words)
    ]
    with_wallbox = [one for one in named if info.name.lower() in one.name.lower()]
    same_room = [one for one in named if one.room and one.room == info.room]
    for candidates in (with_wallbox, same_room, _if_single(named, structure)):
        if len(candidates) == 1:
            return candidates[0].id
    return None


def _if_single(
    named: list[DiagnosticInfo], structure: Structure
) -> list[DiagnosticInfo]:
    """Return the candidates where there is but one wallbox they can belong to."""
    return named if len(structure.wallboxes) == 1 else []
