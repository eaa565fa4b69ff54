"""What the system information page says."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry


@callback
def async_register(
    hass: HomeAssistant,  # noqa: ARG001
    register: system_health.SystemHealthRegistration,
) -> None:
    """Register what we tell."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many Miniservers and wallboxes there are and how their links do."""
    entries: list[LoxoneWallboxConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded = [
        entry.runtime_data
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
    ]
    linked = sum(runtime.miniserver.connected for runtime in loaded)
    return {
        "connected": f"{linked}/{len(entries)}",
        "reconnects": sum(runtime.miniserver.client.connections for runtime in loaded),
        "wallboxes": sum(len(runtime.wallboxes) for runtime in loaded),
    }
