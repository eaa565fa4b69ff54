"""Sensors of a wallbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    Platform,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import (
    ExtraStoredData,
    RestoredExtraData,
    RestoreEntity,
)
from homeassistant.helpers.typing import StateType

from .charging.status import Status
from .charging.wish import Reason
from .compliance_sensor import ComplianceSensor
from .const import INPUT_TEMPERATURE
from .coordinator import LoxoneWallboxConfigEntry
from .entity import WallboxEntity, async_setup_wallbox_platform
from .evcc import IEC_STATES, iec_status
from .history_sensors import history_sensors
from .meter.quality import EnergyMemory
from .wallbox_data import DELAY_FACTS, WallboxData, delay_facts, energy_facts

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class WallboxSensorDescription(SensorEntityDescription):
    """A sensor and where its value comes from."""

    value_fn: Callable[[WallboxData], StateType | datetime]
    # These say themselves that the wallbox cannot be reached, or are of the past.
    always_available: bool = False
    # With a meter of its own this does not hang on the Miniserver.
    measured: bool = False
    # Since when a total counts, and the currency of money.
    since_fn: Callable[[WallboxData], datetime | None] = lambda _data: None
    currency_fn: Callable[[WallboxData], str | None] | None = None
    # What else is to be seen of it, and not to be recorded.
    attributes_fn: Callable[[WallboxData], Mapping[str, Any] | None] = lambda _: None


def _coverage(data: WallboxData) -> float | None:
    """Return how many of the last hour's seconds were measured, in percent."""
    if data.meter is None or data.meter.coverage is None:
        return None
    return data.meter.coverage * 100


def _dsr_events(data: WallboxData) -> str | None:
    """Return the ids of the grid events that hold now."""
    return ", ".join(data.dsr_events) or None


DESCRIPTIONS = (
    WallboxSensorDescription(
        key="status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in Status],
        value_fn=lambda data: data.status.value,
        always_available=True,
    ),
    WallboxSensorDescription(
        key="charging_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: data.power_w,
        attributes_fn=lambda data: {"source": data.power_source.value},
        measured=True,
    ),
    WallboxSensorDescription(
        key="power_limit",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=2,
        value_fn=lambda data: data.power_limit_kw,
    ),
    WallboxSensorDescription(
        key="reason",
        device_class=SensorDeviceClass.ENUM,
        options=[reason.value for reason in Reason],
        value_fn=lambda data: data.reason.value,
        always_available=True,
    ),
    WallboxSensorDescription(
        key="next_change",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: data.next_change,
    ),
    WallboxSensorDescription(
        key="random_delay_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: data.delay_ends,
        attributes_fn=delay_facts,
    ),
    WallboxSensorDescription(
        key="override_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: data.override_ends,
        # One that lasts until unplugging has no end to be shown.
        attributes_fn=lambda data: {"mode": data.override_mode},
    ),
    WallboxSensorDescription(
        key="dsr_event",
        value_fn=_dsr_events,
    ),
    WallboxSensorDescription(
        key="iec_status",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        options=list(IEC_STATES),
        value_fn=iec_status,
    ),
    WallboxSensorDescription(
        key="firmware",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: data.firmware,
    ),
)

TEMPERATURE = WallboxSensorDescription(
    key="temperature",
    device_class=SensorDeviceClass.TEMPERATURE,
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    native_unit_of_measurement=UnitOfTemperature.CELSIUS,
    suggested_display_precision=0,
    value_fn=lambda data: data.temperature_c,
)

METER_DESCRIPTIONS = (
    WallboxSensorDescription(
        key="power_age",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=1,
        value_fn=lambda data: None if data.meter is None else data.meter.age_s,
        always_available=True,
    ),
    WallboxSensorDescription(
        key="meter_coverage",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value_fn=_coverage,
        always_available=True,
    ),
    WallboxSensorDescription(
        key="measurement_error",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value_fn=lambda data: None if data.meter is None else data.meter.error_pct,
        always_available=True,
    ),
)

SESSION_DESCRIPTIONS = (
    WallboxSensorDescription(
        key="session_energy",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda data: data.session.energy_kwh,
        attributes_fn=lambda data: {"source": data.session_source.value},
        since_fn=lambda data: data.session.since,
    ),
    WallboxSensorDescription(
        key="session_charging_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=2,
        value_fn=lambda data: data.session.charging_s,
    ),
    WallboxSensorDescription(
        key="session_connected_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=2,
        value_fn=lambda data: data.session.connected_s,
    ),
    WallboxSensorDescription(
        key="session_cost",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        value_fn=lambda data: data.session.cost,
        since_fn=lambda data: data.session.since,
        currency_fn=lambda data: data.session.currency,
    ),
    WallboxSensorDescription(
        key="last_session_energy",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda data: data.session.last_energy_kwh,
        always_available=True,
    ),
)

ENERGY_TOTAL = WallboxSensorDescription(
    key="energy_total",
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
    value_fn=lambda data: data.energy_kwh,
    attributes_fn=energy_facts,
    measured=True,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the sensors up."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.SENSOR,
        async_add_entities,
        lambda wallbox: (
            *(WallboxSensor(wallbox, description) for description in DESCRIPTIONS),
            *(
                WallboxSensor(wallbox, description)
                for description in METER_DESCRIPTIONS
                if wallbox.measuring.has_meter
            ),
            *(
                WallboxSensor(wallbox, one)
                for one in (TEMPERATURE,)
                if wallbox.maps(INPUT_TEMPERATURE)
            ),
            *(WallboxSensor(wallbox, one) for one in SESSION_DESCRIPTIONS),
            WallboxEnergySensor(wallbox, ENERGY_TOTAL),
            *history_sensors(wallbox),
            ComplianceSensor(wallbox),
        ),
    )


class WallboxSensor(WallboxEntity, SensorEntity):
    """A value of a wallbox."""

    entity_description: WallboxSensorDescription
    _unrecorded_attributes = DELAY_FACTS | {"stale_since"}

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what else is to be seen of the value."""
        return self.entity_description.attributes_fn(self.coordinator.data)

    @property
    @override
    def available(self) -> bool:
        """Tell whether what is shown is up to date."""
        description, meter = self.entity_description, self.coordinator.data.meter
        if description.measured and meter is not None and meter.connected:
            return True
        return description.always_available or super().available

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit; that of money is its currency, which may change."""
        description = self.entity_description
        if description.currency_fn is None:
            return description.native_unit_of_measurement
        return description.currency_fn(self.coordinator.data)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return since when a total counts."""
        return self.entity_description.since_fn(self.coordinator.data)


class WallboxEnergySensor(WallboxSensor, RestoreEntity):
    """The energy total, which goes on across restarts."""

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was last believed."""
        stored = await self.async_get_last_extra_data()
        await super().async_added_to_hass()
        self.coordinator.restore(
            None if stored is None else EnergyMemory.from_dict(stored.as_dict())
        )

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData:
        """Return what is needed to go on counting."""
        energy = self.coordinator.energy
        memory = energy and energy.memory
        return RestoredExtraData(memory.as_dict() if memory else {})
