"""No read follows another one that is as long, whatever a meter is asked for.

An answer that comes twice would be taken for the next one. What is looked at are the
requests that reach a simulated meter. Where this machine is too busy for a second, the
reads before and after it may be as long: no answer comes again so late.
"""

from itertools import pairwise

import pytest

from .harness import config_of, house, link_to, profile_of, running
from .loop_time import leaping_time
from .models import NAMES
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.link import REPEATED_S
from custom_components.loxone_wallbox.meter.model import Measured
from custom_components.loxone_wallbox.meter.probe import REQUIRED, probe
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.sample import MeterSample
from simulator.meters.meter import SimulatedMeter

pytestmark = pytest.mark.usefixtures("socket_enabled")

SECONDS = 10
# An answer comes again sooner than that.
NEVER_AGAIN_S = 1.0
# What becomes of a second where this machine is busy.
BUSY = {Missing.TICK_MISSED, Missing.UNDER_WAY}


def fits(name: str) -> dict[str, Fit]:
    """Return the ways to read a unit: all of it or the least, at once or in parts."""
    optional = frozenset(PROFILES[name].quantities) - REQUIRED
    found = {
        "normal": Fit(),
        "cautious": Fit(cautious=True),
        "minimal": Fit(without=optional),
        "cautious and minimal": Fit(cautious=True, without=optional),
    }
    if Measured.EXPORT in optional:
        found["without export"] = Fit(without=frozenset({Measured.EXPORT}))
    return found


def check_apart(meter: SimulatedMeter) -> int:
    """See that no request follows one that is as long, unless it is the same again.

    Where a meter has been asked for nothing else yet there is a silence instead, and
    after a skipped second there was one; of those it returns the number.
    """
    lengths: set[int] = set()
    skipped = 0
    for one, other in pairwise(meter.requests):
        lengths.add(one.count)
        same = (one.function, one.address) == (other.function, other.address)
        if one.count != other.count or same:
            continue
        if other.time - one.time >= NEVER_AGAIN_S:
            skipped += 1
            continue
        assert lengths == {one.count}, (one, other)
        assert other.time - one.time >= REPEATED_S - 0.001, (one, other)
    return skipped


@pytest.mark.parametrize("name", sorted(NAMES))
async def test_no_read_follows_one_as_long(
    name: str, subtests: pytest.Subtests
) -> None:
    """In no plan do two reads of a second, or of two seconds, have the same length."""
    for label, fit in fits(name).items():
        with subtests.test(plan=label), leaping_time() as clock:
            most = PROFILES[name].limits.max_registers
            config = config_of(
                NAMES[name], "rtu_tcp", strict=False, max_registers=most, wobble=0.0
            )
            async with (
                house(config, clock=clock) as home,
                link_to(home.meter, "dedicated", clock=clock) as link,
            ):
                profile = profile_of(home.meter)
                samples: list[MeterSample] = []
                async with running(link, profile, clock, samples.append, fit=fit):
                    await clock.sleep(SECONDS * profile.poll_s)
                check_apart(home.meter)
            assert {sample.missing for sample in samples} <= {None, *BUSY}
            assert len(samples) >= SECONDS


@pytest.mark.parametrize("name", ["eastron_sdm120", "finder_7m24"])
async def test_a_busy_machine_lets_answers_be_forgotten(name: str) -> None:
    """Only where a second was skipped does a read follow one as long."""
    with leaping_time() as clock:
        config = config_of(NAMES[name], "rtu_tcp", strict=False, wobble=0.0)
        async with (
            house(config, clock=clock) as home,
            link_to(home.meter, "dedicated", clock=clock) as link,
        ):
            profile, cautious = profile_of(home.meter), Fit(cautious=True)
            samples: list[MeterSample] = []
            async with running(link, profile, clock, samples.append, fit=cautious):
                for _ in range(SECONDS):
                    await clock.sleep(0.5)
                    clock.be_busy(1.3)
            assert check_apart(home.meter) >= 2
            assert Missing.TICK_MISSED in {sample.missing for sample in samples}


@pytest.mark.parametrize("name", sorted(NAMES))
async def test_no_question_of_the_setup_follows_one_as_long(name: str) -> None:
    """Nor when a meter is set up."""
    with leaping_time() as clock:
        async with (
            house(config_of(NAMES[name], "rtu_tcp", pause_s=0.0), clock=clock) as home,
            link_to(home.meter, "dedicated", clock=clock) as link,
        ):
            result = await probe(link, profile_of(home.meter), clock=clock)
            assert result.sample is not None
            check_apart(home.meter)
