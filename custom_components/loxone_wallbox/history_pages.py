"""Many sessions, some at a time, so that a long history needs little memory.

Takes what is wanted, gives its sessions from the oldest on in pages. The time is halved
until a part of it fits a page: whatever is recorded meanwhile, no session is given twice
and none is left out.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .records.recorder import SessionStore
from .records.rows import Wanted

# In memory a session is about ten times as large as in a file.
PAGE = 1000
# No session begins before or after.
FIRST = datetime(1970, 1, 1, tzinfo=UTC).timestamp()
LAST = datetime(2970, 1, 1, tzinfo=UTC).timestamp()
# Within so short a time (s) nothing is halved any more.
SHORTEST = 1.0


async def async_pages(
    store: SessionStore, wanted: Wanted, total: int
) -> AsyncIterator[list[dict[str, Any]]]:
    """Give the records of so many sessions, the oldest first."""
    start = FIRST if wanted.start is None else wanted.start
    end = LAST if wanted.end is None else wanted.end
    waiting = [replace(wanted, start=start, end=end)]
    whole: int | None = total
    while waiting:
        part = waiting.pop()
        if whole is None:
            _, total = await store.async_listed(part, limit=0)
        whole, halves = None, _halves(part)
        if not total:
            continue
        if total <= PAGE or halves is None:
            # There may be more by now, and then the oldest would be left out.
            records, there = await store.async_listed(part, limit=max(total, PAGE))
            if there <= len(records):
                records.reverse()
                if records:
                    yield records
                continue
        waiting += reversed(halves or (part,))


def _halves(wanted: Wanted) -> tuple[Wanted, Wanted] | None:
    """Return both halves of a time, None for one that is too short for that."""
    assert wanted.start is not None  # noqa: S101  (it has bounds)
    assert wanted.end is not None  # noqa: S101
    if wanted.end - wanted.start <= SHORTEST:
        return None
    middle = (wanted.start + wanted.end) / 2
    return replace(wanted, end=middle), replace(wanted, start=middle)
