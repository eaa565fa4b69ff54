"""Home Assistant is killed at any instant of a session, and nothing of it is lost.

A real process on real files is ended with SIGKILL: while it starts, while a car charges,
around the moment at which the car comes or leaves. Afterwards each visit is there once,
and the energy of all is what the meter counted.
"""

import asyncio
from pathlib import Path

import pytest

from ..conftest import StartSimulator
from .home import CrashHome, crash_home, within

# How long at most: until the car has come, in the start, of charging, until it has left.
PARTS_S = (1.5, 4.0, 4.0, 1.5)
CAMPAIGN_SEEDS = range(1, 11)


async def visit_with_kills(home: CrashHome, seed: int) -> None:
    """Let a car come, charge and leave, with a kill in each part of it."""
    coming, starting, charging, leaving = within(seed, *PARTS_S)
    home.plug()
    await asyncio.sleep(coming)
    await home.kill()
    await home.launch()
    await asyncio.sleep(starting)
    await home.kill()
    await home.start()
    await home.reaches("status", "charging")
    await home.sessions_of(1)
    await asyncio.sleep(charging)
    await home.kill()
    await home.start()
    await home.reaches("status", "charging")
    home.unplug()
    await asyncio.sleep(leaving)
    await home.kill()
    await home.start()
    await home.reaches("status", "disconnected")
    await asyncio.sleep(leaving)
    await home.kill()


async def play(home: CrashHome, seed: int) -> None:
    """Play a visit with five kills, one that begins unseen, and look what is left."""
    first = home.simulator.meters[0].import_kwh
    await home.start()
    await home.rests()
    await visit_with_kills(home, seed)
    home.plug()
    await home.start()
    # Before its meter is read a wallbox has no session; then only the Miniserver's word
    # would tell of one that is over.
    await home.sessions_of(2)
    home.unplug()
    await home.reaches("status", "disconnected")
    await home.adds_up(visits=2, first_kwh=first)
    await home.stop()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_killed_in_a_session(
    tmp_path: Path, start_simulator: StartSimulator
) -> None:
    """Five kills, one in each part of a visit and one after it."""
    async with crash_home(tmp_path, start_simulator) as home:
        await play(home, seed=0)


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", CAMPAIGN_SEEDS)
async def test_killed_in_many_sessions(
    tmp_path: Path, start_simulator: StartSimulator, seed: int
) -> None:
    """Fifty kills, at other instants each time."""
    async with crash_home(tmp_path, start_simulator) as home:
        await play(home, seed)
