"""Where the security log stands is kept in Home Assistant's own storage, too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import refused
from .conftest import StartSimulator
from .security_home import broken, log_files, log_of, logged
from .test_security import Home
from custom_components.loxone_wallbox import security
from custom_components.loxone_wallbox.backup import async_post_backup, async_pre_backup
from custom_components.loxone_wallbox.records.journal import Journal, JournalError
from custom_components.loxone_wallbox.rights import SecurityEvent

KEY = "loxone_wallbox.security.504F94A00001"


@pytest.fixture
async def home(
    hass: HomeAssistant, hass_storage: dict[str, Any], start_simulator: StartSimulator
) -> AsyncIterator[Home]:
    """Return a home with twelve records, which were written some time ago."""
    home = Home(hass, await start_simulator())
    await home.begin()
    await happen(home, 12)
    await later(hass)
    assert seq(hass_storage) == 12
    yield home
    if hass.config_entries.async_get_entry(home.entry.entry_id) is not None:
        await hass.config_entries.async_unload(home.entry.entry_id)


async def happen(home: Home, number: int) -> None:
    """Have so many records, each of something else."""
    log = log_of(home.hass, home.simulator)
    for one in range(number):
        log.record(
            SecurityEvent(kind="invalid_input", outcome="info", detail={"number": one})
        )
    await home.hass.async_block_till_done()


def seq(storage: dict[str, Any]) -> int:
    """Return how far the log was by what is kept in the storage."""
    return int(storage[KEY]["data"]["seq"])


async def later(hass: HomeAssistant) -> None:
    """Let some time pass."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await hass.async_block_till_done()


def files(home: Home) -> list[Path]:
    """Return the files of the log, that of where it stands with them."""
    [folder] = {one.parent for one in log_files(home.hass, home.simulator)}
    return [*folder.glob("security.0*.jsonl"), folder / "security.head.jsonl"]


@pytest.mark.parametrize("cut", [0, 5])
@pytest.mark.parametrize("running", [False, True])
async def test_the_log_and_what_is_beside_it_are_cut(
    home: Home, *, cut: int, running: bool
) -> None:
    """Deleted or cut, while Home Assistant runs or not: it shows, once."""
    if not running:
        await home.hass.config_entries.async_unload(home.entry.entry_id)
        home.hass.data[security._LOGS].clear()
    for file in files(home):
        lines = file.read_bytes().splitlines(keepends=True)[:cut]
        file.write_bytes(b"".join(lines))
        if not lines:
            file.unlink()
    if not running:
        await home.hass.config_entries.async_setup(home.entry.entry_id)
        await home.hass.async_block_till_done()
    verdict = await home.ask("verify_security_log")
    assert (verdict["whole"], verdict["broken_seq"]) == (False, cut + 1)
    assert broken(home.hass, home.simulator) is not None
    await home.restart()
    assert broken(home.hass, home.simulator) is not None
    [told] = await logged(home.hass, home.simulator, "chain_broken")
    assert told["seq"] == 13


async def test_a_kill_before_it_is_kept(
    home: Home, hass_storage: dict[str, Any]
) -> None:
    """What was written since is there, and nobody is accused."""
    kept = hass_storage[KEY]
    await happen(home, 3)
    assert seq(hass_storage) == 12
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert seq(hass_storage) > 12
    hass_storage[KEY] = kept
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.restart()
    assert (await home.ask("verify_security_log"))["whole"]


@pytest.mark.parametrize(
    "kept", [{"version": 99}, {"version": 1, "data": {"seq": "x"}}]
)
async def test_a_copy_that_cannot_be_read(
    home: Home, hass_storage: dict[str, Any], kept: dict[str, Any]
) -> None:
    """Everything goes on, and it is made anew."""
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.hass.data[security._LOGS].clear()
    hass_storage[KEY] = {"minor_version": 1, "key": KEY, "data": {}, **kept}
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.attack()
    assert (await home.ask("verify_security_log"))["whole"]
    await home.restart()
    assert seq(hass_storage) == 13


async def test_a_backup_of_it(home: Home, hass_storage: dict[str, Any]) -> None:
    """The log may have been read already, so what is ahead of it waits until then."""
    *_, head = files(home)
    await async_pre_backup(home.hass)
    before = head.read_bytes()
    await home.attack()
    await later(home.hass)
    assert len(await logged(home.hass, home.simulator)) == 13
    assert (seq(hass_storage), head.read_bytes()) == (12, before)
    await async_post_backup(home.hass)
    await later(home.hass)
    assert seq(hass_storage) == 13
    await home.attack(2)
    assert head.read_bytes() != before


async def test_home_assistant_stops(home: Home, hass_storage: dict[str, Any]) -> None:
    """What was written last is kept."""
    await home.attack()
    assert seq(hass_storage) == 12
    await home.hass.async_stop(force=True)
    assert seq(hass_storage) == 13


@pytest.mark.parametrize("goes", [False, True])
@pytest.mark.parametrize("restart", [False, True])
async def test_the_miniserver_is_removed_and_comes_again(
    home: Home, hass_storage: dict[str, Any], *, goes: bool, restart: bool
) -> None:
    """The copy stays and goes with the log, and neither accuses the other."""
    if goes:
        home.hass.config_entries.async_update_entry(
            home.entry, options={**home.entry.options, "history_on_removal": "goes"}
        )
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await later(home.hass)
    assert (KEY in hass_storage) is not goes
    if restart:
        home.hass.data[security._LOGS].clear()
    await home.begin()
    await home.attack()
    verdict = await home.ask("verify_security_log")
    assert verdict["whole"]
    assert (verdict["records"] > 12) is not goes


async def test_a_break_that_waits_for_the_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found while the disk takes nothing, it is told and recorded once it does."""
    first = files(home)[0]
    first.write_bytes(first.read_bytes().replace(b"invalid_", b"invalid-", 1))

    def fails(_file: Journal, _record: Any) -> None:
        """Fail like a full disk."""
        raise JournalError("full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", fails)
        async with refused(home.entry, "security_log_unreadable"):
            await home.ask("verify_security_log")
    await later(home.hass)
    assert broken(home.hass, home.simulator) is not None
    assert len(await logged(home.hass, home.simulator, "chain_broken")) == 1
