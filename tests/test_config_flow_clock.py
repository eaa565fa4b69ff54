"""The questions about clock, bank holidays and agreement, of each wallbox."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .flow_helpers import (
    Result,
    answer,
    change,
    finish,
    live_in_britain,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from .helpers import find_entity
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

HOLIDAYS = ["calendar.bank_holidays", "binary_sensor.workday"]
COMPANY = {
    "aggregator": "Flex Ltd",
    "reference": "K-4711",
    "contact": "Ann, 0316 12345",
}


async def one_box(hass: HomeAssistant, start_simulator: StartSimulator) -> Result:
    """Return the form of the only wallbox, in Britain."""
    await live_in_britain(hass)
    miniserver = await start_simulator(wallboxes=(WallboxConfig(name="Garage"),))
    result = await to_wallboxes(hass, miniserver)
    assert suggestions(result)["profile"] == "gb_2021"
    return result


async def accept_hours(hass: HomeAssistant, result: Result) -> dict[str, Any]:
    """Accept the suggested hours and return what is kept of the wallbox."""
    assert result["step_id"] == "hours"
    result = await answer(hass, result, {"choice": "accept"})
    return settings(await finish(hass, result))["Garage"]


def rules_of(hass: HomeAssistant) -> Any:
    """Return the rules of the only wallbox."""
    [entry] = hass.config_entries.async_loaded_entries("loxone_wallbox")
    [wallbox] = entry.runtime_data.wallboxes.values()
    return wallbox.rules


def zones_of(result: Result) -> dict[str, str]:
    """Return the zones that are offered: labels by name."""
    for marker, value in result["data_schema"].schema.items():
        if str(marker) == "clock":
            fields = {str(key): one for key, one in value.schema.schema.items()}
            options = fields["timezone"].config["options"]
            return {one["value"]: one["label"] for one in options}
    raise AssertionError("no section of the clock")


async def test_as_the_regulation_says(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """By default nobody is asked more, and the clock is the regulation's."""
    result = await one_box(hass, start_simulator)
    zones = zones_of(result)
    assert zones["Europe/London"] == "London (Europe)"
    assert zones["America/Indiana/Knox"] == "Knox (America, Indiana)"
    assert len(zones) > 300
    assert next(iter(zones)) == "profile"
    await hass.config.async_set_time_zone("Europe/Vienna")
    kept = await accept_hours(hass, await answer(hass, result, suggestions(result)))
    assert kept["timezone"] == "profile"
    assert kept["days_off_entities"] == []
    assert "timezone_kept" not in kept
    assert "dsr_agreement" not in kept
    rules = rules_of(hass)
    assert str(rules.zone) == "Europe/London"
    assert not rules.zone_deviates
    assert not rules.days_off_deviate
    assert rules.agreement is None


