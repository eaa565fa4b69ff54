"""Loxone Wallbox for Home Assistant."""

import asyncio
from collections.abc import Mapping
import math
from typing import Any

from homeassistant.const import (
    EVENT_HOMEASSISTANT_STOP,
    RESTART_EXIT_CODE,
    Platform,
)
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, issue_registry as ir
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from .compliance_actions import async_setup_compliance
from .connect import build_client, says_restart, setup_error
from .const import CONF_SERIAL, CONF_WALLBOX_ID, DOMAIN
from .coordinator import LoxoneWallboxConfigEntry, LoxoneWallboxRuntimeData
from .fallback import async_break_off
from .fallback_actions import async_setup_fallback
from .farewell import (
    async_forget,
    async_leave,
    remember_waiting,
    unreached_issue,
)
from .frontend_resource import async_remove_frontend, async_setup_frontend
from .history_keeping import (
    async_setup_keeping,
    async_wipe_miniserver,
    history_goes,
)
from .hub import Hub, missing_issue
from .identity_repair import forget_changes, forget_strangers
from .login_repair import forget_login_repairs
from .miniserver import MiniserverClient
from .miniserver.backoff import LOCKED_OUT_DEFAULT_S
from .miniserver.errors import LockedOutError, MiniserverError
from .miniserver_coordinator import MiniserverCoordinator
from .personal_action import async_setup_personal_data
from .security import Security, async_forget_security, async_get_security
from .security_actions import async_setup_security
from .security_causes import event_of
from .security_repair import report_verdict
from .services import async_setup_services
from .strays import async_kept_wallboxes
from .websocket_api import async_setup_websocket

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

# When an entry's address is free again (on the loop's clock), and the login it was
# blocked with.
_BLOCKS: HassKey[dict[str, tuple[float, Mapping[str, Any]]]] = HassKey(
    f"{DOMAIN}_blocks"
)

# The entries whose Miniserver was found restarting since they were last set up.
_RESTARTED: HassKey[set[str]] = HassKey(f"{DOMAIN}_restarted")

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:  # noqa: ARG001
    """Register actions and commands, there also while no entry is loaded."""
    async_setup_services(hass)
    async_setup_websocket(hass)
    async_setup_security(hass)
    async_setup_personal_data(hass)
    async_setup_compliance(hass)
    async_setup_keeping(hass)
    async_setup_fallback(hass)
    await async_setup_frontend(hass)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> bool:
    """Connect to the Miniserver and set its wallboxes up."""
    security = await async_get_security(hass, entry.data[CONF_SERIAL], entry.title)
    hub = Hub(hass, entry, security)
    client = build_client(hass, entry.data, listener=hub)
    _raise_while_blocked(hass, entry)
    try:
        await _async_connect(hass, entry, client, security)
    except LockedOutError as err:
        blocks = hass.data.setdefault(_BLOCKS, {})
        seconds = err.remaining or LOCKED_OUT_DEFAULT_S
        blocks[entry.entry_id] = (hass.loop.time() + seconds, dict(entry.data))
        raise _locked_out(seconds) from err
    ir.async_delete_issue(hass, DOMAIN, unreached_issue(client.identity.serial))
    restarted = hass.data.setdefault(_RESTARTED, set())
    runtime = LoxoneWallboxRuntimeData(
        miniserver=MiniserverCoordinator(
            hass, entry, client, security, restarted=entry.entry_id in restarted
        )
    )
    entry.runtime_data = runtime
    try:
        await hub.async_start(runtime)
        client.start()
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException:
        await client.close()
        raise
    restarted.discard(entry.entry_id)

    async def async_stop(_event: Event) -> None:
        """Hand the wallboxes over and close the link cleanly.

        A restart is over in a minute, so it hands nothing over.
        """
        if hass.exit_code != RESTART_EXIT_CODE:
            await _async_hand_over(runtime)
        for wallbox in runtime.wallboxes.values():
            await wallbox.async_shutdown()
        await client.close()
        await security.async_stop()

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    )
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> bool:
    """Take the wallboxes away and close the link."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    runtime = entry.runtime_data
    if entry.disabled_by is None:
        remember_waiting(hass, entry)
    else:
        await _async_hand_over(runtime)
    for wallbox in runtime.wallboxes.values():
        await wallbox.async_shutdown()
    await runtime.miniserver.async_shutdown()
    await runtime.miniserver.security.async_stop()
    return True


async def _async_hand_over(runtime: LoxoneWallboxRuntimeData) -> None:
    """Leave all wallboxes as their owner wants them without us.

    A test that keeps us away from them is over then.
    """
    await async_break_off(runtime.miniserver)
    await asyncio.gather(
        *(
            wallbox.controller.async_hand_over()
            for wallbox in runtime.wallboxes.values()
        )
    )


async def async_remove_entry(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> None:
    """Leave nothing behind: no repairs or settings here, no token on the Miniserver."""
    hass.data.get(_RESTARTED, set()).discard(entry.entry_id)
    forget_login_repairs(hass, entry)
    forget_changes(hass, entry)
    forget_strangers(hass, entry)
    serial, goes = entry.data[CONF_SERIAL], history_goes(entry.options)
    for subentry in entry.subentries.values():
        ir.async_delete_issue(hass, DOMAIN, missing_issue(subentry.subentry_id))
        wallbox_id = subentry.data[CONF_WALLBOX_ID]
        await async_forget(hass, serial, wallbox_id, subentry_id=subentry.subentry_id)
    for wallbox_id in await async_kept_wallboxes(hass, serial):
        await async_forget(hass, serial, wallbox_id)
    if goes:
        await async_wipe_miniserver(hass, entry)
    await async_forget_security(hass, serial, log_goes=goes)
    report_verdict(hass, serial, entry.title, None)
    await async_remove_frontend(hass, entry)
    await async_leave(hass, entry)


def _raise_while_blocked(hass: HomeAssistant, entry: LoxoneWallboxConfigEntry) -> None:
    """Do not even knock while the Miniserver blocks us: that may prolong the block.

    Home Assistant 2026.10 tries again as it likes. A login changed since then is worth
    an attempt; the owner was told of the block in the dialogue otherwise.
    """
    until, data = hass.data.get(_BLOCKS, {}).get(entry.entry_id, (0.0, {}))
    seconds = until - hass.loop.time()
    if seconds > 0 and data == entry.data:
        raise _locked_out(seconds)


def _locked_out(seconds: float) -> ConfigEntryNotReady:
    """Return the error of a blocked address, to be tried again when it is free."""
    error = ConfigEntryNotReady(
        translation_domain=DOMAIN,
        translation_key="locked_out",
        translation_placeholders={"minutes": str(math.ceil(seconds / 60))},
    )
    # No argument: that is not known before Home Assistant 2026.11.
    error.retry_after = seconds
    return error


async def _async_connect(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    client: MiniserverClient,
    security: Security,
) -> None:
    """Connect, with the reason in words where that fails; a block is passed on.

    That the Miniserver restarts is remembered: once it is back, a car that is plugged
    in waits for a delay of its own, as many Miniservers may be back at once.
    """
    try:
        await client.connect()
    except MiniserverError as err:
        if (event := event_of(err)) is not None:
            security.record(event)
        if isinstance(err, LockedOutError):
            raise
        if says_restart(err):
            hass.data.setdefault(_RESTARTED, set()).add(entry.entry_id)
        raise setup_error(err) from err
