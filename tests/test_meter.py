"""A wallbox with an energy meter of its own, through Home Assistant."""

from datetime import timedelta
from typing import Literal

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from custom_components.loxone_wallbox.meter_settings import (
    MeterSettings,
    Sharing,
    Transport,
    meter_settings,
)
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=1234.5)
GATEWAY_SAYS_SILENT = 11


def power(home: MeteredHouse) -> float:
    """Return the power that is shown in W."""
    return float(home.see[0]("charging_power"))


def energy(home: MeteredHouse) -> float:
    """Return the energy that is shown in kWh."""
    return float(home.see[0]("energy_total"))


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
    config = MeterConfig(profile="sdm630", wobble=0.0, link=link, energy_kwh=1234.5)
    async with metered(
        hass,
        start_simulator,
        monkeypatch,
        config,
        sharing=sharing,
        transport=transport,
    ) as home:
        see = home.see[0]
        assert see("meter_connection") == "on"
        assert see("charging_power") == "0.0"
        assert energy(home) == pytest.approx(1234.5, abs=0.01)
        await home.plug()
        await home.run(75)
        assert power(home) == pytest.approx(11_000, rel=0.01)
        assert 1234.6 < energy(home) <= home.meter().import_kwh + 0.001
        assert float(see("meter_coverage")) > 95


async def test_the_meter_outlives_the_miniserver(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the Miniserver only its own facts are unknown; energy goes on."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        see = home.see[0]
        await home.plug()
        await home.run(60)
        home.simulator.fault("booting")
        await home.simulator.drop(hard=False)
        await eventually(lambda: see("miniserver_connection") == "off")
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
        await eventually(lambda: see("power_limit") == "unavailable")
        assert power(home) > 10_000
        before = energy(home)
        await home.run(61)
        assert energy(home) > before + 0.1
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await home.run(5)
        assert see("charging_power") == "unavailable"


async def test_silent_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its power is unknown, never zero; the car goes on; it is said once."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        see = home.see[0]
        await home.plug()
        await home.run(60)
        before = energy(home)
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await home.run(40)
        assert see("charging_power") == "unknown"
        assert see("meter_connection") == "off"
        assert see("status") == "charging"
        assert energy(home) >= before
        await see.call("switch.turn_off", "charging_allowed")
        await see.call("switch.turn_on", "charging_allowed")
        home.meter().clear()
        await home.run(5)
        assert see("meter_connection") == "on"
        assert power(home) > 10_000
        assert caplog.text.count("gives no readings") == 1
        assert caplog.text.count("The meter of Box 0 is back") == 1


async def test_inverted_wiring(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that counts the other way round is right with the option."""
    async with metered(
        hass, start_simulator, monkeypatch, METER, inverted=True
    ) as home:
        home.meter().fault("swapped", phase=0)
        await home.plug()
        await home.run(30)
        assert power(home) == pytest.approx(11_000, rel=0.01)


async def test_restart_goes_on(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was counted while Home Assistant was away is there."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(30)
        before = energy(home)
        await hass.config_entries.async_unload(home.entry.entry_id)
        home.clock.move(home.clock.time() + 60)
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(5)
        assert home.see[0]("meter_connection") == "on"
        assert energy(home) > before + 0.15
        assert energy(home) == pytest.approx(home.meter().import_kwh, abs=0.02)


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
