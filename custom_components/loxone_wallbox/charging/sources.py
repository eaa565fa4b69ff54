"""Make grid events of what a calendar or a binary sensor of somebody else says.

Takes names, texts and instants as they come, gives events for the book. A calendar
gives its events no id, so moved ones are found again by their title and time.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
import hashlib
import re
from typing import Any

from .dsr import MAX_LENGTH, MAX_LIMIT_KW, DsrEvent, DsrKind

# Marks the events that follow an entity; no action should use it.
PROGRAM = "entity"
# The name of a source is part of the ids of its events, which have an end too.
MAX_NAME = 80
# A calendar with more is none of grid events.
MAX_EVENTS = 100
# An event that is moved further is another one.
MOVED_BY = timedelta(hours=24)

_SPACE = r"(?:\s|&nbsp;)*"
_LIMIT = re.compile(
    rf"(?<!\w)limit{_SPACE}={_SPACE}([0-9]+(?:[.,][0-9]+)?){_SPACE}kW(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where events come from, and what the owner says of them.

    `limit_kw` is the power that is left where an event names none; 0 pauses.
    """

    name: str
    limit_kw: float = 0.0
    response: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One event of a calendar; instants in UTC, `limit_kw` None where it names none."""

    start: datetime
    end: datetime
    title: str = ""
    limit_kw: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What a calendar's events change in the book."""

    take: tuple[DsrEvent, ...] = ()
    cancel: tuple[tuple[str, str], ...] = ()


def source_name(entity_id: str) -> str:
    """Return the name of a source: its entity id, a very long one shortened."""
    if len(entity_id) <= MAX_NAME:
        return entity_id
    return f"{entity_id[: MAX_NAME - 9]}~{_digest(entity_id, 8)}"


def limit_in(text: Any) -> float | None:
    """Return the limit in kW that a text names as `limit=6kW`, None without any.

    The comma counts as a decimal point; a limit that no charger has is none.
    """
    found = _LIMIT.search(text) if isinstance(text, str) else None
    if found is None:
        return None
    limit = float(found[1].replace(",", "."))
    return limit if limit <= MAX_LIMIT_KW else None


def read_asks(items: Any, zone: tzinfo, now: datetime) -> tuple[list[Ask], list[str]]:
    """Read a calendar's events that are not over, and say what is wrong with others.

    An event that is too long is cut to what the book allows.
    """
    asks: list[Ask] = []
    wrong: list[str] = []
    if not isinstance(items, Sequence) or isinstance(items, str | bytes):
        return asks, ["it gives no list of events"]
    for item in items:
        try:
            start, end = _instant(item["start"], zone), _instant(item["end"], zone)
            title = str(item.get("summary") or "")
            text = item.get("description")
        except AttributeError, KeyError, OverflowError, TypeError, ValueError:
            wrong.append("an event has no readable start and end")
            continue
        if end <= start:
            wrong.append("an event ends before it starts")
            continue
        if end - start > MAX_LENGTH:
            wrong.append("an event is longer than 24 hours and was cut")
            end = start + MAX_LENGTH
        if end > now:
            asks.append(Ask(start=start, end=end, title=title, limit_kw=limit_in(text)))
    if len(asks) > MAX_EVENTS:
        wrong.append(f"it has more than {MAX_EVENTS} events")
    asks.sort(key=lambda ask: ask.start)
    return asks[:MAX_EVENTS], wrong


def switched_on(
    source: Source, changed_at: datetime, start: datetime, end_after: timedelta
) -> DsrEvent:
    """Return the event of a sensor that was switched on, by its own last change."""
    event_id = f"{source.name} {changed_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
    ask = Ask(start=start, end=start + min(end_after, MAX_LENGTH))
    return _event(source, ask, event_id, start)


def of_source(events: Iterable[DsrEvent], name: str) -> list[DsrEvent]:
    """Return the events that follow an entity, in the order of their starts."""
    return sorted(
        (one for one in events if one.program == PROGRAM and one.source == name),
        key=lambda one: one.start,
    )


