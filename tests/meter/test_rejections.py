"""What of a meter's samples is rejected, as a log of attempts is told of it."""

from datetime import UTC, datetime

import pytest

from custom_components.loxone_wallbox.meter.checks import Fault, Reason
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.model import Measured
from custom_components.loxone_wallbox.meter.rejections import (
    BURST,
    SUMMED_S,
    Rejection,
    Rejections,
)
from custom_components.loxone_wallbox.meter.sample import MeterSample

START = 1_800_000_000.0
POWER = Fault(reason=Reason.POWER, measured=Measured.POWER, value=99_000.0)
ENERGY = Fault(reason=Reason.ENERGY, measured=Measured.IMPORT, value=1e9)
SPOILT = Missing.WRONG_ANSWER


def sample(at: float, missing: Missing | None = None) -> MeterSample:
    """Return the sample of a second after the start."""
    utc = datetime.fromtimestamp(START + at, UTC)
    return MeterSample(monotonic=at, utc=utc, missing=missing)


def told(
    watch: Rejections, fault: Fault | None, *seconds: float
) -> list[tuple[str, int]]:
    """Return what is told of the same fault in several seconds, and how often."""
    found = [one for at in seconds for one in watch.take(sample(at), fault)]
    return [(one.reason, one.repeated) for one in found]


def spoilt(watch: Rejections, *reasons: Missing | None) -> list[str]:
    """Return what is told of seconds that follow each other."""
    return [
        one.reason
        for at, missing in enumerate(reasons)
        for one in watch.take(sample(at, missing), None)
    ]


def test_the_first_is_told_at_once() -> None:
    """With the value that cannot be, and when it came."""
    [one] = Rejections().take(sample(3), POWER)
    assert one == Rejection(
        reason="power",
        measured="power",
        value=99_000.0,
        first=START + 3,
        last=START + 3,
    )


def test_what_goes_on_is_told_once_an_hour() -> None:
    """However many there are, and once more for the rest when it is over."""
    watch = Rejections()
    day = range(86_400)
    assert told(watch, POWER, *day) == [
        ("power", 0),
        *[("power", SUMMED_S - (1 if hour == 0 else 0)) for hour in range(23)],
    ]
    [rest] = watch.flush()
    assert (rest.repeated, rest.last) == (SUMMED_S, START + day[-1])
    assert rest.first == START + 23 * SUMMED_S
    assert watch.flush() == []


def test_what_comes_now_and_then() -> None:
    """One in an hour is told by itself, two of them at the end of the hour."""
    watch = Rejections()
    assert told(watch, POWER, 0, 4000, 8000) == [("power", 0)] * 3
    assert told(watch, POWER, 8100) == []
    assert told(watch, None, 11_599) == []
    assert told(watch, None, 11_600) == [("power", 1)]
    assert told(watch, None, 15_300, 19_000) == []
    assert told(watch, POWER, 19_001) == [("power", 0)]


def test_kinds_do_not_hide_each_other() -> None:
    """An energy that jumps shows beside a power that is wrong for good."""
    watch = Rejections()
    assert told(watch, POWER, *range(10)) == [("power", 0)]
    assert told(watch, ENERGY, 10, 11) == [("energy", 0)]


def test_a_clock_that_was_set_back() -> None:
    """It hides nothing: what was counted is told, and counting begins anew."""
    watch = Rejections()
    assert told(watch, POWER, 5000, 5001) == [("power", 0)]
    assert told(watch, POWER, 10) == [("power", 1)]
    assert [one.repeated for one in watch.flush()] == [1]


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([SPOILT] * (BURST - 1), []),
        ([SPOILT] * BURST, ["wrong_answer"]),
        ([SPOILT, None, SPOILT, None, SPOILT, None], []),
        ([SPOILT] * 60, ["wrong_answer"]),
        ([Missing.NO_ANSWER] * 60, []),
        ([Missing.CANNOT_CONNECT, Missing.NO_VALUE, Missing.REFUSED] * 20, []),
        ([Missing.OTHER_METER], ["other_meter"]),
    ],
)
def test_answers_of_no_use(reasons: list[Missing | None], expected: list[str]) -> None:
    """Noise is nobody's attempt, a burst of it may be; a silence never is."""
    assert spoilt(Rejections(), *reasons) == expected
