"""The questions about law, rights and grid, of each wallbox."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, section

from .conftest import StartSimulator
from .flow_helpers import (
    KEPT_RULES,
    Result,
    answer,
    change,
    finish,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from .helpers import find_entity
from simulator import Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

GRID = {
    "dsr_entities": ["calendar.saving_sessions", "binary_sensor.relay"],
    "dsr_limit_kw": 4.2,
    "dsr_end_after_min": 90,
    "dsr_response": True,
}
RIGHTS = {
    "automations_may_override": False,
    "plug_in_delay": False,
    "strict": True,
    "priority": 80,
}


def add_user(hass: HomeAssistant, name: str, **properties: Any) -> str:
    """Add a user; returns the id."""
    return MockUser(name=name, **properties).add_to_hass(hass).id


def in_section(result: Result, name: str) -> dict[str, Any]:
    """Return the fields of a section of a form."""
    for marker, value in result["data_schema"].schema.items():
        if str(marker) == name:
            assert isinstance(value, section)
            assert value.options == {"collapsed": True}
            return {str(key): one for key, one in value.schema.schema.items()}
    raise AssertionError(f"no section {name}")


@pytest.mark.parametrize(
    ("country", "profile"),
    [("GB", "gb_2021"), ("DE", "de_14a"), ("AT", "none"), (None, "none")],
)
async def test_country(
    hass: HomeAssistant, miniserver: Simulator, country: str | None, profile: str
) -> None:
    """Only where a law asks for it a regulation is suggested; it is always asked."""
    hass.config.country = country
    result = await to_wallboxes(hass, miniserver)
    assert suggestions(result)["profile"] == profile
    assert suggestions(result)["who_delays"] == "home_assistant"


async def test_answers_are_kept(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What was answered is in the subentry, without the sections of the form."""
    result = await to_wallboxes(
        hass, await start_simulator(wallboxes=(WallboxConfig(name="Garage"),))
    )
    result = await answer(
        hass,
        result,
        {
            **suggestions(result),
            "profile": "de_14a",
            "who_delays": "miniserver",
            "rules": RIGHTS,
            "grid": GRID,
        },
    )
    kept = settings(result["result"])["Garage"]
    rules = {name: kept[name] for name in KEPT_RULES}
    assert rules == {
        "profile": "de_14a",
        "who_delays": "miniserver",
        **RIGHTS,
        **GRID,
        "timezone": "profile",
        "days_off_entities": [],
    }
    # The form gives every number as a float.
    assert [type(kept[one]) for one in ("priority", "dsr_end_after_min")] == [int, int]
    assert type(kept["dsr_limit_kw"]) is float
    assert "first_use" not in kept
    assert "override_users" not in kept


async def test_users(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """People without rights of their own are offered; all of them means everybody."""
    zoe, ann = add_user(hass, "zoe"), add_user(hass, "Ann")
    add_user(hass, "Owner", is_owner=True)
    add_user(hass, "Moved out", is_active=False)
    add_user(hass, "Supervisor", system_generated=True)
    miniserver = await start_simulator(
        wallboxes=(WallboxConfig(name="One"), WallboxConfig(name="Two"))
    )
    result = await to_wallboxes(hass, miniserver)
    field = in_section(result, "rules")["override_users"]
    assert field.config["options"] == [
        {"value": ann, "label": "Ann"},
        {"value": zoe, "label": "zoe"},
    ]
    assert suggestions(result)["rules"]["override_users"] == [ann, zoe]
    result = await answer(hass, result, suggestions(result))
    result = await answer(hass, result, {"same_as": "own_answers"})
    few = {"rules": {"override_users": [zoe]}}
    result = await answer(hass, result, {**suggestions(result), **few})
    kept = settings(result["result"])
    assert "override_users" not in kept["One"]
    assert kept["Two"]["override_users"] == [zoe]


async def test_change_users(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Nobody, some, everybody again; who is gone is no longer suggested."""
    ann, zoe = add_user(hass, "Ann"), add_user(hass, "Zoe")
    garage = next(iter(entry.subentries.values()))

    async def choose(suggested: list[str], chosen: list[str]) -> None:
        """Change the choice of users."""
        result = await change(hass, entry, "Garage")
        answers = suggestions(result)
        assert answers["rules"]["override_users"] == suggested
        answers["rules"]["override_users"] = chosen
        result = await say(hass, result, answers)
        assert result["reason"] == "reconfigure_successful"

    await choose([ann, zoe], [])
    assert garage.data["override_users"] == []
    await choose([], [zoe])
    assert garage.data["override_users"] == [zoe]
    hass.auth._store._users.pop(zoe)
    await choose([], [ann])
    assert "override_users" not in garage.data
    await choose([ann], [])
    # Nobody is left to ask about: what was said before stays.
    hass.auth._store._users.pop(ann)
    result = await change(hass, entry, "Garage")
    assert "override_users" not in in_section(result, "rules")
    await say(hass, result, suggestions(result))
    assert garage.data["override_users"] == []


async def test_change_rules(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A wallbox of before has the defaults; what is changed is suggested again."""
    garage = next(iter(entry.subentries.values()))
    before = dict(garage.data)
    result = await change(hass, entry, "Garage")
    await say(hass, result, suggestions(result))
    assert garage.data == {**before, **KEPT_RULES}
    result = await change(hass, entry, "Garage")
    grid = {**GRID, "under_agreement": False}
    answers = {**suggestions(result), "rules": RIGHTS, "grid": grid}
    await say(hass, result, answers)
    result = await change(hass, entry, "Garage")
    assert suggestions(result) == answers
    # A client that leaves a section out changes nothing in it; an emptied field is one.
    del answers["rules"]
    answers["grid"] = {**GRID, "dsr_entities": []}
    await say(hass, result, answers)
    assert garage.data["dsr_entities"] == []
    assert garage.data["priority"] == 80
    assert garage.data["strict"]


@pytest.mark.parametrize(
    "bad",
    [
        {"profile": "fr_2030"},
        {"who_delays": "the neighbour"},
        {"rules": {"priority": 101}},
        {"rules": {"override_users": ["somebody"]}},
        {"grid": {"dsr_limit_kw": -1}},
        {"grid": {"dsr_limit_kw": 22}},
        {"grid": {"dsr_end_after_min": 0}},
        {"grid": {"dsr_end_after_min": 1441}},
        {"grid": {"dsr_entities": ["switch.relay"]}},
    ],
)
async def test_bad_answers(
    hass: HomeAssistant, start_simulator: StartSimulator, bad: Result
) -> None:
    """What the form does not offer is refused, and a better answer is taken after."""
    add_user(hass, "Ann")
    result = await to_wallboxes(
        hass, await start_simulator(wallboxes=(WallboxConfig(name="Garage"),))
    )
    with pytest.raises(InvalidData):
        await answer(hass, result, {**suggestions(result), **bad})
    assert settings(await finish(hass, result))["Garage"]["profile"] == "none"


async def test_own_entities_are_no_source(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """An entity that follows the events cannot start them."""
    ours = find_entity(hass, miniserver, "charging")
    result = await change(hass, entry, "Garage")
    answers = suggestions(result)
    answers["grid"]["dsr_entities"] = [ours]
    with pytest.raises(InvalidData):
        await say(hass, result, answers)
    answers["grid"]["dsr_entities"] = ["calendar.saving_sessions"]
    result = await say(hass, result, answers)
    assert result["type"] is FlowResultType.ABORT
