"""Follow one session, reading by reading.

Takes readings of an energy counter and of the power, gives the session's energy, its
charging time and what changed. A reading moves a small tally only; the parts of the
session are touched where one ends. Energy is booked as whole Wh of the counter's
difference: it is neither lost nor doubled, whatever is known of the time between.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from .cutting import Cuts, Flow, Mark
from .session import (
    DelayNote,
    Kind,
    Quality,
    Segment,
    SessionRecord,
    StopReason,
    whole_seconds,
)
from .slices import MICROSECOND, SessionRules
from .tally import Reading, Tally

# An instant so little behind the last is one that arrived late; more is a clock set back.
LATE = timedelta(seconds=5)
# A car that flaps about the threshold does not make a record endless.
MOST_SEGMENTS = 100
# A record is compared with its power from so much energy on.
LEAST_COMPARED_WH = 500
# What the regulation allows; a meter of the wallbox's own is judged more strictly.
MOST_ERROR_PCT = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSession:
    """A session that has not ended, or may still be corrected: plain data.

    `ahead` is how far its own time is before the clock: when that is set back a session
    goes on in order. `reason_next` is why the next pause is to come. `switched` is when
    charging began or ended last, `short` how many stretches running were over soon, and
    `told` which of the two was told last. `told_wh` is what the wallbox says the stay has
    taken, None where it does not; `least_wh` is where the counter may have stood as it
    began, while that is in doubt. `anonymous` is one whose person was forgotten: nobody is
    told of it any more.
    """

    id: str
    wallbox: str
    seq: int
    connected: datetime
    tally: Tally
    cuts: Cuts
    visit_id: str | None = None
    start_wh: int | None = None
    offset_wh: int = 0
    segments: tuple[Segment, ...] = ()
    segment_from: datetime | None = None
    delays: tuple[DelayNote, ...] = ()
    user_id: str | None = None
    tag: str | None = None
    vehicle: str | None = None
    anonymous: bool = False
    mode: int | None = None
    reason: StopReason | None = None
    reason_next: StopReason | None = None
    measured: Quality | None = None
    estimated: bool = False
    ended: datetime | None = None
    ahead: timedelta = timedelta()
    switched: datetime | None = None
    short: int = 0
    told: bool = False
    told_wh: float | None = None
    least_wh: int | None = None
    revision: int = 0

    @property
    def booked_wh(self) -> int:
        """Return the energy so far."""
        return self.tally.tail.wh

    @property
    def charging(self) -> bool:
        """Tell whether the car charged when it was last looked at."""
        return self.segment_from is not None

    @property
    def paused_at(self) -> datetime | None:
        """Return when the car stopped charging, None while it does, or never did."""
        return self.segments[-1].end if self.segments and not self.charging else None

    @property
    def awaits(self) -> bool:
        """Tell whether the counter has yet to say what flowed while nobody watched."""
        return bool(self.tally.unseen)

    def timed(self, at: datetime) -> tuple[Self, datetime]:
        """Return an instant on the session's own time, which never runs back."""
        own, last = at + self.ahead, self.tally.at
        if own >= last:
            return self, own
        if last - own <= LATE:
            return self, last
        ahead = self.ahead + (last - own)
        return replace(self, ahead=ahead, estimated=True), last

    def read(self, reading: Reading, rules: SessionRules) -> Self:
        """Take a reading."""
        session, at = self.timed(reading.at)
        flows = reading.flows(rules.charging_w)
        before = session.tally
        power_w = reading.sane_power_w
        tally = before.taken(at, flows, power_w, blind=reading.blind)
        wh = reading.counted_wh
        if wh is not None and (tally.wh is None or wh >= tally.wh):
            session = session._counted(wh, before, tally, rules)  # noqa: SLF001
        else:
            session = replace(session, tally=tally)
        if flows is not None and session.charging is not flows:
            return session._switched(flows, at)  # noqa: SLF001
        return session

    def _counted(
        self, wh: int, before: Tally, tally: Tally, rules: SessionRules
    ) -> Self:
        """Take the counter's reading, which has not fallen.

        `before` is the tally as it was until now, `tally` with the time that passed.
        """
        tail = tally.tail
        if tally.wh is None:
            return replace(self, tally=tally.settled(wh, 0, tail), start_wh=wh)
        risen = wh - tally.wh
        if risen == 0:
            still = tally.settled(wh, 0, tail) if tally.unseen else tally
            return replace(self, tally=still)
        starts = tally.flows is True and before.flows is False
        flow = tally.flow(risen, before.at, starts=starts)
        begin = max(flow.start, self.cuts.at)
        if begin is not flow.start:
            flow = replace(flow, start=begin, end=max(flow.end, begin))
        session, cuts = self, self.cuts
        if tally.unsure:
            session = self._estimated(risen, before, tally, rules)
            tally = session.tally
        elif tally.unseen:
            session = replace(self, estimated=True)
        if not cuts.needed_by(tally.at):
            settled = tally.settled(wh, risen, tail.plus(flow))
            return replace(session, tally=settled)
        cuts, tail = cuts.advanced(tail, flow, tally.at, rules)
        return replace(session, cuts=cuts, tally=tally.settled(wh, risen, tail))

    def _estimated(
        self, risen: int, before: Tally, tally: Tally, rules: SessionRules
    ) -> Self:
        """Return it with the charging time that energy of a gap must have taken.

        That is at the power of before the gap, or of after it, or the highest yet.
        """
        powers = (before.power_w, tally.power_w, tally.max_w)
        power = next((one for one in powers if one and one > rules.charging_w), None)
        time = tally.unsure
        if power is not None:
            time = min(time, timedelta(hours=risen / power))
        if self.segment_from is not None:
            room = tally.at - self.segment_from - tally.segment_time
            tally = replace(tally, segment_time=tally.segment_time + min(time, room))
            return replace(self, tally=tally, estimated=True)
        since = tally.flow_from or tally.at
        segments, time = self._filled(since, time)
        start = max(since, self._last_segment_end)
        if start < tally.at and time:
            importing = min(time, tally.at - start)
            hidden = Segment(start=start, end=tally.at, importing=importing)
            segments = replace(self, segments=segments)._with(hidden)  # noqa: SLF001
        return replace(self, tally=tally, segments=segments, estimated=True)

    def _filled(
        self, since: datetime, time: timedelta
    ) -> tuple[tuple[Segment, ...], timedelta]:
        """Return the segments with time of a gap in the last one, and what is left.

        It ended before the counter told what flowed in that gap.
        """
        if not self.segments or since >= self.segments[-1].end:
            return self.segments, time
        last = self.segments[-1]
        length, unseen = last.end - last.start, last.end - max(since, last.start)
        more = min(time, unseen, length - last.importing)
        grown = replace(last, importing=last.importing + more)
        return (*self.segments[:-1], grown), time - more

    @property
    def _last_segment_end(self) -> datetime:
        """Return where charging ended last."""
        return self.segments[-1].end if self.segments else self.connected

    def _with(self, segment: Segment) -> tuple[Segment, ...]:
        """Return the segments with one more; where they are too many, the last grows."""
        if len(self.segments) < MOST_SEGMENTS:
            return (*self.segments, segment)
        last = self.segments[-1]
        importing = last.importing + segment.importing
        grown = replace(last, end=segment.end, importing=importing)
        return (*self.segments[:-1], grown)

    def _switched(self, flows: bool, at: datetime) -> Self:
        """Begin or end a segment of charging."""
        tally = self.tally
        if flows:
            if not tally.unseen:
                # What flowed before and was not counted is less than the counter shows.
                tally = replace(tally, flow_from=None, flow_to=None)
            tally = replace(tally, segment_time=timedelta())
            return replace(self, tally=tally, segment_from=at, reason_next=None)
        assert self.segment_from is not None  # noqa: S101  (it was charging)
        segment = Segment(start=self.segment_from, end=at, importing=tally.segment_time)
        return replace(
            self,
            tally=replace(tally, segment_time=timedelta()),
            segments=self._with(segment),
            segment_from=None,
            reason=self.reason_next or StopReason.UNKNOWN,
            reason_next=None,
        )

    def unwatched(self, at: datetime) -> Self:
        """Begin a gap: from here on nobody knows what flows."""
        session, at = self.timed(at)
        return replace(session, tally=session.tally.taken(at, None, None))

    @property
    def unwatched_since(self) -> Self:
        """Return it with a gap that began when it was last looked at."""
        return replace(self, tally=self.tally.taken(self.tally.at, None, None))

    def corrected(self, wh: int, rules: SessionRules) -> Self:
        """Book what the counter showed late, after the session had ended."""
        known = self.tally.wh
        if known is None or wh < known or (wh == known and not self.awaits):
            return self
        return self._counted(wh, self.tally, self.tally, rules)

    def cut(self, mark: Mark, most: int, rules: SessionRules) -> Self:
        """Let another price or event hold from an instant on."""
        tally, cuts = self.tally, self.cuts
        planned = [one.value for one in cuts.marks if one.name == mark.name]
        if mark.value == (planned[-1] if planned else getattr(cuts, mark.name)):
            return self
        cuts = cuts.marked(replace(mark, at=mark.at + self.ahead), most)
        if tally.flows is not False or tally.flow_from is not None:
            return replace(self, cuts=cuts)
        # Nothing flows, so nothing has to be waited for.
        at = max(tally.at, cuts.at)
        cuts, tail = cuts.advanced(tally.tail, Flow(wh=0, start=at, end=at), at, rules)
        return replace(self, cuts=cuts, tally=replace(tally, tail=tail))

    def rebased(self, after_wh: float) -> Self:
        """Go on with another meter's counter where the last one's stands now."""
        wh = Reading(at=self.tally.at, wh=after_wh).counted_wh
        if wh is None or self.tally.wh is None:
            return self
        offset = self.offset_wh + self.tally.wh - wh
        return replace(self, offset_wh=offset, tally=replace(self.tally, wh=wh))

    def finished(self, at: datetime, rules: SessionRules) -> Self:
        """End it: the car is unplugged."""
        charged = self.charging
        session = self.read(Reading(at=at, charging=False, power_w=0.0), rules)
        told = self.reason_next
        if charged or not session.segments:
            reason = told or StopReason.UNPLUGGED
        else:
            reason = session.reason or StopReason.UNKNOWN
        end = max(session.tally.at, session.connected + MICROSECOND)
        return replace(session, reason=reason, ended=end)

    def record(self, rules: SessionRules) -> SessionRecord:
        """Return the record as it stands."""
        tally, cuts = self.tally, self.cuts
        tail_slice, tail_hour = cuts.open_slice(tally.tail), cuts.open_hour(tally.tail)
        slices = (*cuts.slices, tail_slice) if tail_slice else cuts.slices
        segments = self.segments
        if self.segment_from is not None:
            running = Segment(
                start=self.segment_from, end=tally.at, importing=tally.segment_time
            )
            segments = self._with(running)
        importing = sum((one.importing for one in segments), timedelta())
        enough = tally.tail.wh >= rules.min_wh
        ended_as = Kind.OCCASION if enough else Kind.VISIT
        return SessionRecord(
            id=self.id,
            wallbox=self.wallbox,
            seq=self.seq,
            connected_utc=self.connected,
            disconnected_utc=self.ended,
            kind=Kind.OPEN if self.ended is None else ended_as,
            revision=self.revision,
            first_import_utc=slices[0].start if slices else None,
            last_import_utc=slices[-1].end if slices else None,
            import_wh=tally.tail.wh,
            importing_s=whole_seconds(importing),
            connected_s=whole_seconds((self.ended or tally.at) - self.connected),
            meter_start_wh=self.start_wh,
            meter_stop_wh=tally.wh,
            meter_offset_wh=self.offset_wh,
            max_w=round(tally.max_w),
            user_id=self.user_id,
            tag=self.tag,
            vehicle=self.vehicle,
            anonymous=self.anonymous,
            mode_last=self.mode,
            stop_reason=self.reason,
            delays=self.delays,
            segments=segments,
            slices=slices,
            hours=(*cuts.hours, tail_hour) if tail_hour else cuts.hours,
            quality=self.quality,
        )

    @property
    def quality(self) -> Quality:
        """Return what is known about the figures, better by another's comparison."""
        tally, error = self.tally, None
        # Without a power, as of a wallbox that measures none, nothing is compared.
        powered = tally.max_w > 0
        if powered and tally.covered_wh >= LEAST_COMPARED_WH:
            error = 100 * (tally.integral_wh - tally.covered_wh) / tally.covered_wh
        own = Quality(
            estimated_timing=self.estimated,
            gaps_s=whole_seconds(tally.gaps),
            integral_wh=round(tally.integral_wh) if powered else None,
            error_pct=None if error is None else round(error, 2),
            flagged=error is not None and abs(error) > MOST_ERROR_PCT,
        )
        if self.measured is None:
            return own
        return replace(
            own,
            integral_wh=self.measured.integral_wh,
            error_pct=self.measured.error_pct,
        )
