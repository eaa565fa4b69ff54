"""Numbers of a wallbox."""

from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntityDescription,
    RestoreNumber,
)
from homeassistant.const import Platform, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxWriter, async_setup_wallbox_platform
from .miniserver import SetManualLimit

# One command of a wallbox after the other; the commander sees to it.
PARALLEL_UPDATES = 0

TARGET_POWER = NumberEntityDescription(
    key="target_power",
    device_class=NumberDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.KILO_WATT,
    native_step=0.01,
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
        lambda wallbox: () if wallbox.info.read_only else (TargetPowerNumber(wallbox),),
    )


class TargetPowerNumber(WallboxWriter, RestoreNumber):
    """The power the owner wishes."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, TARGET_POWER)
        self._attr_native_min_value = coordinator.info.min_kw
        self._attr_native_max_value = coordinator.info.max_kw

    @override
    async def async_added_to_hass(self) -> None:
        """Remember the wish of before a restart."""
        await super().async_added_to_hass()
        stored = await self.async_get_last_number_data()
        if stored is not None and stored.native_value is not None:
            self.coordinator.restore_target_power(stored.native_value)

    @property
    @override
    def native_value(self) -> float:
        """Return the wish in kW."""
        return self.coordinator.data.target_power_kw

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the wallbox's manual limit."""
        await self.coordinator.commander.async_execute(SetManualLimit(value))
