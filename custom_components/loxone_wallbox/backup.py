"""What is done before and after a backup of Home Assistant."""

from homeassistant.core import HomeAssistant

from .holding import async_get_holding


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Let what is read one file after the other tell the same."""
    await async_get_holding(hass).async_hold()


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on as always."""
    async_get_holding(hass).release()
