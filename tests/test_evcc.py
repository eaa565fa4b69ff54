"""What evcc sees of a wallbox, and how it drives it."""

from collections.abc import AsyncIterator

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from custom_components.loxone_wallbox.charging.variants import FACTS, Variant
from custom_components.loxone_wallbox.evcc import current_of, power_of
from simulator import Car, Simulator, WallboxConfig

THREE, ONE = FACTS[Variant.TREE_11KW], FACTS[Variant.AIR_7KW]


@pytest.mark.parametrize(
    ("ampere", "three_kw", "one_kw"),
    [(6, 4.16, 1.38), (10, 6.93, 2.3), (16, 11.0, 3.68)],
)
def test_current_and_power(ampere: float, three_kw: float, one_kw: float) -> None:
    """Each current is a power, which shows as the same current again."""
    for facts, power_kw in ((THREE, three_kw), (ONE, one_kw)):
        assert power_of(ampere, facts, facts.min_kw, facts.max_kw) == power_kw
        assert current_of(power_kw, facts, facts.max_kw) == ampere


def test_never_out_of_range() -> None:
    """The limits of a block that are narrower than its wallbox are kept."""
    assert power_of(6, THREE, 5.0, 9.0) == 5.0
    assert power_of(16, THREE, 5.0, 9.0) == 9.0
    assert power_of(32, ONE, ONE.min_kw, ONE.max_kw) == 7.36
    assert current_of(1.38, THREE, THREE.max_kw) == 6.0
    assert current_of(7.4, ONE, ONE.max_kw) == 32.0


@pytest.fixture(name="boxes")
async def boxes_fixture(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    entity_registry_enabled_by_default: None,
) -> AsyncIterator[tuple[Simulator, MockConfigEntry]]:
    """Return a home with a wallbox of its own and one under a manager."""
    simulator = await start_simulator(
        wallboxes=(
            WallboxConfig(name="Garage", self_test_s=0.1),
            WallboxConfig(name="Carport", managed=True),
        ),
        manager=True,
    )
    entry = await set_up(hass, make_entry(simulator))
    yield simulator, entry
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_charge(
    hass: HomeAssistant, boxes: tuple[Simulator, MockConfigEntry]
) -> None:
    """Letters follow what the vehicle does, and ampere become kW."""
    simulator, _ = boxes
    box, see = simulator.wallboxes[0], Surface(hass, simulator)
    assert see("iec_status") == "A"
    assert see("max_current") == "16.0"
    assert see.attribute("max_current", "max") == 16
    await see.call("switch.turn_off", "charging_allowed")
    box.plug(Car(capacity_kwh=60, energy_kwh=20))
    await eventually(lambda: see("iec_status") == "B")
    await see.call("number.set_value", "max_current", value=6)
    await see.call("switch.turn_on", "charging_allowed")
    await eventually(lambda: see("iec_status") == "C")
    assert see("target_power") == "4.16"
    assert see("max_current") == "6.0"
    await see.call("number.set_value", "max_current", value=10)
    assert box.manual_limit_kw == pytest.approx(6.93)
    box.unplug()
    await eventually(lambda: see("iec_status") == "A")


async def test_under_a_manager(
    hass: HomeAssistant, boxes: tuple[Simulator, MockConfigEntry]
) -> None:
    """There the current is the manager's, and the refusal says so."""
    see = Surface(hass, boxes[0], 1)
    with pytest.raises(HomeAssistantError) as refused:
        await see.call("number.set_value", "max_current", value=10)
    assert refused.value.translation_key == "wallbox_managed"


async def test_disabled_at_first(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Who has no evcc does not see them."""
    registry = er.async_get(hass)
    for key in ("iec_status", "max_current"):
        found = registry.async_get(entity_id(hass, miniserver, key))
        assert found is not None
        assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