def calendar_changes(
    source: Source,
    asks: Sequence[Ask],
    events: Iterable[DsrEvent],
    now: datetime,
    *,
    revivable: Collection[str] = (),
) -> Changes:
    """Return what makes the book say what a calendar says from now on.

    `revivable` are the ids of events that were cancelled because they were gone; those
    that somebody else cancelled stay so.
    """
    known = of_source(events, source.name)
    open_events = {one.event_id: one for one in known if one.end > now}
    pairs = _matched(source, asks, open_events, revivable)
    taken = {one.event_id for one in known}
    take: list[DsrEvent] = []
    for index, ask in enumerate(asks):
        before = open_events.get(pairs.get(index, ""))
        if before is None:
            event = _event(source, ask, _free_id(source, ask, taken), now)
            taken.add(event.event_id)
            take.append(event)
            continue
        cancelled = before.cancelled_at is not None
        event = _event(source, ask, before.event_id, now, before.version + 1)
        revived = cancelled and before.event_id in revivable
        if revived or (not cancelled and _content(event) != _content(before)):
            take.append(event)
    kept = set(pairs.values())
    gone = tuple(
        one.key
        for one in open_events.values()
        if one.event_id not in kept
        and one.cancelled_at is None
        and one.opted_out_at is None
    )
    return Changes(take=tuple(take), cancel=gone)


def _matched(
    source: Source,
    asks: Sequence[Ask],
    events: Mapping[str, DsrEvent],
    revivable: Collection[str],
) -> dict[int, str]:
    """Return which event of the book each ask is, by its number.

    What says the same already comes first, or two of the same title and time would
    change places each time they are told; then the same title and time, then the same
    title nearby, then the same time.
    """

    def loose(event: DsrEvent) -> bool:
        """Tell whether an event may be another version of an ask."""
        return event.cancelled_at is None or event.event_id in revivable

    def titled(ask: Ask, event: DsrEvent) -> bool:
        """Tell whether both have the same title."""
        return event.event_id.split(" ")[2:3] == [_digest(ask.title)]

    passes: tuple[Callable[[Ask, DsrEvent], bool], ...] = (
        lambda ask, event: (
            titled(ask, event)
            and event.cancelled_at is None
            and _content(event)
            == _content(_event(source, ask, event.event_id, event.start))
        ),
        lambda ask, event: (
            titled(ask, event)
            and ask.start == event.start
            and ask.end == event.end
            and loose(event)
        ),
        lambda ask, event: titled(ask, event) and ask.start == event.start,
        lambda ask, event: (
            titled(ask, event)
            and loose(event)
            and abs(ask.start - event.start) <= MOVED_BY
        ),
        lambda ask, event: (
            ask.start == event.start and ask.end == event.end and loose(event)
        ),
    )
    pairs: dict[int, str] = {}
    left = dict(events)
    for fits in passes:
        candidates = sorted(
            (abs(ask.start - event.start), index, event_id)
            for index, ask in enumerate(asks)
            if index not in pairs
            for event_id, event in left.items()
            if fits(ask, event)
        )
        for _, index, event_id in candidates:
            if index not in pairs and event_id in left:
                pairs[index] = event_id
                del left[event_id]
    return pairs


def _event(
    source: Source, ask: Ask, event_id: str, now: datetime, version: int = 1
) -> DsrEvent:
    """Return the event of an ask."""
    limit = source.limit_kw if ask.limit_kw is None else ask.limit_kw
    return DsrEvent(
        event_id=event_id,
        program=PROGRAM,
        source=source.name,
        start=ask.start,
        end=ask.end,
        kind=DsrKind.LIMIT if limit > 0 else DsrKind.PAUSE,
        limit_kw=limit if limit > 0 else None,
        response_service=source.response,
        heard_at=now,
        version=version,
    )


def _content(event: DsrEvent) -> tuple[Any, ...]:
    """Return what makes a new version of an event necessary."""
    return (
        event.start,
        event.end,
        event.kind,
        event.limit_kw,
        event.response_service,
    )


def _free_id(source: Source, ask: Ask, taken: Collection[str]) -> str:
    """Return an id for a new event: source, first start, title, and a number."""
    start = ask.start.astimezone(UTC).isoformat(timespec="seconds")
    base = f"{source.name} {start} {_digest(ask.title)}"
    number = 1
    event_id = base
    while event_id in taken:
        number += 1
        event_id = f"{base} {number}"
    return event_id


def _digest(text: str, length: int = 6) -> str:
    """Return a few letters that stand for a text."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:length]


def _instant(text: Any, zone: tzinfo) -> datetime:
    """Read an instant; a time without a zone, or a day, is local."""
    at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)
