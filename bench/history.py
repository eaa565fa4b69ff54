"""P5: what a year of fifty wallboxes' sessions costs to ask for and to add to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import random
from statistics import median
import tempfile
import time
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder as recorder_helper
from homeassistant.setup import async_setup_component

from .house import home_assistant
from .report import Figure
from custom_components.loxone_wallbox.charging.money import PriceStatus
from custom_components.loxone_wallbox.charging.session import (
    HourEnergy,
    Kind,
    Segment,
    SessionRecord,
)
from custom_components.loxone_wallbox.charging.slices import Slice, floor_hour
from custom_components.loxone_wallbox.charging.transition import session_id
from custom_components.loxone_wallbox.records import table
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.mapping import row_of
from custom_components.loxone_wallbox.records.recorder import SessionStore
from custom_components.loxone_wallbox.records.rows import Wanted
from tests.databases import postgresql

ZONE = ZoneInfo("Europe/London")
YEAR = datetime(2027, 1, 1, tzinfo=UTC)
WALLBOXES, A_DAY, DAYS = 50, 10, 365
FEW = 100
ROUNDS = 60
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
    figures = await _engine_figures("sqlite", f"sqlite:///{folder}/bench.db", days)
    with postgresql(folder) as server:
        url = server.create("bench")
        figures += await _engine_figures("postgresql", url, days)
    figures.append(await asyncio.to_thread(_ledger_figure, folder / "ledger", days))
    return tuple(figures)


async def _engine_figures(dialect: str, url: str, days: int) -> list[Figure]:
    """Measure one engine in a Home Assistant of its own."""
    async with _with_recorder(url) as hass:
        store = SessionStore(hass)
        await store.async_sums([Wanted()])
        add = [await _adding_ms(hass, FEW)]
        await _fill(hass, days)
        add.append(await _adding_ms(hass, WALLBOXES * A_DAY * days))
        sessions = WALLBOXES * A_DAY * days
        shortened = days < DAYS
        note = f"{sessions} sessions, median of {ROUNDS} pairs, through the executor"
        figures = [
            await _asked(hass, store, dialect, which, note, shortened=shortened)
            for which in ("list_of_a_month", "sum_of_a_month", "sum_of_a_year")
        ]
        growth = Figure(
            id="P5",
            name=f"{dialect}_adding_grows",
            value=add[1] / add[0],
            target=TARGET_GROWTH,
            shortened=shortened,
            notes=(f"a session {add[0]:.2f} ms at {FEW}, {add[1]:.2f} ms at the end",),
        )
        return [*figures, growth]


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
    box = _box(7)
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
) -> Callable[[Any], None]:
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

    def ask(engine: Any) -> None:
        """Ask and take everything."""
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            for text, values in asked:
                cursor.execute(text, values)
                for row in cursor.fetchall():
                    if which == "list_of_a_month" and isinstance(row[0], str):
                        json.loads(row[0])
        finally:
            connection.close()

    return ask


async def _paired(
    ours: Callable[[], Awaitable[None]], bare: Callable[[], Awaitable[None]]
) -> tuple[float, float]:
    """Return the medians in seconds of both, taken in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for one, taken in zip((ours, bare), times, strict=True):
            begin = time.perf_counter()
            await one()
            taken.append(time.perf_counter() - begin)
    return median(times[0]), median(times[1])


