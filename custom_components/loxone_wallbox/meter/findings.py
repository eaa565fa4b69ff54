"""What an owner should know of a meter; the kinds and data of translated texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

type Data = Mapping[str, str | float]


class FindingKind(StrEnum):
    """The findings there are.

    The first three ask the owner something (`counter.Question`). `METER_ROLLED_OVER`
    and `METER_RECOVERED` are for the log; the latter also withdraws the question. The
    others last as long as they are given.
    """

    METER_REPLACED = "meter_replaced"
    METER_RESET = "meter_reset"
    METER_JUMPED = "meter_jumped"
    METER_ROLLED_OVER = "meter_rolled_over"
    METER_RECOVERED = "meter_recovered"
    WIRING_INVERTED = "wiring_inverted"
    PHASES_DISAGREE = "phases_disagree"
    APPARENT_POWER_DISAGREES = "apparent_power_disagrees"
    POWER_HIGH = "power_high"
    SAMPLES_REJECTED = "samples_rejected"
    COUNTER_STUCK = "counter_stuck"
    INACCURATE = "inaccurate"
    BIASED = "biased"
    MEASURES_SLOWLY = "measures_slowly"
    COVERAGE_LOW = "coverage_low"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One finding; `data` is what its text mentions, units in the names."""

    kind: FindingKind
    data: Data = field(default_factory=dict)
