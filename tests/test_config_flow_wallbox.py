"""The questions about each wallbox, in the first set-up."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .conftest import PASSWORD, USERNAME, StartSimulator
from .flow_helpers import (
    KEPT_RULES,
    RULES,
    address,
    answer,
    begin,
    fields_of,
    finish,
    options_of,
    settings,
    suggestions,
    to_wallboxes,
)
from .helpers import Surface, eventually
from simulator import Simulator, User, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

GARAGE = WallboxConfig(name="Garage")
TITLES = {
    "online": "Online",
    "charging_error": "Charging error",
    "fault_current": "Fault current",
    "temperature": "Temperature",
    "error_code": "Error code",
}


async def test_pick_one(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Only what is picked is set up."""
    result = await answer(hass, await begin(hass), address(miniserver))
    assert [one["label"] for one in options_of(result, "wallboxes")] == [
        "Garage (Garage)",
        "Carport (Carport)",
    ]
    carport = miniserver.wallboxes[1]
    result = await answer(hass, result, {"wallboxes": [carport.uuid]})
    assert result["description_placeholders"] == {
        "wallbox": "Carport",
        "number": "1",
        "count": "1",
    }
    assert result["last_step"]
    result = await answer(
        hass, result, {**suggestions(result), "name": "  ", "variant": "7kw_air"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = result["result"].subentries.values()
    assert subentry.unique_id == carport.uuid
    # A name of blanks is none.
    assert subentry.title == "Carport"
    assert subentry.data["wallbox_id"] == carport.uuid
    assert subentry.data["variant"] == "7kw_air"


async def test_suggestions(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Name, variant and diagnostic inputs are filled in as they most likely are."""
    result = await to_wallboxes(hass, miniserver)
    garage, carport = miniserver.wallboxes
    assert not result["last_step"]
    assert suggestions(result) == {
        "name": "Garage",
        "variant": "11kw_tree",
        "diagnostic_inputs": {
            name: garage.diagnostic_uuids[title] for name, title in TITLES.items()
        },
        **RULES,
    }
    result = await answer(hass, result, suggestions(result))
    assert result["step_id"] == "same_as"
    result = await answer(hass, result, {"same_as": "own_answers"})
    assert result["step_id"] == "wallbox"
    assert suggestions(result)["variant"] == "7kw_tree"
    answers = {
        "name": "Under the roof",
        "variant": "7kw_air",
        "diagnostic_inputs": {"online": carport.diagnostic_uuids["Online"]},
        "profile": "none",
        "who_delays": "home_assistant",
    }
    result = await answer(hass, result, answers)
    wallboxes = settings(result["result"])
    assert wallboxes["Under the roof"] == {
        "wallbox_id": carport.uuid,
        "variant": "7kw_air",
        "diagnostic_inputs": {"online": carport.diagnostic_uuids["Online"]},
        **KEPT_RULES,
    }
    assert Surface(hass, miniserver, 1).attribute("charging", "friendly_name") == (
        "Under the roof Charging"
    )


async def test_contacts(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Contacts that an installer has wired are found by their names, and followed."""
    box = WallboxConfig(name="Garage", contacts=True)
    miniserver = await start_simulator(wallboxes=(box,))
    result = await to_wallboxes(hass, miniserver)
    garage = miniserver.wallboxes[0]
    contacts = {
        "tamper": garage.diagnostic_uuids["Tamper"],
        "over_temperature": garage.diagnostic_uuids["Over-temperature"],
    }
    assert contacts.items() <= suggestions(result)["diagnostic_inputs"].items()
    entry = await finish(hass, result)
    assert contacts.items() <= settings(entry)["Garage"]["diagnostic_inputs"].items()
    see = Surface(hass, miniserver)
    assert see("tamper") == "off"
    garage.set_contact("Tamper", True)
    await eventually(lambda: see("tamper") == "on")


async def test_no_diagnostic_inputs(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where the installer placed none, none are asked for."""
    box = WallboxConfig(name="Garage", diagnostics=False, room="Yard")
    result = await to_wallboxes(hass, await start_simulator(wallboxes=(box,)))
    assert fields_of(result) == {"name", "variant", *RULES}
    entry = await finish(hass, result)
    assert settings(entry)["Garage"]["diagnostic_inputs"] == {}


async def test_section_is_open_where_something_is_filled_in(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A suggestion is seen before it is taken."""
    miniserver = await start_simulator(
        wallboxes=(GARAGE, WallboxConfig(name="Yard", diagnostics=False, room="Yard"))
    )
    result = await to_wallboxes(hass, miniserver)
    schema = {str(key): one for key, one in result["data_schema"].schema.items()}
    assert schema["diagnostic_inputs"].options == {"collapsed": False}
    result = await answer(hass, result, suggestions(result))
    result = await answer(hass, result, {"same_as": "own_answers"})
    schema = {str(key): one for key, one in result["data_schema"].schema.items()}
    assert schema["diagnostic_inputs"].options == {"collapsed": True}


async def test_same_as(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Answers are taken over, except for what cannot be the same."""
    miniserver = await start_simulator(
        wallboxes=(
            GARAGE,
            WallboxConfig(name="Yard", variant="11kw_air"),
            WallboxConfig(name="Carport", variant="7.4kw_air"),
        )
    )
    result = await to_wallboxes(hass, miniserver)
    result = await answer(
        hass, result, {**suggestions(result), "variant": "11kw_air", "name": "Box"}
    )
    assert result["step_id"] == "same_as"
    assert [one["label"] for one in options_of(result, "same_as")] == [
        "Box",
        "own_answers",
    ]
    assert result["description_placeholders"] == {
        "wallbox": "Yard",
        "number": "2",
        "count": "3",
    }
    result = await answer(hass, result, suggestions(result))
    assert [one["label"] for one in options_of(result, "same_as")][:2] == [
        "Box",
        "Yard",
    ]
    result = await answer(hass, result, {"same_as": miniserver.wallboxes[1].uuid})
    wallboxes = settings(result["result"])
    assert {title: one["variant"] for title, one in wallboxes.items()} == {
        "Box": "11kw_air",
        "Yard": "11kw_air",
        "Carport": "7kw_tree",
    }
    for box in miniserver.wallboxes[1:]:
        assert wallboxes[box.name]["wallbox_id"] == box.uuid
        assert set(wallboxes[box.name]["diagnostic_inputs"].values()) == set(
            box.diagnostic_uuids.values()
        )


async def test_secured_wallbox(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The visualisation password is asked for where it is needed, and works."""
    miniserver = await start_simulator(
        users=(User(name=USERNAME, password=PASSWORD, visu_password="1234"),),
        wallboxes=(
            WallboxConfig(name="Open"),
            WallboxConfig(name="Secured", secured=True),
            WallboxConfig(name="Secured too", secured=True),
            WallboxConfig(name="Open too"),
        ),
    )
    result = await to_wallboxes(hass, miniserver)
    assert "visualisation_password" not in fields_of(result)
    result = await answer(hass, result, suggestions(result))
    # The first one's answers lack the password, so it is asked for nevertheless.
    result = await answer(hass, result, suggestions(result))
    assert result["step_id"] == "wallbox"
    assert "visualisation_password" in fields_of(result)
    result = await answer(
        hass, result, {**suggestions(result), "visualisation_password": "1234"}
    )
    for _ in range(2):
        secured = {"same_as": miniserver.wallboxes[1].uuid}
        result = await answer(hass, result, secured)
    wallboxes = settings(result["result"])
    assert {
        title: one.get("visualisation_password") for title, one in wallboxes.items()
    } == {"Open": None, "Secured": "1234", "Secured too": "1234", "Open too": None}
    state = Surface(hass, miniserver, 2)
    await state.call("switch.turn_off", "charging_allowed")
    assert state("charging_allowed") == "off"
    assert not miniserver.wallboxes[2].enabled
