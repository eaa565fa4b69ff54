"""Numbers of a wallbox."""

from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import (
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfPower,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .charging.regulation import MAX_DELAY_S
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, WallboxWriter, async_setup_wallbox_platform
from .evcc import LEAST_A, current_of, power_of

# One command of a wallbox after the other; the commander sees to it.
PARALLEL_UPDATES = 0

TARGET_POWER = NumberEntityDescription(
    key="target_power",
    device_class=NumberDeviceClass.POWER,
    native_unit_of_measurement=UnitOfPower.KILO_WATT,
    native_step=0.01,
)
MAX_CURRENT = NumberEntityDescription(
    key="max_current",
    device_class=NumberDeviceClass.CURRENT,
    entity_registry_enabled_default=False,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=LEAST_A,
    native_step=0.1,
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
            else (
                TargetPowerNumber(wallbox),
                MaxCurrentNumber(wallbox),
                MaxRandomDelayNumber(wallbox),
            )
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


class MaxCurrentNumber(WallboxWriter, NumberEntity):
    """The power the owner wishes, as the current of each phase."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, MAX_CURRENT)
        self._attr_native_max_value = coordinator.variant.rated_a

    @property
    @override
    def native_value(self) -> float:
        """Return the wish in A."""
        wallbox = self.coordinator
        return current_of(
            wallbox.data.target_power_kw, wallbox.variant, wallbox.info.max_kw
        )

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the wallbox's manual limit."""
        actor = await self.async_actor()
        wallbox = self.coordinator
        least_kw, most_kw = wallbox.info.min_kw, wallbox.info.max_kw
        power_kw = power_of(value, wallbox.variant, least_kw, most_kw)
        await wallbox.acts.async_wish_power(actor, power_kw)


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
