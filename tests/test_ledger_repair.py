"""Files of sessions that are damaged: the owner is told until that is over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .flow_texts import LANGUAGES
from .helpers import eventually
from .history_home import HistoryHome, history_home, instant
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.history_keeping import async_expire
from custom_components.loxone_wallbox.ledger_repair import (
    DAMAGED,
    RESTORED,
    async_look_at_files,
)
from custom_components.loxone_wallbox.records.ledger import Ledger


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[HistoryHome]:
    """Return a home without a recorder, in which three have charged."""
    monkeypatch.setattr(dt_util, "utcnow", lambda: instant("2028-02-29T12:00"))
    async with history_home(hass, start_simulator) as home:
        await home.keep(
            home.session("2028-01-10T18:00"),
            home.session("2028-01-12T18:00"),
            home.session("2028-02-10T18:00"),
        )
        yield home


def issues(home: HistoryHome) -> list[ir.IssueEntry]:
    """Return the repairs of damaged files."""
    found = ir.async_get(home.hass).issues.values()
    return [one for one in found if one.active and one.translation_key == DAMAGED]


def places(home: HistoryHome) -> str:
    """Return what of the only repair is said to be damaged, empty without one."""
    found = issues(home)
    assert len(found) <= 1
    return "".join((one.translation_placeholders or {})["places"] for one in found)


def file(home: HistoryHome, month: str) -> Path:
    """Return the file of a month."""
    folder = Path(home.hass.config.path(DOMAIN))
    return next(folder.rglob(f"*.sessions.{month}.jsonl"))


def spoil(path: Path, line: int) -> bytes:
    """Change a byte of a line, by its number from 1; returns the file as it was."""
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"id"', b'"iD"', 1)
    path.write_bytes(b"".join(lines))
    return before


async def day_after(home: HistoryHome, damage: str) -> None:
    """Let a day pass, until just so much is said to be damaged."""
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    await eventually(lambda: places(home) == damage)


async def test_until_it_is_mended(home: HistoryHome) -> None:
    """It is told which file and line, and gone once the file is whole again."""
    january = file(home, "2028-01")
    whole = spoil(january, 2)
    await day_after(home, f"- `{january.name}`: 2")
    [issue] = issues(home)
    assert not issue.is_fixable
    assert issue.severity is ir.IssueSeverity.ERROR
    called = {one.title for one in home.entry.subentries.values()}
    assert (issue.translation_placeholders or {})["wallbox"] in called
    january.write_bytes(whole)
    await day_after(home, "")


async def test_taken_note_of(home: HistoryHome) -> None:
    """What the owner ignores stays ignored; other damage is told anew."""
    january, february = file(home, "2028-01"), file(home, "2028-02")
    spoil(january, 1)
    first = f"- `{january.name}`: 1"
    await day_after(home, first)
    [issue] = issues(home)
    ir.async_ignore_issue(home.hass, DOMAIN, issue.issue_id, ignore=True)
    await async_expire(home.hass)
    assert places(home) == first
    [again] = issues(home)
    assert again.issue_id == issue.issue_id
    assert again.dismissed_version == __version__
    spoil(february, 1)
    await day_after(home, f"{first}\n- `{february.name}`: 1")
    [other] = issues(home)
    assert other.dismissed_version is None


async def test_a_file_that_cannot_be_read(home: HistoryHome) -> None:
    """What is no file at all is damage as well, and goes with the wallbox's history."""
    january = file(home, "2028-01")
    january.unlink()
    january.mkdir()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    await eventually(lambda: january.name in places(home))
    january.rmdir()
    options = {**home.entry.options, "history_on_removal": "goes"}
    home.hass.config_entries.async_update_entry(home.entry, options=options)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert places(home) == ""


async def test_each_day(home: HistoryHome) -> None:
    """Files that are what they were are not read again, others are."""
    where = [(home.simulator.config.serial, home.simulator.wallboxes[0].uuid)]
    await async_expire(home.hass)
    read = Ledger.month
    with patch.object(Ledger, "month", autospec=True, side_effect=read) as month:
        await async_look_at_files(home.hass, where)
        assert month.call_args_list == []
        spoil(file(home, "2028-02"), 1)
        await async_look_at_files(home.hass, where)
    assert [call.args[1] for call in month.call_args_list] == ["2028-02"]
    assert len(issues(home)) == 1


async def test_a_file_that_is_gone(home: HistoryHome) -> None:
    """It is told, although nobody can read in it what was there, until it is back."""
    january = file(home, "2028-01")
    whole = january.read_bytes()
    january.unlink()
    await day_after(home, f"- `{january.name}`: –")  # noqa: RUF001
    january.write_bytes(whole)
    await day_after(home, "")
    assert len(home.ledger().month("2028-01").records) == 2


async def test_a_file_that_comes_back(
    recorder_mock: None,
    home: HistoryHome,
    hass_client: ClientSessionGenerator,
) -> None:
    """What the database has is in its file again, and the owner takes note of that."""
    hass = home.hass
    assert await async_setup_component(hass, "repairs", {})
    await eventually(lambda: not async_get_store(hass).behind, 20)
    before = home.ledger().month("2028-01").records
    january = file(home, "2028-01")
    january.unlink()
    await async_expire(hass)
    assert home.ledger().month("2028-01").records == before
    assert places(home) == ""
    [issue] = [one for one in ir.async_get(hass).issues.values() if one.is_fixable]
    assert issue.translation_key == RESTORED
    told = issue.translation_placeholders or {}
    assert (told["count"], told["months"]) == ("2", "2028-01")
    client = await hass_client()
    begun = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": issue.issue_id},
    )
    form = await begun.json()
    for texts in LANGUAGES.values():
        for text in texts["issues"][RESTORED]["fix_flow"]["step"]["confirm"].values():
            assert text.format(**form["description_placeholders"])
    where = f"/api/repairs/issues/fix/{form['flow_id']}"
    done = await client.post(where, json={})
    assert (await done.json())["type"] == "create_entry"
    await async_expire(hass)
    assert not ir.async_get(hass).async_get_issue(DOMAIN, issue.issue_id)
