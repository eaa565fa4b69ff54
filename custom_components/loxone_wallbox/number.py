"""Numbers of a wallbox."""

from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, Platform, UnitOfPower, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .charging.regulation import MAX_DELAY_S
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, WallboxWriter, async_setup_wallbox_platform

# One command of a wallbox after the other; the commander sees to it.
PARALLEL_UPDATES = 0

TARGET_POWER = NumberEntityDescription(
    key="target_power",
    device_class=NumberDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.KILO_WATT,
    native_step=0.01,
)
MAX_RANDOM_DELAY = NumberEntityDescription(
    key="max_random_delay",
    device_class=NumberDeviceClass.DURATION,
    entity_category=EntityCategory.CONFIG,
    native_unit_of_measurement=UnitOfTime.SECONDS,
    native_min_value=0,
    native_max_value=MAX_DELAY_S,
    native_step=1,
    mode=NumberMode.BOX,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the numbers up; a wallbox that is read-only has none."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.NUMBER,
        async_add_entities,
        lambda wallbox: (
            ()
            if wallbox.info.read_only
            else (TargetPowerNumber(wallbox), MaxRandomDelayNumber(wallbox))
        ),
    )


class TargetPowerNumber(WallboxWriter, NumberEntity):
    """The power the owner wishes."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, TARGET_POWER)
        self._attr_native_min_value = coordinator.info.min_kw
        self._attr_native_max_value = coordinator.info.max_kw

    @property
    @override
    def native_value(self) -> float:
        """Return the wish in kW."""
        return self.coordinator.data.target_power_kw

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the wallbox's manual limit."""
        actor = await self.async_actor()
        await self.coordinator.acts.async_wish_power(actor, value)


class MaxRandomDelayNumber(WallboxEntity, NumberEntity):
    """The longest random delay; changed from afar, up or down."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, MAX_RANDOM_DELAY)

    @property
    @override
    def available(self) -> bool:
        """Stay there without the wallbox: it is our own setting."""
        return True

    @property
    @override
    def native_value(self) -> float:
        """Return the longest delay in seconds."""
        return self.coordinator.data.owner.max_delay_s

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the longest delay."""
        actor = await self.async_actor(administrator=True)
        await self.coordinator.acts.async_set_max_delay(actor, round(value))
