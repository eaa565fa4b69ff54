"""When a measured second is worth writing to the state machine and its database.

Takes each second's power, tells whether to show it: once a minute, on a step, when
charging begins or ends, and just before each five-minute mark, where the statistics
look. In between nothing is written, so a day costs a few rows and loses no energy.
"""

from dataclasses import dataclass

EVERY_S = 60.0
STEP_W = 500.0
CHARGING_W = 50.0
# The recorder compiles its statistics at every such mark.
MARK_S = 300.0
# So long before a mark is just before it: two chances at one reading a second.
BEFORE_MARK_S = 2.0
# A reading may come so much later than its interval says.
LATE_S = 1.0


@dataclass(slots=True)
class ShowGate:
    """Remembers what was shown; instants are seconds UTC, powers W.

    `poll_s` is how far apart readings are: one of them lies so shortly before a mark.
    """

    poll_s: float = 1.0
    at: float | None = None
    power_w: float | None = None

    def opens(self, at: float, power_w: float | None) -> bool:
        """Tell whether to show a power now; if so it counts as shown."""
        if not self._due(at, power_w):
            return False
        self.at, self.power_w = at, power_w
        return True

    def _due(self, at: float, power_w: float | None) -> bool:
        """Tell whether what is shown is too old or too different."""
        shown = self.power_w
        if self.at is None or (power_w is None) is not (shown is None):
            return True
        if at < self.at or at - self.at >= EVERY_S:
            return True
        if power_w is not None and shown is not None:
            crossed = (power_w > CHARGING_W) is not (shown > CHARGING_W)
            if crossed or abs(power_w - shown) >= STEP_W:
                return True
        mark = (at // MARK_S + 1) * MARK_S
        before_s = max(BEFORE_MARK_S, self.poll_s + LATE_S)
        return at >= mark - before_s > self.at
