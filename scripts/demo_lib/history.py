"""Play the time from yesterday evening until now, so that there is a true history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import time

from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.household import ZONE, acts
from scripts.demo_lib.pace import SLOW, Pace
from scripts.demo_lib.progress import SIGN_OF_LIFE_S
from scripts.demo_lib.stage import Stage

# The clock is slow from so long before an instant that matters until so long after it.
BEFORE = timedelta(seconds=5)
AFTER = timedelta(seconds=12)
# The shown time has met the real one.
MET = timedelta(milliseconds=20)
# What two cores reach with nothing else to do, the slow parts included.
USUAL_RATE = 500


def seconds_to_play(start: datetime) -> int:
    """Return about how many seconds it takes from an instant until now."""
    seconds = (datetime.now(UTC) - start).total_seconds() / USUAL_RATE
    return 10 * round(seconds / 10)


async def play(stage: Stage, start: datetime) -> None:
    """Let the household live from an evening until its time is the real one."""
    pace = stage.pace
    async with reported(stage, pace):
        for act in acts(start):
            if act.wallbox >= len(stage.wallboxes):
                continue
            if act.at > datetime.now(UTC):
                break
            await run_to(stage, pace, act.at)
            say(pace, f"{stage.wallboxes[act.wallbox].name}: {act.text}")
            await act.do(stage, act.wallbox)
            await pace.run_to(pace.now() + AFTER, SLOW)
        while datetime.now(UTC) - pace.now() > MET:
            await run_to(stage, pace, datetime.now(UTC))


async def run_to(stage: Stage, pace: Pace, when: datetime) -> None:
    """Hurry to an instant, slowly through those the wallboxes announce on the way."""
    while (now := pace.now()) < when:
        announced = [await one.instant("next_change") for one in stage.wallboxes]
        ahead = [at for at in announced if at is not None and at > now]
        matters = min(ahead, default=when)
        await pace.run_to(min(matters - BEFORE, when))
        await pace.run_to(min(matters + AFTER, when), SLOW)


def say(pace: Pace, text: str) -> None:
    """Print a line with the shown time."""
    print(f"  {pace.now().astimezone(ZONE):%a %H:%M:%S}  {text}", flush=True)


@asynccontextmanager
async def reported(stage: Stage, pace: Pace) -> AsyncIterator[None]:
    """Say all the while what the clock shows and what the wallboxes do."""
    task = asyncio.create_task(_report(stage, pace))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _report(stage: Stage, pace: Pace) -> None:
    """Print a line every now and then."""
    shown, real = pace.now(), time.monotonic()
    while True:
        await asyncio.sleep(SIGN_OF_LIFE_S)
        told = [await describe(wallbox) for wallbox in stage.wallboxes]
        passed = (pace.now() - shown).total_seconds()
        shown, before, real = pace.now(), real, time.monotonic()
        say(pace, f"x{passed / (real - before):<4.0f} {'; '.join(told)}")


async def describe(wallbox: Wallbox) -> str:
    """Return what a wallbox does, in words."""
    status = (await wallbox.state("status")).replace("_", " ")
    if status == "charging" and (watts := await wallbox.watts("charging_power")):
        status += f" {watts / 1000:.1f} kW"
    change = await wallbox.instant("next_change")
    if change is not None:
        status += f" until {change.astimezone(ZONE):%H:%M:%S}"
    return f"{wallbox.name} {status}"
