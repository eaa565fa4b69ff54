"""The tables of sessions in the recorder's database, on any engine it knows.

Takes and gives rows; blocking, called in the recorder's executor with its engine. The
tables are our own: no key leads into those of Home Assistant, and only types that every
engine has are used. Raises SQLAlchemy's errors: whoever calls tries again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import batched
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects.mysql import DOUBLE, MEDIUMTEXT
from sqlalchemy.schema import CreateColumn

from .rows import SessionRow, SliceRow

METADATA = MetaData()
# Every engine takes as many values in one statement.
BATCH = 500
_INSTANT = Float(53).with_variant(DOUBLE(asdecimal=False), "mysql", "mariadb")
_RECORD = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")

SESSION = Table(
    "loxone_wallbox_session",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("wallbox", String(80), nullable=False),
    Column("start_ts", _INSTANT, nullable=False),
    Column("end_ts", _INSTANT),
    Column("first_import_ts", _INSTANT),
    Column("last_import_ts", _INSTANT),
    Column("energy_wh", BigInteger, nullable=False),
    Column("export_wh", BigInteger, nullable=False),
    Column("charging_s", Integer, nullable=False),
    Column("connected_s", Integer, nullable=False),
    Column("occasion", Boolean, nullable=False),
    Column("cost", BigInteger),
    Column("currency", String(3)),
    Column("cost_status", String(16), nullable=False),
    Column("user_id", String(64)),
    Column("stop_reason", String(24)),
    Column("estimated", Boolean, nullable=False),
    Column("revision", String(16), nullable=False),
    Column("schema_version", SmallInteger, nullable=False),
    Column("record", _RECORD, nullable=False),
    Index("ix_loxone_wallbox_session_start", "start_ts"),
    Index("ix_loxone_wallbox_session_wallbox", "wallbox", "start_ts"),
    mysql_charset="utf8mb4",
)

SLICE = Table(
    "loxone_wallbox_slice",
    METADATA,
    Column("session_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wallbox", String(80), nullable=False),
    Column("user_id", String(64)),
    Column("occasion", Boolean, nullable=False),
    Column("start_ts", _INSTANT, nullable=False),
    Column("end_ts", _INSTANT, nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("charging_s", Integer, nullable=False),
    Column("connected_s", Integer, nullable=False),
    Column("cost", BigInteger),
    Column("currency", String(3)),
    Column("cost_status", String(16), nullable=False),
    Column("dsr_id", String(120)),
    Column("in_peak", Boolean, nullable=False),
    mysql_charset="utf8mb4",
)
# All that a sum needs is in the index, so a year of all wallboxes reads nothing else.
_SUMMED = (
    *("energy_wh", "charging_s", "connected_s", "cost", "currency", "cost_status"),
    *("occasion", "user_id", "number"),
)
Index(
    "ix_loxone_wallbox_slice_start",
    SLICE.c.start_ts,
    *(SLICE.c[one] for one in ("wallbox", *_SUMMED)),
)
Index(
    "ix_loxone_wallbox_slice_wallbox",
    SLICE.c.wallbox,
    SLICE.c.start_ts,
    *(SLICE.c[one] for one in _SUMMED),
)

_SESSION_FIELDS = tuple(one.name for one in fields(SessionRow) if one.name != "slices")
_SLICE_FIELDS = tuple(one.name for one in fields(SliceRow))


def prepare(engine: Engine) -> None:
    """Make the tables where they are missing, and columns that came later."""
    METADATA.create_all(engine, checkfirst=True)
    known = inspect(engine)
    for table in METADATA.sorted_tables:
        there = {column["name"] for column in known.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                _add_column(engine, table, column)


def _add_column(engine: Engine, table: Table, column: Column[Any]) -> None:
    """Add a column to a table of an older version; old rows have nothing in it."""
    definition = CreateColumn(column).compile(engine)
    quoted = engine.dialect.identifier_preparer.format_table(table)
    text = str(definition).replace(" NOT NULL", "")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {text}")


def write(engine: Engine, rows: Sequence[SessionRow]) -> None:
    """Write sessions, each all or nothing, in the place of what was there of them."""
    for some in batched(rows, BATCH, strict=False):
        with engine.begin() as connection, overwriting(connection):
            _delete(connection, [row.id for row in some])
            connection.execute(insert(SESSION), [_session(row) for row in some])
            if parts := [part for row in some for part in _slices(row)]:
                connection.execute(insert(SLICE), parts)


def remove(engine: Engine, ids: Iterable[str]) -> None:
    """Delete sessions; one that is not there is deleted already."""
    for some in batched(ids, BATCH, strict=False):
        with engine.begin() as connection, overwriting(connection):
            _delete(connection, some)


def wipe(engine: Engine, wallbox: str, before: float | None = None) -> None:
    """Delete sessions of a wallbox so that nothing of them is left in the file.

    Those that began before an instant (s UTC), or all.

    SQLite overwrites what it deletes only when asked to, and keeps older pages in its
    log until that is written back. Other engines do as they are set up.
    """
    own = SESSION.c.wallbox == wallbox
    if before is not None:
        own = and_(own, SESSION.c.start_ts < before)
    parts = SLICE.c.session_id.in_(select(SESSION.c.id).where(own))
    with engine.connect() as connection, overwriting(connection):
        connection.execute(delete(SLICE).where(parts))
        connection.execute(delete(SESSION).where(own))
        connection.commit()
    write_back(engine)


def people_of(engine: Engine, wallbox: str) -> set[str]:
    """Return the people who charged at a wallbox and at no other, by pseudonym."""
    own = SESSION.c.wallbox == wallbox
    with engine.connect() as connection:
        here, elsewhere = (
            set(connection.execute(select(SESSION.c.user_id).where(one)).scalars())
            for one in (own, ~own)
        )
    return {one for one in here - elsewhere if one is not None}


def write_back(engine: Engine) -> None:
    """Have SQLite write its log back and empty it, unless somebody reads just now."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Have SQLite overwrite what is deleted or changed meanwhile.

    Nobody finds a person in what is left of rows when the person is to be forgotten.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA secure_delete").scalar()
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        usual = {0: "OFF", 1: "ON"}.get(before or 0, "FAST")
        connection.exec_driver_sql(f"PRAGMA secure_delete = {usual}")


