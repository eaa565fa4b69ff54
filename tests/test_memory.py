"""What goes on across a restart, and what takes its time."""

import asyncio
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_restore_state_shutdown_restart,
)
from syrupy.assertion import SnapshotAssertion

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.meter.quality import EnergyMemory
from simulator import Car, ManualClock, Simulator, WallboxConfig


async def close(hass: HomeAssistant) -> None:
    """Unload what is set up."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)


async def box_at(start: StartSimulator, total_kwh: float) -> Simulator:
    """Return a Miniserver with one wallbox whose meter says so much."""
    return await start(wallboxes=(WallboxConfig(name="Garage", total_kwh=total_kwh),))


async def restart_with(
    hass: HomeAssistant, entry: MockConfigEntry, simulator: Simulator
) -> Surface:
    """Let Home Assistant restart while the Miniserver becomes another one."""
    await async_mock_restore_state_shutdown_restart(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "port": simulator.port}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return Surface(hass, simulator)


async def test_energy_after_a_restart(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What was drawn meanwhile is booked, a lower meter is not believed at once."""
    first = await box_at(start_simulator, 100.0)
    entry = await set_up(hass, make_entry(first))
    assert Surface(hass, first)("energy_total") == "100.0"
    state = await restart_with(hass, entry, await box_at(start_simulator, 100.1))
    assert state("energy_total") == "100.1"
    state = await restart_with(hass, entry, await box_at(start_simulator, 0.3))
    assert state("energy_total") == "100.1"
    state = await restart_with(hass, entry, await box_at(start_simulator, 9100.0))
    assert state("energy_total") == "100.1"
    await close(hass)


async def test_damaged_memory_starts_anew(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store that cannot be read does not stop the sensor."""
    first = await box_at(start_simulator, 100.0)
    entry = await set_up(hass, make_entry(first))
    monkeypatch.setattr(EnergyMemory, "as_dict", lambda _: {"reading_kwh": "much"})
    state = await restart_with(hass, entry, await box_at(start_simulator, 50.0))
    assert state("energy_total") == "50.0"
    await close(hass)


async def test_the_wish_goes_on_after_a_restart(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A target power is still known while another mode is in force."""
    simulator = await box_at(start_simulator, 100.0)
    entry = await set_up(hass, make_entry(simulator))
    state = Surface(hass, simulator)
    await state.call("number.set_value", "target_power", value=6.5)
    await state.call("select.select_option", "charge_mode", option="Eco")
    assert state("target_power") == "6.5"
    state = await restart_with(hass, entry, simulator)
    assert state("target_power") == "6.5"
    assert state("charge_mode") == "Eco"
    await close(hass)


async def test_finished_after_three_minutes(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A car that took energy and then nothing for three minutes is full."""
    clock = ManualClock(dt_util.utcnow().timestamp())
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(clock.time())
    )
    simulator = await start_simulator(
        clock=clock, wallboxes=(WallboxConfig(name="Garage"),)
    )
    await set_up(hass, make_entry(simulator))
    state = Surface(hass, simulator)

    async def passes(seconds: float) -> None:
        """Let time pass for the world and for Home Assistant."""
        simulator.advance(seconds)
        await asyncio.sleep(0.05)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=0.5))
        await hass.async_block_till_done()

    simulator.wallboxes[0].plug(Car(capacity_kwh=50, energy_kwh=49))
    await passes(30)
    await eventually(lambda: state("status") == "charging")
    await passes(3600)
    await eventually(lambda: state("charging") == "off")
    assert float(state("energy_total")) > 100.9
    assert state("status") == "waiting_for_vehicle"
    await passes(175)
    assert state("status") == "waiting_for_vehicle"
    await passes(10)
    assert state("status") == "finished"
    simulator.wallboxes[0].unplug()
    await eventually(lambda: state("status") == "disconnected")
    await close(hass)


async def test_entities(
    hass: HomeAssistant,
    entity_registry_enabled_by_default: None,
    start_simulator: StartSimulator,
    snapshot: SnapshotAssertion,
) -> None:
    """Every entity, with what an owner and an automation see of it.

    Only what we decide: the registry's own fields differ between releases.
    """
    simulator = await start_simulator(wallboxes=(WallboxConfig(name="Garage"),))
    entry = await set_up(hass, make_entry(simulator))
    seen = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        state = hass.states.get(entity.entity_id)
        assert state is not None
        seen[entity.entity_id] = {
            "unique_id": entity.unique_id,
            "category": entity.entity_category,
            "translation_key": entity.translation_key,
            "state": state.state,
            "attributes": {
                str(name): value
                for name, value in sorted(state.attributes.items())
                # Of this month, which the test does not choose.
                if name != "last_reset"
            },
        }
    assert dict(sorted(seen.items())) == snapshot
    await close(hass)


async def test_devices(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """The Miniserver is a device, and so is each wallbox below it."""
    registry = dr.async_get(hass)
    devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
    unit = next(device for device in devices if device.via_device_id is None)
    assert unit.identifiers == {(DOMAIN, "504F94A00001")}
    assert unit.connections == {(dr.CONNECTION_NETWORK_MAC, "50:4f:94:a0:00:01")}
    assert (unit.manufacturer, unit.name, unit.sw_version) == (
        "Loxone",
        "Home",
        "16.1.11.6",
    )
    boxes = [device for device in devices if device.via_device_id == unit.id]
    assert {(box.name, box.model_id) for box in boxes} == {
        ("Garage", "100526"),
        ("Carport", "100536"),
    }


async def test_a_missing_energy_entity_stops_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """The owner may disable the energy sensor; the rest goes on."""
    energy = entity_id(hass, miniserver, "energy_total")
    er.async_get(hass).async_update_entity(
        energy, disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    coordinators: list[WallboxCoordinator] = list(entry.runtime_data.wallboxes.values())
    assert coordinators[0].energy is None
    state = Surface(hass, miniserver)
    miniserver.wallboxes[0].plug(Car())
    await eventually(lambda: state("vehicle_connected") == "on")
