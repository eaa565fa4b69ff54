"""P5: what a year of fifty wallboxes' sessions costs to ask for and to add to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
import os
from pathlib import Path
from statistics import quantiles
import tempfile
import time
from typing import Any

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder as recorder_helper
from homeassistant.setup import async_setup_component
from homeassistant.util.json import json_loads

from .history_data import (
    A_DAY,
    DAYS,
    WALLBOXES,
    YEAR,
    ZONE,
    box_of,
    fill_ledgers,
    fill_tables,
    record_of,
    say,
)
from .house import home_assistant
from .report import Figure
from custom_components.loxone_wallbox.records import table
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.mapping import row_of
from custom_components.loxone_wallbox.records.recorder import SessionStore
from custom_components.loxone_wallbox.records.rows import Wanted
from custom_components.loxone_wallbox.records.statistics import SessionStatistics
from tests.databases import postgresql

FEW_DAYS = 10
FEW = FEW_DAYS * A_DAY
# The wallbox whose sessions are stored; in the small home it is the only one.
BOX = 11
ROUNDS = 60
# What is over soon is asked for so long: a second in which others work hits all of it.
LEAST_S = 8.0
TARGET_RATIO, TARGET_GROWTH = 1.5, 1.2

LIST = """SELECT record FROM loxone_wallbox_session
WHERE wallbox = {0} AND start_ts >= {1} AND start_ts < {2} AND occasion = {3}
ORDER BY start_ts DESC, id LIMIT 50 OFFSET 0"""
COUNT = """SELECT count(*) FROM loxone_wallbox_session
WHERE wallbox = {0} AND start_ts >= {1} AND start_ts < {2} AND occasion = {3}"""
SUM = """SELECT currency, SUM(CASE WHEN number = 0 THEN 1 ELSE 0 END), SUM(energy_wh),
SUM(charging_s), SUM(connected_s), SUM(cost),
SUM(CASE cost_status WHEN 'final' THEN 0 WHEN 'unknown' THEN 0 ELSE energy_wh END),
SUM(CASE cost_status WHEN 'unknown' THEN energy_wh ELSE 0 END)
FROM loxone_wallbox_slice WHERE {0}start_ts >= {1} AND start_ts < {2}
AND occasion = {3} GROUP BY currency"""


@dataclass(frozen=True, kw_only=True)
class _Home:
    """A Home Assistant with sessions in its database and in a wallbox's ledger."""

    hass: HomeAssistant
    ledger: Ledger
    statistics: SessionStatistics

    async def add(self, number: int, count: int, days: int) -> None:
        """Write the rows of one more session."""
        record = record_of(number, count % A_DAY, days + count // A_DAY)
        rows = [row_of(record, ZONE)]
        instance = get_instance(self.hass)
        await instance.async_add_executor_job(table.write, instance.engine, rows)

    async def store(self, count: int, days: int) -> None:
        """Do all that a new session costs: its ledger, its rows, its statistics."""
        record = record_of(BOX, count % A_DAY, days + count // A_DAY)
        await asyncio.to_thread(self.ledger.write, record, "session_finished")
        await self.add(BOX, count, days)
        await self.statistics.async_update(record.connected_utc)

    async def settled(self) -> None:
        """Wait until the recorder has written what it was given."""
        await get_instance(self.hass).async_block_till_done()


def history_cost(seconds: int | None = None) -> tuple[Figure, ...]:
    """Ask and add on SQLite and PostgreSQL; fewer days where it is shortened."""
    days = DAYS if seconds is None else max(31, seconds // 60)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # A database server of its own reads it as somebody else.
        folder.chmod(0o755)
        return asyncio.run(_measure(folder, days))


async def _measure(folder: Path, days: int) -> tuple[Figure, ...]:
    """Measure on both engines, and a ledger beside them."""
    urls = [f"sqlite:///{folder}/{name}.db" for name in ("few", "many")]
    figures = await _engine_figures("sqlite", urls, folder / "sqlite", days)
    with postgresql(folder) as server:
        urls = [server.create(name) for name in ("few", "many")]
        figures += await _engine_figures("postgresql", urls, folder / "pg", days)
    figures.append(await asyncio.to_thread(_ledger_figure, folder / "ledger", days))
    return tuple(figures)


async def _engine_figures(
    dialect: str, urls: list[str], folder: Path, days: int
) -> list[Figure]:
    """Measure one engine: a home with few sessions beside one with a year of them."""
    small = (range(days - FEW_DAYS, days), range(BOX, BOX + 1))
    large = (range(days), range(WALLBOXES))
    async with (
        _with_sessions(urls[0], folder / "few", small, f"{dialect}, few") as few,
        _with_sessions(urls[1], folder / "many", large, f"{dialect}, many") as many,
    ):
        store = SessionStore(many.hass)
        await store.async_sums([Wanted()])
        sessions = WALLBOXES * A_DAY * days
        shortened = days < DAYS
        note = f"{sessions} sessions, lower quartile of pairs, through the executor"
        figures = []
        for which in ("list_of_a_month", "sum_of_a_month", "sum_of_a_year"):
            one = _asked(many.hass, store, dialect, which, note, shortened=shortened)
            figures.append(_told(await one))
        figures.append(_told(await _adding(dialect, few, many, days)))
        figures.append(_told(await _storing(dialect, few, many, days)))
        return figures


def _told(figure: Figure) -> Figure:
    """Tell a figure at once: the whole takes minutes, and may be given up."""
    say(figure.lines()[0])
    return figure


async def _adding(dialect: str, few: _Home, many: _Home, days: int) -> Figure:
    """Compare what the rows of a new session cost in both homes, taken in turns."""
    # A session is written each time something becomes of it, so some are enough.
    counts = cycle(range(2 * ROUNDS))
    small_s, large_s = await _paired(
        lambda: few.add(3, next(counts), days), lambda: many.add(3, next(counts), days)
    )
    return Figure(
        id="P5",
        name=f"{dialect}_adding_grows",
        value=large_s / small_s,
        target=TARGET_GROWTH,
        shortened=days < DAYS,
        notes=(_grown("rows of one more session", small_s, large_s, days),),
    )


async def _storing(dialect: str, few: _Home, many: _Home, days: int) -> Figure:
    """Compare all that a new session costs in both homes, taken in turns."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for count in range(ROUNDS):
        for home in (few, many):
            begin = time.perf_counter()
            await home.store(count, days)
            times[home is many].append(time.perf_counter() - begin)
            await home.settled()
    small_s, large_s = _quiet(times[False]), _quiet(times[True])
    what = "ledger, rows and statistics of one more session"
    return Figure(
        id="P5",
        name=f"{dialect}_storing_grows",
        value=large_s / small_s,
        target=TARGET_GROWTH,
        shortened=days < DAYS,
        notes=(_grown(what, small_s, large_s, days),),
    )


def _grown(what: str, small_s: float, large_s: float, days: int) -> str:
    """Return the line that says what was compared."""
    many = WALLBOXES * A_DAY * days
    return (
        f"{what}: {small_s * 1000:.2f} ms at {FEW}, {large_s * 1000:.2f} ms at {many}, "
        "lower quartile of pairs"
    )


async def _asked(
    hass: HomeAssistant,
    store: SessionStore,
    dialect: str,
    which: str,
    note: str,
    *,
    shortened: bool,
) -> Figure:
    """Measure one question beside the same as bare text to the driver."""
    start, end = YEAR.timestamp(), (YEAR + timedelta(days=31)).timestamp()
    box = box_of(7)
    if which == "sum_of_a_year":
        end, wanted = end + 366 * 86400, Wanted(start=start, end=end + 366 * 86400)
    else:
        wanted = Wanted(start=start, end=end, wallboxes=(box,))
    raw = _raw(dialect, which, box, start, end)
    instance = get_instance(hass)

    async def ours() -> None:
        """Ask as a card does."""
        if which == "list_of_a_month":
            await store.async_listed(wanted, limit=50)
        else:
            await store.async_sums([wanted])

    async def bare() -> None:
        """Ask the driver."""
        await instance.async_add_executor_job(raw, instance.engine)

    mine, floor = await _paired(ours, bare)
    return Figure(
        id="P5",
        name=f"{dialect}_{which}_ratio",
        value=mine / floor,
        target=TARGET_RATIO,
        shortened=shortened,
        notes=(note, f"ours {mine * 1000:.2f} ms, bare SQL {floor * 1000:.2f} ms"),
    )


def _raw(
    dialect: str, which: str, box: str, start: float, end: float
) -> Callable[[Any], list[Any]]:
    """Return a question as text, asked of the driver itself."""
    mark, true = ("?", "1") if dialect == "sqlite" else ("%s", "true")
    marks = (mark, mark, mark, true)
    if which == "list_of_a_month":
        asked: list[tuple[str, tuple[Any, ...]]] = [
            (LIST.format(*marks), (box, start, end))
        ]
        asked.append((COUNT.format(*marks), (box, start, end)))
    elif which == "sum_of_a_month":
        text = SUM.format(f"wallbox = {mark} AND ", mark, mark, true)
        asked = [(text, (box, start, end))]
    else:
        asked = [(SUM.format("", mark, mark, true), (start, end))]

    def ask(engine: Any) -> list[Any]:
        """Ask and give everything, records as what they say."""
        connection = engine.raw_connection()
        answer: list[Any] = []
        try:
            cursor = connection.cursor()
            for text, values in asked:
                cursor.execute(text, values)
                for row in cursor.fetchall():
                    is_record = which == "list_of_a_month" and isinstance(row[0], str)
                    answer.append(json_loads(row[0]) if is_record else row)
        finally:
            connection.close()
        return answer

    return ask


async def _paired(
    ours: Callable[[], Awaitable[None]], bare: Callable[[], Awaitable[None]]
) -> tuple[float, float]:
    """Return what both take in seconds, in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + LEAST_S
    while len(times[0]) < ROUNDS or time.perf_counter() < end:
        for one, taken in zip((ours, bare), times, strict=True):
            begin = time.perf_counter()
            await one()
            taken.append(time.perf_counter() - begin)
    return _quiet(times[0]), _quiet(times[1])


def _quiet(times: list[float]) -> float:
    """Return the lower quartile: whoever else works on this machine only adds."""
    return quantiles(times, n=4)[0]


def _ledger_figure(folder: Path, days: int) -> Figure:
    """Compare what a line costs in a small file and in a big one, in turns."""
    few, many = (Ledger(folder, name) for name in ("few", "many"))
    for count in range(FEW):
        few.write(record_of(0, count % A_DAY, count // A_DAY), "session_finished")
    line = few._journal(few.months()[-1]).path.read_bytes().splitlines()[0]
    path = many._journal(few.months()[-1]).path
    with path.open("wb") as file:
        for _ in range(WALLBOXES * A_DAY * days):
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    times: dict[bool, list[float]] = {True: [], False: []}
    for count in range(4 * ROUNDS):
        # Of the month of both files.
        record = record_of(0, count % A_DAY, FEW_DAYS + count // A_DAY % 2)
        for ledger in (few, many):
            begin = time.perf_counter()
            ledger.write(record, "session_finished")
            times[ledger is many].append(time.perf_counter() - begin)
    small_s, large_s = _quiet(times[False]), _quiet(times[True])
    return Figure(
        id="P5",
        name="ledger_adding_grows",
        value=large_s / small_s,
        target=TARGET_GROWTH,
        shortened=days < DAYS,
        notes=(
            _grown("a line, each on the disk, in one file", small_s, large_s, days),
        ),
    )


@asynccontextmanager
async def _with_sessions(
    url: str, folder: Path, filled: tuple[range, range], what: str
) -> AsyncIterator[_Home]:
    """Run a Home Assistant that has the sessions of some days and wallboxes."""
    async with _with_recorder(url) as hass:
        instance = get_instance(hass)
        days, boxes = filled
        await instance.async_add_executor_job(table.prepare, instance.engine)
        await instance.async_add_executor_job(
            fill_tables, instance.engine, days, boxes, what
        )
        ledgers = await asyncio.to_thread(fill_ledgers, folder, days, boxes, what)
        statistics = SessionStatistics(
            hass, box_of(BOX), ledgers[BOX], name="bench", names={}
        )
        await statistics.async_update()
        await instance.async_block_till_done()
        yield _Home(hass=hass, ledger=ledgers[BOX], statistics=statistics)


@asynccontextmanager
async def _with_recorder(url: str) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant whose recorder uses a database."""
    async with home_assistant() as hass:
        recorder_helper.async_initialize_recorder(hass)
        config = {RECORDER: {"db_url": url, "commit_interval": 1}}
        assert await async_setup_component(hass, RECORDER, config)
        await get_instance(hass).async_recorder_ready.wait()
        yield hass
