"""Switches of a wallbox."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxWriter, async_setup_wallbox_platform
from .miniserver import Allow

PARALLEL_UPDATES = 0

CHARGING_ALLOWED = SwitchEntityDescription(key="charging_allowed")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the switches up; a wallbox that is read-only has none."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.SWITCH,
        async_add_entities,
        lambda wallbox: (
            () if wallbox.info.read_only else (ChargingAllowedSwitch(wallbox),)
        ),
    )


class ChargingAllowedSwitch(WallboxWriter, SwitchEntity):
    """The owner's permission to charge."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, CHARGING_ALLOWED)

    @property
    @override
    def is_on(self) -> bool | None:
        """Tell whether charging is allowed."""
        return self.coordinator.state.allowed

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Allow charging."""
        await self.coordinator.commander.async_execute(Allow(on=True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Pause charging."""
        await self.coordinator.commander.async_execute(Allow(on=False))
