"""The database and the files of the sessions are damaged, and no session is lost.

Each damage is done to the real files of a real Home Assistant, while it runs or between
two runs; afterwards every session that was finished is there once, as it was.
"""

from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import sqlite3
import subprocess
from typing import Any, NoReturn

import pytest

from ..conftest import StartSimulator
from ..records.nights import stay
from .home import CrashHome, crash_home
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.history import wallbox_key
from custom_components.loxone_wallbox.records.ledger import Ledger

NIGHTS = 90
# A file system of this size is full with the first big file.
SMALL_MB = 1


def remember(home: CrashHome) -> list[str]:
    """Write a history that was recorded before, a session a night; returns the ids."""
    uuid = home.simulator.wallboxes[0].uuid
    key = wallbox_key(home.simulator.config.serial, uuid)
    ledger = Ledger(home.ledger, uuid)
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=NIGHTS + 1)
    ids = []
    for number in range(NIGHTS):
        book = SessionBook(wallbox=key, seq=number)
        record = stay(first + timedelta(days=number), 2.0, book)[1][-1].record
        ledger.write(record, "session_finished")
        ids.append(record.id)
    return ids


async def is_whole(home: CrashHome, known: list[str]) -> list[dict[str, Any]]:
    """Look that each session of the history is there once, with its energy."""
    sessions = await home.sessions_of(len(known))
    assert [one["id"] for one in sessions] == known
    assert {one["energy_kwh"] for one in sessions[:NIGHTS]} == {1.0}
    return sessions


async def a_visit(home: CrashHome) -> None:
    """Let a car come, charge and leave."""
    home.plug()
    await home.reaches("status", "charging")
    await home.takes(0.02)
    home.unplug()
    await home.reaches("status", "disconnected")


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_database(tmp_path: Path, start_simulator: StartSimulator) -> None:
    """Purged and repacked, overwritten, without its tables, another one, locked."""
    async with crash_home(tmp_path, start_simulator) as home:
        known = remember(home)
        await home.start()
        await is_whole(home, known)
        await home.purge()
        await is_whole(home, known)
        await home.stop()

        damage(home.database)
        await home.start()
        await is_whole(home, known)
        await home.stop()

        with sqlite3.connect(home.database) as database:
            database.execute("DROP TABLE loxone_wallbox_slice")
            database.execute("DROP TABLE loxone_wallbox_session")
        await home.start()
        await is_whole(home, known)
        await home.stop()

        home.record_to({"db_url": f"sqlite:///{tmp_path / 'another.db'}"})
        await home.start()
        await is_whole(home, known)
        with sqlite3.connect(tmp_path / "another.db") as database:
            # As a backup does it.
            database.execute("BEGIN EXCLUSIVE")
            await a_visit(home)
            database.rollback()
        known.append((await home.sessions_of(NIGHTS + 1))[-1]["id"])
        await home.kill()
        await home.start()
        await is_whole(home, known)
        await home.stop()


def damage(database: Path) -> None:
    """Write nonsense over a database, from its first page on."""
    with database.open("r+b") as file:
        file.write(b"nonsense" * 4096)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_ledger(tmp_path: Path, start_simulator: StartSimulator) -> None:
    """Cut short and deleted: the database gives back what it has."""
    async with crash_home(tmp_path, start_simulator) as home:
        known = remember(home)
        files = sorted(home.ledger.glob("*.sessions.2*.jsonl"))
        await home.start()
        await is_whole(home, known)
        await home.stop()
        whole = {file: file.read_bytes() for file in files}

        files[-1].write_bytes(whole[files[-1]][:-200])
        files[0].unlink()
        await home.start()
        await is_whole(home, known)
        await home.stop()

        # Both at once: what stands in neither is gone, and nothing else is.
        home.database.unlink()
        files[-1].write_bytes(files[-1].read_bytes()[:-200])
        await home.start()
        await is_whole(home, known[:-1])
        await a_visit(home)
        last = (await home.sessions_of(NIGHTS))[-1]
        assert last["energy_kwh"] > 0
        await home.stop()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_disk_is_full(
    tmp_path: Path, start_simulator: StartSimulator
) -> None:
    """The car is charged, and the session is written as soon as there is room."""
    async with crash_home(tmp_path, start_simulator) as home:
        small = home.ledger.parent
        small.mkdir(parents=True)
        if not mounted(small):
            cannot("a small file system needs root and a Linux that mounts tmpfs")
        try:
            known = remember(home)
            await home.start()
            await is_whole(home, known)
            filler = small / "filler"
            fill(filler)
            await a_visit(home)
            filler.unlink()
            known.append(await home.finished(NIGHTS))
            await home.kill()
            await home.start()
            await is_whole(home, known)
            await home.stop()
        finally:
            await home.kill()
            unmount(small)


def cannot(why: str) -> NoReturn:
    """Skip the test on somebody's machine; where CI runs everything is to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def mounted(folder: Path) -> bool:
    """Mount a small file system; tells whether that can be done here."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def unmount(folder: Path) -> None:
    """Take the small file system away."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until the disk takes nothing any more."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