def _delete(connection: Connection, ids: Sequence[str]) -> None:
    """Delete sessions with their slices."""
    connection.execute(delete(SLICE).where(SLICE.c.session_id.in_(ids)))
    connection.execute(delete(SESSION).where(SESSION.c.id.in_(ids)))


def revisions(engine: Engine, wallbox: str) -> dict[str, str]:
    """Return which version of each of a wallbox's sessions the database has."""
    query = select(SESSION.c.id, SESSION.c.revision).where(SESSION.c.wallbox == wallbox)
    with engine.connect() as connection:
        return {row.id: row.revision for row in connection.execute(query)}


def records(engine: Engine, ids: Iterable[str]) -> Iterator[str]:
    """Return the ledger's records of sessions, as text."""
    for some in batched(ids, BATCH, strict=False):
        query = select(SESSION.c.record).where(SESSION.c.id.in_(some))
        with engine.connect() as connection:
            yield from connection.execute(query).scalars()


def _session(row: SessionRow) -> dict[str, Any]:
    """Return a session's values by column."""
    return {name: getattr(row, name) for name in _SESSION_FIELDS}


def _slices(row: SessionRow) -> Iterator[dict[str, Any]]:
    """Return the values of a session's slices by column."""
    for number, part in enumerate(row.slices):
        yield {
            "session_id": row.id,
            "number": number,
            "wallbox": row.wallbox,
            "user_id": row.user_id,
            "occasion": row.occasion,
            **{name: getattr(part, name) for name in _SLICE_FIELDS},
        }
