"""What a removal leaves: a wallbox that charges, and nothing of ours."""

from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator, make_entry, set_up
from .flow_texts import LANGUAGES
from .helpers import Surface, eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.control_hold import WALLBOX, change_issue
from custom_components.loxone_wallbox.identity_repair import ask_about
from simulator import Car, Simulator, WallboxConfig

TWO = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))


def state_files(play: Stage) -> list[str]:
    """Return the files in which wallboxes' states are kept."""
    folder = Path(play.hass.config.path("loxone_wallbox"))
    return sorted(file.name for file in folder.rglob("*.state.jsonl"))


async def waiting(play: Stage) -> None:
    """Plug a car in that has to wait for the night."""
    for box in play.simulator.wallboxes:
        box.plug(Car())
    await eventually(lambda: not any(box.enabled for box in play.simulator.wallboxes))
    await play.settle()


async def test_removed_while_it_waits(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The car may charge, the token is gone, the settings too."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        assert len(state_files(play)) == 2
        await hass.config_entries.async_remove(play.entry.entry_id)
        assert all(box.enabled for box in play.simulator.wallboxes)
        assert not state_files(play)
        assert not play.simulator.unit.accounts.tokens
        await eventually(lambda: not play.simulator.clients)


async def test_the_owners_pause_stays(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the owner paused, or wants left as it is, is not let go."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        await play.see.call("button.press", "pause_now")
        carport = Surface(hass, play.simulator, 1)
        await carport.call("select.select_option", "handover", option="leave")
        await hass.config_entries.async_remove(play.entry.entry_id)
        assert not any(box.enabled for box in play.simulator.wallboxes)


async def test_one_of_two_is_removed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one is let go and forgotten, the other goes on waiting."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        garage = play.box
        subentry = next(
            one
            for one in play.entry.subentries.values()
            if one.unique_id == garage.uuid
        )
        hass.config_entries.async_remove_subentry(play.entry, subentry.subentry_id)
        await eventually(lambda: garage.enabled)
        await eventually(lambda: len(state_files(play)) == 1)
        await play.settle()
        carport = Surface(hass, play.simulator, 1)
        assert carport("status") == "waiting_for_default_hours"
        assert not play.simulator.wallboxes[1].enabled


async def test_removed_out_of_reach(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A removal never fails; the log says what is left to do, and for which wallbox."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        await waiting(play)
        await play.simulator.stop()
        await hass.config_entries.async_remove(play.entry.entry_id)
        assert "allow charging there for Garage" in caplog.text
        assert not state_files(play)
        issue = unreached(play)
        assert issue is not None
        assert issue.translation_key == "removed_unreached_waiting"
        assert issue.translation_placeholders == {
            "miniserver": play.entry.title,
            "wallboxes": "Garage",
        }
        for words in LANGUAGES.values():
            text = words["issues"][issue.translation_key]["description"]
            assert "Garage" in text.format(**issue.translation_placeholders)


async def test_set_up_again_after_it_was_out_of_reach(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was left to do there is said until it is set up again."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.simulator.fault("booting")
        await hass.config_entries.async_remove(play.entry.entry_id)
        issue = unreached(play)
        assert issue is not None
        assert issue.translation_key == "removed_unreached"
        play.simulator.clear()
        again = await set_up(hass, make_entry(play.simulator))
        assert unreached(play) is None
        await hass.config_entries.async_unload(again.entry_id)


def unreached(play: Stage) -> ir.IssueEntry | None:
    """Return the repair of a Miniserver that was not told of its removal."""
    issue_id = f"removed_unreached_{play.simulator.config.serial}"
    return ir.async_get(play.hass).async_get_issue(DOMAIN, issue_id)


async def test_an_unexpected_change_of_one_that_is_removed(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Nobody is asked about a wallbox any more that is not there."""
    entry = await set_up(hass, make_entry(miniserver))
    one = next(iter(entry.runtime_data.wallboxes.values())).subentry_id
    told = {"wallbox": "Garage", "changed": "max_kw", "from": "11", "to": "22"}
    ask_about(hass, entry, WALLBOX, miniserver.config.serial, told, subentry_id=one)
    assert asked(hass, one) is not None
    hass.config_entries.async_remove_subentry(entry, one)
    await eventually(lambda: asked(hass, one) is None)


def asked(hass: HomeAssistant, subentry_id: str) -> ir.IssueEntry | None:
    """Return the repair of a wallbox that is another one than before."""
    issue_id = change_issue(WALLBOX, subentry_id)
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
