"""Sessions in the tables of every engine, and the questions they answer."""

from dataclasses import replace
from itertools import pairwise
import json
import random

import pytest
import sqlalchemy as sa

from custom_components.loxone_wallbox.records import queries, scan, table
from custom_components.loxone_wallbox.records.rows import SessionRow, SliceRow, Wanted

DAY = 86400.0
BOXES = ("504F94_garage", "504F94_carport")


def made(number: int, wallbox: str, rng: random.Random) -> SessionRow:
    """Return a session of one to three slices that begins on some day of a year."""
    start = rng.randrange(0, 365) * DAY + rng.randrange(0, 80000)
    parts = []
    at = start
    for _ in range(rng.randint(1, 3)):
        length = rng.randint(60, 40000)
        status = rng.choice(("final", "final", "provisional", "unknown"))
        known = status != "unknown"
        parts.append(
            SliceRow(
                start_ts=at,
                end_ts=at + length,
                energy_wh=rng.randint(0, 30000),
                charging_s=rng.randint(0, length),
                connected_s=length,
                cost=rng.randint(-50, 900) if known else None,
                currency=rng.choice(("GBP", "EUR")) if known else None,
                cost_status=status,
            )
        )
        at += length
    record = {"id": f"s{number}", "note": "ß→🔌" * rng.randint(0, 3)}
    return SessionRow(
        id=f"s{number}",
        wallbox=wallbox,
        start_ts=start,
        end_ts=at,
        energy_wh=sum(one.energy_wh for one in parts),
        charging_s=sum(one.charging_s for one in parts),
        connected_s=sum(one.connected_s for one in parts),
        occasion=rng.random() < 0.9,
        record=json.dumps(record),
        revision="1",
        schema_version=1,
        user_id=rng.choice((None, "u1", "u2")),
        slices=tuple(parts),
    )


@pytest.fixture(scope="module")
def sessions() -> list[SessionRow]:
    """Return a year of sessions at two wallboxes."""
    rng = random.Random(7)
    return [made(number, rng.choice(BOXES), rng) for number in range(400)]


def expected(rows: list[SessionRow], wanted: Wanted) -> dict[str | None, list[int]]:
    """Add up by hand: sessions, Wh, s, s and cost by currency."""
    found: dict[str | None, list[int]] = {}
    for row in rows:
        if wanted.wallboxes is not None and row.wallbox not in wanted.wallboxes:
            continue
        if wanted.users is not None and row.user_id not in wanted.users:
            continue
        if not row.occasion and not wanted.visits:
            continue
        for number, one in enumerate(row.slices):
            if wanted.start is not None and one.start_ts < wanted.start:
                continue
            if wanted.end is not None and one.start_ts >= wanted.end:
                continue
            total = found.setdefault(one.currency, [0, 0, 0, 0, 0])
            total[0] += number == 0
            total[1] += one.energy_wh
            total[2] += one.charging_s
            total[3] += one.connected_s
            total[4] += one.cost or 0
    return found


def answered(engine: sa.Engine, wanted: Wanted) -> dict[str | None, list[int]]:
    """Return the same from the database."""
    return {
        one.currency: [
            one.sessions,
            one.energy_wh,
            one.charging_s,
            one.connected_s,
            one.cost or 0,
        ]
        for one in queries.sums(engine, wanted)
    }


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(visits=True),
        Wanted(start=31 * DAY, end=59 * DAY, wallboxes=BOXES[:1]),
        Wanted(start=100 * DAY, wallboxes=BOXES, users=("u1",)),
        Wanted(end=200 * DAY, users=("u2", "u1")),
        Wanted(users=()),
        Wanted(end=1.0),
        Wanted(wallboxes=()),
    ],
)
def test_sums_are_those_of_the_slices(
    engine: sa.Engine, sessions: list[SessionRow], wanted: Wanted
) -> None:
    """Every engine adds up what is added up by hand."""
    table.prepare(engine)
    table.write(engine, sessions)
    assert answered(engine, wanted) == expected(sessions, wanted)


