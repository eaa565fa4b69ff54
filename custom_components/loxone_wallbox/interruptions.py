"""Notice what comes in between: a link that was lost, a clock that was set.

Takes when the link is away and back, and each new look at the clock; gives since when
it is back, and by how much the clock was set. Both are told by a clock that nobody can
set.
"""

from datetime import datetime, timedelta

from .clock import ClockWatch, seconds
from .rights import SecurityEvent, SecuritySink

# A link that was away for longer counts as lost (a restart, a power cut).
RECONNECT_AFTER_S = 30.0


class Interruptions:
    """What came in between two decisions on one wallbox.

    `reconnected_at` is when the link was back after a real loss or a restart of the
    Miniserver: a relevant time. `resumed_at` is when we first looked after a start of
    our own.
    """

    def __init__(self, security: SecuritySink) -> None:
        """Start with a link and a clock that is right."""
        self._security = security
        self._watch = ClockWatch()
        self._lost_since: float | None = None
        self._back_at: datetime | None = None
        self.reconnected_at: datetime | None = None
        self.resumed_at: datetime | None = None

    def lose_link(self) -> None:
        """Take note that there is no link; may come often."""
        if self._lost_since is None:
            self._lost_since = seconds()

    def have_link(
        self, now: datetime, back_at: datetime | None, *, first: bool
    ) -> bool:
        """Take note that there is a link, and tell whether it was away.

        Our own start, the `first` look, is no relevant time; a Miniserver that was
        back from a restart at `back_at` is, however short it was away, at any look.
        """
        if first and self.resumed_at is None:
            self.resumed_at = now
        if back_at != self._back_at and back_at is not None:
            self.reconnected_at = min(back_at, now)
        self._back_at = back_at
        if self._lost_since is None:
            return False
        if not first and seconds() - self._lost_since > RECONNECT_AFTER_S:
            self.reconnected_at = now
        self._lost_since = None
        return True

    def clock_step(self, now: datetime) -> timedelta | None:
        """Return by how much the clock was set since the last look, None if not."""
        step = self._watch.step(now)
        if step is None:
            return None
        if self.reconnected_at is not None:
            self.reconnected_at = min(self.reconnected_at, now)
        if self.resumed_at is not None:
            self.resumed_at = min(self.resumed_at, now)
        detail = {"seconds": round(step.total_seconds())}
        self._security(SecurityEvent(kind="clock_step", outcome="info", detail=detail))
        return step
