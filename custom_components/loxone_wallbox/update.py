"""The firmware of a Miniserver."""

from typing import override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry
from .miniserver_coordinator import MiniserverCoordinator

PARALLEL_UPDATES = 0
RELEASE_PAGE = "https://www.loxone.com/help/changelog/"

FIRMWARE = UpdateEntityDescription(
    key="firmware", device_class=UpdateDeviceClass.FIRMWARE
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the firmware up: one entity, however many wallboxes there are."""
    async_add_entities([FirmwareUpdate(entry.runtime_data.miniserver)])


class FirmwareUpdate(CoordinatorEntity[MiniserverCoordinator], UpdateEntity):
    """Which firmware runs, and which is the newest; Loxone Config installs it."""

    _attr_has_entity_name = True
    _attr_title = "Loxone Miniserver"
    _attr_release_url = RELEASE_PAGE

    def __init__(self, coordinator: MiniserverCoordinator) -> None:
        """Take the Miniserver."""
        super().__init__(coordinator)
        self.entity_description = FIRMWARE
        self._attr_translation_key = FIRMWARE.key
        self._attr_unique_id = f"{coordinator.serial}_{FIRMWARE.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, coordinator.serial)})

    @property
    @override
    def available(self) -> bool:
        """Stay there while the Miniserver restarts with its new firmware."""
        return True

    @property
    @override
    def installed_version(self) -> str:
        """Return what the Miniserver says it runs."""
        return self.coordinator.firmware

    @property
    @override
    def latest_version(self) -> str | None:
        """Return the newest version, None where nobody may be asked."""
        return self.coordinator.news.newest

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for news as well."""
        await super().async_added_to_hass()
        news = self.coordinator.news
        self.async_on_remove(news.async_add_listener(self.async_write_ha_state))
        news.look()
