"""For how long sessions are kept, and whether they go with their wallbox."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import sqlalchemy as sa

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import eventually
from .history_home import HistoryHome, history_home, instant
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.history_keeping import async_expire
from custom_components.loxone_wallbox.records import recorder, statistics, table

NOW = "2028-02-29T12:00"


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live in a leap year, and wait for no change to settle."""
    monkeypatch.setattr(dt_util, "utcnow", lambda: instant(NOW))
    monkeypatch.setattr(statistics, "SETTLE_S", 0.05)


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with a recorder."""
    async with history_home(hass, start_simulator) as home:
        yield home


MONTHS = "sessions.months.jsonl"


def wish(home: HistoryHome, **options: Any) -> None:
    """Change the options of the entry."""
    home.hass.config_entries.async_update_entry(
        home.entry, options={**home.entry.options, **options}
    )


def files(home: HistoryHome) -> list[str]:
    """Return the files of sessions, by their ends; beside them are their months."""
    folder = Path(home.hass.config.path("loxone_wallbox"))
    found = {one.name.partition(".")[::2] for one in folder.rglob("*.sessions.*")}
    beside = {(box, MONTHS) for box, name in found if name != MONTHS}
    return sorted(name for _, name in found - beside)


def wishes(home: HistoryHome) -> list[Path]:
    """Return the files in which it stands for how long sessions are kept."""
    folder = Path(home.hass.config.path("loxone_wallbox"))
    return list(folder.rglob("retention.jsonl"))


async def rows(home: HistoryHome) -> int:
    """Return how many rows of ours the database has."""
    instance = get_instance(home.hass)

    def count() -> int:
        """Count sessions and slices."""
        assert instance.engine is not None
        found = 0
        with instance.engine.connect() as connection:
            for one in (table.SESSION, table.SLICE):
                query = sa.select(sa.func.count()).select_from(one)
                found += connection.execute(query).scalar_one()
        return found

    return await instance.async_add_executor_job(count)


async def until_rows(home: HistoryHome, count: int) -> None:
    """Wait until the database has no more than so many rows of ours."""
    async with asyncio.timeout(20):
        while await rows(home) > count:
            await asyncio.sleep(0.02)
    assert await rows(home) == count


async def hourly_kwh(home: HistoryHome, least: float) -> float:
    """Return what the statistics add up to, once it is at least so much."""
    instance = get_instance(home.hass)
    slug = home.key().lower().replace("-", "_")
    statistic = f"loxone_wallbox:{slug}_energy"
    total = -1.0
    while total < least:
        await asyncio.sleep(0.02)
        await instance.async_block_till_done()
        found = await instance.async_add_executor_job(
            statistics_during_period,
            home.hass,
            datetime.fromtimestamp(0, dt_util.UTC),
            None,
            {statistic},
            "hour",
            None,
            {"state"},
        )
        total = sum(one.get("state") or 0.0 for one in found.get(statistic, []))
    return total


async def day_after(home: HistoryHome) -> None:
    """Let a day pass."""
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    await home.hass.async_block_till_done()


async def test_too_old(home: HistoryHome) -> None:
    """Months that are too old go each day, their statistics stay."""
    await home.keep(
        home.session("2025-12-20T18:00", user="ada"),
        home.session("2025-12-31T20:00", user="ben"),
        home.session("2026-01-02T18:00", user="cat"),
        home.session("2028-02-28T18:00", user="dan"),
    )
    recordings = [one.recording for one in home.entry.runtime_data.wallboxes.values()]
    recordings[0]._statistics.changed()
    assert await hourly_kwh(home, 4.0) == pytest.approx(4.0)
    assert await rows(home) == 8
    await day_after(home)
    await eventually(lambda: "sessions.2025-12.jsonl" not in files(home))
    assert files(home) == [
        "sessions.2026-01.jsonl",
        "sessions.2028-02.jsonl",
        "sessions.expired.jsonl",
    ]
    await until_rows(home, 4)
    answer = await home.first("get_sessions", answer=True)
    assert [one["user"] for one in answer["sessions"]] == ["dan", "cat"]
    recordings[0]._statistics.changed()
    await recordings[0]._statistics.async_update()
    assert await hourly_kwh(home, 4.0) == pytest.approx(4.0)


async def test_another_wish(home: HistoryHome) -> None:
    """A shorter time takes effect at once, less than a rule asks for never does."""
    await home.keep(
        home.session("2026-12-20T18:00"),
        home.session("2027-01-10T18:00"),
        home.session("2028-02-28T18:00"),
    )
    wish(home, retention_months=14)
    await day_after(home)
    assert len(files(home)) == 3
    wish(home, retention_months=1)
    await eventually(lambda: files(home)[0] == "sessions.2027-01.jsonl")
    assert len(files(home)) == 3


async def test_of_a_wallbox_that_is_gone(home: HistoryHome) -> None:
    """What stayed of a removed wallbox is not kept for ever either."""
    await home.keep(home.session("2025-11-20T18:00"), home.session("2026-11-20T18:00"))
    assert await rows(home) == 4
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    # What its owner wished is written down after it is gone.
    await home.hass.async_block_till_done()
    assert len(files(home)) == 2
    await day_after(home)
    await eventually(lambda: files(home)[0] == "sessions.2026-11.jsonl")
    await until_rows(home, 2)


async def test_a_longer_wish_outlives_its_miniserver(home: HistoryHome) -> None:
    """What its owner wished last holds on, also where it was wished just before."""
    await home.keep(home.session("2022-11-20T18:00"), home.session("2025-11-20T18:00"))
    wish(home, retention_months=60)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await home.hass.async_block_till_done()
    await day_after(home)
    await eventually(lambda: files(home)[0] == "sessions.2025-11.jsonl")
    await async_expire(home.hass)
    assert files(home) == ["sessions.2025-11.jsonl", "sessions.expired.jsonl"]
    await until_rows(home, 2)


async def test_of_which_nobody_said_anything(home: HistoryHome) -> None:
    """What is kept since an older version, of a Miniserver that is gone, stays."""
    await home.keep(home.session("2022-11-20T18:00"))
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await home.hass.async_block_till_done()
    [kept] = wishes(home)
    kept.unlink()
    await async_expire(home.hass)
    assert files(home) == ["sessions.2022-11.jsonl"]


async def test_another_database(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is put in the place of the other gets the statistics of all as well."""
    monkeypatch.setattr(recorder, "RETRY_S", (0.05,))
    await home.keep(home.session("2028-02-10T18:00"), home.session("2028-02-20T18:00"))
    for one in home.entry.runtime_data.wallboxes.values():
        one.recording._statistics.changed()
    assert await hourly_kwh(home, 2.0) == pytest.approx(2.0)
    instance = get_instance(home.hass)
    slug = home.key().lower().replace("-", "_")
    instance.async_clear_statistics([f"loxone_wallbox:{slug}_energy"])
    assert await hourly_kwh(home, 0.0) == 0.0
    await instance.async_add_executor_job(table.METADATA.drop_all, instance.engine)
    await home.keep(home.session("2028-02-25T18:00"))
    async with asyncio.timeout(20):
        assert await hourly_kwh(home, 3.0) == pytest.approx(3.0)


