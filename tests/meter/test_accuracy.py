"""Power and energy of a meter compared: errors found, noise not."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import json
import math
import random
from typing import Any

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.loxone_wallbox.meter.accuracy import (
    SESSIONS,
    Bias,
    Comparison,
    Tick,
)
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.integral import Integral

INACCURATE = FindingKind.INACCURATE
BIASED = FindingKind.BIASED


@dataclass
class Charge:
    """A wallbox that charges, and a meter whose power and energy may be wrong.

    `wh` is what has really flowed; the meter is read each `poll_s`.
    """

    power: float = 1.0
    energy: float = 1.0
    step_wh: float = 10.0
    poll_s: int = 1
    wh: float = 3.0
    at: float = 0.0
    integral: Integral = field(default_factory=Integral)
    compared: Comparison = field(default_factory=Comparison)
    watts: float = 0.0
    alarms: list[float] = field(default_factory=list)

    @property
    def total_wh(self) -> float:
        """Return what the counter shows."""
        return math.floor(self.wh * self.energy / self.step_wh) * self.step_wh

    @property
    def enough_s(self) -> float:
        """Return how long to charge so that a slow meter tells something, too."""
        return 1500 if self.poll_s == 1 else 5400

    def run(self, watts: float, seconds: float, *, read: bool = True) -> None:
        """Charge for some time."""
        for _ in range(int(seconds / self.poll_s)):
            # What flows between two samples changes halfway.
            self.wh += (self.watts + watts) / 2 * self.poll_s / 3600
            self.watts = watts
            self.at += self.poll_s
            if not read:
                continue
            watts_read = watts * self.power
            self.integral = self.integral.take(watts_read, self.at, 2.5 * self.poll_s)
            self.compared = self.compared.take(self.total_wh, self.integral)
            if self.compared.finding(self.poll_s) is not None:
                self.alarms.append(self.compared.counted_wh)

    def session(self, watts: float = 11_000, seconds: float = 1800) -> Comparison:
        """Charge once; return what the comparison of the session says."""
        self.compared = Comparison()
        self.run(0, 20)
        self.run(watts, seconds)
        self.run(0, 20)
        return self.compared


METERS: dict[str, dict[str, Any]] = {
    "10 Wh": {"step_wh": 10.0},
    "100 Wh": {"step_wh": 100.0},
    "1 Wh": {"step_wh": 1.0},
    "each ten seconds": {"step_wh": 10.0, "poll_s": 10},
}
meters = pytest.mark.parametrize("meter", METERS.values(), ids=METERS)


@meters
@pytest.mark.parametrize("scale", [0.88, 1.12])
@pytest.mark.parametrize("wrong", ["power", "energy"])
@pytest.mark.parametrize("watts", [11_000, 7_400])
def test_twelve_percent_are_found_in_a_session(
    meter: dict[str, Any], scale: float, wrong: str, watts: float
) -> None:
    """A scale error of 12 % in either is an alarm within the session."""
    scales: dict[str, Any] = {wrong: scale}
    charge = Charge(**meter, **scales)
    finding = charge.session(watts, charge.enough_s).finding(charge.poll_s)
    assert finding is not None
    assert finding.kind is INACCURATE
    expected = (scale - 1 if wrong == "power" else 1 / scale - 1) * 100
    assert finding.data["error_pct"] == pytest.approx(expected, abs=1)
    assert finding.data["factor"] == 1
    assert charge.compared.flagged(charge.step_wh)
    # An ordinary meter needs no whole night.
    assert charge.poll_s > 1 or min(charge.alarms) < 1500


@meters
@pytest.mark.parametrize("scale", [0.92, 1.0, 1.08])
def test_eight_percent_are_no_alarm(meter: dict[str, Any], scale: float) -> None:
    """What the regulation allows is no alarm, at no time of the session."""
    charge = Charge(**meter, power=scale)
    compared = charge.session(11_000, charge.enough_s)
    assert charge.alarms == []
    assert compared.error_pct == pytest.approx((scale - 1) * 100, abs=1)
    assert compared.flagged(charge.step_wh) is (scale != 1.0)


@pytest.mark.parametrize("scale", [0.5, 0.88, 1.12, 2.0])
def test_an_error_of_both_is_invisible(scale: float) -> None:
    """What is wrong with both alike cannot be seen."""
    charge = Charge(power=scale, energy=scale)
    assert charge.session().error_pct == pytest.approx(0, abs=0.5)
    assert charge.alarms == []


@pytest.mark.parametrize(
    ("power", "factor"), [(0.001, 0.001), (0.1, 0.1), (10.0, 10.0), (0.0, 1.0)]
)
def test_a_wrong_unit_is_found_in_the_first_kwh(power: float, factor: float) -> None:
    """Kilowatts taken for watts, a decimal too much, nothing at all."""
    charge = Charge(power=power)
    finding = charge.session().finding(1)
    assert finding is not None
    assert finding.data["factor"] == pytest.approx(factor)
    assert min(charge.alarms) <= 1000


def test_a_counter_that_stands_still() -> None:
    """Power without energy has no error in percent and is told all the same."""
    charge = Charge()
    charge.run(11_000, 60)
    charge.energy = 0.0
    charge.run(11_000, 160)
    assert charge.compared.finding(1) is None
    charge.run(11_000, 10)
    finding = charge.compared.finding(1)
    assert finding is not None
    assert finding.kind is FindingKind.COUNTER_STUCK
    assert finding.data["integrated_kwh"] == pytest.approx(0.51, abs=0.02)
    charge.energy = 1.0
    charge.run(11_000, 10)
    assert charge.compared.finding(1) is None


@pytest.mark.parametrize("step_wh", [10.0, 100.0])
def test_an_outage_is_no_error(step_wh: float) -> None:
    """What flowed while nothing was read is left out of both."""
    charge = Charge(step_wh=step_wh)
    for _ in range(4):
        charge.run(11_000, 300)
        charge.run(11_000, 900, read=False)
    charge.run(11_000, 300)
    assert charge.compared.error_pct == pytest.approx(0, abs=1)
    assert charge.compared.counted_wh < 0.4 * charge.wh
    assert charge.alarms == []


def test_a_counter_that_was_exchanged_is_no_error() -> None:
    """What a break hides is left out."""
    charge = Charge()
    charge.run(11_000, 600)
    charge.compared = charge.compared.interrupted()
    # The total stood while the new counter was in doubt.
    charge.run(11_000, 60, read=False)
    charge.integral = replace(charge.integral, at=charge.at, wh=1e4)
    charge.run(11_000, 600)
    assert charge.compared.error_pct == pytest.approx(0, abs=1)


def test_what_a_wallbox_itself_uses_is_not_compared() -> None:
    """A power too small for the meter's resolution is no error of it."""
    charge = Charge(power=0.0)
    charge.run(4, 3600 * 24)
    charge.run(90, 3600)
    assert charge.compared.counted_wh == 0
    charge.power = 1.0
    assert charge.session().error_pct == pytest.approx(0, abs=1)