async def _adding_ms(hass: HomeAssistant, number: int) -> float:
    """Return what adding a session costs, in ms, with so many there already."""
    if number == FEW:
        rows = [_row(0, slot % A_DAY, 60 + slot // A_DAY) for slot in range(FEW)]
        await _write(hass, rows)
    times = []
    for one in range(4 * ROUNDS):
        row = _row(3, one % A_DAY, 1000 + number % 7919 + one)
        begin = time.perf_counter()
        await _write(hass, [row])
        times.append(time.perf_counter() - begin)
    return median(times) * 1000


async def _write(hass: HomeAssistant, rows: list[Any]) -> None:
    """Write rows in the recorder's executor."""
    instance = get_instance(hass)
    await instance.async_add_executor_job(table.write, instance.engine, rows)


async def _fill(hass: HomeAssistant, days: int) -> None:
    """Write every session of the year."""
    for day in range(days):
        rows = []
        for slot in range(A_DAY):
            pattern = _row(0, slot, day)
            for number in range(WALLBOXES):
                box = _box(number)
                own = session_id(box, _start(slot, day), day * A_DAY + slot)
                text = pattern.record.replace(pattern.id, own)
                rows.append(replace(pattern, id=own, wallbox=box, record=text))
        await _write(hass, rows)


def _box(number: int) -> str:
    """Return the key of a wallbox."""
    return f"504F94A00001_0f1e2d3c-0001-{number:04d}-ffffed57184a04d2"


def _start(slot: int, day: int) -> datetime:
    """Return when a session begins."""
    return YEAR + timedelta(days=day, hours=2 * slot, minutes=7)


def _row(number: int, slot: int, day: int) -> Any:
    """Return what the database holds of a session."""
    return row_of(_record(number, slot, day), ZONE)


def _record(number: int, slot: int, day: int) -> SessionRecord:
    """Return a session of an hour and a half with a change of price in it."""
    rng = random.Random(day * A_DAY + slot)  # noqa: S311
    start, box = _start(slot, day), _box(number)
    half, end = start + timedelta(minutes=45), start + timedelta(minutes=90)
    energies = [rng.randint(500, 5000), rng.randint(500, 5000)]
    cuts = ((start, half), (half, end))
    slices = tuple(
        Slice(
            start=begin,
            end=stop,
            wh=wh,
            price_id="p",
            currency="GBP",
            price_status=PriceStatus.FINAL,
            cost_minor=wh // 40,
        )
        for (begin, stop), wh in zip(cuts, energies, strict=True)
    )
    first = floor_hour(start)
    return SessionRecord(
        id=session_id(box, start, day * A_DAY + slot),
        wallbox=box,
        seq=day * A_DAY + slot,
        connected_utc=start,
        disconnected_utc=end,
        first_import_utc=start,
        last_import_utc=end,
        kind=Kind.OCCASION,
        revision=5,
        import_wh=sum(energies),
        importing_s=5400,
        connected_s=5400,
        meter_start_wh=10_000,
        meter_stop_wh=10_000 + sum(energies),
        user_id=f"u{rng.randint(1, 9)}",
        segments=(Segment(start=start, end=end, importing=end - start),),
        slices=slices,
        hours=tuple(
            HourEnergy(start=first + timedelta(hours=one), wh=wh)
            for one, wh in enumerate(energies)
        ),
        currency="GBP",
        cost_minor=sum(one.cost_minor or 0 for one in slices),
        cost_status=PriceStatus.FINAL,
    )


def _ledger_figure(folder: Path, days: int) -> Figure:
    """Return what a line in the ledger costs as the ledger grows."""
    ledger = Ledger(folder, "garage")
    few = _written(ledger, 0, FEW)
    with ledger._journal("2027-06").path.open("ab") as file:
        line = ledger._journal("2027-01").path.read_bytes().splitlines()[0]
        for _ in range(WALLBOXES * A_DAY * days):
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    many = _written(ledger, 160, 4 * ROUNDS)
    return Figure(
        id="P5",
        name="ledger_adding_grows",
        value=many / few,
        target=TARGET_GROWTH,
        shortened=days < DAYS,
        notes=(
            f"a line {few * 1000:.2f} ms at {FEW}, each on the disk",
            f"{many * 1000:.2f} ms in a file of {WALLBOXES * A_DAY * days}",
        ),
    )


def _written(ledger: Ledger, day: int, count: int) -> float:
    """Return the median seconds of writing a line."""
    times = []
    for one in range(count):
        record = _record(0, one % A_DAY, day + one % 20)
        begin = time.perf_counter()
        ledger.write(record, "session_finished")
        times.append(time.perf_counter() - begin)
    return median(times)


@asynccontextmanager
async def _with_recorder(url: str) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant whose recorder uses a database."""
    async with home_assistant() as hass:
        recorder_helper.async_initialize_recorder(hass)
        config = {RECORDER: {"db_url": url, "commit_interval": 1}}
        assert await async_setup_component(hass, RECORDER, config)
        await get_instance(hass).async_recorder_ready.wait()
        yield hass
