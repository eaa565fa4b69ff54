"""What stands behind the demo: its clock, its household, its judgement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from zoneinfo import ZoneInfo

import pytest
import yaml

from custom_components.loxone_wallbox.meter.profiles import PROFILES as MODELS
from scripts.clock.clockctl import Clock
from scripts.demo_lib.command import beginning, parse, why_no_meter
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.home import Home
from scripts.demo_lib.household import Act, acts, yesterday_evening
from scripts.demo_lib.metering import PROFILES
from scripts.demo_lib.night import EVENING
from scripts.demo_lib.pace import Pace
from scripts.demo_lib.processes import Child
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.shim import build, shared_clock
from scripts.demo_lib.world import METER
from simulator.meters.maps import MAPS

LONDON = ZoneInfo("Europe/London")
START = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)
# Waits for a minute, works for a while, and says how long that was on its clock.
WORKER = """
import asyncio, time

async def main():
    print(time.time(), flush=True)
    await asyncio.sleep(60)
    began, spent = time.time(), time.process_time()
    while time.process_time() - spent < 0.3:
        pass
    print(time.time() - began, flush=True)
    await asyncio.sleep(10**6)

asyncio.run(main())
"""
needs_compiler = pytest.mark.skipif(
    isinstance(build(), str), reason="the shared clock needs Linux and a C compiler"
)


@asynccontextmanager
async def worker(
    tmp_path: Path,
) -> AsyncIterator[tuple[Clock, asyncio.subprocess.Process]]:
    """Run a process on a shared clock."""
    clock, environment = shared_clock(tmp_path / "clock", START)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield clock, process
    finally:
        process.kill()
        await process.wait()


async def number_from(process: asyncio.subprocess.Process) -> float:
    """Return the next number that a process prints."""
    assert process.stdout is not None
    return float(await process.stdout.readline())


@needs_compiler
async def test_processes_share_the_clock(tmp_path: Path) -> None:
    """What a process takes for the time is what the clock shows."""
    async with worker(tmp_path) as (clock, process):
        shown = datetime.fromtimestamp(await number_from(process), UTC)
        assert START <= shown <= clock.now()


@needs_compiler
async def test_time_waits_for_who_is_busy(tmp_path: Path) -> None:
    """Work of 0.3 s, which were 180 s at x600, takes a few seconds of shown time."""
    async with worker(tmp_path) as (clock, process):
        await number_from(process)
        await Pace(clock).run_to(clock.now() + timedelta(minutes=10))
        assert await number_from(process) < 60
        assert len(list(clock.behind())) == 1
    assert list(clock.behind()) == []


async def test_the_clock_arrives_and_keeps_real_time(tmp_path: Path) -> None:
    """Nobody has to be late for an instant, and the past is no reason to move."""
    clock = Clock.create(tmp_path / "clock", START)
    pace = Pace(clock)
    when = START + timedelta(minutes=2)
    began = time.monotonic()
    await pace.run_to(when, 1000)
    await pace.run_to(START)
    real = time.monotonic() - began
    assert when <= clock.now() <= when + timedelta(seconds=real)
    assert clock.rate == 1


def test_a_rate_that_was_lent_ends_by_itself(tmp_path: Path) -> None:
    """From its end on the clock keeps real time, whoever has lent it."""
    clock = Clock.create(tmp_path / "clock", START)
    began = time.monotonic()
    clock.lend(1000, 0.01)
    time.sleep(0.05)
    shown = (clock.now() - START).total_seconds()
    assert 10 <= shown <= 10 + time.monotonic() - began
    # A new loan goes on from there.
    clock.lend(1000, 0)
    assert (clock.now() - START).total_seconds() >= shown


@pytest.mark.parametrize(
    ("now", "evening"),
    [
        ("2026-11-22T00:10+00:00", "2026-11-21T17:25+00:00"),
        ("2026-11-22T03:00+00:00", "2026-11-21T17:25+00:00"),
        ("2026-11-22T18:30+00:00", "2026-11-21T17:25+00:00"),
        ("2026-11-22T23:59+00:00", "2026-11-21T17:25+00:00"),
        # After midnight in London, and still yesterday in UTC.
        ("2026-07-01T23:30+00:00", "2026-07-01T17:25+01:00"),
        # The clocks were set back in this night.
        ("2026-10-25T12:00+00:00", "2026-10-24T17:25+01:00"),
    ],
)
def test_history_begins_yesterday(now: str, evening: str) -> None:
    """It is yesterday in London, whatever the machine's own time zone."""
    began = yesterday_evening(datetime.fromisoformat(now))
    assert began == datetime.fromisoformat(evening)


@pytest.mark.parametrize("day", ["2026-11-21", "2026-10-24", "2027-03-27"])
def test_somebody_is_plugged_in_at_any_hour(day: str) -> None:
    """Whenever the demo is started there is a car, but for one short trip."""
    evening = datetime.fromisoformat(f"{day}T17:25").replace(tzinfo=LONDON)
    todo = acts(evening)
    assert [act.at for act in todo] == sorted(act.at for act in todo)
    plugged: set[int] = set()
    alone = timedelta(0)
    for act, after in zip(todo, [*todo[1:], None], strict=True):
        follow(plugged, act)
        if not plugged and after is not None:
            alone += after.at - act.at
    assert alone == timedelta(minutes=20)
    assert plugged == {0, 1}


