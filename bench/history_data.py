"""A year of fifty wallboxes' sessions, in the recorder's tables and in ledger files.

Takes a database and a folder, writes into both what the product would have written, many
sessions at once: what is built is not what is measured.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import random
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert

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
from custom_components.loxone_wallbox.records.ledger import Ledger, month_of
from custom_components.loxone_wallbox.records.mapping import revision_of, row_of
from custom_components.loxone_wallbox.records.rows import SessionRow

ZONE = ZoneInfo("Europe/London")
# So that the year ends in the middle of a month: a new session meets a month half full.
YEAR = datetime(2027, 1, 18, tzinfo=UTC)
WALLBOXES, A_DAY, DAYS = 50, 10, 365
# A folder of ledgers that is far on its way.
DAYS_A_STEP = 73


def fill_tables(engine: Engine, days: range, boxes: range, what: str) -> int:
    """Write the sessions of some days at some wallboxes; returns how many. Blocking."""
    count, begin = 0, time.monotonic()
    for number, day in enumerate(days, 1):
        rows = list(_rows_of(day, boxes))
        with engine.begin() as connection:
            connection.execute(
                insert(table.SESSION), [table._session(row) for row in rows]
            )
            connection.execute(
                insert(table.SLICE),
                [part for row in rows for part in table._slices(row)],
            )
        count += len(rows)
        if number % DAYS_A_STEP == 0:
            say(f"{what}: {count} sessions in {time.monotonic() - begin:.0f} s")
    return count


def fill_ledgers(
    folder: Path, days: range, boxes: range, what: str
) -> dict[int, Ledger]:
    """Write the same into ledgers, and return them by wallbox. Blocking."""
    begin = time.monotonic()
    months: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
    for day in days:
        for slot in range(A_DAY):
            pattern = record_of(0, slot, day).as_dict()
            month = month_of(pattern["id"])
            months.setdefault(month, []).append((slot, day, pattern))
    ledgers = {number: Ledger(folder, box_of(number)) for number in boxes}
    for number, ledger in ledgers.items():
        box = box_of(number)
        for month, some in months.items():
            ledger._journal(month).replace(
                [
                    {
                        "id": (own := _id_of(box, slot, day)),
                        "at": "session_finished",
                        "record": {**pattern, "id": own, "wallbox": box},
                    }
                    for slot, day, pattern in some
                ]
            )
        ledger.lost()
    say(f"{what}: {len(ledgers)} ledgers in {time.monotonic() - begin:.0f} s")
    return ledgers


def say(text: str) -> None:
    """Tell how far it is, beside the figures."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _rows_of(day: int, boxes: range) -> Iterator[SessionRow]:
    """Return the rows of a day."""
    for slot in range(A_DAY):
        pattern = row_of(record_of(0, slot, day), ZONE)
        for number in boxes:
            box = box_of(number)
            own = _id_of(box, slot, day)
            text = pattern.record.replace(pattern.id, own)
            text = text.replace(pattern.wallbox, box)
            yield replace(
                pattern, id=own, wallbox=box, record=text, revision=revision_of(text)
            )


def _id_of(box: str, slot: int, day: int) -> str:
    """Return what a session is called."""
    return session_id(box, start_of(slot, day), day * A_DAY + slot)


def box_of(number: int) -> str:
    """Return the key of a wallbox."""
    return f"504F94A00001_0f1e2d3c-0001-{number:04d}-ffffed57184a04d2"


def start_of(slot: int, day: int) -> datetime:
    """Return when a session begins."""
    return YEAR + timedelta(days=day, hours=2 * slot, minutes=7)


def record_of(number: int, slot: int, day: int) -> SessionRecord:
    """Return a session of an hour and a half with a change of price in it."""
    rng = random.Random(day * A_DAY + slot)  # noqa: S311
    start, box = start_of(slot, day), box_of(number)
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
        id=_id_of(box, slot, day),
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
