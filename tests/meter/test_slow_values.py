"""What is read after a second's power: compared with the right one, never confused."""

from dataclasses import replace
from itertools import pairwise

import pytest

from .harness import SDM630, WE504, config_of, house, link_to, profile_of, station
from .test_checks import kinds, sample
from .watched import Stamp
from custom_components.loxone_wallbox.meter.checks import AMPERES, VOLTS, WATTS
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.model import Measured, Pace
from custom_components.loxone_wallbox.meter.sample import MeterSample


def slowly(powers: list[float], every: int = 2) -> list[MeterSample]:
    """Return samples whose phases and currents were read after the sample before."""
    told = []
    for index, power in enumerate(powers):
        before = powers[index - 1]
        values = {
            **dict.fromkeys(VOLTS, 230.0),
            **dict.fromkeys(AMPERES, before / 690),
            **dict.fromkeys(WATTS, before / 3),
            Measured.POWER_FACTOR: 1.0,
        }
        slow = index % every == 0
        told.append(
            replace(
                sample(power, values if slow else {}),
                earlier=frozenset(values) if slow else frozenset(),
                before_w=before if slow else None,
            )
        )
    return told


@pytest.mark.parametrize(
    "powers",
    [
        [400.0 * second for second in range(1, 28)],
        [10_800.0 - 400 * second for second in range(27)],
        [6_000.0, 10_000.0] * 20,
    ],
)
def test_values_of_another_second(powers: list[float]) -> None:
    """What was read a second ago agrees with the power of then, not of now."""
    assert not any(kinds(*slowly(powers)))
    # Where nobody knows what flowed then, nothing can be said.
    unknown = [replace(one, before_w=None) for one in slowly(powers)]
    assert not any(kinds(*unknown))


def test_values_of_another_second_that_disagree() -> None:
    """While the power is steady they must agree; while it is not, nothing is proved."""
    wrong = [replace(one, power_w=8_000.0) for one in slowly([6_000.0] * 20)]
    wrong = [replace(one, before_w=8_000.0 if one.earlier else None) for one in wrong]
    found = [FindingKind.PHASES_DISAGREE, FindingKind.APPARENT_POWER_DISAGREES]
    assert sorted(kinds(*wrong)[-1]) == sorted(found)
    moving = slowly([6_000.0, 10_000.0] * 5)
    assert sorted(kinds(*wrong, *moving)[-1]) == sorted(found)
    assert not kinds(*wrong, *slowly([8_000.0] * 3))[-1]


async def test_values_of_another_second_come_with_its_power(
    socket_enabled: None,
) -> None:
    """The reader says which values are a second old, and what flowed then."""
    async with (
        house(config_of(SDM630)) as home,
        link_to(home.meter, "dedicated") as link,
        station(link, profile_of(home.meter)) as held,
    ):
        first = held.last
        home.pass_time()
        second = await held.tick()
    assert (first.earlier, first.before_w) == (frozenset(), None)
    assert second.earlier >= {*WATTS, *VOLTS, *AMPERES}
    assert second.before_w == first.power_w != second.power_w
    then = sum(second.values[name] for name in WATTS)
    assert then == pytest.approx(first.power_w, rel=0.001)


async def test_no_slow_read_is_as_long_as_the_one_before(
    socket_enabled: None,
) -> None:
    """An answer that comes twice is not the one to the next request."""
    async with house(config_of(WE504)) as home:
        profile = profile_of(home.meter)
        stamp = Stamp(home.meter, profile)
        async with (
            link_to(home.meter, "dedicated") as link,
            station(link, profile, fit=Fit(cautious=True)) as held,
        ):
            await held.tick(6)
        asked = [read for _, read, _ in stamp.answers]
    slow = Fit(cautious=True).reads(profile, Pace.SLOW)
    assert {*slow} <= {*asked}
    first = Fit(cautious=True).reads(profile, Pace.FAST)[0]
    # A new second begins after a pause.
    pairs = [(one, other) for one, other in pairwise(asked) if other != first]
    assert all(one.count != other.count for one, other in pairs)
