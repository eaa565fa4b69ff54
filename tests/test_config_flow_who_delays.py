"""Who applies the random delay: what each answer means, and that it is evidence."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import (
    Result,
    answer,
    change,
    options_of,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from .flow_texts import LANGUAGES
from custom_components.loxone_wallbox.flow_rules import WHO_DELAYS
from simulator import Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

OTHERS = ["miniserver", "aggregator", "nobody"]
ATTENTION = {"en": "attention", "de": "Achtung"}


def steps(texts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms that ask the question."""
    of_subentry = texts["config_subentries"]["wallbox"]["step"]
    return [
        texts["config"]["step"]["wallbox"],
        of_subentry["wallbox"],
        of_subentry["reconfigure"],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_explained(language: str) -> None:
    """Each is named as it can be chosen; that nobody delays is not kept quiet."""
    texts = LANGUAGES[language]
    names = texts["selector"]["who_delays"]["options"]
    assert set(names) == set(WHO_DELAYS)
    for step in steps(texts):
        explained = step["data_description"]["who_delays"]
        at = [explained.index(f"{names[one]}:") for one in WHO_DELAYS]
        assert at == sorted(at)
        _, _, nobody = explained.partition(f"{names['nobody']}:")
        assert ATTENTION[language] in nobody


def exemption(entry: Any, title: str = "Garage") -> Any:
    """Return the record of an answer that makes us not delay, None without one."""
    return settings(entry)[title].get("exemption")


async def test_only_home_assistant_needs_no_record(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where we delay ourselves there is nothing to be excused."""
    wallboxes = (WallboxConfig(name="Garage"),)
    result = await to_wallboxes(hass, await start_simulator(wallboxes=wallboxes))
    assert options_of(result, "who_delays") == WHO_DELAYS
    result = await answer(hass, result, suggestions(result))
    assert "exemption" not in settings(result["result"])["Garage"]


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("profile", ["none", "de_14a"])
async def test_record(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    freezer: FrozenDateTimeFactory,
    profile: str,
    who: str,
) -> None:
    """Any other answer is kept with the time in UTC, under every regulation."""
    wallboxes = (WallboxConfig(name="Garage"),)
    result = await to_wallboxes(hass, await start_simulator(wallboxes=wallboxes))
    freezer.tick(7)
    now = dt_util.utcnow()
    answers = {**suggestions(result), "profile": profile, "who_delays": who}
    result = await answer(hass, result, answers)
    kept = exemption(result["result"])
    assert kept == {"who": who, "at": now.isoformat(), "by": None}
    assert datetime.fromisoformat(kept["at"]).utcoffset() == timedelta(0)


async def test_record_of_one_like_another(
    hass: HomeAssistant, miniserver: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """An answer that is copied is given now."""
    result = await to_wallboxes(hass, miniserver)
    answers = {**suggestions(result), "who_delays": "nobody"}
    result = await answer(hass, result, answers)
    assert result["step_id"] == "same_as"
    freezer.tick(60)
    result = await answer(hass, result, suggestions(result))
    one = exemption(result["result"], "Garage")
    two = exemption(result["result"], "Carport")
    assert two["who"] == one["who"] == "nobody"
    assert two["at"] == dt_util.utcnow().isoformat() != one["at"]


async def choose(
    hass: HomeAssistant, entry: MockConfigEntry, who: str, **changes: Any
) -> None:
    """Change the answer of a wallbox."""
    result: Result = await change(hass, entry, "Garage")
    answers = {**suggestions(result), "who_delays": who, **changes}
    result = await say(hass, result, answers)
    assert result["reason"] == "reconfigure_successful"


async def test_record_follows_the_answer(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """It is as old as the answer, and goes with it."""
    await choose(hass, entry, "home_assistant")
    assert exemption(entry) is None
    freezer.tick(60)
    await choose(hass, entry, "miniserver")
    first = exemption(entry)
    assert first["at"] == dt_util.utcnow().isoformat()
    freezer.tick(60)
    await choose(hass, entry, "miniserver", variant="11kw_air")
    assert exemption(entry) == first
    freezer.tick(60)
    await choose(hass, entry, "nobody")
    second = exemption(entry)
    assert second == {**first, "who": "nobody", "at": dt_util.utcnow().isoformat()}
    await choose(hass, entry, "home_assistant")
    assert exemption(entry) is None
    freezer.tick(60)
    await choose(hass, entry, "nobody")
    assert exemption(entry)["at"] == dt_util.utcnow().isoformat()


async def test_answer_without_a_record(
    hass: HomeAssistant, miniserver: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """A wallbox that was answered for before there were records gets one when asked."""
    entry = await set_up(hass, make_entry(miniserver, who_delays="aggregator"))
    assert exemption(entry) is None
    await choose(hass, entry, "aggregator")
    assert exemption(entry)["who"] == "aggregator"
    assert exemption(entry)["at"] == dt_util.utcnow().isoformat()
    await hass.config_entries.async_unload(entry.entry_id)
