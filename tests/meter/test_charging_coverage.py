"""How many seconds of charging were measured, and why the others were not."""

import pytest

from custom_components.loxone_wallbox.meter.charging_coverage import (
    Cause,
    ChargingCoverage,
)
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.findings import FindingKind

KW = 1000.0
# One in a hundred of an hour's seconds.
MOST = 36


def played(*story: tuple[int, float | None, Missing | None]) -> ChargingCoverage:
    """Let ticks of a car that is there follow each other."""
    coverage = ChargingCoverage(1.0)
    for ticks, power_w, missing in story:
        for _ in range(ticks):
            coverage.take(power_w, missing, present=True)
    return coverage


def causes(coverage: ChargingCoverage) -> list[Cause]:
    """Return what is found to be behind it."""
    assert all(one.kind is FindingKind.COVERAGE_LOW for one in coverage.findings)
    return [Cause(str(one.data["cause"])) for one in coverage.findings]


def test_from_one_in_a_hundred_on() -> None:
    """It is told as soon as the rest of the hour cannot make good for it."""
    silent = Missing.NO_ANSWER
    assert causes(played((100, 7 * KW, None), (MOST, None, silent))) == []
    low = played((100, 7 * KW, None), (MOST + 1, None, silent))
    assert causes(low) == [Cause.METER]
    assert low.share == pytest.approx(100 / 137)


def test_over_with_an_hour_of_charging() -> None:
    """It goes when the gap is an hour of charging ago; time without one is no help."""
    coverage = played((600, 7 * KW, None), (60, None, Missing.CANNOT_CONNECT))
    assert causes(coverage) == [Cause.GATEWAY]
    for power_w, ticks in ((0.0, 20_000), (7 * KW, 3540 + 60 - MOST // 2 - 2)):
        for _ in range(ticks):
            coverage.take(power_w, None, present=True)
        assert causes(coverage) == [Cause.GATEWAY]
    for _ in range(2):
        coverage.take(7 * KW, None, present=True)
    assert causes(coverage) == []


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        (Missing.CANNOT_CONNECT, Cause.GATEWAY),
        (Missing.NO_ANSWER, Cause.METER),
        (Missing.TARGET_SILENT, Cause.METER),
        (Missing.REFUSED, Cause.ANSWERS),
        (Missing.WRONG_ANSWER, Cause.ANSWERS),
        (Missing.OTHER_METER, Cause.ANSWERS),
        (Missing.NO_VALUE, Cause.ANSWERS),
        (Missing.UNDER_WAY, Cause.SLOW),
        (Missing.TICK_MISSED, Cause.BUSY),
        # A reading whose power is not to be believed.
        (None, Cause.ANSWERS),
    ],
)
def test_what_is_most_likely_behind(missing: Missing | None, cause: Cause) -> None:
    """The cause of most of the gaps is named, and there is one for every reason."""
    coverage = played(
        (100, KW, None),
        (20, None, Missing.CANNOT_CONNECT),
        (20, None, Missing.TICK_MISSED),
        (21, None, missing),
    )
    assert causes(coverage) == [cause]


def test_what_does_not_count() -> None:
    """A gap without a car, or between two readings of an idle one, misses nothing."""
    coverage = played((100, 0.0, None), (500, None, Missing.NO_ANSWER), (9, 0.0, None))
    assert coverage.share is None
    coverage = ChargingCoverage(1.0)
    coverage.take(7 * KW, None, present=True)
    for _ in range(500):
        coverage.take(None, Missing.NO_ANSWER, present=False)
    assert causes(coverage) == []


def test_a_gap_in_which_charging_began() -> None:
    """It counts once the reading after it shows that the car charges."""
    gap = (50, None, Missing.NO_ANSWER)
    assert causes(played((10, 0.0, None), gap)) == []
    assert causes(played((10, 0.0, None), gap, (1, KW, None))) == [Cause.METER]
