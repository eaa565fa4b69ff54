"""Wallboxes that come, change and go later, without disturbing the others."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr

from .conftest import PASSWORD, USERNAME, StartSimulator, make_entry, set_up
from .flow_helpers import (
    RULES,
    add,
    change,
    fields_of,
    options_of,
    say,
    suggestions,
)
from .helpers import Surface, find_entity
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Simulator, User, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")


def devices_of(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str | None = None
) -> list[dr.DeviceEntry]:
    """Return the devices of an entry, or of one of its wallboxes."""
    return [
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if subentry_id in (None, device.config_subentry_id)
    ]


@pytest.fixture
async def first(hass: HomeAssistant, miniserver: Simulator) -> MockConfigEntry:
    """Return an entry with the first of two wallboxes."""
    entry = make_entry(miniserver)
    data = dict(entry.data)
    [garage, _] = [
        {
            "data": dict(one.data),
            "subentry_type": one.subentry_type,
            "title": one.title,
            "unique_id": one.unique_id,
        }
        for one in entry.subentries.values()
    ]
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        unique_id=miniserver.config.serial,
        data=data,
        subentries_data=[garage],
    )
    return await set_up(hass, entry)


@pytest.fixture
def undisturbed(
    hass: HomeAssistant, miniserver: Simulator
) -> Callable[[MockConfigEntry], Any]:
    """Watch the first wallbox: its entities must stay as they are."""

    def watch(entry: MockConfigEntry) -> Callable[[], None]:
        """Start watching; returns the check."""
        events = async_capture_events(hass, EVENT_STATE_CHANGED)
        wallbox = next(iter(entry.runtime_data.wallboxes.values()))
        ours = {entity.entity_id for entity in wallbox.entities}
        assert len(ours) > 5
        objects = {id(entity) for entity in wallbox.entities}

        def check() -> None:
            """Check that it was not disturbed."""
            for event in events:
                if event.data["entity_id"] in ours:
                    assert event.data["new_state"] is not None
                    assert event.data["new_state"].state != "unavailable"
            assert {id(entity) for entity in wallbox.entities} == objects
            assert wallbox in entry.runtime_data.wallboxes.values()
            assert len(miniserver.clients) == 1
            assert entry.runtime_data.miniserver.client.connections == 1

        return check

    return watch


async def test_add(
    hass: HomeAssistant,
    first: MockConfigEntry,
    miniserver: Simulator,
    undisturbed: Callable[..., Any],
) -> None:
    """A second wallbox comes while the first goes on."""
    check = undisturbed(first)
    result = await add(hass, first)
    assert result["step_id"] == "user"
    carport = miniserver.wallboxes[1]
    assert [one["value"] for one in options_of(result, "wallboxes")] == [carport.uuid]
    result = await say(hass, result, suggestions(result))
    assert result["step_id"] == "wallbox"
    assert result["last_step"]
    box = Surface(hass, miniserver, 0)
    await box.call("number.set_value", "target_power", value=7)
    result = await say(hass, result, {**suggestions(result), "variant": "7kw_air"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [one.title for one in first.subentries.values()] == ["Garage", "Carport"]
    await box.call("switch.turn_off", "charging_allowed")
    await Surface(hass, miniserver, 1).call("switch.turn_off", "charging_allowed")
    assert [one.enabled for one in miniserver.wallboxes] == [False, False]
    assert box("target_power") == "7.0"
    check()

    result = await add(hass, first)
    assert result["reason"] == "no_more_wallboxes"


async def test_added_twice(
    hass: HomeAssistant, first: MockConfigEntry, miniserver: Simulator
) -> None:
    """Two dialogues for the same wallbox end in one wallbox."""
    one, two = await add(hass, first), await add(hass, first)
    one = await say(hass, one, suggestions(one))
    two = await say(hass, two, suggestions(two))
    one = await say(hass, one, suggestions(one))
    assert one["type"] is FlowResultType.CREATE_ENTRY
    two = await say(hass, two, suggestions(two))
    assert two["reason"] == "already_configured"
    assert len(first.subentries) == 2


async def test_gone_while_the_form_was_shown(
    hass: HomeAssistant, first: MockConfigEntry, miniserver: Simulator
) -> None:
    """A wallbox that Loxone Config took away meanwhile cannot be added."""
    await miniserver.change_structure(add=(WallboxConfig(name="New"),), down_s=0.0)
    client = first.runtime_data.miniserver.client
    client._structure = None
    await client.connect()
    await hass.async_block_till_done()
    result = await add(hass, first)
    assert len(options_of(result, "wallboxes")) == 2
    carport = miniserver.wallboxes[1].uuid
    wallboxes = dict(client.structure.wallboxes)
    del wallboxes[carport]
    object.__setattr__(client.structure, "wallboxes", wallboxes)
    result = await say(hass, result, {"wallboxes": carport})
    assert result["step_id"] == "user"
    assert carport not in [one["value"] for one in options_of(result, "wallboxes")]


async def test_not_loaded(
    hass: HomeAssistant, first: MockConfigEntry, miniserver: Simulator
) -> None:
    """Without the Miniserver nothing is known that could be asked."""
    changing = await change(hass, first, "Garage")
    hass.config_entries.subentries.async_abort(changing["flow_id"])
    await hass.config_entries.async_unload(first.entry_id)
    assert (await add(hass, first))["reason"] == "not_loaded"
    assert (await change(hass, first, "Garage"))["reason"] == "not_loaded"


async def test_change(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    undisturbed: Callable[..., Any],
) -> None:
    """Name, variant and inputs of one wallbox change, the other goes on."""
    check = undisturbed(entry)
    carport = miniserver.wallboxes[1]
    before = find_entity(hass, miniserver, "charging", 1)
    rebuilt = list(entry.runtime_data.wallboxes.values())[1]
    result = await change(hass, entry, "Carport")
    assert suggestions(result) == {
        "name": "Carport",
        "variant": "7kw_air",
        "diagnostic_inputs": {},
        **RULES,
    }
    answers = {
        "name": "Roof",
        "variant": "7kw_tree",
        "diagnostic_inputs": {"online": carport.diagnostic_uuids["Online"]},
        **RULES,
    }
    result = await say(hass, result, answers)
    assert result["reason"] == "reconfigure_successful"
    [device] = devices_of(hass, entry, list(entry.subentries)[1])
    assert device.name == "Roof"
    assert device.model_id == "100535"
    assert rebuilt not in entry.runtime_data.wallboxes.values()
    assert find_entity(hass, miniserver, "charging", 1) == before
    await Surface(hass, miniserver, 1).call("switch.turn_off", "charging_allowed")
    assert not carport.enabled
    check()

    result = await change(hass, entry, "Roof")
    assert suggestions(result) == answers


async def test_input_that_is_gone(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A mapped control that the Miniserver no longer has is not suggested."""
    [garage, _] = entry.subentries.values()
    online = miniserver.wallboxes[0].diagnostic_uuids["Online"]
    inputs = {"online": online, "error_code": "gone"}
    hass.config_entries.async_update_subentry(
        entry, garage, data={**garage.data, "diagnostic_inputs": inputs}
    )
    await hass.async_block_till_done()
    result = await change(hass, entry, "Garage")
    assert suggestions(result)["diagnostic_inputs"] == {"online": online}
    await say(hass, result, suggestions(result))
    assert garage.data["diagnostic_inputs"] == {"online": online}


