"""What is planned for a wallbox between two instants, as the card draws it.

Takes the wallbox, gives plain data: default charging hours, peak, prices, grid events,
the override and the random delay. Changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

from .charging.costing import TariffBook
from .charging.dsr import DsrBook, DsrEvent
from .charging.schedule import Schedule, Span, unending
from .coordinator import WallboxCoordinator


def plan_ahead(
    wallbox: WallboxCoordinator, start: datetime, end: datetime, now: datetime
) -> dict[str, Any]:
    """Return the plan between two instants in UTC; what is not there is empty or None.

    A span that touches that time is told whole; only one without an end is cut to it.
    """
    controller = wallbox.controller
    state, profile = controller.state, controller.profile
    peak = Schedule(windows=profile.peak, zone=controller.zone)
    prices = None if wallbox.recording is None else wallbox.recording.prices
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "default_hours": _spans(controller.schedule, start, end),
        "peak": _spans(peak, start, end),
        "currency": None if prices is None else prices.currency(now),
        "prices": [] if prices is None else _prices(prices.tariffs, start, end),
        "events": _events(state.dsr, start, end, now),
        "override": _override(wallbox, start, end, now),
        "delay": _delay(wallbox),
    }


def _spans(
    schedule: Schedule | None, start: datetime, end: datetime
) -> list[dict[str, str]]:
    """Return when a schedule is open."""
    found: Iterable[Span] = () if schedule is None else schedule.spans(start, end)
    return [
        {
            "start": (start if unending(span) else span.start).isoformat(),
            "end": (end if unending(span) else span.end).isoformat(),
        }
        for span in found
    ]


def _prices(
    tariffs: TariffBook, start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """Return the prices of a kWh, touching ones of the same price as one.

    A provisional price is one that its source may still change, or that stands in for
    one it has not told yet.
    """
    found: list[dict[str, Any]] = []
    edges = [start, *(at for at in tariffs.edges(start, end) if at < end), end]
    for begin, until in pairwise(edges):
        price = tariffs.price_at(begin)
        if price is None:
            continue
        said = {
            "per_kwh": float(price.per_kwh),
            "currency": price.currency,
            "provisional": price.status.value == "provisional",
        }
        last: dict[str, Any] = found[-1] if found else {"end": None}
        touches = last["end"] == begin.isoformat()
        if touches and said.items() <= last.items():
            last["end"] = until.isoformat()
        else:
            found.append({"start": begin.isoformat(), "end": until.isoformat(), **said})
    return found


def _events(
    book: DsrBook, start: datetime, end: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Return the grid events that are, were or will be in force, in their order."""
    return [
        _event(one, book, now)
        for one in sorted(book.events.values(), key=lambda one: one.start)
        if one.start < end and one.effective_end(book.silence) > max(start, one.start)
    ]


def _event(event: DsrEvent, book: DsrBook, now: datetime) -> dict[str, Any]:
    """Return one grid event with its real end."""
    return {
        "id": event.event_id,
        "program": event.program,
        "kind": event.kind.value,
        "limit_kw": event.limit(book.floor_kw) if event.reduces else None,
        "start": event.effective_start.isoformat(),
        "end": event.effective_end(book.silence).isoformat(),
        "active": event.is_active(now, book.silence),
    }


def _override(
    wallbox: WallboxCoordinator, start: datetime, end: datetime, now: datetime
) -> dict[str, Any] | None:
    """Return the override in force; one until the unplugging has no end."""
    override = wallbox.controller.state.override
    if override is None or not override.is_active(now):
        return None
    if override.start >= end or (override.end is not None and override.end <= start):
        return None
    return {
        "mode": override.mode.value,
        "start": override.start.isoformat(),
        "end": None if override.end is None else override.end.isoformat(),
    }


def _delay(wallbox: WallboxCoordinator) -> dict[str, Any] | None:
    """Return the random delay that is running, and what follows it in kW."""
    decision = wallbox.controller.decision
    pending = None if decision is None else decision.delay
    if pending is None:
        return None
    return {
        "start": pending.relevant_at.isoformat(),
        "end": pending.due.isoformat(),
        "cause": pending.cause.value,
        "limit_kw": pending.to_target.power_kw,
    }
