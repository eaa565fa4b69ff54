"""The way of a newcomer: plug in, allow, limit, pause, unplug."""

import asyncio
from collections.abc import Callable

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from simulator import Car, Simulator, WallboxConfig

from .conftest import StartSimulator, make_entry, set_up


def entity_id(hass: HomeAssistant, simulator: Simulator, key: str, box: int = 0) -> str:
    """Return the entity of a wallbox by its key."""
    unique_id = f"{simulator.config.serial}_{simulator.wallboxes[box].uuid}_{key}"
    for entity in er.async_get(hass).entities.values():
        if entity.unique_id == unique_id:
            return entity.entity_id
    raise AssertionError(f"no entity {key}")


async def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


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

    def state(key: str) -> str:
        """Return the state of an entity."""
        found = hass.states.get(entity_id(hass, miniserver, key))
        return "" if found is None else found.state

    async def call(domain: str, service: str, key: str, **data: object) -> None:
        """Call a service on an entity."""
        await hass.services.async_call(
            domain,
            service,
            {"entity_id": entity_id(hass, miniserver, key), **data},
            blocking=True,
        )

    assert state("status") == "disconnected"
    box.plug(Car(capacity_kwh=77, energy_kwh=17))
    await eventually(lambda: state("vehicle_connected") == "on")
    assert state("status") == "paused"

    await call("switch", "turn_on", "charging_allowed")
    assert state("charging_allowed") == "on"
    await eventually(lambda: state("status") == "charging")
    await call("number", "set_value", "target_power", value=6)
    assert state("power_limit") == "6.0"
    assert state("charge_mode") == "manual"
    await eventually(lambda: 5800 < float(state("charging_power")) <= 6001)

    await call("switch", "turn_off", "charging_allowed")
    await eventually(lambda: state("status") == "paused")
    assert state("power_limit") == "0.0"
    box.unplug()
    await eventually(lambda: state("status") == "disconnected")
    assert [
        command.text.partition(f"{box.uuid}/")[2] for command in miniserver.commands
    ] == [
        "allow/on",
        "manualLimit/6",
        "allow/off",
    ]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_unload_closes_cleanly(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """The Miniserver's slot is free after an unload."""
    assert len(miniserver.clients) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    await eventually(lambda: not miniserver.clients)
    assert entry.state is ConfigEntryState.NOT_LOADED