async def test_inputs_that_are_not_asked_for_stay(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where the Miniserver shows no such controls now, the mapping is kept."""
    miniserver = await start_simulator(
        wallboxes=(WallboxConfig(name="Garage", diagnostics=False),)
    )
    inputs = {"online": "gone"}
    entry = await set_up(hass, make_entry(miniserver, diagnostic_inputs=inputs))
    result = await change(hass, entry, "Garage")
    await say(hass, result, {"name": "Garage", "variant": "11kw_air"})
    [garage] = entry.subentries.values()
    assert garage.data["variant"] == "11kw_air"
    assert garage.data["diagnostic_inputs"] == inputs


async def test_password_left_empty_stays(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The visualisation password is never shown, and only replaced by another one."""
    miniserver = await start_simulator(
        users=(User(name=USERNAME, password=PASSWORD, visu_password="1234"),),
        wallboxes=(WallboxConfig(name="Garage", secured=True),),
    )
    entry = await set_up(hass, make_entry(miniserver, visualisation_password="1234"))
    [subentry] = entry.subentries.values()
    for typed, kept in (({}, "1234"), ("", "1234"), ("12", "12")):
        result = await change(hass, entry, "Garage")
        assert "visualisation_password" in fields_of(result)
        assert "1234" not in str(suggestions(result))
        answers = suggestions(result)
        if isinstance(typed, str):
            answers["visualisation_password"] = typed
        result = await say(hass, result, answers)
        assert result["reason"] == "reconfigure_successful"
        assert subentry.data["visualisation_password"] == kept


async def test_change_of_a_missing_wallbox(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """What the Miniserver no longer has cannot be changed."""
    entry = make_entry(miniserver)
    miniserver.unit.world.remove(miniserver.wallboxes[1])
    miniserver.unit.structure.touch()
    await set_up(hass, entry)
    result = await change(hass, entry, "Carport")
    assert result["reason"] == "wallbox_missing"


async def test_delete(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    undisturbed: Callable[..., Any],
) -> None:
    """A deleted wallbox takes its own device along; added again it is the same."""
    check = undisturbed(entry)
    carport = miniserver.wallboxes[1]
    subentry_id = list(entry.subentries)[1]
    [before] = devices_of(hass, entry, subentry_id)
    assert before.identifiers == {
        (DOMAIN, f"{miniserver.config.serial}_{carport.uuid}")
    }
    charging = find_entity(hass, miniserver, "charging", 1)
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert find_entity(hass, miniserver, "charging", 1) is None
    assert list(entry.runtime_data.wallboxes) == list(entry.subentries)
    assert {one.name for one in devices_of(hass, entry)} == {"Home", "Garage"}
    check()

    result = await add(hass, entry)
    result = await say(hass, result, suggestions(result))
    await say(hass, result, suggestions(result))
    [after] = devices_of(hass, entry, list(entry.subentries)[1])
    assert after.id == before.id
    assert find_entity(hass, miniserver, "charging", 1) == charging
    check()
