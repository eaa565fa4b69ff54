"""Wallboxes that were removed while nobody could tell their Miniserver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant

from .actions import map_inputs
from .conftest import StartSimulator
from .helpers import Surface, eventually
from .stage import Stage, stage
from .test_farewell import TWO, asked, state_files, waiting
from custom_components.loxone_wallbox import strays
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.control_hold import WALLBOX
from custom_components.loxone_wallbox.identity_repair import ask_about
from custom_components.loxone_wallbox.miniserver import MiniserverClient, backoff
from custom_components.loxone_wallbox.miniserver.errors import NotConnectedError
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.state import StateKeeper
from simulator import Car, WallboxConfig

GUARDED = (WallboxConfig(name="Garage", contacts=True), WallboxConfig(name="Carport"))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


def garage_of(play: Stage) -> ConfigSubentry:
    """Return the settings of the first wallbox."""
    [one] = [
        one for one in play.entry.subentries.values() if one.unique_id == play.box.uuid
    ]
    return one


async def remove_while_away(play: Stage, left: int = 1) -> None:
    """Remove the first wallbox while the Miniserver restarts, and set up again.

    So many are `left` of which there are files.
    """
    entries = play.hass.config_entries
    play.simulator.fault("booting")
    await entries.async_reload(play.entry.entry_id)
    assert play.entry.state is ConfigEntryState.SETUP_RETRY
    entries.async_remove_subentry(play.entry, garage_of(play).subentry_id)
    await play.hass.async_block_till_done()
    play.simulator.clear()
    await entries.async_reload(play.entry.entry_id)
    await eventually(lambda: len(state_files(play)) == left)
    await play.settle()


@contextmanager
def unlisted(play: Stage) -> Iterator[None]:
    """Have a disk that does not list the files of the Miniserver."""
    folder = Path(play.hass.config.path(DOMAIN)) / play.simulator.config.serial
    before: Callable[[Path], Any] = Path.iterdir

    def broken(path: Path) -> Any:
        """Fail for that folder."""
        if path == folder:
            raise OSError(5, "Input/output error")
        return before(path)

    with pytest.MonkeyPatch.context() as disk:
        disk.setattr(Path, "iterdir", broken)
        yield


@pytest.mark.parametrize("loaded", [True, False], ids=["link is lost", "not set up"])
async def test_one_is_removed_while_the_miniserver_is_away(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    loaded: bool,
) -> None:
    """It is let go and forgotten once somebody can tell the Miniserver."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        entry, garage = play.entry, play.box
        [subentry] = [
            one for one in entry.subentries.values() if one.unique_id == garage.uuid
        ]
        told = {"wallbox": "Garage", "changed": "max_kw", "from": "11", "to": "22"}
        serial = play.simulator.config.serial
        of = subentry.subentry_id
        ask_about(hass, entry, WALLBOX, serial, told, subentry_id=of)
        play.simulator.fault("booting")
        if loaded:
            await play.simulator.drop()
            await eventually(lambda: not play.wallbox.linked)
        else:
            await hass.config_entries.async_reload(entry.entry_id)
            assert entry.state is ConfigEntryState.SETUP_RETRY
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
        await hass.async_block_till_done()
        assert not garage.enabled
        play.simulator.clear()
        if not loaded:
            await hass.config_entries.async_reload(entry.entry_id)
        await eventually(lambda: garage.enabled)
        await eventually(lambda: len(state_files(play)) == 1)
        folder = Path(hass.config.path(DOMAIN)) / serial
        await eventually(lambda: not list(folder.glob(f"{garage.uuid}.[!s]*")))
        assert asked(hass, of) is None


