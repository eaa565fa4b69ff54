"""Turn a session's record into the rows that the database holds of it.

Takes a record and the home's time zone, gives its row. Time is put into the local days it
was in, in whole seconds that add up to the session's, so that months can be summed.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
import hashlib
import json

from ..charging.hourly import NOISE
from ..charging.session import Kind, Segment, SessionRecord
from ..charging.slices import next_midnight
from .rows import SessionRow, SliceRow


def row_of(record: SessionRecord, zone: tzinfo) -> SessionRow:
    """Return what the database holds of a session."""
    text = _text(record)
    end = record.disconnected_utc
    return SessionRow(
        id=record.id,
        wallbox=record.wallbox,
        start_ts=record.connected_utc.timestamp(),
        end_ts=_ts(end),
        first_import_ts=_ts(record.first_import_utc),
        last_import_ts=_ts(record.last_import_utc),
        energy_wh=record.import_wh,
        export_wh=record.export_wh,
        charging_s=record.importing_s,
        connected_s=record.connected_s,
        occasion=record.kind is not Kind.VISIT,
        cost=record.cost_minor,
        currency=record.currency,
        cost_status=record.cost_status.value,
        user_id=record.user_id,
        stop_reason=None if record.stop_reason is None else record.stop_reason.value,
        estimated=record.quality.estimated_timing,
        schema_version=record.schema,
        record=text,
        revision=revision_of(text),
        slices=tuple(_slices(record, zone)),
    )


def version_of(record: SessionRecord) -> str:
    """Return what tells a record from another version of it, as its row has it."""
    return revision_of(_text(record))


def _text(record: SessionRecord) -> str:
    """Return a record as text."""
    return json.dumps(record.as_dict(), separators=(",", ":"), sort_keys=True)


def revision_of(text: str) -> str:
    """Return what tells one version of a record from another."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _slices(record: SessionRecord, zone: tzinfo) -> Iterator[SliceRow]:
    """Return the slices by day, each day's time in the first of them."""
    waiting, days = list(record.slices), list(_days(record, zone))
    for start, end, connected_s, charging_s in days:
        first, last = True, start == days[-1][0]
        # What came at the very end may be an instant, and that instant a midnight.
        while waiting and (last or waiting[0].start < end):
            part = waiting.pop(0)
            row = SliceRow(
                start_ts=part.start.timestamp(),
                end_ts=part.end.timestamp(),
                energy_wh=part.wh,
                charging_s=0,
                connected_s=0,
                cost=part.cost_minor,
                currency=part.currency,
                cost_status=part.price_status.value,
                dsr_id=part.dsr_id,
                in_peak=part.in_peak,
            )
            if first:
                row = replace(row, charging_s=charging_s, connected_s=connected_s)
            first = False
            yield row
        if first:
            # Nothing flowed on that day, so there is nothing to pay.
            yield SliceRow(
                start_ts=start.timestamp(),
                end_ts=end.timestamp(),
                energy_wh=0,
                charging_s=charging_s,
                connected_s=connected_s,
                currency=record.currency,
                cost_status="final",
            )


def _days(
    record: SessionRecord, zone: tzinfo
) -> Iterator[tuple[datetime, datetime, int, int]]:
    """Return each local day of a session with its connected and charging seconds.

    Whole seconds by the running sum, the rest goes to the last day.
    """
    begin = start = record.connected_utc
    ends = [one.end for one in record.slices] + [one.end for one in record.segments]
    last = max(ends, default=begin)
    stop = max(record.disconnected_utc or last, begin)
    connected_s = charging_s = 0
    while True:
        end = next_midnight(zone, start)
        final = end >= stop
        connected = record.connected_s if final else int((end - begin).total_seconds())
        connected = min(connected, record.connected_s)
        charging = record.importing_s if final else _charging(record.segments, end)
        charging = min(charging, record.importing_s)
        yield start, end, connected - connected_s, charging - charging_s
        if final:
            return
        start, connected_s, charging_s = end, connected, charging


def _charging(segments: tuple[Segment, ...], until: datetime) -> int:
    """Return the charging time up to an instant in whole seconds."""
    total = 0.0
    for one in segments:
        length = (one.end - one.start).total_seconds()
        if one.start >= until or not length:
            continue
        part = min((until - one.start).total_seconds() / length, 1.0)
        total += one.importing.total_seconds() * part
    return int(total + NOISE)


def _ts(at: datetime | None) -> float | None:
    """Return an instant in seconds UTC."""
    return None if at is None else at.timestamp()
