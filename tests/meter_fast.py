"""A wallbox with a meter on a clock that runs ten times as fast as life."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from custom_components.loxone_wallbox import meter_coordinator
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from simulator import Car, Clock, MeterConfig, Simulator, WallboxConfig
from simulator.meters.meter import SimulatedMeter

RATE = 10.0


class FastClock(Clock):
    """Ten seconds in one, for the simulator and for who reads its meters."""

    def __init__(self) -> None:
        """Begin now."""
        self._begin, self._since = time.time(), time.monotonic()

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return self._begin + self.monotonic() - self._since

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._since + (time.monotonic() - self._since) * RATE

    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        await asyncio.sleep(seconds / RATE)


class House:
    """A wallbox, its meter, and what is seen of both."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take what is set up."""
        self.hass = hass
        self.simulator = simulator
        self.entry = entry
        self.see = Surface(hass, simulator)

    @property
    def meter(self) -> SimulatedMeter:
        """Return the simulated meter."""
        return self.simulator.meters[0]

    @property
    def wallbox(self) -> WallboxCoordinator:
        """Return the wallbox in Home Assistant."""
        found: WallboxCoordinator = next(
            iter(self.entry.runtime_data.wallboxes.values())
        )
        return found

    async def charge(self) -> None:
        """Plug a car in and wait until its power is measured."""
        self.simulator.wallboxes[0].plug(Car(capacity_kwh=500, energy_kwh=10))
        await eventually(lambda: self.power > 10_000, 15)

    @property
    def power(self) -> float:
        """Return the power that is shown, -1 for unknown."""
        shown = self.see("charging_power")
        return -1.0 if shown in {"unknown", "unavailable", ""} else float(shown)

    @property
    def energy(self) -> float:
        """Return the energy that is shown in kWh."""
        return float(self.see("energy_total"))


@asynccontextmanager
async def house(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    config: MeterConfig | None = None,
    **changes: Any,
) -> AsyncIterator[House]:
    """Set a wallbox with a meter up, on a fast clock."""
    clock = FastClock()
    monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: clock)
    simulator = await start_simulator(
        clock=clock,
        wallboxes=(WallboxConfig(name="Garage"),),
        meters=(config or MeterConfig(profile="sdm630"),),
        idle_timeout_s=1e6,
        token_lifetime_s=1e7,
    )
    settings = {
        "profile_id": "eastron_sdm630",
        "host": "127.0.0.1",
        "port": int(simulator.meters[0].address.partition(":")[2]),
        "sharing": Sharing.DEDICATED,
        **changes,
    }
    meter = MeterSettings(**settings).as_dict()
    entry = await set_up(hass, make_entry(simulator, meter=meter))
    playing = House(hass, simulator, entry)
    yield playing
    await hass.config_entries.async_unload(entry.entry_id)
