"""Bring a wallbox's ledger and the database together.

Takes where the sessions are kept and an engine, gives each side what it lacks; blocking,
called in the recorder's executor. A tombstone holds on both sides.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
import json
from typing import TYPE_CHECKING, Any

from ..charging.session import SessionError, SessionRecord
from ..const import LOGGER
from .journal import FileState, JournalError
from .ledger import Ledger, LedgerError
from .mapping import row_of, version_of
from .rows import SessionRow

if TYPE_CHECKING:
    from sqlalchemy import Engine


class DatabaseAwayError(Exception):
    """The database does not answer now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Where a wallbox's sessions are kept, and the zone its days are counted in.

    `turn` is held by whoever writes to the ledger. `running` gives the session that is
    not over yet as it stands, which the ledger knows from its last change only.
    """

    ledger: Ledger
    zone: tzinfo
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: Callable[[], SessionRecord | None] = lambda: None


# Of each month its file, and the versions of its rows, when both were the same.
type Compared = dict[str, tuple[FileState, int]]
# A record as it stands and the zone its days are counted in. Of weeks of charging it is
# long: its row is made where it is needed, never in the event loop.
type Standing = tuple[SessionRecord, tzinfo]


def write(engine: Engine, waiting: Mapping[str, Standing | None]) -> None:
    """Write sessions and delete those that are gone."""
    from . import table  # noqa: PLC0415

    table.write(engine, [row_of(*one) for one in waiting.values() if one is not None])
    table.remove(engine, [name for name, one in waiting.items() if one is None])


def wipe(engine: Engine, wallbox: str, before: float) -> None:
    """Delete a wallbox's rows of before an instant (s UTC)."""
    from . import table  # noqa: PLC0415

    table.wipe(engine, wallbox, before)


def wiped(engine: Engine, wallbox: str) -> set[str]:
    """Delete all rows of a wallbox; return whom no row tells of any more."""
    from . import table  # noqa: PLC0415

    people = table.people_of(engine, wallbox)
    table.wipe(engine, wallbox)
    return people


def rows_of(kept: Kept) -> list[SessionRow]:
    """Return all sessions of a ledger; a file that cannot be read is left out."""
    rows = []
    try:
        for month in kept.ledger.months():
            rows += [row_of(one, kept.zone) for one in kept.ledger.month(month).records]
    except JournalError as err:
        LOGGER.error("A file of sessions cannot be read: %s", err)
    return rows


def rows(some: Iterable[Kept], running: Mapping[str, Standing]) -> list[SessionRow]:
    """Return all sessions of some ledgers, those that run as they stand."""
    found = {row.id: row for kept in some for row in rows_of(kept)}
    found |= {name: row_of(*one) for name, one in running.items()}
    return list(found.values())


def reconcile(
    engine: Engine, wallbox: str, kept: Kept, compared: Compared
) -> list[str]:
    """Give each side what it lacks; returns what the ledger took.

    A tombstone holds on both sides. What neither can read stays where it is. A month is
    looked at if its file or its rows are not what they were when they were `compared`.
    """
    from . import table  # noqa: PLC0415

    try:
        there = _by_month(table.revisions(engine, wallbox))
        states = {one: kept.ledger.state(one) for one in kept.ledger.months()}
        same = {
            month
            for month, state in states.items()
            if compared.get(month) == (state, _print(there.get(month, {})))
        }
        taken: list[str] = []
        for month in sorted({*states, *there} - same):
            more, wanted = _reconcile_month(engine, kept, month, there.get(month, {}))
            taken += more
            compared[month] = (states.get(month), _print(wanted))
    except (JournalError, LedgerError) as err:
        raise DatabaseAwayError(f"a file of sessions cannot be read: {err}") from err
    return taken


def _reconcile_month(
    engine: Engine, kept: Kept, month: str, there: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Give each side what it lacks of a month; `there` is what the database has.

    Returns what the ledger took, and which versions the database is to have now.
    """
    from . import table  # noqa: PLC0415

    page = kept.ledger.month(month)
    records = {one.id: one for one in page.records}
    asked = [one for one in there if one not in records or one in page.damage.ids]
    found = _readable(table.records(engine, asked))
    taken = kept.ledger.absorb(found)
    table.remove(engine, {one.id for one in found} - {*records, *taken})
    records |= {one.id: one for one in found if one.id in taken}
    wanted = {name: version_of(one) for name, one in records.items()}
    table.write(
        engine,
        [
            row_of(one, kept.zone)
            for name, one in records.items()
            if there.get(name) != wanted[name]
        ],
    )
    return taken, wanted


def _by_month(revisions: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return versions by the month that their names begin with."""
    found: dict[str, dict[str, str]] = {}
    for name, revision in revisions.items():
        found.setdefault(f"{name[:4]}-{name[4:6]}", {})[name] = revision
    return found


def _print(revisions: Mapping[str, str]) -> int:
    """Return what tells some versions of sessions from others."""
    return hash(frozenset(revisions.items()))


def _readable(texts: Any) -> list[SessionRecord]:
    """Return the records that this version can read."""
    found = []
    for text in texts:
        try:
            found.append(SessionRecord.from_dict(json.loads(text)))
        except SessionError, ValueError, TypeError:
            LOGGER.debug("A record of another version stays in the database")
    return found
