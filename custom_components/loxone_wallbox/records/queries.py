"""Questions about sessions, answered by the database.

Takes what is wanted, gives rows and sums; blocking, called in the recorder's executor.
A session is listed where it begins; sums are made of slices, so that one that goes over
a month's end counts in both months with what flowed in each.
"""

from functools import lru_cache
import json
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Engine,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
)

from homeassistant.util.json import json_loads

from .rows import Sum, Wanted
from .table import SESSION, SLICE


def listed(
    engine: Engine, wanted: Wanted, *, limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """Return the records of sessions, the newest first, and how many there are."""
    page, count = _listing(_shape(wanted))
    values = _values(wanted)
    with engine.connect() as connection:
        asked = {**values, "limit": limit, "offset": offset}
        rows = connection.execute(page, asked).all() if limit else ()
        # A page with nothing in it has no number beside it either.
        total = rows[0][1] if rows else connection.execute(count, values).scalar_one()
    return _records([row[0] for row in rows]), total


def _records(texts: list[str]) -> list[dict[str, Any]]:
    """Return records of the ledger."""
    found: list[Any]
    try:
        found = [json_loads(text) for text in texts]
    except ValueError:
        # Half a sign from elsewhere: Python takes it, the fast reader does not.
        found = [json.loads(text) for text in texts]
    return found


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
    query = _summing(_shape(wanted), by_wallbox, by_user)
    with engine.connect() as connection:
        return [
            _sum(row) for row in connection.execute(query, _values(wanted)).mappings()
        ]


_COLUMNS = SLICE.c
# What never changes stands in the question itself: each value beside it costs time.
_0: ColumnElement[int] = literal_column("0")
_1: ColumnElement[int] = literal_column("1")
_FINAL = _COLUMNS.cost_status == literal_column("'final'")
_UNKNOWN = _COLUMNS.cost_status == literal_column("'unknown'")
_TOTALS: tuple[ColumnElement[Any], ...] = (
    func.sum(case((_COLUMNS.number == _0, _1), else_=_0)).label("sessions"),
    func.sum(_COLUMNS.energy_wh).label("energy_wh"),
    func.sum(_COLUMNS.charging_s).label("charging_s"),
    func.sum(_COLUMNS.connected_s).label("connected_s"),
    func.sum(_COLUMNS.cost).label("cost"),
    func.sum(case((_FINAL, _0), (_UNKNOWN, _0), else_=_COLUMNS.energy_wh)).label(
        "provisional_wh"
    ),
    func.sum(case((_UNKNOWN, _COLUMNS.energy_wh), else_=_0)).label("unknown_wh"),
)


# What a question filters by; questions of a shape differ only in their values.
type Shape = tuple[bool, bool, bool, bool, bool, bool, bool]


def _shape(wanted: Wanted) -> Shape:
    """Return which filters a question has."""
    several = wanted.wallboxes is not None and len(wanted.wallboxes) != 1
    users = wanted.users is not None and len(wanted.users) != 1
    return (
        wanted.wallboxes is not None and not several,
        several,
        wanted.start is not None,
        wanted.end is not None,
        wanted.users is not None and not users,
        users,
        not wanted.visits,
    )


def _values(wanted: Wanted) -> dict[str, Any]:
    """Return the values of a question's filters."""
    one, several, start, end, user, users, _ = _shape(wanted)
    wallboxes, people = wanted.wallboxes or (), wanted.users or ()
    return {
        **({"wallbox": wallboxes[0]} if one else {}),
        **({"wallboxes": wallboxes} if several else {}),
        **({"start": wanted.start} if start else {}),
        **({"end": wanted.end} if end else {}),
        **({"user": people[0]} if user else {}),
        **({"users": people} if users else {}),
    }


def _where(columns: Any, shape: Shape) -> ColumnElement[bool]:
    """Return what picks the wanted rows of either table."""
    one, several, start, end, user, users, occasions = shape
    picks: list[ColumnElement[bool]] = []
    if one:
        picks.append(columns.wallbox == bindparam("wallbox"))
    if several:
        picks.append(columns.wallbox.in_(bindparam("wallboxes", expanding=True)))
    if start:
        picks.append(columns.start_ts >= bindparam("start"))
    if end:
        picks.append(columns.start_ts < bindparam("end"))
    if user:
        picks.append(columns.user_id == bindparam("user"))
    if users:
        picks.append(columns.user_id.in_(bindparam("users", expanding=True)))
    if occasions:
        picks.append(columns.occasion.is_(True))
    return and_(true(), *picks)


# To put a question into words takes longer than many an answer.
@lru_cache
def _listing(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    """Return the question for a page of sessions, and the one for their number.

    Each row of the page has the number beside it: both are of the same instant, and the
    database is asked once.
    """
    where = _where(SESSION.c, shape)
    count = select(func.count()).select_from(SESSION).where(where)
    page = (
        select(SESSION.c.record, count.correlate(None).scalar_subquery())
        .where(where)
        .order_by(SESSION.c.start_ts.desc(), SESSION.c.id)
        .limit(_number("limit"))
        .offset(_number("offset"))
    )
    return page, count


def _number(name: str) -> BindParameter[int]:
    """Return a number that SQLite is to see: a page of unknown length takes longer."""
    return bindparam(name, type_=Integer, literal_execute=True)


@lru_cache
def _summing(shape: Shape, by_wallbox: bool, by_user: bool) -> Select[Any]:
    """Return the question for sums."""
    groups: list[ColumnElement[Any]] = [_COLUMNS.currency]
    if by_wallbox:
        groups.append(_COLUMNS.wallbox)
    if by_user:
        groups.append(_COLUMNS.user_id)
    return select(*groups, *_TOTALS).where(_where(_COLUMNS, shape)).group_by(*groups)


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
