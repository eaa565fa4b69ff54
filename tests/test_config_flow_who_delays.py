"""Who applies the random delay: what each answer means, and that it is evidence."""

from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import (
    Result,
    add,
    answer,
    change,
    options_of,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from .flow_texts import LANGUAGES
from .helpers import Surface, eventually
from .stage import stage
from custom_components.loxone_wallbox.evidence import facts_of
from custom_components.loxone_wallbox.flow_rules import WHO_DELAYS
from simulator import Car, Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

OTHERS = ["miniserver", "aggregator", "nobody"]
ATTENTION = {"en": "attention", "de": "Achtung"}
# What follows of another answer: no delay, at the boundary, kept as evidence; and of
# that nobody delays.
FOLLOWS = {
    "en": ("delays nothing", "exactly at the boundary", "as evidence", "With Nobody"),
    "de": (
        "verzögert Home Assistant nichts",
        "genau an der Grenze",
        "als Nachweis",
        "Bei Niemand",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_explained(language: str) -> None:
    """Each is named as it can be chosen; that nobody delays is not kept quiet."""
    names = LANGUAGES[language]["selector"]["who_delays"]["options"]
    assert set(names) == set(WHO_DELAYS)
    for name, text in names.items():
        who, _, explained = text.partition(": ")
        assert who, name
        assert explained, name
    assert ATTENTION[language] in names["nobody"]


def check_says_what_follows(flow: Any, result: Result) -> None:
    """Expect the form's step to explain the answers in every language."""
    for language, texts in LANGUAGES.items():
        step = flow(texts)["step"][result["step_id"]]
        text = step["data_description"]["who_delays"]
        for part in (*FOLLOWS[language], ATTENTION[language]):
            assert part in text, (language, part)
        # The text calls the answers by the names they have.
        options = texts["selector"]["who_delays"]["options"]
        for name in ("home_assistant", "nobody"):
            assert options[name].partition(": ")[0] in text, (language, name)


async def test_the_form_says_what_follows(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Wherever it is asked: at the first set-up, of a new wallbox, and to change."""
    entry = await set_up(hass, make_entry(miniserver))
    [_, carport] = entry.subentries.values()
    hass.config_entries.async_remove_subentry(entry, carport.subentry_id)
    await hass.async_block_till_done()

    def of_wallbox(texts: Any) -> Any:
        """Return the texts of a wallbox's own flow."""
        return texts["config_subentries"]["wallbox"]

    check_says_what_follows(of_wallbox, await change(hass, entry, "Garage"))
    result = await add(hass, entry)
    result = await say(hass, result, suggestions(result))
    assert options_of(result, "who_delays") == WHO_DELAYS
    check_says_what_follows(of_wallbox, result)
    await hass.config_entries.async_remove(entry.entry_id)
    result = await to_wallboxes(hass, miniserver)
    check_says_what_follows(itemgetter("config"), result)


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


async def test_what_follows(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each other answer charges at the very boundary, and nothing is drawn for it."""
    boxes = tuple(WallboxConfig(name=who) for who in OTHERS)
    begin = "2027-01-13T21:58:00"
    async with stage(
        hass, start_simulator, monkeypatch, boxes=boxes, begin=begin
    ) as play:
        for who, subentry in zip(OTHERS, play.entry.subentries.values(), strict=True):
            hass.config_entries.async_update_subentry(
                play.entry, subentry, data={**subentry.data, "who_delays": who}
            )
        await play.settle()
        play.deal()
        shown = [Surface(hass, play.simulator, box) for box in range(len(OTHERS))]
        for box in play.simulator.wallboxes:
            box.plug(Car(capacity_kwh=60, energy_kwh=10))
        await eventually(
            lambda: {see("status") for see in shown} == {"waiting_for_default_hours"}
        )
        assert {see("next_change") for see in shown} == {"2027-01-13T22:00:00+00:00"}
        await play.at("2027-01-13T22:00:00")
        await eventually(lambda: all(box.enabled for box in play.simulator.wallboxes))
        for wallbox in play.entry.runtime_data.wallboxes.values():
            (done,) = wallbox.controller.state.delay.draws
            assert (done.drawn_s, done.at) == (0, done.relevant_at)
            assert facts_of(hass, wallbox).rules.draws is None
