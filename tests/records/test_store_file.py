"""Somebody does something to SQLite's file while Home Assistant runs on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
import sqlite3
import threading
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.core import HomeAssistant

from .test_store import ONE, THREE, TWO, Kit, made
from custom_components.loxone_wallbox.records import queries, recorder, table
from custom_components.loxone_wallbox.records.reconciling import DatabaseAwayError

# As many threads as the recorder asks with, each on a connection of its own.
WORKERS = 4


@pytest.fixture
def dialect() -> str:
    """Return the engine that is a file."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _quick() -> Any:
    """Try again soon."""
    with patch.object(recorder, "RETRY_S", (0.05,)):
        yield


@pytest.fixture
async def kit(
    recorder_mock: Recorder, hass: HomeAssistant, tmp_path: Path
) -> AsyncIterator[Kit]:
    """Return a store at work."""
    assert recorder_mock.enabled
    one = Kit(hass, tmp_path / "ledger")
    one.store.start()
    yield one
    await one.store.async_stop()


def exchanged(file: Path) -> None:
    """Put an empty database in its place, as whoever brings an old one back."""
    other = file.with_name("other.db")
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE something (id INTEGER)")
    database.close()
    other.replace(file)
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)


def removed(file: Path) -> None:
    """Delete it."""
    for end in ("", "-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)


def dropped(file: Path) -> None:
    """Drop our tables from another process's side."""
    with sqlite3.connect(file) as database:
        database.execute("DROP TABLE loxone_wallbox_slice")
        database.execute("DROP TABLE loxone_wallbox_session")
    database.close()


@pytest.mark.parametrize("damage", [exchanged, removed, dropped])
async def test_while_it_runs(
    kit: Kit, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Every session is listed once, whichever thread is asked, now and later."""
    kit.keep(ONE, TWO)
    await kit.settled()
    file = tmp_path / "home-assistant_v2.db"
    await asyncio.to_thread(damage, file)
    ids = [TWO.id, ONE.id]
    for record in (THREE, made(4), made(5)):
        assert await listed(kit) == [ids] * WORKERS
        kit.keep(record)
        ids = [record.id, *ids]
        with suppress(DatabaseAwayError):
            await kit.store._async_flush()
    assert await listed(kit) == [ids] * WORKERS
    assert kit.store.behind is (damage is not dropped)
    # The recorder is started again, on whatever lies there.
    new = sa.create_engine(f"sqlite:///{file}")
    with patch.object(get_instance(kit.hass), "engine", new):
        kit.store.compare()
        await kit.settled()
        assert await kit.in_database() == set(ids)
        assert await listed(kit) == [ids] * WORKERS
    new.dispose()


async def test_made_anew_while_somebody_asks(kit: Kit) -> None:
    """Tables that another has just made, and not yet filled, are no answer."""
    kit.keep(ONE, TWO)
    await kit.settled()
    whole = queries.listed

    def made_anew(engine: sa.Engine, *args: Any, **more: Any) -> Any:
        """Answer from tables that were dropped and made again in this moment."""
        table.METADATA.drop_all(engine)
        kit.store._work(engine, lambda _engine: None, True)
        return whole(engine, *args, **more)

    with patch.object(queries, "listed", made_anew):
        assert await kit.listed() == [TWO.id, ONE.id]
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id}


async def test_asked_while_they_are_made(kit: Kit) -> None:
    """Nor are tables that another is just making."""
    kit.keep(ONE, TWO)
    await kit.settled()
    whole, prepare = queries.listed, table.prepare
    made, answered = threading.Event(), threading.Event()
    others: list[threading.Thread] = []

    def slow(engine: sa.Engine) -> None:
        """Make the tables, and be done only later."""
        prepare(engine)
        made.set()
        answered.wait(10)

    def anew(engine: sa.Engine, *args: Any, **more: Any) -> Any:
        """Answer from tables that another has just made."""
        table.METADATA.drop_all(engine)
        job = (engine, lambda _engine: None, True)
        others.append(threading.Thread(target=kit.store._work, args=job))
        others[-1].start()
        made.wait(10)
        return whole(engine, *args, **more)

    with patch.object(queries, "listed", anew), patch.object(table, "prepare", slow):
        assert await kit.listed() == [TWO.id, ONE.id]
        answered.set()
        await asyncio.to_thread(others[0].join)
    kit.store.compare()
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id}


async def listed(kit: Kit) -> list[list[str]]:
    """Return the ids that are listed, to as many as ask at once."""
    return await asyncio.gather(*(kit.listed() for _ in range(WORKERS)))


async def test_stopped_in_the_middle(kit: Kit) -> None:
    """Who stops waits for what a thread of the database is still doing."""
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def slow(engine: sa.Engine) -> None:
        """Make the tables ready, slowly."""
        begun.set()
        assert go_on.wait(20)
        prepare(engine)
        done.set()

    await kit.settled()
    prepare = table.prepare
    with patch.object(table, "prepare", slow):
        await kit.do(table.METADATA.drop_all)
        kit.store.compare()
        assert await asyncio.to_thread(begun.wait, 20)
        stop = asyncio.create_task(kit.store.async_stop())
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        await stop
        assert done.is_set()