def test_months_add_up_to_the_year(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """No slice is in two months or in none."""
    table.prepare(engine)
    table.write(engine, sessions)
    edges = [number * 30.5 * DAY for number in range(14)]
    by_month = [
        queries.sums(engine, Wanted(start=start, end=end))
        for start, end in pairwise(edges)
    ]
    months = sum(one.energy_wh for month in by_month for one in month)
    year = queries.sums(engine, Wanted(start=edges[0], end=edges[-1]))
    assert months == sum(one.energy_wh for one in year) > 0


def test_a_list_is_the_newest_first_by_pages(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """Pages put together are the whole list, whatever their size."""
    table.prepare(engine)
    table.write(engine, sessions)
    wanted = Wanted(wallboxes=BOXES[:1], visits=True)
    pages = []
    total = None
    for offset in range(0, 400, 37):
        page, total = queries.listed(engine, wanted, limit=37, offset=offset)
        pages += page
    mine = [row for row in sessions if row.wallbox == BOXES[0]]
    order = sorted(mine, key=lambda row: (-row.start_ts, row.id))
    assert total == len(mine)
    assert pages == [json.loads(row.record) for row in order]


def test_a_session_is_written_again_in_its_place(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """A newer version leaves nothing of the older one."""
    table.prepare(engine)
    table.write(engine, sessions)
    old = sessions[0]
    new = replace(old, revision="2", occasion=True, slices=old.slices[:1])
    table.write(engine, [new])
    assert table.revisions(engine, old.wallbox)[old.id] == "2"
    changed = [new, *sessions[1:]]
    assert answered(engine, Wanted()) == expected(changed, Wanted())


def test_a_wallbox_is_wiped(engine: sa.Engine, sessions: list[SessionRow]) -> None:
    """All of a wallbox goes, or what is too old of it; the others stay."""
    table.prepare(engine)
    table.write(engine, sessions)
    garage = BOXES[0]
    before = 100 * DAY
    table.wipe(engine, garage, before)
    left = [one for one in sessions if one.wallbox != garage or one.start_ts >= before]
    assert len(left) < len(sessions)
    assert answered(engine, Wanted()) == expected(left, Wanted())
    table.wipe(engine, garage)
    others = [one for one in sessions if one.wallbox != garage]
    assert others
    assert answered(engine, Wanted()) == expected(others, Wanted())
    assert table.revisions(engine, garage) == {}
    with engine.connect() as connection:
        slices = connection.execute(
            sa.select(sa.func.count()).where(table.SLICE.c.wallbox == garage)
        ).scalar_one()
    assert slices == 0


def test_deleted_is_deleted_with_its_slices(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """Nothing of a deleted session is counted; deleting twice is once."""
    table.prepare(engine)
    table.write(engine, sessions)
    gone = [row.id for row in sessions[:250]]
    table.remove(engine, gone)
    table.remove(engine, gone)
    assert answered(engine, Wanted()) == expected(sessions[250:], Wanted())


def test_records_come_back_as_they_were_written(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """Text of any script survives, also a long one."""
    table.prepare(engine)
    long = replace(sessions[0], record=json.dumps({"text": "ß→🔌" * 40000}))
    table.write(engine, [long])
    assert list(table.records(engine, [long.id])) == [long.record]


def test_half_a_sign(engine: sa.Engine, sessions: list[SessionRow]) -> None:
    """A text from elsewhere that no other reader takes does not spoil a list."""
    text = '{"note":"\\ud83d"}'
    table.prepare(engine)
    table.write(engine, [replace(sessions[0], id="half", record=text)])
    try:
        found, _ = queries.listed(engine, Wanted(visits=True), limit=1000)
        assert {"note": "\ud83d"} in found
    finally:
        table.remove(engine, ["half"])


def test_a_table_of_an_older_version_gets_its_new_columns(engine: sa.Engine) -> None:
    """What came later is added, and old rows stay."""
    table.prepare(engine)
    rng = random.Random(1)
    row = made(1, BOXES[0], rng)
    table.write(engine, [row])
    with engine.begin() as connection:
        for name in ("stop_reason", "estimated"):
            connection.execute(
                sa.text(f"ALTER TABLE loxone_wallbox_session DROP COLUMN {name}")
            )
    table.prepare(engine)
    table.write(engine, [made(2, BOXES[0], rng)])
    assert set(table.revisions(engine, BOXES[0])) == {"s1", "s2"}


def test_nothing_is_left_half_written(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """A row that the engine refuses leaves what was there before."""
    table.prepare(engine)
    table.write(engine, sessions[:5])
    wrong = replace(sessions[0], revision=None)  # type: ignore[arg-type]
    with pytest.raises(sa.exc.SQLAlchemyError):
        table.write(engine, [sessions[6], wrong])
    assert answered(engine, Wanted()) == expected(sessions[:5], Wanted())


def test_a_table_that_was_dropped_is_made_again(
    engine: sa.Engine, sessions: list[SessionRow]
) -> None:
    """Asking an emptied database is an error that preparing it ends."""
    table.prepare(engine)
    table.METADATA.drop_all(engine)
    with pytest.raises(sa.exc.SQLAlchemyError):
        table.write(engine, sessions[:1])
    table.prepare(engine)
    table.write(engine, sessions[:1])
    assert answered(engine, Wanted(visits=True))


@pytest.mark.parametrize("by_user", [False, True])
@pytest.mark.parametrize("by_wallbox", [False, True])
def test_memory_answers_like_the_database(
    engine: sa.Engine,
    sessions: list[SessionRow],
    *,
    by_wallbox: bool,
    by_user: bool,
) -> None:
    """Where there is no database the answers are the same."""
    table.prepare(engine)
    table.write(engine, sessions)
    by = {"by_wallbox": by_wallbox, "by_user": by_user}
    wanted = Wanted(start=20 * DAY, end=200 * DAY)
    asked = queries.sums(engine, wanted, **by)
    assert sorted(map(repr, scan.sums(sessions, wanted, **by))) == sorted(
        map(repr, asked)
    )
    listed = queries.listed(engine, wanted, limit=20, offset=5)
    assert scan.listed(sessions, wanted, limit=20, offset=5) == listed