def follow(plugged: set[int], act: Act) -> None:
    """Keep who is plugged in; nobody comes twice or leaves before."""
    if "plugged in" in act.text:
        assert act.wallbox not in plugged
        plugged.add(act.wallbox)
    elif "leaves" in act.text:
        plugged.remove(act.wallbox)


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["--check"], EVENING),
        (["--check", "--no-history"], None),
        (["--no-history"], None),
        (["--start", "2027-01-13T17:25+00:00"], START),
    ],
)
def test_when_the_clock_begins(arguments: list[str], start: datetime | None) -> None:
    """The options decide between a played time, another time and the real one."""
    assert beginning(parse(arguments)) == start


def test_history_is_the_usual_thing() -> None:
    """Without options, and for a picture, a day is played; not where time is moved."""
    for arguments in ([], ["--screenshot", "a.png"]):
        start = beginning(parse(arguments))
        assert start is not None
        assert timedelta(hours=6) < datetime.now(UTC) - start < timedelta(hours=32)
    assert not parse(["--rate", "60"]).history
    with pytest.raises(SystemExit):
        parse(["--check", "--rate", "60"])


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        ([], ""),
        (["--no-history"], ""),
        (["--rate", "60"], ""),
        (["--rate", "61"], "faster than x60"),
        (["--screenshot", "a.png"], "the picture"),
    ],
)
def test_who_gets_a_meter(arguments: list[str], without: str) -> None:
    """A meter is set up where each second of it can be read, and it says why not."""
    why = why_no_meter(parse(arguments))
    assert without in why
    assert bool(without) is bool(why)


def test_the_meter_of_the_demo_is_known_to_both() -> None:
    """What the simulator calls the meter is a model of the integration."""
    assert METER in MAPS
    assert MODELS[PROFILES[METER]].poll_s == 1


def test_a_finding_that_does_not_agree_is_an_error() -> None:
    """Only what agrees is counted."""
    findings = Findings()
    findings.require(True, "a number is as it should be")
    with pytest.raises(DemoError, match="another is not"):
        findings.require(False, "another is not")
    assert findings.passed == 1


def test_complaints_are_found_in_both_logs(tmp_path: Path) -> None:
    """A warning about us counts, and any error; the log before a restart as well."""
    home = Home(tmp_path, "127.0.0.1", 8123)
    assert home.complaints()
    ours = "12:00 WARNING (MainThread) [custom_components.loxone_wallbox] lost"
    notice = "12:00 WARNING (loader) We found a custom integration loxone_wallbox"
    other = "12:00 WARNING (MainThread) [homeassistant.core] something"
    error = "12:00 ERROR (Recorder) [sqlalchemy] broken"
    (tmp_path / "home-assistant.log.1").write_text(f"{ours}\n{notice}\n")
    home.log.write_text(f"{other}\n{error}\n")
    assert home.complaints() == [ours, error]


@pytest.mark.parametrize("hurried", [True, False])
def test_a_hurried_home_says_nothing_of_slow_updates(
    tmp_path: Path, hurried: bool
) -> None:
    """What took long on a fast clock was not slow; on the real one it was."""
    home = Home(tmp_path / "home", "127.0.0.1", 8123)
    home.prepare(hurried=hurried)
    written = (home.folder / "configuration.yaml").read_text()
    logger = yaml.safe_load(written)["logger"]
    assert ("homeassistant.helpers.entity" in logger["logs"]) is hurried


@pytest.mark.parametrize("hurried", [True, False])
def test_a_hurried_home_waits_no_time_for_its_database(
    tmp_path: Path, hurried: bool
) -> None:
    """There a recorder that tries once more is well; one that gives up is nowhere."""
    home = Home(tmp_path / "home", "127.0.0.1", 8123)
    home.prepare(hurried=hurried)
    recorder = "12:00 ERROR (Recorder) [homeassistant.components.recorder.core] Error"
    again = (
        f"{recorder} in database connectivity during commit: Error executing query: "
        "(sqlite3.OperationalError) database is locked"
    )
    lost = f"{recorder} while processing event"
    home.log.write_text(f"{again}\n{lost}\n")
    assert home.complaints() == ([lost] if hurried else [again, lost])


async def test_a_killed_process_takes_its_children_along(tmp_path: Path) -> None:
    """Nothing of what it started is left, and it had no time to say good-bye."""
    child = Child(
        "The shell",
        ["sh", "-c", "trap 'echo bye' TERM; sleep 1000 & echo $!; wait"],
        tmp_path / "log",
    )
    await child.start({})
    async with asyncio.timeout(30):
        while not (text := child.log.read_text()).strip():
            await asyncio.sleep(0.01)
    await child.kill()
    assert child.returncode == -signal.SIGKILL
    assert child.log.read_text() == text
    async with asyncio.timeout(30):
        while await asyncio.to_thread(is_at_work, text.strip()):
            await asyncio.sleep(0.01)


def is_at_work(pid: str) -> bool:
    """Tell whether a process is there, and not only its exit code for a parent."""
    asked = ["ps", "-o", "stat=", "-p", pid]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout.strip()[:1] not in {"", "Z"}
