"""The way of a newcomer: plug in, allow, limit, pause, unplug."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from simulator import Car, Simulator, WallboxConfig


async def test_first_charge(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Everything a newcomer does first works on the real protocol."""
    miniserver = await start_simulator(
        wallboxes=(WallboxConfig(name="Garage", self_test_s=0.2, allowed=False),)
    )
    box = miniserver.wallboxes[0]
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.LOADED
    state = Surface(hass, miniserver)

    assert state("status") == "disconnected"
    box.plug(Car(capacity_kwh=77, energy_kwh=17))
    await eventually(lambda: state("vehicle_connected") == "on")
    assert state("status") == "paused"

    await state.call("switch.turn_on", "charging_allowed")
    assert state("charging_allowed") == "on"
    await eventually(lambda: state("status") == "charging")
    await state.call("number.set_value", "target_power", value=6)
    assert state("power_limit") == "6.0"
    assert state("charge_mode") == "manual"
    await eventually(lambda: 5800 < float(state("charging_power")) <= 6001)

    await state.call("switch.turn_off", "charging_allowed")
    await eventually(lambda: state("status") == "paused")
    assert state("power_limit") == "0.0"
    box.unplug()
    await eventually(lambda: state("status") == "disconnected")
    assert state.commands == ["allow/on", "manualLimit/6", "allow/off"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_unload_closes_cleanly(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """The Miniserver's slot is free after an unload."""
    assert len(miniserver.clients) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    await eventually(lambda: not miniserver.clients)
    assert entry.state is ConfigEntryState.NOT_LOADED
