"""The database's answers without a database: from rows in memory.

For as long as the recorder is off, away or migrating; slower, and the same answers.
"""

from collections.abc import Iterable
import json
from typing import Any

from .rows import SessionRow, SliceRow, Sum, Wanted


def listed(
    rows: Iterable[SessionRow], wanted: Wanted, *, limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """Return the records of sessions, the newest first, and how many there are."""
    found = [row for row in rows if _picks(row, wanted) and _in(row.start_ts, wanted)]
    found.sort(key=lambda row: (-row.start_ts, row.id))
    page = found[offset : offset + limit]
    return [json.loads(row.record) for row in page], len(found)


def sums(
    rows: Iterable[SessionRow],
    wanted: Wanted,
    *,
    by_wallbox: bool = False,
    by_user: bool = False,
) -> list[Sum]:
    """Return what sessions add up to, one a currency and, if asked, wallbox and user."""
    parts: dict[tuple[str | None, ...], list[tuple[int, SliceRow]]] = {}
    for row in rows:
        if not _picks(row, wanted):
            continue
        for number, one in enumerate(row.slices):
            if _in(one.start_ts, wanted):
                wallbox = row.wallbox if by_wallbox else None
                user_id = row.user_id if by_user else None
                key = (one.currency, wallbox, user_id)
                parts.setdefault(key, []).append((number, one))
    return [_sum(key, some) for key, some in parts.items()]


def _sum(key: tuple[str | None, ...], parts: list[tuple[int, SliceRow]]) -> Sum:
    """Add parts up."""
    currency, wallbox, user_id = key
    slices = [one for _, one in parts]
    costs = [one.cost for one in slices if one.cost is not None]

    def energy(*statuses: str) -> int:
        """Return the energy of those whose cost is so sure."""
        return sum(one.energy_wh for one in slices if one.cost_status in statuses)

    unknown = energy("unknown")
    total = sum(one.energy_wh for one in slices)
    return Sum(
        sessions=sum(number == 0 for number, _ in parts),
        energy_wh=total,
        charging_s=sum(one.charging_s for one in slices),
        connected_s=sum(one.connected_s for one in slices),
        cost=sum(costs) if costs else None,
        provisional_wh=total - unknown - energy("final"),
        unknown_wh=unknown,
        currency=currency,
        wallbox=wallbox,
        user_id=user_id,
    )


def _picks(row: SessionRow, wanted: Wanted) -> bool:
    """Tell whether a session is wanted, whenever it was."""
    return (
        (wanted.wallboxes is None or row.wallbox in wanted.wallboxes)
        and (wanted.users is None or row.user_id in wanted.users)
        and (row.occasion or wanted.visits)
    )


def _in(at: float, wanted: Wanted) -> bool:
    """Tell whether an instant is in the span that is asked for."""
    return (wanted.start is None or at >= wanted.start) and (
        wanted.end is None or at < wanted.end
    )
