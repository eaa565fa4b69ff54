"""Leave nothing behind when the owner removes a wallbox or a whole Miniserver.

Takes what was removed; lets wallboxes go that only waited for us, forgets their
settings here, ends our login there. What may go wrong: the Miniserver does not answer,
then a warning says what the owner can do.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .alerts import alerts_file
from .connect import build_client
from .const import CONF_SERIAL, CONF_VISUALISATION_PASSWORD, DOMAIN, LOGGER
from .control_hold import WALLBOX, change_issue
from .coordinator import (
    LoxoneWallboxConfigEntry,
    LoxoneWallboxRuntimeData,
    WallboxCoordinator,
)
from .delivering import delivery_file
from .fallback import async_break_off
from .handover import HAND_OVER_S
from .history_keeping import async_wipe_history, history_goes
from .links import links_file
from .meter_repairs import break_issue
from .miniserver import Allow, MiniserverClient
from .miniserver.errors import MiniserverConnectionError, MiniserverError
from .power_feed import Ending
from .records.journal import JournalError
from .records.state import StateKeeper
from .rules import meter_file, running_file, state_file

# What is kept of a wallbox besides its history: a path of folder, serial and id.
OWN_FILES = (
    state_file,
    meter_file,
    running_file,
    delivery_file,
    alerts_file,
    links_file,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A wallbox that only waited for us when its entry was unloaded."""

    title: str
    wallbox_id: str
    visualisation_password: str | None


_WAITING: HassKey[dict[str, list[Waiting]]] = HassKey(f"{DOMAIN}_waiting")


def remember_waiting(hass: HomeAssistant, entry: LoxoneWallboxConfigEntry) -> None:
    """Take note of who waits for us, in case one or all are removed after the unload."""
    runtime: LoxoneWallboxRuntimeData = entry.runtime_data
    there = {wallbox.wallbox_id for wallbox in runtime.wallboxes.values()}
    left = [one for one in waiting_of(hass, entry) if one.wallbox_id not in there]
    held = [one for one in runtime.wallboxes.values() if one.controller.waits_for_us]
    keep_waiting(hass, entry, [*left, *map(_waiting, held)])


def waiting_of(hass: HomeAssistant, entry: LoxoneWallboxConfigEntry) -> list[Waiting]:
    """Return who is known to wait for us and for nobody else."""
    return hass.data.get(_WAITING, {}).get(entry.entry_id, [])


def keep_waiting(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, waiting: list[Waiting]
) -> None:
    """Keep who still waits for us."""
    hass.data.setdefault(_WAITING, {})[entry.entry_id] = waiting


def _waiting(wallbox: WallboxCoordinator) -> Waiting:
    """Return what letting a wallbox go takes."""
    return Waiting(
        title=wallbox.title,
        wallbox_id=wallbox.wallbox_id,
        visualisation_password=wallbox.settings.get(CONF_VISUALISATION_PASSWORD),
    )


async def async_leave(hass: HomeAssistant, entry: LoxoneWallboxConfigEntry) -> None:
    """Let the wallboxes of a removed entry go and end our login; never raises."""
    waiting = hass.data.get(_WAITING, {}).pop(entry.entry_id, [])
    if not waiting and CONF_TOKEN not in entry.data:
        return
    client = build_client(hass, entry.data)
    try:
        await client.connect()
        for wallbox in waiting:
            await async_let_go(client, wallbox)
        if CONF_TOKEN in entry.data:
            await client.revoke_token()
    except MiniserverError as err:
        LOGGER.warning(
            "The Miniserver could not be told that %s was removed (%s). Its token ends "
            "by itself within weeks, or remove it in Loxone's app%s",
            entry.title,
            err,
            "".join(f"; allow charging there for {one.title}" for one in waiting),
        )
        _say_unreached(hass, entry, [one.title for one in waiting])
    finally:
        await client.close()


def unreached_issue(serial: str) -> str:
    """Return the id of the repair of a Miniserver that was removed out of reach."""
    return f"removed_unreached_{serial}"


def _say_unreached(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, waiting: list[str]
) -> None:
    """Tell the owner what is left to do; it is gone once it is set up again."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        unreached_issue(entry.data[CONF_SERIAL]),
        is_fixable=False,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=(
            "removed_unreached_waiting" if waiting else "removed_unreached"
        ),
        translation_placeholders={
            "miniserver": entry.title,
            "wallboxes": ", ".join(waiting),
        },
    )


async def async_let_go(client: MiniserverClient, wallbox: Waiting) -> bool:
    """Allow a wallbox to charge; one that refuses keeps nobody else waiting.

    Tells whether there is nothing more to try: a link that is lost is worth another.
    """
    try:
        async with asyncio.timeout(HAND_OVER_S):
            await client.send(
                wallbox.wallbox_id,
                Allow(on=True),
                visualisation_password=wallbox.visualisation_password,
            )
    except (MiniserverError, TimeoutError) as err:
        LOGGER.warning(
            "%s was removed but may not charge: allow it in Loxone's app (%s)",
            wallbox.title,
            repr(err),
        )
        return not isinstance(err, MiniserverConnectionError | TimeoutError)
    return True


async def async_leave_wallbox(hass: HomeAssistant, wallbox: WallboxCoordinator) -> None:
    """Let one removed wallbox go and forget its settings, while the others go on.

    A test that keeps us away from it is over then. One that could not be let go is let go
    and forgotten when its Miniserver is back.
    """
    await async_break_off(wallbox.miniserver)
    await wallbox.controller.async_hand_over()
    wallbox.measuring.feed.close(Ending.REMOVED)
    await wallbox.async_shutdown()
    left = wallbox.controller.state.handed_over
    if left is not None and left.allowed is False:
        entry = wallbox.config_entry
        others = waiting_of(hass, entry)
        keep_waiting(hass, entry, [*others, _waiting(wallbox)])
        return
    serial = wallbox.miniserver.serial
    await async_forget(
        hass, serial, wallbox.wallbox_id, subentry_id=wallbox.subentry_id
    )
    if history_goes(wallbox.config_entry.options):
        await async_wipe_history(hass, serial, wallbox.wallbox_id)


async def async_forget(
    hass: HomeAssistant, serial: str, wallbox_id: str, *, subentry_id: str | None = None
) -> None:
    """Forget a wallbox's settings, its meter's account, its grid events and what ran.

    Its history is not one of them. Nobody is left to answer a question about it.
    """
    if subentry_id is not None:
        for issue in (break_issue(subentry_id), change_issue(WALLBOX, subentry_id)):
            ir.async_delete_issue(hass, DOMAIN, issue)
    folder = Path(hass.config.path(DOMAIN))
    for file in OWN_FILES:
        keeper = StateKeeper(file(folder, serial, wallbox_id))
        try:
            await hass.async_add_executor_job(keeper.delete)
        except JournalError as err:
            LOGGER.warning("The settings of a removed wallbox are still there: %s", err)