async def test_another_zone(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Another zone is mentioned; without an answer nothing goes on."""
    result = await one_box(hass, start_simulator)
    answers = {**suggestions(result), "clock": {"timezone": "Europe/Lisbon"}}
    result = await answer(hass, result, answers)
    assert result["step_id"] == "zone"
    assert result["description_placeholders"]["zone"] == "Europe/Lisbon"
    assert result["description_placeholders"]["usual"] == "Europe/London"
    assert suggestions(result) == {}
    result = await answer(hass, result, {})
    assert result["errors"] == {"zone_choice": "zone_choice_missing"}
    kept = await accept_hours(hass, await answer(hass, result, {"zone_choice": "keep"}))
    assert kept["timezone"] == "Europe/Lisbon"
    said = kept["timezone_kept"]
    assert (said["timezone"], said["profile"]) == ("Europe/Lisbon", "gb_2021")
    assert dt_util.parse_datetime(said["at"])
    assert str(rules_of(hass).zone) == "Europe/Lisbon"
    assert rules_of(hass).zone_deviates


async def test_back_to_the_regulation(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Who did not mean it takes the regulation's zone with one click."""
    result = await one_box(hass, start_simulator)
    answers = {**suggestions(result), "clock": {"timezone": "Europe/Lisbon"}}
    result = await answer(hass, result, answers)
    result = await answer(hass, result, {"zone_choice": "profile"})
    kept = await accept_hours(hass, result)
    assert kept["timezone"] == "profile"
    assert "timezone_kept" not in kept
    assert not rules_of(hass).zone_deviates


async def test_change_zone(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It is mentioned once, not at every change; of a new profile again."""
    garage = next(iter(entry.subentries.values()))

    async def choose(**changes: Any) -> Result:
        """Change some answers."""
        result = await change(hass, entry, "Garage")
        return await say(hass, result, {**suggestions(result), **changes})

    # Without a regulation no zone deviates.
    result = await choose(clock={"timezone": "Europe/Lisbon"})
    assert result["reason"] == "reconfigure_successful"
    wallbox = entry.runtime_data.wallboxes[garage.subentry_id]
    assert str(wallbox.rules.zone) == "Europe/Lisbon"
    assert not wallbox.rules.zone_deviates
    result = await choose(profile="de_14a")
    assert result["step_id"] == "zone"
    result = await say(hass, result, {"zone_choice": "keep"})
    assert result["reason"] == "reconfigure_successful"
    said = garage.data["timezone_kept"]
    wallbox = entry.runtime_data.wallboxes[garage.subentry_id]
    assert wallbox.rules.zone_deviates
    result = await choose()
    assert result["reason"] == "reconfigure_successful"
    assert garage.data["timezone_kept"] == said
    result = await choose(clock={"timezone": "profile"})
    assert result["reason"] == "reconfigure_successful"
    assert "timezone_kept" not in garage.data
    wallbox = entry.runtime_data.wallboxes[garage.subentry_id]
    assert str(wallbox.rules.zone) == "Europe/Berlin"


async def test_days_off(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Sources are kept and can be taken away; a plan of ours is none."""
    garage = next(iter(entry.subentries.values()))
    result = await change(hass, entry, "Garage")
    ours = find_entity(hass, miniserver, "plan")
    with pytest.raises(InvalidData):
        await say(
            hass,
            result,
            {**suggestions(result), "clock": {"days_off_entities": [ours]}},
        )
    answers = {**suggestions(result), "clock": {"days_off_entities": HOLIDAYS}}
    await say(hass, result, answers)
    assert garage.data["days_off_entities"] == HOLIDAYS
    result = await change(hass, entry, "Garage")
    assert suggestions(result)["clock"]["days_off_entities"] == HOLIDAYS
    answers = {**suggestions(result), "clock": {"days_off_entities": []}}
    await say(hass, result, answers)
    assert garage.data["days_off_entities"] == []


async def test_agreement(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """With whom is asked, at least by name; the first use still asks for hours."""
    result = await one_box(hass, start_simulator)
    answers = suggestions(result)
    answers["grid"]["under_agreement"] = True
    result = await answer(hass, result, answers)
    assert result["step_id"] == "agreement"
    assert suggestions(result) == {}
    given = {**COMPANY, "aggregator": "  "}
    result = await answer(hass, result, given)
    assert result["errors"] == {"aggregator": "aggregator_missing"}
    # What was typed in is still there.
    assert suggestions(result) == {**COMPANY, "aggregator": ""}
    result = await answer(hass, result, {**COMPANY, "aggregator": " Flex Ltd "})
    assert result["step_id"] == "hours"
    result = await answer(hass, result, {"choice": "remove"})
    entry = await finish(hass, result)
    kept = settings(entry)["Garage"]
    assert {**kept["dsr_agreement"], **COMPANY} == kept["dsr_agreement"]
    assert "under_agreement" not in kept
    assert kept["first_use"]["windows"] == []
    agreement = rules_of(hass).agreement
    assert agreement.aggregator == "Flex Ltd"
    assert agreement.contact == COMPANY["contact"]
    report = await async_get_config_entry_diagnostics(hass, entry)
    [wallbox] = report["wallboxes"]
    assert wallbox["settings"]["dsr_agreement"]["aggregator"] == "Flex Ltd"
    assert wallbox["rules"]["under_agreement"]
    for secret in ("K-4711", "0316 12345", "Ann"):
        assert secret not in repr(report)


async def test_change_agreement(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Its evidence is as old as it is; without one nothing of it is left."""
    garage = next(iter(entry.subentries.values()))

    async def choose(under: bool) -> Result:
        """Say whether there is one."""
        result = await change(hass, entry, "Garage")
        answers = suggestions(result)
        answers["grid"]["under_agreement"] = under
        return await say(hass, result, answers)

    result = await choose(under=True)
    result = await say(hass, result, COMPANY)
    assert result["type"] is FlowResultType.ABORT
    first = dict(garage.data["dsr_agreement"])
    # Nothing of it is changed, so it is as old as it was.
    result = await choose(under=True)
    assert suggestions(result) == COMPANY
    await say(hass, result, COMPANY)
    assert garage.data["dsr_agreement"] == first
    result = await choose(under=True)
    await say(hass, result, {"aggregator": "Other"})
    second = garage.data["dsr_agreement"]
    assert (second["aggregator"], second["reference"]) == ("Other", "")
    assert second["at"] != first["at"]
    # A client that leaves the section out changes nothing in it.
    result = await change(hass, entry, "Garage")
    answers = suggestions(result)
    del answers["grid"]
    result = await say(hass, result, answers)
    assert result["step_id"] == "agreement"
    await say(hass, result, suggestions(result))
    assert garage.data["dsr_agreement"]["aggregator"] == "Other"
    await choose(under=False)
    assert "dsr_agreement" not in garage.data
    assert entry.runtime_data.wallboxes[garage.subentry_id].rules.agreement is None
