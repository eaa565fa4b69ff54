"""A wallbox with an energy meter of its own, through Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import time
from typing import Any, Literal, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from custom_components.loxone_wallbox import meter_coordinator
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.meter_settings import (
    MeterSettings,
    Sharing,
    Transport,
    meter_settings,
)
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


@pytest.mark.parametrize("sharing", list(Sharing))
@pytest.mark.parametrize("transport", [Transport.TCP, Transport.RTU_OVER_TCP])
async def test_power_and_energy(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    sharing: Sharing,
    transport: Transport,
) -> None:
    """What is shown is what the meter measures, over every kind of connection."""
    link: Literal["tcp", "rtu_tcp"] = "tcp" if transport is Transport.TCP else "rtu_tcp"
    config = MeterConfig(profile="sdm630", link=link, energy_kwh=1234.5)
    async with house(
        hass,
        start_simulator,
        monkeypatch,
        config,
        sharing=sharing,
        transport=transport,
    ) as home:
        await eventually(lambda: home.see("meter_connection") == "on", 15)
        await eventually(lambda: home.see("charging_power") == "0.0")
        await home.charge()
        assert home.power == pytest.approx(11_000, rel=0.02)
        start = home.energy
        await eventually(lambda: home.energy > start + 0.1, 30)
        assert home.energy <= home.meter.import_kwh + 0.001
        assert float(home.see("meter_coverage")) > 50


async def test_the_meter_outlives_the_miniserver(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the Miniserver only its own facts are unknown; energy goes on."""
    async with house(hass, start_simulator, monkeypatch) as home:
        await home.charge()
        home.simulator.fault("booting")
        await home.simulator.drop(hard=False)
        await eventually(lambda: home.see("miniserver_connection") == "off")
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
        await eventually(lambda: home.see("power_limit") == "unavailable")
        assert home.power > 10_000
        before = home.energy
        await eventually(lambda: home.energy > before + 0.1, 30)
        home.meter.fault("silent")
        await eventually(lambda: home.see("charging_power") == "unavailable", 30)


async def test_silent_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its power is unknown, never zero; the car goes on; it is said once."""
    async with house(hass, start_simulator, monkeypatch) as home:
        await home.charge()
        before = home.energy
        home.meter.fault("silent")
        await eventually(lambda: home.see("charging_power") == "unknown", 30)
        await eventually(lambda: home.see("meter_connection") == "off", 30)
        assert home.see("status") == "charging"
        await eventually(lambda: "gives no readings" in caplog.text, 30)
        assert home.energy >= before
        await home.see.call("switch.turn_off", "charging_allowed")
        await home.see.call("switch.turn_on", "charging_allowed")
        home.meter.clear()
        await eventually(lambda: home.see("meter_connection") == "on", 30)
        await eventually(lambda: home.power > 10_000, 30)
        # Each silence is said once, not each second of it.
        silences = caplog.text.count("gives no readings")
        assert silences in {1, 2}
        assert caplog.text.count("The meter of Garage is back") == silences


async def test_another_meter_asks(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exchanged meter raises a repair, whose answer is taken; energy never falls."""
    assert await async_setup_component(hass, REPAIRS, {})
    async with house(
        hass,
        start_simulator,
        monkeypatch,
        MeterConfig(profile="sdm630", energy_kwh=500),
    ) as home:
        await eventually(lambda: home.see("meter_connection") == "on", 15)
        await eventually(lambda: home.see("energy_total") == "500.0", 15)
        before = home.energy
        home.meter.replace("77777777", 0.3)
        registry = ir.async_get(hass)
        issue_id = f"meter_break_{home.wallbox.subentry_id}"
        await eventually(
            lambda: registry.async_get_issue(DOMAIN, issue_id) is not None, 40
        )
        assert home.energy >= before
        await home.charge()
        await eventually(lambda: home.energy > before + 0.05, 40)
        assert home.energy < before + 5
        flows = hass.data[REPAIRS]["flow_manager"]
        flow = await flows.async_init(DOMAIN, data={"issue_id": issue_id})
        assert flow["type"] == "form"
        done = await flows.async_configure(flow["flow_id"], {"answer": "replaced"})
        assert done["type"] == "create_entry"
        assert registry.async_get_issue(DOMAIN, issue_id) is None
        assert home.wallbox.meter is not None
        assert home.wallbox.meter.account.counter.question is None


async def test_inverted_wiring(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that counts the other way round is right with the option."""
    async with house(hass, start_simulator, monkeypatch, inverted=True) as home:
        home.meter.fault("swapped", phase=0)
        await home.charge()
        assert home.power == pytest.approx(11_000, rel=0.02)


async def test_restart_goes_on(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was counted while Home Assistant was away is there."""
    async with house(hass, start_simulator, monkeypatch) as home:
        await home.charge()
        before = home.energy
        await hass.config_entries.async_unload(home.entry.entry_id)
        await asyncio.sleep(2)
        await hass.config_entries.async_setup(home.entry.entry_id)
        await eventually(lambda: home.see("meter_connection") == "on", 15)
        await eventually(lambda: home.energy > before + 0.03, 15)
        assert home.energy == pytest.approx(home.meter.import_kwh, abs=0.1)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "sdm630",
        {"profile": "none such", "sharing": "shared", "transport": "tcp"},
        {"profile": "eastron_sdm630", "sharing": "mine", "transport": "tcp"},
        {
            "profile": "eastron_sdm630",
            "sharing": "shared",
            "transport": "tcp",
            "colour": 1,
        },
    ],
)
def test_settings_that_are_none(data: object) -> None:
    """What cannot be read is as good as no meter."""
    assert meter_settings({"meter": data}) is None


def test_settings_come_back() -> None:
    """Settings are the same after a way through plain data."""
    settings = MeterSettings(
        profile_id="gavazzi_em340", unit_id=7, serial="1", refresh_s=1.0
    )
    assert meter_settings({"meter": settings.as_dict()}) == settings
