"""What a wallbox is found doing after a restart.

Takes what meter and wallbox tell, gives whose energy the counter shows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .cutting import Cuts, Tail
from .following import LATE, OpenSession
from .session import Quality, SessionRecord
from .slices import SessionRules, floor_hour
from .tally import Reading, Tally


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is found after a restart; None is unknown.

    `visit_id` is the wallbox's own name of the present stay, `visit_since` when that
    began and `visit_wh` what it has taken; `ended_at` is when the stay before ended.
    """

    connected: bool | None
    reading: Reading
    visit_id: str | None = None
    visit_since: datetime | None = None
    visit_wh: float | None = None
    ended_at: datetime | None = None

    @property
    def wh_before(self) -> int | None:
        """Return where the counter stood when the present stay began, if known."""
        total = self.reading.counted_wh
        taken = Reading(at=self.reading.at, wh=self.visit_wh).counted_wh
        if total is None or not self.connected:
            return total
        return max(total - (taken or 0), 0)

    def wh_after(self, last: OpenSession | None) -> int | None:
        """Return `wh_before`, at least where the last session ended."""
        before, total = self.wh_before, self.reading.counted_wh
        ended = None if last is None else last.tally.wh
        if before is None or total is None or ended is None or total < ended:
            return before
        return max(before, ended)

    def is_same(self, session: OpenSession) -> bool:
        """Tell whether the car of a session has stayed."""
        if not self.connected:
            return False
        if self.visit_id is not None and session.visit_id is not None:
            return self.visit_id == session.visit_id
        since = self.visit_since
        return since is None or since <= session.tally.at + LATE


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
