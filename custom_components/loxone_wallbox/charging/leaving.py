"""Which grid events somebody leaves: one, those of today, or all that are known.

Takes the book and a scope, gives the keys of the events. Raises `DsrError` where there
is nothing to leave.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from .dsr import DsrBook, DsrError, DsrEvent

type Key = tuple[str, str]


class Scope(StrEnum):
    """How much of what is known is left."""

    EVENT = "event"
    TODAY = "today"
    ALL = "all"


def to_leave(
    book: DsrBook, scope: Scope, now: datetime, zone: tzinfo, key: Key | None = None
) -> list[Key]:
    """Return what is left.

    Of one event a `key` says which, whether it has begun or not; without one it is what
    holds now. Today ends at midnight on the zone's clock; an event goes by its start.
    """
    if scope is not Scope.EVENT:
        if key is not None:
            raise DsrError("dsr_scope_with_event")
        until = None if scope is Scope.ALL else _midnight(now, zone)
        found = [
            event.key
            for event in book.events.values()
            if _is_open(book, event, now) and (until is None or event.start < until)
        ]
        if not found:
            raise DsrError("dsr_nothing_ahead")
        return found
    if key is None:
        active = [event.key for event in book.active(now)]
        if not active:
            raise DsrError("dsr_nothing_active")
        return active
    event = book.events.get(key)
    if event is None:
        raise DsrError("dsr_unknown")
    if not _is_open(book, event, now):
        raise DsrError("dsr_is_over")
    return [key]


def _is_open(book: DsrBook, event: DsrEvent, now: datetime) -> bool:
    """Tell whether an event is neither over nor left already."""
    return event.opted_out_at is None and event.effective_end(book.silence) > now


def _midnight(now: datetime, zone: tzinfo) -> datetime:
    """Return when the local day ends."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)
