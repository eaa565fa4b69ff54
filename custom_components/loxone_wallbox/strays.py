"""Wallboxes that were removed while nobody could tell their Miniserver.

Takes what is kept of a Miniserver's wallboxes and which of them the owner has; lets those
go that are known to have waited for us alone, and forgets them as if they had been
removed just now. Whatever else keeps a wallbox from charging stays. What may go wrong: the
link is lost again, then it is tried with the next one; a disk that shows or deletes
nothing, then it stays as it is until the next start.
"""

from collections.abc import Iterable
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import CONF_WALLBOX_ID, DOMAIN, LOGGER
from .coordinator import LoxoneWallboxConfigEntry
from .farewell import (
    OWN_FILES,
    Waiting,
    async_forget,
    async_let_go,
    keep_waiting,
    waiting_of,
)
from .history_keeping import async_wipe_history, history_goes
from .identity_repair import forget_strangers
from .miniserver import MiniserverClient
from .rules import state_file

# By serial and id, whom nothing is left to do for in this run.
_FORGOTTEN: HassKey[set[tuple[str, str]]] = HassKey(f"{DOMAIN}_forgotten")


async def async_forget_strays(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, client: MiniserverClient
) -> None:
    """Let go and forget whoever is kept and is no wallbox of an entry.

    Not while the Miniserver is away: then they are still there when it is back.
    """
    if not client.connected:
        return
    serial = client.identity.serial
    wanted = {one.data[CONF_WALLBOX_ID] for one in entry.subentries.values()}
    forget_strangers(hass, entry)
    done = hass.data.setdefault(_FORGOTTEN, set())
    done -= {(serial, one) for one in wanted}
    held = {one.wallbox_id: one for one in waiting_of(hass, entry)}
    for wallbox_id in await async_kept_wallboxes(hass, serial, but=wanted):
        waits = held.get(wallbox_id)
        if (serial, wallbox_id) in done:
            continue
        if waits is None:
            _warn(client, wallbox_id)
        elif not await _async_let_go(client, waits):
            continue
        done.add((serial, wallbox_id))
        await async_forget(hass, serial, wallbox_id)
        if history_goes(entry.options):
            await async_wipe_history(hass, serial, wallbox_id)
        LOGGER.info("A wallbox that was removed before is forgotten: %s", wallbox_id)
    still = [one for name, one in held.items() if (serial, name) not in done]
    keep_waiting(hass, entry, [one for one in still if one.wallbox_id not in wanted])


async def async_kept_wallboxes(
    hass: HomeAssistant, serial: str, *, but: Iterable[str] = ()
) -> list[str]:
    """Return the ids of the wallboxes of which there are settings, `but` for some.

    Nobody where the disk does not say.
    """
    root = Path(hass.config.path(DOMAIN))
    known = {state_file(root, serial, one).name.partition(".")[0] for one in but}

    def found() -> set[str]:
        """Look into the folder."""
        endings = tuple(file(root, serial, "").name for file in OWN_FILES)
        try:
            names = [one.name for one in (root / serial).iterdir()]
        except FileNotFoundError:
            return set()
        except OSError as err:
            LOGGER.warning("The files of %s could not be listed: %s", serial, err)
            return set()
        return {one.partition(".")[0] for one in names if one.endswith(endings)}

    return sorted(await hass.async_add_executor_job(found) - known)


def _warn(client: MiniserverClient, wallbox_id: str) -> None:
    """Say that a wallbox may not charge, where nobody knows whose wish that was."""
    info = client.structure.wallboxes.get(wallbox_id)
    if info is not None and client.wallbox(wallbox_id).allowed is False:
        LOGGER.warning(
            "%s was removed and may not charge: allow it in Loxone's app if that was "
            "not your wish",
            info.name,
        )


async def _async_let_go(client: MiniserverClient, wallbox: Waiting) -> bool:
    """Let a wallbox go; tell whether there is nothing more to try."""
    if wallbox.wallbox_id not in client.structure.wallboxes:
        return False
    if client.wallbox(wallbox.wallbox_id).allowed:
        return True
    return await async_let_go(client, wallbox)
