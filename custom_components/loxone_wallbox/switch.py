"""Switches of a wallbox."""

from dataclasses import replace
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, WallboxWriter, async_setup_wallbox_platform

PARALLEL_UPDATES = 0

CHARGING_ALLOWED = SwitchEntityDescription(key="charging_allowed")
DEFAULT_HOURS = SwitchEntityDescription(
    key="default_hours", entity_category=EntityCategory.CONFIG
)


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
            ()
            if wallbox.info.read_only
            else (ChargingAllowedSwitch(wallbox), DefaultHoursSwitch(wallbox))
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
        """Tell whether the owner allows charging, which the rules may still delay."""
        return self.coordinator.data.owner.permission.allowed

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Allow charging."""
        await self._async_permit(allowed=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Pause charging."""
        await self._async_permit(allowed=False)

    async def _async_permit(self, *, allowed: bool) -> None:
        """Give or take the permission."""
        actor = await self.async_actor()
        await self.coordinator.acts.async_permit(actor, allowed=allowed)


class DefaultHoursSwitch(WallboxEntity, SwitchEntity):
    """Whether the default charging hours are in force; off keeps them for later."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, DEFAULT_HOURS)

    @property
    @override
    def available(self) -> bool:
        """Tell whether there are hours to switch."""
        return super().available and bool(self.coordinator.data.owner.hours.windows)

    @property
    @override
    def is_on(self) -> bool:
        """Tell whether the hours are in force."""
        hours = self.coordinator.data.owner.hours
        return bool(hours.windows) and hours.enabled

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Put the hours in force."""
        await self._async_enable(enabled=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Suspend the hours."""
        await self._async_enable(enabled=False)

    async def _async_enable(self, *, enabled: bool) -> None:
        """Switch the hours."""
        actor = await self.async_actor()
        hours = replace(self.coordinator.data.owner.hours, enabled=enabled)
        await self.coordinator.acts.async_set_hours(actor, hours)
