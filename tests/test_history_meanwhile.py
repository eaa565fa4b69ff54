"""An export of many pages while cars come and go: nobody is lost, nobody is doubled."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .conftest import StartSimulator
from .history_home import HistoryHome, history_home
from custom_components.loxone_wallbox import history_export, history_pages
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.records.rows import Wanted

YEARS = {"start": "2024-01-01T00:00:00+00:00", "end": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
async def home(
    hass: HomeAssistant, start_simulator: StartSimulator, tmp_path: Path
) -> AsyncIterator[HistoryHome]:
    """Return a home with three sessions and a folder that is allowed."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    async with history_home(hass, start_simulator) as home:
        days = ("2024-02-29", "2024-03-01", "2024-10-26")
        await home.keep(*(home.session(f"{day}T20:00") for day in days))
        yield home


@contextmanager
def before(
    home: HistoryHome, asked: Callable[[Wanted, int], bool], *records: SessionRecord
) -> Iterator[None]:
    """Have sessions written just before the first such question is answered."""
    store, left = async_get_store(home.hass), list(records)
    listed = store.async_listed

    async def meanwhile(wanted: Wanted, *, limit: int, offset: int = 0) -> Any:
        """Answer."""
        if left and asked(wanted, limit):
            await home.keep(*left)
            left.clear()
        return await listed(wanted, limit=limit, offset=offset)

    with patch.object(store, "async_listed", meanwhile):
        yield
    assert not left


async def ids(home: HistoryHome) -> set[str]:
    """Return all sessions there are."""
    answer = await home.first("get_sessions", answer=True, limit=1000)
    return {one["id"] for one in answer["sessions"]}


@pytest.mark.parametrize("page", [2, 1000])
@pytest.mark.parametrize("counts", [True, False], ids=["counted", "read"])
async def test_whatever_begins_and_ends(
    home: HistoryHome, tmp_path: Path, page: int, *, counts: bool
) -> None:
    """All that was there at first is in the file once, in its order.

    One session ends, one comes before and two come after it, while those around it are
    counted or read.
    """
    ends = home.session("2025-03-02T18:00")
    runs = {**ends.as_dict(), "kind": "open", "disconnected_utc": None}
    await home.keep(SessionRecord.from_dict(runs))
    there = await ids(home)
    days = ("2024-05-01", "2025-03-03", "2025-03-04")
    comes = [home.session(f"{day}T08:00") for day in days]
    around = ends.connected_utc.timestamp()

    def asked(wanted: Wanted, limit: int) -> bool:
        """Tell whether the session is asked for."""
        start, end = wanted.start or 0.0, wanted.end or around
        return start <= around <= end and counts is (limit == 0)

    path = tmp_path / "sessions.json"
    with before(home, asked, ends, *comes), patch.object(history_pages, "PAGE", page):
        given = {**YEARS, "format": "json", "path": str(path)}
        await home.first("export_sessions", answer=True, **given)
    told = [one["id"] for one in json.loads(path.read_text())["sessions"]]
    assert told == sorted(set(told))
    assert there <= set(told)


async def test_one_too_many(home: HistoryHome) -> None:
    """An answer that would lack the oldest by now is refused."""
    with (
        before(home, lambda _, limit: limit > 0, home.session("2024-11-01T08:00")),
        patch.object(history_export, "MOST_ANSWERED", 3),
        pytest.raises(ServiceValidationError) as caught,
    ):
        await home.first("export_sessions", answer=True)
    assert caught.value.translation_key == "export_too_much"
