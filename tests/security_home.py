"""What tests of the security log share: its files, its records, who asks for them."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.security import Security, security_of
from simulator import Simulator


def log_of(hass: HomeAssistant, simulator: Simulator) -> Security:
    """Return the log of a simulated Miniserver."""
    security = security_of(hass, simulator.config.serial)
    assert security is not None
    return security


async def logged(
    hass: HomeAssistant, simulator: Simulator, *kinds: str
) -> list[dict[str, Any]]:
    """Return what is recorded of these kinds, of all where none is named."""
    only = frozenset(kinds) or None
    return await log_of(hass, simulator).async_records(kinds=only)


def log_files(hass: HomeAssistant, simulator: Simulator) -> list[Path]:
    """Return the files of the log itself."""
    folder = Path(hass.config.path(DOMAIN)) / simulator.config.serial
    return sorted(folder.glob("security.0*.jsonl"))


def miniserver_device(hass: HomeAssistant, simulator: Simulator) -> str:
    """Return the id of the Miniserver's device."""
    wanted = (DOMAIN, simulator.config.serial)
    registry = dr.async_get(hass)
    return next(
        device.id
        for entry in hass.config_entries.async_entries(DOMAIN)
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if wanted in device.identifiers
    )


def broken(hass: HomeAssistant, simulator: Simulator) -> ir.IssueEntry | None:
    """Return the repair of a log that was changed, None where there is none."""
    issue_id = f"security_log_broken_{simulator.config.serial}"
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
