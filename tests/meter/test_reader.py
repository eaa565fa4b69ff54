"""One sample for each tick: what is late is skipped and never queued."""

from collections import Counter
from itertools import pairwise

import pytest

from .harness import EM340, config_of, house, link_to, profile_of, running
from .loop_time import leaping_time
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.sample import MeterSample

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_a_slow_answer_is_not_asked_for_twice() -> None:
    """Seconds whose read is still under way are gaps, and nothing piles up behind it."""
    with leaping_time() as clock:
        async with (
            house(config_of(EM340), clock=clock) as home,
            link_to(home.meter, "shared", clock=clock) as link,
        ):
            samples: list[MeterSample] = []
            profile = profile_of(home.meter)
            async with running(link, profile, clock, samples.append) as reader:
                await clock.sleep(10.5)
                assert {one.missing for one in samples} == {None}
                before, asked = len(samples), link.requests
                home.meter.fault("slow", seconds=2.5, times=1)
                await clock.sleep(4)
                gaps = Counter(one.missing for one in samples[before:])
                assert gaps[Missing.UNDER_WAY] == 2
                assert len(samples) - before == 4
                assert link.requests - asked <= 2 * 3
                assert reader.figures.skipped == 2
                await clock.sleep(3)
                assert samples[-1].missing is None


async def test_a_machine_that_was_busy() -> None:
    """It misses the seconds in which it did nothing, each by its own instant."""
    with leaping_time() as clock:
        async with (
            house(config_of(EM340), clock=clock) as home,
            link_to(home.meter, "dedicated", clock=clock) as link,
        ):
            samples: list[MeterSample] = []
            profile = profile_of(home.meter)
            async with running(link, profile, clock, samples.append) as reader:
                await clock.sleep(10.5)
                before = len(samples)
                # The loop stands still for so long.
                clock._ahead += 5
                await clock.sleep(3)
                missed = [one for one in samples if one.missing is Missing.TICK_MISSED]
                assert len(missed) == pytest.approx(5, abs=1)
                assert all(
                    two.monotonic - one.monotonic == pytest.approx(1)
                    for one, two in pairwise(missed)
                )
                assert len(samples) - before == pytest.approx(8, abs=1)
                assert reader.figures.ticks == len(samples)
                assert reader.figures.valid == len(samples) - len(missed)
                assert reader.coverage == pytest.approx(
                    reader.figures.valid / reader.figures.ticks
                )