async def test_stays_and_is_found_again(home: HistoryHome) -> None:
    """By default the history outlives its wallbox, which goes on with it."""
    kept = home.session("2028-02-20T18:00")
    await home.keep(kept)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await home.hass.async_block_till_done()
    assert files(home) == ["sessions.2028-02.jsonl"]
    assert await rows(home) == 2
    home.entry = await set_up(home.hass, make_entry(home.simulator))
    answer = await home.again.first("get_sessions", answer=True)
    assert [one["id"] for one in answer["sessions"]] == [kept.id]
    assert home.see("last_session_energy") == str(kept.import_wh / 1000)


@pytest.mark.parametrize("whole", [True, False], ids=["miniserver", "wallbox"])
async def test_goes(home: HistoryHome, tmp_path: Path, whole: bool) -> None:
    """Where the owner wants that, nothing is left: no file, no row, no statistic."""
    secret = "p-nobody-may-find-this"
    await home.keep(
        home.session("2027-12-20T18:00", user=secret),
        home.session("2028-02-20T18:00", user=secret),
    )
    await home.keep(home.session("2028-02-21T18:00", box=1), box=1)
    recordings = [one.recording for one in home.entry.runtime_data.wallboxes.values()]
    recordings[0]._statistics.changed()
    assert await hourly_kwh(home, 2.0) == pytest.approx(2.0)
    await leave_copy(home, secret)
    assert stands(tmp_path, home, secret)
    wish(home, history_on_removal="goes")
    await async_expire(home.hass)
    assert len(wishes(home)) == 1
    if whole:
        await home.hass.config_entries.async_remove(home.entry.entry_id)
        left = []
    else:
        garage = home.simulator.wallboxes[0].uuid
        [gone] = [
            one.subentry_id
            for one in home.entry.subentries.values()
            if one.unique_id == garage
        ]
        home.hass.config_entries.async_remove_subentry(home.entry, gone)
        left = ["sessions.2028-02.jsonl"]
    await eventually(lambda: files(home) == left)
    await until_rows(home, 2 * len(left))
    await eventually(lambda: not async_get_store(home.hass)._to_wipe)
    assert await hourly_kwh(home, 0.0) == 0.0
    # A copy that SQLite has left on another page goes a moment later.
    await eventually(lambda: not stands(tmp_path, home, secret))
    assert bool(wishes(home)) is not whole


async def leave_copy(home: HistoryHome, text: str) -> None:
    """Leave a text on a page that nobody uses, as SQLite does when it moves rows."""
    instance = get_instance(home.hass)

    def leave() -> None:
        """Write it and let the page go."""
        assert instance.engine is not None
        with instance.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
            connection.exec_driver_sql("CREATE TABLE moved (text TEXT)")
            connection.execute(
                sa.text("INSERT INTO moved VALUES (:one)"), {"one": text}
            )
            connection.commit()
            connection.exec_driver_sql("DROP TABLE moved")
            connection.commit()

    await instance.async_add_executor_job(leave)


def stands(folder: Path, home: HistoryHome, text: str) -> list[str]:
    """Return the files of database and configuration in which a text stands."""
    both = [folder, Path(home.hass.config.config_dir)]
    found = [one for where in both for one in where.rglob("*") if one.is_file()]
    return [one.name for one in found if text.encode() in one.read_bytes()]


async def test_goes_while_the_database_is_away(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that could not be deleted at once do not bring the sessions back."""
    await home.keep(home.session("2028-02-20T18:00"))
    wish(home, history_on_removal="goes")

    def away(*_args: Any) -> None:
        """Not answer."""
        raise sa.exc.OperationalError("DELETE", {}, Exception("it is locked"))

    with monkeypatch.context() as locked:
        locked.setattr(table, "wipe", away)
        await home.hass.config_entries.async_remove(home.entry.entry_id)
        await home.hass.async_block_till_done()
        assert files(home) == []
        assert await rows(home) == 2
        # As after a restart: what has to be done is only on the disk.
        store = async_get_store(home.hass)
        store._to_wipe = None
    store._failing = False
    home.entry = await set_up(home.hass, make_entry(home.simulator))
    answer = await home.again.first("get_sessions", answer=True)
    assert answer["sessions"] == []
    assert files(home) == []
    assert await rows(home) == 0
