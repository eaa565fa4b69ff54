"""Meters that do not answer what is too long for them, and those that are just silent."""

import pytest

from .harness import EM340, config_of, house, link_to, profile_of, running
from .loop_time import leaping_time
from custom_components.loxone_wallbox.meter.errors import NoAnswerError
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.model import Measured
from custom_components.loxone_wallbox.meter.probe import Verdict, probe
from custom_components.loxone_wallbox.meter.sample import MeterSample
from custom_components.loxone_wallbox.meter.silence import SilentBlocks

pytestmark = pytest.mark.usefixtures("socket_enabled")
both_links = pytest.mark.parametrize("kind", ["shared", "dedicated"])
both_wires = pytest.mark.parametrize("wire", ["tcp", "rtu_tcp"])
# Their longest read has 40, 20 and 24 registers; two of them say nothing of themselves.
MOST = {EM340: 12, "finder_7m38": 10, "sdm630": 6}
each_meter = pytest.mark.parametrize("profile", sorted(MOST))


@both_wires
@both_links
@each_meter
async def test_probe_steps_down(kind: str, wire: str, profile: str) -> None:
    """What is too long for a meter is found out when it is set up."""
    config = config_of(profile, wire, silent_beyond=MOST[profile])
    with leaping_time() as clock:
        async with (
            house(config, clock=clock) as home,
            link_to(home.meter, kind, clock=clock) as link,
        ):
            result = await probe(link, profile_of(home.meter), clock=clock)
            assert result.verdict is Verdict.FITS
            assert result.fit == Fit(cautious=True)
            assert result.sample is not None
            power = result.sample.power_w
            assert power == pytest.approx(home.power_w, rel=0.06)
            assert Measured.VOLTAGE_L3 in result.sample.values


@each_meter
async def test_probe_of_a_silent_meter(profile: str) -> None:
    """Who answers nothing is silent, and is not asked for long."""
    with leaping_time() as clock:
        async with (
            house(config_of(profile, "rtu_tcp"), clock=clock) as home,
            link_to(home.meter, "shared", clock=clock) as link,
        ):
            home.meter.fault("silent")
            began = clock.monotonic()
            result = await probe(link, profile_of(home.meter), clock=clock)
            assert result.verdict is Verdict.SILENT
            assert isinstance(result.error, NoAnswerError)
            assert clock.monotonic() - began < 8
            assert len(home.meter.requests) <= 2


@both_wires
@both_links
@each_meter
async def test_reader_steps_down(kind: str, wire: str, profile: str) -> None:
    """A reader that was not told finds it out by itself, and then reads each second."""
    config = config_of(profile, wire, silent_beyond=MOST[profile])
    with leaping_time() as clock:
        async with (
            house(config, clock=clock) as home,
            link_to(home.meter, kind, clock=clock) as link,
        ):
            samples: list[MeterSample] = []
            meter = profile_of(home.meter)
            async with running(link, meter, clock, samples.append) as reader:
                await clock.sleep(120)
                assert reader.fit == Fit(cautious=True)
                assert all(sample.missing is None for sample in samples[-10:])
                voltages = [s for s in samples if Measured.VOLTAGE_L3 in s.values]
                assert voltages


@both_links
async def test_a_silence_is_no_reason(kind: str) -> None:
    """A meter that was off for a minute is read as before."""
    with leaping_time() as clock:
        async with (
            house(config_of(link="rtu_tcp"), clock=clock) as home,
            link_to(home.meter, kind, clock=clock) as link,
        ):
            samples: list[MeterSample] = []
            async with running(
                link, profile_of(home.meter), clock, samples.append
            ) as reader:
                for _ in range(5):
                    home.meter.fault("silent")
                    await clock.sleep(60)
                    home.meter.clear()
                    await clock.sleep(20)
                assert reader.fit == Fit()
                assert samples[-1].missing is None


def test_short_reads_prove_themselves() -> None:
    """Three times answered, with the plan's own silent before each time."""
    blocks = SilentBlocks(3)
    for answered in (False, False, True):
        for _ in range(3):
            assert not blocks.tries
            blocks.fails(silent=True)
        assert blocks.tries
        assert blocks.answers() is answered


def test_the_plan_proves_itself() -> None:
    """Once answered, it stays."""
    blocks = SilentBlocks(3)
    for _ in range(3):
        blocks.fails(silent=True)
    assert not blocks.answers()
    assert not blocks.answers()
    for _ in range(3):
        blocks.fails(silent=True)
    assert not blocks.answers()


def test_turns() -> None:
    """In a long silence both are tried; what is no silence gives no reason to."""
    blocks = SilentBlocks(3)
    turns = []
    for _ in range(7):
        turns.append(blocks.tries)
        blocks.fails(silent=True)
    assert turns == [False, False, False, True, False, True, False]
    blocks = SilentBlocks(3)
    for _ in range(9):
        blocks.fails(silent=False)
        assert not blocks.tries


def test_a_storm_proves_nothing() -> None:
    """One short read without an answer, or one other fault, and it begins anew."""
    for silent in (True, False):
        blocks = SilentBlocks(3)
        for _ in range(2):
            for _ in range(3):
                blocks.fails(silent=True)
            assert not blocks.answers()
        for _ in range(3 if silent else 1):
            blocks.fails(silent=silent)
        if silent:
            assert blocks.tries
            blocks.fails(silent=True)
        while not blocks.tries:
            blocks.fails(silent=True)
        assert not blocks.answers()
