"""Binary sensors of a wallbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, async_setup_wallbox_platform
from .links import link_facts
from .wallbox_data import WallboxData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class WallboxBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor and where its value comes from."""

    value_fn: Callable[[WallboxData], bool | None]
    attributes_fn: Callable[[WallboxData], dict[str, Any]] | None = None
    always_available: bool = False
    exists_fn: Callable[[WallboxCoordinator], bool] = lambda _: True


def _problem(data: WallboxData) -> bool | None:
    """Tell whether there is a fault; unknown where no input says so."""
    return data.fault is not None if data.diagnosed else None


DESCRIPTIONS = (
    WallboxBinarySensorDescription(
        key="vehicle_connected",
        device_class=BinarySensorDeviceClass.PLUG,
        value_fn=lambda data: data.state.connected,
    ),
    WallboxBinarySensorDescription(
        key="charging",
        device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
        value_fn=lambda data: data.charging,
    ),
    WallboxBinarySensorDescription(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=_problem,
        attributes_fn=lambda data: {"fault": data.fault and data.fault.value},
    ),
    WallboxBinarySensorDescription(
        key="tamper",
        device_class=BinarySensorDeviceClass.TAMPER,
        value_fn=lambda data: data.tampered,
        attributes_fn=lambda data: {
            "causes": list(data.links.causes),
            "outage": data.links.outage,
        },
        exists_fn=lambda wallbox: wallbox.links.guarded,
        always_available=True,
    ),
    WallboxBinarySensorDescription(
        key="in_default_hours",
        value_fn=lambda data: data.in_default_hours,
    ),
    WallboxBinarySensorDescription(
        key="in_peak_hours",
        value_fn=lambda data: data.in_peak_hours,
        exists_fn=lambda wallbox: bool(wallbox.controller.profile.peak),
    ),
    WallboxBinarySensorDescription(
        key="random_delay_active",
        value_fn=lambda data: data.delay_ends is not None,
    ),
    WallboxBinarySensorDescription(
        key="dsr_active",
        value_fn=lambda data: bool(data.dsr_events),
    ),
    WallboxBinarySensorDescription(
        key="miniserver_connection",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: data.linked,
        always_available=True,
    ),
    WallboxBinarySensorDescription(
        key="meter_connection",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: data.meter is not None and data.meter.connected,
        exists_fn=lambda wallbox: wallbox.measuring.has_meter,
        always_available=True,
    ),
    WallboxBinarySensorDescription(
        key="fallback_active",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: not data.reachable,
        attributes_fn=lambda data: link_facts(data.links),
        always_available=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the binary sensors up."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.BINARY_SENSOR,
        async_add_entities,
        lambda wallbox: (
            WallboxBinarySensor(wallbox, description)
            for description in DESCRIPTIONS
            if description.exists_fn(wallbox)
        ),
    )


class WallboxBinarySensor(WallboxEntity, BinarySensorEntity):
    """A fact about a wallbox."""

    entity_description: WallboxBinarySensorDescription

    @property
    @override
    def available(self) -> bool:
        """Tell whether what is shown is up to date."""
        return self.entity_description.always_available or super().available

    @property
    @override
    def is_on(self) -> bool | None:
        """Tell whether the fact holds."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what is wrong, where the wallbox says so."""
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn and attributes_fn(self.coordinator.data)
