"""Questions about sessions, answered by the database.

Takes what is wanted, gives rows and sums; blocking, called in the recorder's executor.
A session is listed where it begins; sums are made of slices, so that one that goes over
a month's end counts in both months with what flowed in each.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
import json
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    RowMapping,
    and_,
    case,
    func,
    select,
    true,
)

from .rows import Sum, Wanted
from .table import SESSION, SLICE


def listed(
    engine: Engine, wanted: Wanted, *, limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """Return the records of sessions, the newest first, and how many there are."""
    where = _where(SESSION.c, wanted)
    query = (
        select(SESSION.c.record)
        .where(where)
        .order_by(SESSION.c.start_ts.desc(), SESSION.c.id)
        .limit(limit)
        .offset(offset)
    )
    with engine.connect() as connection:
        found = [json.loads(text) for text in connection.execute(query).scalars()]
        total = connection.execute(
            select(func.count()).select_from(SESSION).where(where)
        ).scalar_one()
    return found, total


def sums(
    engine: Engine,
    wanted: Wanted,
    *,
    by_wallbox: bool = False,
    by_user: bool = False,
) -> list[Sum]:
    """Return what sessions add up to, one a currency and, if asked, wallbox and user.

    Of sessions those count that begin in the span, of energy, time and cost what was in
    it. What has no price yet is in `unknown_wh`, with no currency.
    """
    groups = _groups(by_wallbox=by_wallbox, by_user=by_user)
    query = select(*groups, *_TOTALS).where(_where(SLICE.c, wanted)).group_by(*groups)
    with engine.connect() as connection:
        return [_sum(row) for row in connection.execute(query).mappings()]


def months(engine: Engine, wanted: Wanted, edges: Sequence[float]) -> list[list[Sum]]:
    """Return the sums of each span between neighbouring edges, in one read."""
    found = []
    for start, end in pairwise(edges):
        found.append(sums(engine, replace(wanted, start=start, end=end)))
    return found


def users(engine: Engine) -> list[str]:
    """Return whoever is named in a session."""
    query = select(SESSION.c.user_id).distinct().where(SESSION.c.user_id.is_not(None))
    with engine.connect() as connection:
        return sorted(connection.execute(query).scalars())


_COLUMNS = SLICE.c
_FINAL = _COLUMNS.cost_status == "final"
_UNKNOWN = _COLUMNS.cost_status == "unknown"
_TOTALS: tuple[ColumnElement[Any], ...] = (
    func.sum(case((_COLUMNS.number == 0, 1), else_=0)).label("sessions"),
    func.sum(_COLUMNS.energy_wh).label("energy_wh"),
    func.sum(_COLUMNS.charging_s).label("charging_s"),
    func.sum(_COLUMNS.connected_s).label("connected_s"),
    func.sum(_COLUMNS.cost).label("cost"),
    func.sum(case((_FINAL, 0), (_UNKNOWN, 0), else_=_COLUMNS.energy_wh)).label(
        "provisional_wh"
    ),
    func.sum(case((_UNKNOWN, _COLUMNS.energy_wh), else_=0)).label("unknown_wh"),
)


def _groups(*, by_wallbox: bool, by_user: bool) -> list[ColumnElement[Any]]:
    """Return what sums are made by."""
    groups: list[ColumnElement[Any]] = [_COLUMNS.currency]
    if by_wallbox:
        groups.append(_COLUMNS.wallbox)
    if by_user:
        groups.append(_COLUMNS.user_id)
    return groups


def _sum(row: RowMapping) -> Sum:
    """Return a row of sums; engines give them as decimals."""
    cost = row["cost"]
    return Sum(
        sessions=int(row["sessions"]),
        energy_wh=int(row["energy_wh"]),
        charging_s=int(row["charging_s"]),
        connected_s=int(row["connected_s"]),
        cost=None if cost is None else int(cost),
        provisional_wh=int(row["provisional_wh"]),
        unknown_wh=int(row["unknown_wh"]),
        currency=row["currency"],
        wallbox=row.get("wallbox"),
        user_id=row.get("user_id"),
    )


def _where(columns: Any, wanted: Wanted) -> ColumnElement[bool]:
    """Return what picks the wanted rows of either table."""
    picks: list[ColumnElement[bool]] = []
    if wanted.wallboxes is not None:
        one = wanted.wallboxes[0] if len(wanted.wallboxes) == 1 else None
        picks.append(
            columns.wallbox.in_(wanted.wallboxes)
            if one is None
            else columns.wallbox == one
        )
    if wanted.start is not None:
        picks.append(columns.start_ts >= wanted.start)
    if wanted.end is not None:
        picks.append(columns.start_ts < wanted.end)
    if wanted.user_id is not None:
        picks.append(columns.user_id == wanted.user_id)
    if not wanted.visits:
        picks.append(columns.occasion.is_(True))
    return and_(true(), *picks)