def test_little_tells_nothing() -> None:
    """A short session has no error; one that is a little longer no certain one."""
    charge = Charge(power=2.0)
    compared = charge.session(seconds=120)
    assert compared.error_pct is None
    assert compared.finding(1) is None
    compared = charge.session(seconds=200)
    assert compared.error_pct == pytest.approx(100, abs=5)
    # Twice the power and both ends of a tick.
    assert compared.slack_wh(1) == pytest.approx(2 * 22_000 / 3600, rel=0.4)
    assert compared.certain_pct(1) is None
    assert charge.session(seconds=1800).certain_pct(1) is not None
    assert Comparison().error_pct is None


@pytest.mark.parametrize(
    ("counted", "integrated", "alarm"),
    [(1000, 1100, False), (1000, 1111, True), (1000, 890, False), (1000, 888, True)],
)
def test_the_limit(counted: float, integrated: float, alarm: bool) -> None:
    """Ten percent, and what either end leaves open."""
    compared = Comparison(
        counted_wh=counted, integrated_wh=integrated, runs=1, most_w=18_000
    )
    assert compared.slack_wh(1) == pytest.approx(10)
    assert (compared.finding(1) is not None) is alarm


def finds(errors: list[float]) -> list[bool]:
    """Return after which sessions a bias is told."""
    bias, told = Bias(), []
    for error in errors:
        bias = bias.take(error)
        told.append(bias.finding is not None)
    return told


@pytest.mark.parametrize(
    ("power", "energy"), [(1.04, 1.0), (0.96, 1.0), (1.0, 1.04), (1.0, 0.96)]
)
def test_four_percent_are_found_within_twenty_sessions(
    power: float, energy: float
) -> None:
    """A constant error is systematic, though it is allowed."""
    charge, bias = Charge(power=power, energy=energy), Bias()
    for number in range(SESSIONS):
        assert bias.finding is None
        bias = bias.take(charge.session(11_000 - number * 200, 700).certain_pct(1))
    assert charge.alarms == []
    assert bias.finding is not None
    assert bias.finding.kind is BIASED
    expected = (power / energy - 1) * 100
    assert bias.finding.data["error_pct"] == pytest.approx(expected, abs=0.5)


