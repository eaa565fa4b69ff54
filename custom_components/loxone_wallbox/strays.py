"""Wallboxes that were removed while nobody could tell their Miniserver.

Takes what is kept of a Miniserver's wallboxes and which of them the owner has; lets those
go that only waited for us, and forgets them as if they had been removed just now. What
may go wrong: a wallbox that refuses, as one with a visualisation password that went with
it does, then a warning says what the owner can do.
"""

from collections.abc import Iterable
from pathlib import Path

from homeassistant.core import HomeAssistant

from .charging.override import OverrideMode
from .charging.owner import HandOver, OwnerState
from .charging.regulation import PROFILES
from .const import CONF_WALLBOX_ID, DOMAIN, LOGGER
from .coordinator import LoxoneWallboxConfigEntry
from .farewell import OWN_FILES, Waiting, async_forget, async_let_go
from .history_keeping import async_wipe_history, history_goes
from .identity_repair import forget_strangers
from .miniserver import MiniserverClient
from .records.journal import JournalError
from .records.state import StateKeeper
from .rules import state_file


async def async_forget_strays(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, client: MiniserverClient
) -> None:
    """Let go and forget whoever is kept and is no wallbox of an entry; never raises.

    Not while the Miniserver is away: then they are still there when it is back.
    """
    if not client.connected:
        return
    serial = client.identity.serial
    wanted = [one.data[CONF_WALLBOX_ID] for one in entry.subentries.values()]
    forget_strangers(hass, entry)
    for wallbox_id in await async_kept_wallboxes(hass, serial, but=wanted):
        if await _async_waits(hass, serial, wallbox_id, client):
            await async_let_go(
                client,
                Waiting(
                    title=client.structure.wallboxes[wallbox_id].name,
                    wallbox_id=wallbox_id,
                    visualisation_password=None,
                ),
            )
        await async_forget(hass, serial, wallbox_id)
        if history_goes(entry.options):
            await async_wipe_history(hass, serial, wallbox_id)
        LOGGER.info("A wallbox that was removed before is forgotten: %s", wallbox_id)


async def async_kept_wallboxes(
    hass: HomeAssistant, serial: str, *, but: Iterable[str] = ()
) -> list[str]:
    """Return the ids of the wallboxes of which there are settings, `but` for some."""
    root = Path(hass.config.path(DOMAIN))
    known = {state_file(root, serial, one).name.partition(".")[0] for one in but}

    def found() -> set[str]:
        """Look into the folder."""
        folder = root / serial
        endings = tuple(file(root, serial, "").name for file in OWN_FILES)
        paths = folder.iterdir() if folder.is_dir() else ()
        return {
            one.name.partition(".")[0] for one in paths if one.name.endswith(endings)
        }

    return sorted(await hass.async_add_executor_job(found) - known)


async def _async_waits(
    hass: HomeAssistant, serial: str, wallbox_id: str, client: MiniserverClient
) -> bool:
    """Tell whether a wallbox may be forbidden to charge by us and by nobody else."""
    if wallbox_id not in client.structure.wallboxes:
        return False
    path = state_file(Path(hass.config.path(DOMAIN)), serial, wallbox_id)
    try:
        kept = await hass.async_add_executor_job(StateKeeper(path).load)
        if kept is None:
            return False
        state = OwnerState.from_dict(kept, PROFILES[kept["profile"]])
    except (JournalError, ValueError, KeyError, TypeError) as err:
        LOGGER.warning("The state of a removed wallbox could not be read: %s", err)
        return False
    wish = state.override
    paused = wish is not None and wish.mode is OverrideMode.PAUSE
    return state.hand_over is HandOver.ALLOW and not paused
