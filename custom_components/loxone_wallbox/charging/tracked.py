"""Sessions that only the Miniserver watched, from its own log of stays.

Takes what the log says of a stay, gives a record of it. The log knows when a car was
there and what it took, not when the energy flowed: it is put evenly behind the last
permission, or over the whole stay where it does not fit there, and marked as estimated.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from .cutting import Cuts, Flow, Tail
from .session import Kind, Origin, Quality, SessionRecord, StopReason, whole_seconds
from .slices import SessionRules
from .tally import Reading
from .transition import session_id

# No session of ours has this number, so the same stay always gets the same name.
SEQ = 0
# Longer than any car stays; a log that says so has a wrong clock.
LONGEST_STAY = timedelta(days=366)
# A Miniserver's power is rounded, and so is its energy.
ROUNDING = 1.05
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedStay:
    """A stay as the log tells it: instants in UTC, energy in Wh, a pseudonym.

    `allowed` is when charging was permitted last, None where that is not told. `called`
    is when the log has it begin, where it was put elsewhere.
    """

    connected: datetime
    disconnected: datetime
    wh: float
    allowed: datetime | None = None
    user_id: str | None = None
    called: datetime | None = None

    def moved(self, start: datetime, end: datetime) -> Self:
        """Return it at another time, under the name it has."""
        called = self.called or self.connected
        return replace(
            self, connected=start, disconnected=end, allowed=None, called=called
        )

    def is_sane(self, now: datetime, max_w: float) -> bool:
        """Tell whether a wallbox of so many W can have had such a stay by now."""
        length = self.disconnected - self.connected
        wh = Reading(at=self.disconnected, wh=self.wh).counted_wh
        if wh is None or not timedelta() < length <= LONGEST_STAY:
            return False
        return self.disconnected <= now and wh <= ROUNDING * _most(length, max_w) + 1

    def name(self, wallbox: str) -> str:
        """Return the id of the session that this stay is."""
        return session_id(wallbox, self.called or self.connected, SEQ)

    def record(self, wallbox: str, rules: SessionRules, max_w: float) -> SessionRecord:
        """Return the session of a stay at a wallbox that gives at most so many W."""
        wh, flow = round(self.wh), self._flow(max_w)
        cuts = Cuts.begun(self.connected, rules, None, None)
        cuts, tail = cuts.advanced(Tail(), flow, self.disconnected, rules)
        last_slice, last_hour = cuts.open_slice(tail), cuts.open_hour(tail)
        slices = (*cuts.slices, last_slice) if last_slice else cuts.slices
        stay = whole_seconds(self.disconnected - self.connected)
        return SessionRecord(
            id=self.name(wallbox),
            wallbox=wallbox,
            seq=SEQ,
            connected_utc=self.connected,
            disconnected_utc=self.disconnected,
            kind=Kind.OCCASION if wh >= rules.min_wh else Kind.VISIT,
            first_import_utc=slices[0].start if slices else None,
            last_import_utc=slices[-1].end if slices else None,
            import_wh=wh,
            connected_s=stay,
            user_id=self.user_id,
            stop_reason=StopReason.UNKNOWN,
            slices=slices,
            hours=(*cuts.hours, last_hour) if last_hour else cuts.hours,
            quality=Quality(
                estimated_timing=True, gaps_s=stay, coarse=True, connection_only=True
            ),
            origin=Origin.MINISERVER,
        )

    def _flow(self, max_w: float) -> Flow:
        """Return when the energy is taken to have flowed."""
        wh, start, end = round(self.wh), self.connected, self.disconnected
        allowed = self.allowed
        if allowed is not None and start < allowed < end:
            start = allowed if wh <= _most(end - allowed, max_w) else start
        return Flow(wh=wh, start=start, end=end, estimated=True)


def _most(length: timedelta, max_w: float) -> float:
    """Return the most that can flow in a time, in Wh."""
    return max_w * length.total_seconds() / SECONDS_AN_HOUR
