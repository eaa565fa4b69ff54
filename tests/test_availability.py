"""What the owner sees while a link is lost, and how often it is said."""

from collections.abc import AsyncIterator
from datetime import timedelta
import logging

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from custom_components.loxone_wallbox.diagnostic_inputs import likely_inputs
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, Simulator

ALWAYS_THERE = {"status", "miniserver_connection", "alert"}
KEYS = (
    "status",
    "charging_power",
    "energy_total",
    "power_limit",
    "firmware",
    "vehicle_connected",
    "charging",
    "problem",
    "miniserver_connection",
    "charging_allowed",
    "target_power",
    "charge_mode",
    "mode_after_unplug",
    "alert",
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


@pytest.fixture
async def mapped(
    hass: HomeAssistant, miniserver: Simulator
) -> AsyncIterator[MockConfigEntry]:
    """Return an entry whose first wallbox has its diagnostic inputs mapped."""
    entry = await set_up(hass, make_entry(miniserver))
    structure = entry.runtime_data.miniserver.client.structure
    box = miniserver.wallboxes[0]
    subentry = next(
        one for one in entry.subentries.values() if one.unique_id == box.uuid
    )
    inputs = likely_inputs(structure.wallboxes[box.uuid], structure)
    assert set(inputs) == {
        "online",
        "charging_error",
        "fault_current",
        "temperature",
        "error_code",
    }
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "diagnostic_inputs": inputs}
    )
    await hass.async_block_till_done()
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_short_loss_hides_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A link that comes back within the grace is nobody's business."""
    state = Surface(hass, miniserver)
    await miniserver.drop(hard=True)
    await eventually(lambda: state("miniserver_connection") == "off")
    assert state("charging_power") == "0.0"
    assert state("status") == "disconnected"
    await eventually(lambda: state("miniserver_connection") == "on")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=60))
    await hass.async_block_till_done()
    assert state("charging_power") == "0.0"
    assert "is lost" not in caplog.text


async def test_a_long_loss_is_said_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After the grace everything is unavailable, and back by itself."""
    caplog.set_level(logging.INFO, "custom_components.loxone_wallbox")
    state = Surface(hass, miniserver)
    box = miniserver.wallboxes[0]
    miniserver.fault("booting")
    await miniserver.drop(hard=False)
    await eventually(lambda: state("miniserver_connection") == "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=29))
    await hass.async_block_till_done()
    assert state("charging_power") != "unavailable"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await hass.async_block_till_done()
    for key in KEYS:
        gone = state(key) == "unavailable"
        assert gone is (key not in ALWAYS_THERE), key
    assert state("status") == "unreachable"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=600))
    await hass.async_block_till_done()

    box.plug(Car())
    miniserver.clear()
    await eventually(lambda: state("miniserver_connection") == "on", 10)
    assert state("vehicle_connected") == "on"
    assert state("status") != "unreachable"
    lines = [
        record.levelname
        for record in caplog.records
        if record.name.startswith("custom_components.loxone_wallbox")
        and "link to the Miniserver" in record.message
    ]
    assert lines == ["WARNING", "INFO"]


async def test_a_longer_grace_by_option(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """The owner's option counts, without a reload."""
    hass.config_entries.async_update_entry(entry, options={"unavailable_after": 120})
    state = Surface(hass, miniserver)
    miniserver.fault("booting")
    await miniserver.drop()
    await eventually(lambda: state("miniserver_connection") == "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=119))
    await hass.async_block_till_done()
    assert state("status") == "disconnected"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=121))
    await hass.async_block_till_done()
    assert state("status") == "unreachable"
    miniserver.clear()


async def test_a_wallbox_that_is_offline(
    hass: HomeAssistant, mapped: MockConfigEntry, miniserver: Simulator
) -> None:
    """Only the wallbox without its link is unreachable, not the other one."""
    state, other = Surface(hass, miniserver), Surface(hass, miniserver, 1)
    assert state("problem") == "off"
    assert other("problem") == "unknown"
    miniserver.wallboxes[0].set_online(False)
    await eventually(lambda: state("status") == "unreachable")
    assert state("charging_power") == "unavailable"
    assert state("miniserver_connection") == "on"
    assert other("status") == "disconnected"
    miniserver.wallboxes[0].set_online(True)
    await eventually(lambda: state("status") == "disconnected")


@pytest.mark.parametrize(
    ("code", "fault"),
    [(101, "fault_current"), (203, "digital_communication"), (300, "voltage_dip")],
)
async def test_a_fault_in_words(
    hass: HomeAssistant,
    mapped: MockConfigEntry,
    miniserver: Simulator,
    code: int,
    fault: str,
) -> None:
    """The error code comes as a word, and the status says so."""
    state = Surface(hass, miniserver)
    miniserver.wallboxes[0].set_error(code)
    await eventually(lambda: state("problem") == "on" and state("status") == "fault")
    assert state.attribute("problem", "fault") == fault
    miniserver.wallboxes[0].set_error(0)
    await eventually(lambda: state("problem") == "off")
    assert state("status") == "disconnected"


async def test_two_miniservers_side_by_side(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Each has its own link, devices and entities."""
    first = await start_simulator(serial="504F94A00001", name="House")
    second = await start_simulator(serial="504F94A00002", name="Office")
    entries = [await set_up(hass, make_entry(one)) for one in (first, second)]
    here, there = Surface(hass, first), Surface(hass, second)
    assert entity_id(hass, first, "status") != entity_id(hass, second, "status")
    second.wallboxes[0].plug(Car())
    await eventually(lambda: there("vehicle_connected") == "on")
    assert here("vehicle_connected") == "off"
    second.fault("booting")
    await second.drop()
    await eventually(lambda: there("miniserver_connection") == "off")
    assert here("miniserver_connection") == "on"
    for entry in entries:
        await hass.config_entries.async_unload(entry.entry_id)


async def test_asked_for_an_update(
    hass: HomeAssistant, mapped: MockConfigEntry, miniserver: Simulator
) -> None:
    """Nothing is asked of the Miniserver for it, and nothing becomes unavailable."""
    await async_setup_component(hass, "homeassistant", {})
    see = Surface(hass, miniserver)
    before = {key: see(key) for key in KEYS}
    for key in ("status", "miniserver_connection", "charging_power"):
        await see.call("homeassistant.update_entity", key)
    # The request is gathered for some seconds before it is carried out.
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=30))
    await hass.async_block_till_done()
    runtime = mapped.runtime_data
    assert runtime.miniserver.last_update_success
    assert all(one.last_update_success for one in runtime.wallboxes.values())
    assert {key: see(key) for key in KEYS} == before


async def test_the_temperature(
    hass: HomeAssistant, mapped: MockConfigEntry, miniserver: Simulator
) -> None:
    """It is shown where its input is chosen, and gone with it."""
    see = Surface(hass, miniserver)
    await eventually(lambda: see("temperature") == "24.0")
    assert see.attribute("temperature", "unit_of_measurement") == "°C"
    shown = entity_id(hass, miniserver, "temperature")
    box = miniserver.wallboxes[0]
    [subentry] = [
        one for one in mapped.subentries.values() if one.unique_id == box.uuid
    ]
    hass.config_entries.async_update_subentry(
        mapped, subentry, data={**subentry.data, "diagnostic_inputs": {}}
    )
    await hass.async_block_till_done()
    assert hass.states.get(shown) is None
