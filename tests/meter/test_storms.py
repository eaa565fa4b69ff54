"""Storms of faults that last, and minutes of calm: readings come back, nothing piles up.

Time-outs, waits and seconds are those of a real installation; only the waiting for them
takes no time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
import math
from random import Random
from typing import Any

import pytest

from .harness import EM340, SDM630, config_of, house, link_to, profile_of, running
from .loop_time import leaping_time
from .watched import Stamp, WatchedLink
from custom_components.loxone_wallbox.meter.account import MeterAccount, MeterFacts
from custom_components.loxone_wallbox.meter.checks import Circuit
from custom_components.loxone_wallbox.meter.decode import energy_step_wh
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.late import LATE_S
from custom_components.loxone_wallbox.meter.link import (
    SHARED_DROP_EVERY_S,
    SHARED_TIMEOUT_S,
)
from custom_components.loxone_wallbox.meter.sample import MeterSample
from simulator.meters.meter import SimulatedMeter

pytestmark = pytest.mark.usefixtures("socket_enabled")

CALM_S, STORM_S, SOAK_S = 20, 45, 300
# Who it is, the power, the counter, something slow, and a proof before two of them.
MOST_PER_TICK = 6
ALE3 = "ale3"


def mixed(meter: SimulatedMeter, random: Random) -> None:
    """Let something else go wrong each second."""
    serial = meter.config.link == "pty"
    names = SERIAL if serial else list(STORMS)
    name, options = STORMS[random.choice(names)]
    meter.clear()
    meter.fault(name, **options)


STORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "time-outs": ("silent", {}),
    "busy": ("exception", {"code": 6}),
    "failures": ("exception", {"code": 4}),
    "gateway": ("exception", {"code": 11}),
    "garbage": ("garbage", {"size": 40, "instead": True}),
    "before": ("garbage", {"size": 3}),
    "disconnects": ("closed", {}),
    "halves": ("truncated", {"missing": 5}),
    "late": ("slow", {"seconds": 2.5}),
    "short": ("short", {"by": 1}),
}
# A serial device that is pulled comes back in real time, see the simulator's own tests.
SERIAL = [name for name in STORMS if name != "disconnects"]


def most_ticks(kind: str, wire: str, storm: str) -> int:
    """Return within how many ticks after a storm there is a reading.

    Two, where the connection is our own; on a serial line, where what comes late
    outlives it, after the wait for that. Somebody else's takes as long as the last
    request, and the wait for what may come late of it or the next one, whose answer
    half an old one spoiled. Where after all kinds of faults any answer may be an old
    one, it has to be dropped, which its neighbours stand twice a minute.
    """
    if kind == "dedicated":
        return 2 + (math.ceil(LATE_S) if wire == "pty" else 0)
    if storm == "everything" and wire != "tcp":
        return 2 + math.ceil(SHARED_TIMEOUT_S + SHARED_DROP_EVERY_S)
    return 2 + math.ceil(SHARED_TIMEOUT_S + max(LATE_S, SHARED_TIMEOUT_S))


async def weathered(kind: str, wire: str, storm: str, storms: int = 3) -> None:
    """Let storms come over a meter and go, and see what is left of them."""
    random = Random(5)
    with leaping_time(wire) as clock:
        async with (
            house(config_of(EM340, wire), clock=clock) as home,
            link_to(home.meter, kind, clock=clock) as link,
        ):
            meter, profile = home.meter, profile_of(home.meter)
            watched = WatchedLink(link, Stamp(meter, profile))
            samples: list[MeterSample] = []
            async with running(watched, profile, clock, samples.append) as reader:
                for _ in range(storms):
                    await clock.sleep(CALM_S)
                    assert samples[-1].missing is None
                    asked, ticks = link.requests, len(samples)
                    for _ in range(STORM_S):
                        if storm == "everything":
                            mixed(meter, random)
                        elif not meter.faults.active:
                            name, options = STORMS[storm]
                            meter.fault(name, **options)
                        await clock.sleep(1)
                    meter.clear()
                    over = len(samples)
                    assert link.requests - asked <= MOST_PER_TICK * (over - ticks + 1)
                    assert not link._lock._waiters
                    asked = link.requests
                    await clock.sleep(most_ticks(kind, wire, storm) + 0.5)
                    after = samples[over:]
                    assert after[-1].missing is None, Counter(s.missing for s in after)
                    assert link.requests - asked <= MOST_PER_TICK * (len(after) + 1)
                assert reader.fit == Fit()
            assert watched.wrong == []
            assert len(samples) >= storms * (CALM_S + STORM_S)


@pytest.mark.parametrize("storm", [*STORMS, "everything"])
@pytest.mark.parametrize("wire", ["tcp", "rtu_tcp"])
@pytest.mark.parametrize("kind", ["shared", "dedicated"])
async def test_after_a_storm(kind: str, wire: str, storm: str) -> None:
    """Readings come again at once, none is wrong, and nothing was asked in advance."""
    await weathered(kind, wire, storm)


@pytest.mark.slow
@pytest.mark.parametrize("storm", [*SERIAL, "everything"])
@pytest.mark.parametrize("kind", ["shared", "dedicated"])
async def test_after_a_storm_on_a_serial_line(kind: str, storm: str) -> None:
    """What comes late outlives a port that was closed; it is no reading either."""
    await weathered(kind, "pty", storm, storms=1)


def follow(
    meter: SimulatedMeter,
    facts: MeterFacts,
    book: list[MeterAccount],
    samples: list[MeterSample],
) -> Callable[[MeterSample], None]:
    """Return what takes samples, compares them with the truth and keeps the account."""

    def take(sample: MeterSample) -> None:
        """Take a sample."""
        samples.append(sample)
        account, finding = book[-1].take(sample, facts, sample.monotonic)
        assert finding is None
        book.append(account)
        if sample.power_w is not None:
            shown = meter.truth()["shown"]["power"]
            assert sample.power_w == pytest.approx(shown, abs=11)

    return take


@pytest.mark.slow
@pytest.mark.parametrize("wire", ["tcp", "rtu_tcp"])
@pytest.mark.parametrize("kind", ["shared", "dedicated"])
@pytest.mark.parametrize("name", [EM340, SDM630, ALE3])
async def test_five_minutes(kind: str, wire: str, name: str) -> None:
    """Each tick has its reading, each is the truth, the energy is complete."""
    with leaping_time(wire) as clock:
        async with (
            house(config_of(name, wire), clock=clock) as home,
            link_to(home.meter, kind, clock=clock) as link,
        ):
            profile = profile_of(home.meter)
            circuit = Circuit(phases=3, rated_a=16)
            facts = MeterFacts(profile=profile, circuit=circuit)
            samples: list[MeterSample] = []
            book = [MeterAccount()]
            take = follow(home.meter, facts, book, samples)
            async with running(link, profile, clock, take) as reader:
                await clock.sleep(3 * profile.poll_s + 0.5)
                first, begun = book[-1].total_wh, home.meter.import_kwh
                tasks, asked = len(asyncio.all_tasks()), link.requests
                await clock.sleep(SOAK_S)
                counted = (home.meter.import_kwh - begun) * 1000
                last = book[-1].total_wh
                assert len(asyncio.all_tasks()) <= tasks + 1
                assert reader.coverage == 1.0
            ticks = SOAK_S / profile.poll_s
            assert len(samples) == pytest.approx(ticks + 4, abs=1.5)
            assert link.requests - asked <= MOST_PER_TICK * ticks
            steps = [b.monotonic - a.monotonic for a, b in pairwise(samples)]
            assert max(steps) < 1.2 * profile.poll_s
            assert first is not None
            assert last is not None
            slack = 2 * energy_step_wh(profile, last) + 3.1 * profile.poll_s
            assert last - first == pytest.approx(counted, abs=slack)
            assert counted > 800


async def test_a_storm_while_a_session_is_counted() -> None:
    """The energy of the storm is in the counter, and booked when it is over."""
    with leaping_time() as clock:
        async with (
            house(config_of(SDM630, "rtu_tcp"), clock=clock) as home,
            link_to(home.meter, "dedicated", clock=clock) as link,
        ):
            profile = profile_of(home.meter)
            circuit = Circuit(phases=3, rated_a=16)
            facts = MeterFacts(profile=profile, circuit=circuit)
            book = [MeterAccount()]
            take = follow(home.meter, facts, book, [])
            async with running(link, profile, clock, take):
                await clock.sleep(CALM_S)
                first, begun = book[-1].total_wh, home.meter.import_kwh
                for name, options in (STORMS["time-outs"], STORMS["disconnects"]):
                    home.meter.fault(name, **options)
                    await clock.sleep(10 * STORM_S)
                    home.meter.clear()
                    await clock.sleep(CALM_S)
                counted = (home.meter.import_kwh - begun) * 1000
                assert first is not None
                account = book[-1]
                assert account.total_wh is not None
                step = energy_step_wh(profile, account.total_wh)
                booked = account.total_wh - first
                assert booked == pytest.approx(counted, abs=step + 4)
                assert account.integral.gaps == 2
