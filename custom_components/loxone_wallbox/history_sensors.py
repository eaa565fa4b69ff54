"""The energy of the month and of the last twelve months, from all kept sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .charging.schedule import Span
from .charging.slices import month_span, year_before
from .coordinator import WallboxCoordinator
from .entity import WallboxEntity
from .history import async_get_store
from .history_plain import kwh
from .history_query import home_zone, key_of
from .history_watch import HistoryWatch
from .records.rows import Wanted

# A running session is summed up after so much more: three minutes at 11 kW.
STEP_KWH = 0.5


def _month(now: datetime, zone: tzinfo) -> Span:
    """Return the present month."""
    local = now.astimezone(zone)
    return month_span(local.year, local.month, zone)


def _rolling_year(now: datetime, zone: tzinfo) -> Span:
    """Return the twelve months up to now."""
    return Span(year_before(now, zone), now)


@dataclass(frozen=True, kw_only=True)
class HistorySensorDescription(SensorEntityDescription):
    """A sensor and the time that it sums up."""

    span_fn: Callable[[datetime, tzinfo], Span]


DESCRIPTIONS = (
    HistorySensorDescription(
        key="month_energy",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        span_fn=_month,
    ),
    # Without a state class: what leaves it at its far end was not given back.
    HistorySensorDescription(
        key="rolling_year_energy",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        span_fn=_rolling_year,
    ),
)


def history_sensors(wallbox: WallboxCoordinator) -> tuple[WallboxEntity, ...]:
    """Return the sensors of a wallbox's history."""
    return tuple(HistorySensor(wallbox, one) for one in DESCRIPTIONS)


class HistorySensor(WallboxEntity, SensorEntity):
    """The energy of a time, there also while the wallbox cannot be reached."""

    entity_description: HistorySensorDescription

    def __init__(
        self, coordinator: WallboxCoordinator, description: HistorySensorDescription
    ) -> None:
        """Take the wallbox and the time."""
        super().__init__(coordinator, description)
        self._watch: HistoryWatch | None = None
        # What the running session had when it was last summed up, in kWh.
        self._summed_at = 0.0

    @property
    @override
    def available(self) -> bool:
        """Stay there: the history is ours."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Sum up now, and again whenever a session changes or a day begins."""
        await super().async_added_to_hass()
        zone = home_zone()
        self._watch = HistoryWatch(
            self.hass, key_of(self.coordinator), zone, self._async_sum_up
        )
        self._watch.start()

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Sum up no more."""
        if self._watch is not None:
            self._watch.stop()
        await super().async_will_remove_from_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Sum up again after each step of energy: it comes every second."""
        energy = self.coordinator.data.session.energy_kwh or 0.0
        if self._watch is not None and abs(energy - self._summed_at) >= STEP_KWH:
            self._summed_at = energy
            self._watch.look_again()

    async def _async_sum_up(self) -> None:
        """Ask for the sum and show it."""
        span = self.entity_description.span_fn(dt_util.utcnow(), home_zone())
        wanted = Wanted(
            start=span.start.timestamp(),
            end=span.end.timestamp(),
            wallboxes=(key_of(self.coordinator),),
        )
        [sums] = await async_get_store(self.hass).async_sums([wanted])
        self._attr_native_value = kwh(sum(one.energy_wh for one in sums))
        if self.entity_description.state_class is SensorStateClass.TOTAL:
            self._attr_last_reset = span.start
        self.async_write_ha_state()