async def test_all_is_removed_after_one_was_while_away(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the Miniserver goes what is left of the wallboxes that it had before."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        entry = play.entry
        play.simulator.fault("booting")
        await hass.config_entries.async_reload(entry.entry_id)
        [of] = [
            one.subentry_id
            for one in entry.subentries.values()
            if one.unique_id == play.box.uuid
        ]
        hass.config_entries.async_remove_subentry(entry, of)
        await hass.config_entries.async_remove(entry.entry_id)
        assert not state_files(play)


@pytest.mark.parametrize("stops", ["owner", "tampering"])
async def test_what_others_forbade_stays(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    stops: str,
) -> None:
    """Only who waited for us alone is let go."""
    begin = "2027-01-13T23:30:00"
    async with stage(
        hass, start_simulator, monkeypatch, boxes=GUARDED, begin=begin
    ) as play:
        play.deal(*[0] * 9)
        if stops == "owner":
            await play.see.call("switch.turn_off", "charging_allowed")
        else:
            await map_inputs(hass, play.entry, play.simulator)
            await play.see.call("select.select_option", "tamper_policy", option="stop")
            play.box.plug(Car())
            await play.settle()
            play.box.set_contact("Tamper", True)
        await play.settle()
        assert not play.box.enabled
        await remove_while_away(play)
        assert not play.box.enabled


async def test_forbidden_by_somebody_else_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was allowed when we left: nothing is commanded, and the log says how it is."""
    begin = "2027-01-13T01:00:00"
    async with stage(
        hass, start_simulator, monkeypatch, boxes=TWO, begin=begin
    ) as play:
        await play.settle()
        assert play.box.enabled
        play.simulator.fault("booting")
        await hass.config_entries.async_reload(play.entry.entry_id)
        play.box.enabled = False
        await remove_while_away(play)
        assert not play.box.enabled
        assert "allow it in Loxone's app if that was not your wish" in caplog.text


async def test_the_link_is_lost_again(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is let go with the next one."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        send, failed = MiniserverClient.send, list[Any]()

        async def lost(client: MiniserverClient, *args: Any, **more: Any) -> None:
            """Lose the link at the first command."""
            if not failed:
                failed.append(args)
                raise NotConnectedError("lost again")
            await send(client, *args, **more)

        play.simulator.fault("booting")
        await play.simulator.drop()
        await eventually(lambda: not play.wallbox.linked)
        hass.config_entries.async_remove_subentry(
            play.entry, garage_of(play).subentry_id
        )
        await hass.async_block_till_done()
        monkeypatch.setattr(MiniserverClient, "send", lost)
        play.simulator.clear()
        await eventually(lambda: bool(failed))
        assert not play.box.enabled
        await play.simulator.drop()
        await eventually(lambda: play.box.enabled)
        await eventually(lambda: len(state_files(play)) == 1)


async def test_a_folder_that_cannot_be_listed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps nobody from being set up, and no removal from its end."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        with unlisted(play):
            await hass.config_entries.async_reload(play.entry.entry_id)
            assert play.entry.state is ConfigEntryState.LOADED
            await play.settle()
            assert (
                Surface(hass, play.simulator)("status") == "waiting_for_default_hours"
            )
            await hass.config_entries.async_remove(play.entry.entry_id)
        assert all(box.enabled for box in play.simulator.wallboxes)
        assert not play.simulator.unit.accounts.tokens


async def test_a_look_that_fails(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong in it, the wallboxes that are there are set up."""

    def fails(*_args: Any) -> None:
        """Fail."""
        raise ValueError("a fault of ours")

    monkeypatch.setattr(strays, "forget_strangers", fails)
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        assert len(play.entry.runtime_data.wallboxes) == 2
        assert "removed before are still kept" in caplog.text


async def test_files_that_cannot_go(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is let go once, and not again at each connection."""
    async with stage(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        await waiting(play)
        kept = Mock(side_effect=JournalError("no"))
        monkeypatch.setattr(StateKeeper, "delete", kept)
        await remove_while_away(play, left=2)
        assert play.box.enabled
        play.box.set_allowed(False)
        client = play.entry.runtime_data.miniserver.client
        links = client.connections
        await play.simulator.drop()
        await eventually(lambda: client.connections > links and client.connected)
        await play.settle()
        assert not play.box.enabled
