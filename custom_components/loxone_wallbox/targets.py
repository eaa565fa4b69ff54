"""Find what an action is about, and refuse what makes no sense.

Takes the devices and instants of a call, gives wallboxes and UTC instants; raises
translated errors.
"""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator


def wallbox_of(hass: HomeAssistant, device_id: str) -> WallboxCoordinator:
    """Return the wallbox of a device; raises a translated error for any other."""
    device = dr.async_get(hass).async_get(device_id)
    for wallbox in _wallboxes(hass):
        serial = wallbox.miniserver.serial
        if device and (DOMAIN, f"{serial}_{wallbox.wallbox_id}") in device.identifiers:
            return wallbox
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="unknown_wallbox",
        translation_placeholders={"device": device_id},
    )


def wallboxes_of(
    hass: HomeAssistant, device_ids: list[str]
) -> dict[str, WallboxCoordinator]:
    """Return the wallboxes by device; raises a translated error for any other."""
    return {device_id: wallbox_of(hass, device_id) for device_id in device_ids}


def site_of(hass: HomeAssistant, device_id: str) -> list[WallboxCoordinator]:
    """Return the wallboxes of a Miniserver's device, none for any other device."""
    return [
        wallbox
        for wallbox in _wallboxes(hass)
        if wallbox.miniserver.device_id == device_id
    ]


def _wallboxes(hass: HomeAssistant) -> list[WallboxCoordinator]:
    """Return all wallboxes that are loaded."""
    entries: list[LoxoneWallboxConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    return [
        wallbox
        for entry in entries
        for wallbox in entry.runtime_data.wallboxes.values()
    ]


def utc_instant(value: datetime) -> datetime:
    """Return an instant in UTC; one without a zone could be any."""
    if value.tzinfo is None:
        raise invalid("time_naive")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        # At the very ends of the calendar; the rules refuse it as too far away.
        return value.replace(tzinfo=UTC)


def invalid(key: str) -> ServiceValidationError:
    """Return the error for an input that makes no sense."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
