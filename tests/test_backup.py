"""A backup of Home Assistant while a car comes and goes: what it has fits together."""

import asyncio
from datetime import timedelta
from pathlib import Path
import shutil

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .recorded import Recorded
from .stage import Stage, stage
from custom_components.loxone_wallbox.backup import async_post_backup, async_pre_backup
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.holding import LONGEST_S, async_get_holding
from custom_components.loxone_wallbox.people import async_get_people
from custom_components.loxone_wallbox.personal_data import async_forget, async_persons
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.state import StateKeeper
from custom_components.loxone_wallbox.rules import running_file
from simulator import Car


class Kept:
    """The files of a wallbox's sessions in a config folder."""

    def __init__(self, play: Stage, folder: Path) -> None:
        """Take the folder."""
        serial, uuid = play.simulator.config.serial, play.box.uuid
        self.running = running_file(folder / DOMAIN, serial, uuid)
        self._ledger = Ledger(self.running.parent, uuid)

    def look(self) -> tuple[SessionBook, list[str]]:
        """Return the sessions as they run, and the ids of those that have ended."""
        state = StateKeeper(self.running).load()
        assert state is not None
        months = [self._ledger.month(one) for one in self._ledger.months()]
        ended = [
            one.id for page in months for one in page.records if one.disconnected_utc
        ]
        return SessionBook.from_dict(state["book"]), ended


async def visit(play: Stage) -> None:
    """Let a car come and leave."""
    play.box.plug(Car(capacity_kwh=70, energy_kwh=10))
    await play.settle()
    play.box.unplug()
    await play.settle()


async def test_a_backup(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The state waits and the ledger does not; afterwards both are as always."""
    assert await async_setup_component(hass, "backup", {})
    async with stage(hass, start_simulator, monkeypatch) as play:
        manager = hass.data[DATA_MANAGER]
        recorded = Recorded(hass, play.simulator)
        await play.at("2027-01-13T17:30:00")
        await visit(play)
        await recorded.records()
        kept = Kept(play, Path(hass.config.config_dir))
        # The recorder of this home keeps no file that could be locked.
        monkeypatch.setattr(manager, "platforms", {DOMAIN: manager.platforms[DOMAIN]})
        await manager.async_pre_backup_actions()
        book, ended = await hass.async_add_executor_job(kept.look)
        assert (book.seq, len(ended)) == (1, 1)
        await visit(play)
        play.box.plug(Car(capacity_kwh=70, energy_kwh=10))
        await play.settle()
        await recorded.records()
        held, two = await hass.async_add_executor_job(kept.look)
        assert (held, len(two)) == (book, 2)
        copy = tmp_path / "copy"
        source = Path(hass.config.config_dir) / DOMAIN
        await hass.async_add_executor_job(shutil.copytree, source, copy / DOMAIN)
        await manager.async_post_backup_actions()
        await recorded.records()
        book, _ = await hass.async_add_executor_job(kept.look)
        assert book.seq == 3
        assert book.open is not None
        restored = Kept(play, copy)
        assert await hass.async_add_executor_job(restored.look) == (held, two)


async def test_unloaded_in_a_backup(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is set up again meanwhile goes on from the last state."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        kept = Kept(play, Path(hass.config.config_dir))
        await play.at("2027-01-13T17:30:00")
        await visit(play)
        await async_pre_backup(hass)
        await visit(play)
        await hass.async_block_till_done()
        assert (await hass.async_add_executor_job(kept.look))[0].seq == 1
        await hass.config_entries.async_unload(play.entry.entry_id)
        assert (await hass.async_add_executor_job(kept.look))[0].seq == 2
        await async_post_backup(hass)


async def test_a_backup_that_never_ends(hass: HomeAssistant) -> None:
    """It waits for what is being written, and after an hour it is taken to be over."""
    holding, turn, again = async_get_holding(hass), asyncio.Lock(), []
    leave = holding.join(turn, lambda: again.append("written"))
    async with turn:
        backup = hass.async_create_task(async_pre_backup(hass))
        await asyncio.sleep(0)
        assert not backup.done()
    await backup
    now = dt_util.utcnow()
    async_fire_time_changed(hass, now + timedelta(seconds=LONGEST_S - 60))
    assert not again
    async_fire_time_changed(hass, now + timedelta(seconds=LONGEST_S + 1))
    assert not holding.held
    assert again == ["written"]
    leave()
    await async_pre_backup(hass)
    await async_post_backup(hass)
    assert not holding.held
    assert again == ["written"]


async def test_who_was_forgotten_in_a_backup(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A crash before the backup is done brings nobody back whom the wallbox names."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        recorded, tag = Recorded(hass, play.simulator), "04A2B3C4D5"
        whose = (await async_get_people(hass)).pseudonym(tag)
        await play.at("2027-01-13T17:30:00")
        await visit(play)
        await async_pre_backup(hass)
        play.box.plug(Car(capacity_kwh=70, energy_kwh=10))
        play.box.set_user(tag)
        await play.settle()
        recording = play.wallbox.recording
        assert recording is not None
        assert recording.book.open is not None
        assert recording.book.open.user_id == whose
        await async_forget(hass, await async_persons(hass, [tag]))
        await recorded.records()
        files, crashed = Path(hass.config.config_dir) / DOMAIN, tmp_path / "crashed"
        await hass.async_add_executor_job(shutil.copytree, files, crashed)
        await hass.config_entries.async_unload(play.entry.entry_id)
        await hass.async_add_executor_job(shutil.rmtree, files)
        await hass.async_add_executor_job(shutil.copytree, crashed, files)
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        play.box.unplug()
        await play.settle()
        assert [one.user_id for one in await recorded.records()] == [None, None]
        await async_post_backup(hass)
