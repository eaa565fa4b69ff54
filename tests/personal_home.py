"""A home whose people are forgotten, and a look into every file for what is left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .history_home import HistoryHome, history_home
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.people import async_get_people

NAME, TAG, USER, OTHER = "Ada Lovelace", "04A2B3C4D5", "1d2c-0fae-user", "77FF00"
GUEST, DRIVER = "Babbage 1791", "Somerville 1780"
DATABASE = "home-assistant_v2.db"
# What Home Assistant tells of its users by itself stands in these.
DATABASE_FILES = {DATABASE, f"{DATABASE}-wal"}


@asynccontextmanager
async def personal_home(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Set a home up in which three have charged."""
    async with history_home(hass, start_simulator) as home:
        people = await async_get_people(hass)
        tag, user, other = (people.pseudonym(one) for one in (TAG, USER, OTHER))
        await home.keep(
            home.session("2026-01-10T18:00", user=tag),
            home.session("2026-01-11T18:00", user=user),
            home.session("2026-01-12T18:00", user=other),
        )
        await home.keep(home.session("2026-01-13T18:00", box=1, user=tag), box=1)
        named = {TAG: NAME, USER: NAME, OTHER: "Charles"}
        hass.config_entries.async_update_entry(home.entry, options={"people": named})
        await hass.async_block_till_done()
        yield home


async def forget(home: HistoryHome, *users: str, by: Any = "") -> Any:
    """Have people forgotten, by the administrator where nobody else is named."""
    answer = await home.first(
        "delete_personal_data", answer=True, users=list(users), by=by
    )
    await home.hass.async_block_till_done()
    await eventually(lambda: not async_get_store(home.hass).behind, 20)
    return answer


async def bytes_of(home: HistoryHome, folder: Path) -> dict[str, bytes]:
    """Return all that stands in the configuration folder and the database, by file."""
    await home.hass.async_block_till_done()
    await async_wait_recording_done(home.hass)

    def read() -> dict[str, bytes]:
        """Read every file."""
        whole = Path(home.hass.config.config_dir)
        files = {*whole.rglob("*"), *folder.rglob("*")}
        return {str(one): one.read_bytes() for one in files if one.is_file()}

    found = await home.hass.async_add_executor_job(read)
    assert any(name.endswith(DATABASE) for name in found)
    assert any(".sessions." in name for name in found)
    return found


def where(found: dict[str, bytes], *words: str) -> set[tuple[str, str]]:
    """Return which word stands in which file, in any case."""
    return {
        (word, Path(name).name)
        for name, content in found.items()
        for word in words
        if word.casefold().encode() in content.lower()
    }
