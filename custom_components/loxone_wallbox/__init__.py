"""Loxone Wallbox for Home Assistant."""

from homeassistant.const import CONF_TOKEN, EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryError,
    ConfigEntryNotReady,
)
from homeassistant.helpers import config_validation as cv, issue_registry as ir

from .connect import build_client
from .const import DOMAIN, LOGGER
from .coordinator import LoxoneWallboxConfigEntry, LoxoneWallboxRuntimeData
from .hub import Hub
from .miniserver import MiniserverClient
from .miniserver.errors import (
    AuthenticationError,
    CertificateError,
    FirmwareTooOldError,
    IdentityError,
    LockedOutError,
    MiniserverError,
)
from .miniserver_coordinator import MiniserverCoordinator

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup_entry(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> bool:
    """Connect to the Miniserver and set its wallboxes up."""
    hub = Hub(hass, entry)
    client = build_client(hass, entry.data, listener=hub)
    await _async_connect(client)
    runtime = LoxoneWallboxRuntimeData(
        miniserver=MiniserverCoordinator(hass, entry, client)
    )
    entry.runtime_data = runtime
    try:
        await hub.async_start(runtime)
        client.start()
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException:
        await client.close()
        raise

    async def async_stop(_event: Event) -> None:
        """Close the link cleanly, so that the Miniserver frees our slot."""
        await client.close()

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
    for wallbox in runtime.wallboxes.values():
        await wallbox.async_shutdown()
    await runtime.miniserver.async_shutdown()
    return True


async def async_remove_entry(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry
) -> None:
    """End the token on the Miniserver, so that nothing of ours is left there."""
    for issue_domain, issue_id in list(ir.async_get(hass).issues):
        if issue_domain == DOMAIN and any(
            issue_id.endswith(str(subentry.unique_id))
            for subentry in entry.subentries.values()
        ):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    if CONF_TOKEN not in entry.data:
        return
    client = build_client(hass, entry.data)
    try:
        await client.connect()
        await client.revoke_token()
    except MiniserverError as err:
        LOGGER.warning(
            "The token could not be revoked on the Miniserver (%s); it ends by itself "
            "within weeks, or remove it in Loxone's app",
            err,
        )
    finally:
        await client.close()


async def _async_connect(client: MiniserverClient) -> None:
    """Connect, with the reason in words where that fails."""
    try:
        await client.connect()
    except AuthenticationError as err:
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN, translation_key="login_refused"
        ) from err
    except LockedOutError as err:
        minutes = round((err.remaining or 300) / 60 + 0.5)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="locked_out",
            translation_placeholders={"minutes": str(minutes)},
            retry_after=err.remaining or 300,
        ) from err
    except FirmwareTooOldError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="firmware_too_old",
            translation_placeholders={"version": err.version, "minimum": err.minimum},
        ) from err
    except IdentityError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="other_miniserver",
            translation_placeholders={"expected": err.expected, "found": err.found},
        ) from err
    except CertificateError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="certificate_invalid"
        ) from err
    except MiniserverError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="cannot_connect",
            translation_placeholders={"error": str(err)},
        ) from err