def test_a_bias_that_begins_later_is_found_within_twenty_sessions() -> None:
    """Good sessions before do not hide it, and it ends with good ones."""
    told = finds([0.1, -0.1] * 20 + [4.0] * 20 + [0.1, -0.1] * 20)
    assert not any(told[:40])
    assert told[59]
    assert not told[79]


NOISES: list[Callable[[random.Random], float]] = [
    lambda chance: chance.uniform(-8, 8),
    lambda chance: chance.choice([-8, 8]),
    lambda chance: chance.gauss(0, 3),
]


@pytest.mark.parametrize("noise", NOISES)
def test_noise_is_no_bias(noise: Callable[[random.Random], float]) -> None:
    """Errors of up to 8 % without a mean are not systematic.

    Chance has one in a thousand groups of twenty sessions look otherwise.
    """
    told = [
        any(finds([noise(chance) for _ in range(SESSIONS)]))
        for chance in map(random.Random, range(2000))
    ]
    assert sum(told) <= 10


@pytest.mark.parametrize("half", [1, -1])
@pytest.mark.parametrize(
    ("errors", "found"),
    [
        ([4.0] * 20, True),
        ([4.0] * 19, False),
        ([3.0] * 20, False),
        ([3.01] * 20, True),
        ([4.2] * 16 + [-0.5] * 4, True),
        # Fifteen of twenty.
        ([5.0] * 15 + [-0.5] * 5, False),
        ([8.0, -8.0] * 10, False),
        # The mean of 4 % is less than four standard errors.
        ([2.0] * 16 + [12.0] * 4, True),
        ([1.0] * 17 + [21.0] * 3, False),
    ],
)
def test_bias(errors: list[float], found: bool, half: int) -> None:
    """Mean, sign and chance decide, in both directions alike."""
    assert finds([half * error for error in errors])[-1] is found


def test_sessions_without_error_tell_nothing() -> None:
    """What was too short to know, or is no number, is left out."""
    bias = Bias().take(None).take(math.nan).take(math.inf)
    assert bias == Bias()
    assert bias.mean_pct is None
    assert Bias(errors_pct=(1.0, 3.0)).mean_pct == 2.0


@example([(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (3.5e10, 0.0, 0.125), (0.0, 0.0, 1.0)])
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e7) | st.floats(),
            st.floats(0, 15_000) | st.floats(),
            st.floats(0, 4),
        ),
        max_size=40,
    )
)
def test_whatever_comes(steps: list[tuple[float, float, float]]) -> None:
    """Nothing raises, nothing is no number, a restart changes nothing."""
    compared, integral, bias, now = Comparison(), Integral(), Bias(), 1.8e9
    for total, power, wait in steps:
        now += wait
        integral = integral.take(power, now)
        plain = json.loads(json.dumps(compared.as_dict(), allow_nan=False))
        restarted = Comparison.from_dict(plain)
        assert restarted == compared
        compared = compared.take(total, integral)
        assert restarted.take(total, integral) == compared
        finding = compared.finding(1)
        if finding is not None:
            json.dumps(finding.data, allow_nan=False)
        bias = bias.take(compared.error_pct)
        assert Bias.from_dict(json.loads(json.dumps(bias.as_dict()))) == bias


@given(data=st.data())
def test_damaged_memory_is_no_memory(data: st.DataObject) -> None:
    """A damaged store starts anew instead of failing."""
    junk: Any = data.draw(st.recursive(st.none() | st.floats() | st.text(), st.lists))
    tick = Tick(total_wh=1, integral_wh=1, gaps=0, at=1, timely=True)
    plain = replace(Comparison(), tick=tick).as_dict()
    key = data.draw(st.sampled_from(sorted(plain)))
    read = Comparison.from_dict({**plain, key: junk})
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    del plain[key]
    assert Comparison.from_dict(plain) is None
    errors = Bias.from_dict({"errors_pct": [1.0, junk]})
    assert errors is None or all(map(math.isfinite, errors.errors_pct))
    assert Bias.from_dict({}) is None
    assert Bias.from_dict({"errors_pct": [1.0] * 99}) == Bias(errors_pct=(1.0,) * 20)
