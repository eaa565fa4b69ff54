"""Names that come with an import are kept as pseudonyms, and forgotten like all others."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .history_home import HistoryHome
from .personal_home import DATABASE, OTHER, bytes_of, forget, personal_home, where
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.people import async_get_people

ZUSE, PLATE = "Zacharias Zuße", "FD-Z 1941"


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/{DATABASE}"


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with a recorder, in which three have charged."""
    async with personal_home(hass, start_simulator) as home:
        yield home


async def taken(home: HistoryHome, **who: str | None) -> dict[str, Any]:
    """Import a session of somebody, and return it as it is kept."""
    record = home.session("2025-12-10T18:00").as_dict() | who
    told = await home.first("export_sessions", answer=True, format="json")
    content = {**told["data"], "sessions": [record], "users": {"x": ZUSE}}
    report = await home.first(
        "import_sessions", answer=True, data=json.dumps(content, ensure_ascii=False)
    )
    assert report["wallboxes"][0]["imported"] == 1
    await eventually(lambda: not async_get_store(home.hass).behind, 20)
    [kept] = home.ledger().month("2025-12").records
    return kept.as_dict()


async def test_a_name_that_comes_with_an_import(
    home: HistoryHome, tmp_path: Path
) -> None:
    """It is no name any more where it is kept, and goes with whoever bears it."""
    people = await async_get_people(home.hass)
    kept = await taken(home, user_id=f" {ZUSE} ", tag="04FF", vehicle=PLATE)
    named = {"user_id": ZUSE, "tag": "04FF", "vehicle": PLATE}
    for name, text in named.items():
        assert kept[name] == people.pseudonym(text)
    files = {name for _, name in where(await bytes_of(home, tmp_path), ZUSE, PLATE)}
    assert not [name for name in files if "sessions" in name]
    await forget(home, ZUSE)
    [record] = home.ledger().month("2025-12").records
    assert record.anonymous
    words = [ZUSE, PLATE, *(people.pseudonym(one) for one in named.values())]
    found = where(await bytes_of(home, tmp_path), words[0], *words[2:])
    assert found == set()


async def test_what_is_nobodys_or_a_pseudonym(home: HistoryHome) -> None:
    """Both stay as they are, so that what was exported here comes back the same."""
    theirs = "p0123456789abcdef"
    kept = await taken(home, user_id=theirs, tag=None, vehicle=" ")
    assert (kept["user_id"], kept["tag"], kept["vehicle"]) == (theirs, None, None)


@pytest.mark.parametrize("field", ["user_id", "tag", "vehicle"])
async def test_a_name_that_is_there_already(
    home: HistoryHome, tmp_path: Path, field: str
) -> None:
    """What an import once took as it came is found by the name, in every file."""
    people = await async_get_people(home.hass)
    other = people.pseudonym(OTHER)
    # Whoever else is told of in the same session is not meant.
    others = dict.fromkeys(("user_id", "tag", "vehicle"), other)
    plain = home.session("2025-12-10T18:00").as_dict() | others | {field: ZUSE}
    mine = home.session("2025-12-12T18:00").as_dict() | {field: f"{ZUSE}n"}
    records = [SessionRecord.from_dict(one) for one in (plain, mine)]
    await home.keep(*records)
    path = home.ledger()._journal("2025-12").path
    path.write_bytes(path.read_bytes() + path.read_bytes()[:-40])
    written = json.dumps(ZUSE)[1:-1]
    assert where(await bytes_of(home, tmp_path), f'{written}"')
    answer = await forget(home, ZUSE.upper())
    assert answer["sessions"] == 1
    assert answer["traces"].startswith("none")
    found = where(await bytes_of(home, tmp_path), f'{written}"', f'{ZUSE}"')
    assert found == set()
    month = home.ledger().month("2025-12")
    first, second = month.records
    assert first.anonymous
    assert second == records[1]
    listed = await home.first("get_sessions", answer=True, user=other)
    assert listed["total"] == 1
