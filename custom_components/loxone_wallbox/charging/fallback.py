"""Judge whether a car went on charging while nobody steered its wallbox.

Takes what was measured before and after a time without a link, gives a verdict
(regulation 7: whoever loses the network must stay able to charge).
"""

from dataclasses import dataclass
from enum import StrEnum

# Of what would have flowed at the power of before; a car may draw less for a while, and
# what flows after the link is back is counted too where the Miniserver counts.
LEAST_SHARE = 0.5
# Less cannot be told from the steps of a counter, in Wh.
LEAST_EXPECTED_WH = 20.0


class Outcome(StrEnum):
    """What a fallback test came to."""

    PASSED = "passed"
    FAILED = "failed"
    # The car was unplugged meanwhile, or nobody measured all the time.
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A time without a link: power before it in W, energy during it in Wh, None unknown.

    `seconds` is how long the energy was counted, `stayed` whether the same car was
    plugged in all the time.
    """

    power_w: float | None
    energy_wh: float | None
    seconds: float
    stayed: bool

    @property
    def expected_wh(self) -> float | None:
        """Return what the power of before makes in this time."""
        return None if self.power_w is None else self.power_w * self.seconds / 3600

    @property
    def measured(self) -> bool:
        """Tell whether it is known what flowed before and meanwhile."""
        return self.energy_wh is not None and self.power_w is not None

    @property
    def outcome(self) -> Outcome:
        """Return the verdict."""
        expected, energy = self.expected_wh, self.energy_wh
        if not self.stayed or energy is None or expected is None:
            return Outcome.INCONCLUSIVE
        if expected < LEAST_EXPECTED_WH:
            return Outcome.INCONCLUSIVE
        kept = energy >= LEAST_SHARE * expected
        return Outcome.PASSED if kept else Outcome.FAILED
