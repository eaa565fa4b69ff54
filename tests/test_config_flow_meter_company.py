"""Other integrations on the line are warned of, and never pushed aside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.modbus import async_get_temporary_unit, async_get_unit
from homeassistant.components.modbus.const import DATA_MODBUS_HUBS, DOMAIN as MODBUS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.setup import async_setup_component

from .conftest import StartSimulator
from .meter_flow import ONE_PHASE, Home, Wizard, build, port_of
from custom_components.loxone_wallbox import flow_meter_probe
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Transport
from simulator import MeterConfig

pytestmark = pytest.mark.usefixtures("unload_all")

SDM120 = "eastron_sdm120"
SDM630 = "eastron_sdm630"
LINKS: dict[Transport, Literal["tcp", "rtu_tcp"]] = {
    Transport.TCP: "tcp",
    Transport.RTU_OVER_TCP: "rtu_tcp",
}


async def at_serial(home: Home) -> Wizard:
    """Return the wizard where it asks for a serial line."""
    wizard = await home.wizard()
    await wizard.model(SDM120, "serial")
    return wizard


async def at_network(home: Home, transport: Transport) -> Wizard:
    """Return the wizard where it asks for the address of a gateway."""
    wizard = await home.wizard()
    await wizard.model(SDM630, transport.value)
    return wizard


def theirs(home: Home, transport: Transport) -> MeterSettings:
    """Return what somebody else reads through the gateway of the first meter."""
    return MeterSettings(
        profile_id=SDM630,
        transport=transport,
        host="127.0.0.1",
        port=port_of(home.meter),
        baudrate=115200,
    )


@asynccontextmanager
async def heat_pump(
    hass: HomeAssistant, settings: MeterSettings
) -> AsyncIterator[None]:
    """Have another integration read a unit of its own on the same line."""
    entry = MockConfigEntry(domain="heat_pump", title="Heat pump")
    entry.add_to_hass(hass)
    async_get_unit(hass, entry, settings.params, 9)
    try:
        yield
    finally:
        await entry._async_process_on_unload(hass)


async def test_other_line_settings(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Who else uses the line with other settings is not pushed aside."""
    config = MeterConfig(profile="sdm120", link="pty")
    home = await build(hass, start_simulator, config, wallboxes=(ONE_PHASE,))
    wizard = await at_serial(home)
    other = MeterSettings(
        profile_id=SDM120,
        transport=Transport.SERIAL,
        device=home.meter.address,
        baudrate=19200,
    )
    async with async_get_temporary_unit(hass, other.params, 9):
        await wizard.say(device=other.device)
        assert wizard.errors == {"base": "meter_line_in_use"}
        assert await wizard.say(baudrate="19200") == "meter_values"
    wizard.leave()


@pytest.mark.slow
async def test_search_beside_another_integration(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a line whose settings somebody else holds, only those are tried."""
    monkeypatch.setattr(flow_meter_probe, "UNIT_IDS", (3,))
    config = MeterConfig(profile="sdm120", link="pty", unit=3)
    home = await build(hass, start_simulator, config, wallboxes=(ONE_PHASE,))
    wizard = await at_serial(home)
    other = MeterSettings(
        profile_id=SDM120,
        transport=Transport.SERIAL,
        device=home.meter.address,
        baudrate=19200,
    )
    at = {"device": other.device, "unit_id": 5, "connection_next": "search"}
    async with async_get_temporary_unit(hass, other.params, 9):
        monkeypatch.setattr(flow_meter_probe, "LINES", ())
        assert await wizard.say(**at) == "meter_serial"
        assert wizard.errors == {"base": "meter_line_in_use"}
        monkeypatch.setattr(flow_meter_probe, "LINES", ((19200, "N", 1),))
        assert await wizard.say(**at) == "meter_values"
    assert wizard.texts["place"] == f"{other.device} (19200 8N1)"
    assert wizard.texts["unit"] == "3"
    wizard.leave()


@pytest.mark.parametrize("transport", list(LINKS))
async def test_integration_on_the_gateway(
    hass: HomeAssistant, start_simulator: StartSimulator, transport: Transport
) -> None:
    """Who shares the connection is mentioned; a line has no room for a second one."""
    config = MeterConfig(profile="sdm630", link=LINKS[transport])
    home = await build(hass, start_simulator, config)
    other = theirs(home, transport)
    wizard = await at_network(home, transport)
    at = {"host": other.host, "port": other.port}
    async with heat_pump(hass, other):
        step = await wizard.say(**at, sharing="dedicated")
        if transport is Transport.RTU_OVER_TCP:
            assert step == "meter_network"
            assert wizard.errors == {"sharing": "meter_line_of_guest"}
            step = await wizard.say(sharing="shared")
        assert step == "meter_values"
        assert wizard.errors == {"base": "meter_company"}
        assert wizard.texts["other"] == "Heat pump"
    assert await wizard.say(meter_next="again") == "meter_values"
    assert wizard.errors == {}
    wizard.leave()


@asynccontextmanager
async def cellar(hass: HomeAssistant, settings: MeterSettings) -> AsyncIterator[None]:
    """Have a hub of configuration.yaml read something through the same gateway."""
    sensor = {"name": "Volts", "address": 0, "input_type": "input", "slave": 9}
    hub = {
        "name": "cellar",
        "type": settings.transport.value.replace("_", ""),
        "host": settings.host,
        "port": settings.port,
        "sensors": [sensor],
    }
    assert await async_setup_component(hass, MODBUS, {MODBUS: [hub]})
    try:
        yield
    finally:
        for platform in async_get_platforms(hass, MODBUS):
            await platform.async_reset()
        await hass.data[DATA_MODBUS_HUBS]["cellar"].async_close()


@pytest.mark.parametrize("transport", list(LINKS))
async def test_hub_on_the_gateway(
    hass: HomeAssistant, start_simulator: StartSimulator, transport: Transport
) -> None:
    """A hub of configuration.yaml shares its connection with nobody."""
    # Two readers at a time keep no pause.
    config = MeterConfig(profile="sdm630", link=LINKS[transport], pause_s=0)
    home = await build(hass, start_simulator, config)
    other = theirs(home, transport)
    async with cellar(hass, other):
        wizard = await at_network(home, transport)
        step = await wizard.say(host=other.host, port=other.port)
        assert wizard.texts["other"] == "cellar"
        if transport is Transport.TCP:
            assert step == "meter_values"
            assert wizard.errors == {"base": "meter_company"}
        else:
            assert step == "meter_network"
            assert wizard.errors == {"base": "meter_line_of_hub"}
        wizard.leave()


def test_address_in_brackets() -> None:
    """The colons of an IPv6 address are no port, on either kind of connection."""
    settings = MeterSettings(
        profile_id=SDM630, transport=Transport.RTU_OVER_TCP, host="fd00::5"
    )
    assert settings.params.endpoint == ("serial", "socket://[fd00::5]:502")
