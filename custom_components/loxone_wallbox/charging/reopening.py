"""Go on from what the ledger has of a session.

Takes the last record that was written, gives the session it tells of, as far as a
record tells that, and the book that knows it.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from .cutting import Cuts, Tail
from .following import OpenSession
from .rest import Rest
from .session import Quality, SessionRecord
from .slices import SessionRules, floor_hour
from .tally import Tally

if TYPE_CHECKING:
    from .session_book import SessionBook


def reconciled(
    book: SessionBook, newest: SessionRecord | None, rules: SessionRules
) -> SessionBook:
    """Return a book as the ledger's last record says, where that is newer."""
    if newest is None or newest.seq < book.seq:
        return book
    running = book.open
    if running is not None and running.id == newest.id:
        if running.revision >= newest.revision:
            return book
    elif newest.seq == book.seq:
        # It has ended, here as there.
        return book
    ended = newest.disconnected_utc
    session = reopened(newest, rules, book.price_id, book.dsr_id)
    return replace(
        book,
        seq=newest.seq,
        open=session if ended is None else None,
        closing=None if ended is None else session,
        last_connected=newest.connected_utc,
        last_end=ended if ended is not None else book.last_end,
        rest=None if ended is None else Rest.after(session),
        saved_at=None,
    )


def reopened(
    record: SessionRecord,
    rules: SessionRules,
    price_id: str | None,
    dsr_id: str | None,
) -> OpenSession:
    """Return the session of a record, as far as that tells: nothing is known to flow."""
    at = record.disconnected_utc
    if at is None:
        at = record.connected_utc + timedelta(seconds=record.connected_s)
        ends = [one.end for one in record.slices]
        at = max([at, *ends, *(one.end for one in record.segments)])
    cuts = Cuts.begun(at, rules, price_id, dsr_id)
    hours = record.hours
    if hours and hours[-1].start == floor_hour(at):
        hours = hours[:-1]
    end = record.slices[-1].end if record.slices else None
    return OpenSession(
        id=record.id,
        wallbox=record.wallbox,
        seq=record.seq,
        connected=record.connected_utc,
        tally=Tally(
            at=at,
            wh=record.meter_stop_wh,
            tail=Tail(wh=record.import_wh, end=end),
            max_w=float(record.max_w),
            gaps=timedelta(seconds=record.quality.gaps_s),
        ),
        cuts=replace(
            cuts,
            slices=record.slices,
            slices_wh=record.import_wh,
            hours=hours,
            hours_wh=sum(one.wh for one in hours),
        ),
        start_wh=record.meter_start_wh,
        offset_wh=record.meter_offset_wh,
        segments=record.segments,
        delays=record.delays,
        user_id=record.user_id,
        tag=record.tag,
        vehicle=record.vehicle,
        anonymous=record.anonymous,
        mode=record.mode_last,
        reason=record.stop_reason,
        measured=_compared(record.quality),
        estimated=record.quality.estimated_timing,
        ended=record.disconnected_utc,
        revision=record.revision,
    )


def _compared(quality: Quality) -> Quality | None:
    """Return the comparison of a record; without one the session makes its own."""
    return None if quality.error_pct is None else quality
