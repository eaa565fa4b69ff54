"""The demo command: its options, and what each of them sets going."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
import signal
import sys

from scripts.demo_lib import history, screenshot, shim
from scripts.demo_lib.board import make_board
from scripts.demo_lib.check import check_all, check_what_is_left
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.history import describe
from scripts.demo_lib.home import PASSWORD, RESTART_EXIT_CODE, USERNAME
from scripts.demo_lib.household import ZONE, yesterday_evening
from scripts.demo_lib.metering import FASTEST_READ, set_meter_up
from scripts.demo_lib.night import EVENING
from scripts.demo_lib.paths import ROOT, RUNS
from scripts.demo_lib.processes import tail
from scripts.demo_lib.progress import DemoError, Progress
from scripts.demo_lib.stage import Stage, staged

DEFAULT_PORT = 8123


def instant(text: str) -> datetime:
    """Read an ISO date and time; without an offset it is local time."""
    return datetime.fromisoformat(text).astimezone()


def absolute(text: str) -> Path:
    """Read the path of a file to write, and make its folder."""
    path = Path(text).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; scripts/demo explains it."""
    parser = argparse.ArgumentParser(prog="scripts/demo", allow_abbrev=False)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--screenshot", type=absolute, metavar="FILE")
    parser.add_argument("--no-history", action="store_true")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--wallboxes", type=int, default=2)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--start", type=instant)
    options = parser.parse_args(arguments)
    moved = options.rate is not None or options.start is not None
    if options.check and moved:
        parser.error("--check brings a time of its own")
    # Who asks for another time does not want the one until now.
    options.history = not (options.no_history or moved)
    return options


def beginning(options: argparse.Namespace) -> datetime | None:
    """Return when the shared clock is to begin, None where there is to be none."""
    now = datetime.now(UTC)
    if options.check:
        return EVENING if options.history else None
    if options.history:
        return yesterday_evening(now)
    if options.start is None and options.rate is None:
        return None
    start: datetime = options.start or now
    return start


def why_no_meter(options: argparse.Namespace) -> str:
    """Return why the first wallbox gets no meter, nothing where it gets one."""
    if options.screenshot:
        return "the picture is of a wallbox without one"
    if options.rate is not None and options.rate > FASTEST_READ:
        return f"none can be read each second on a clock faster than x{FASTEST_READ:g}"
    return ""


def why_no_clock(start: datetime | None) -> str:
    """Return why there can be no shared clock, nothing where it can or need not."""
    built = shim.build() if start else None
    return built if isinstance(built, str) else ""


async def welcome(stage: Stage, board: str) -> str:
    """Return what the reader needs to know now; `board` is the dashboard's address."""
    lines = [
        "",
        f"Home Assistant:  {stage.home.api.url}",
        f"Wallboxes:       {board}",
        f"Sign in with:    {USERNAME} / {PASSWORD}",
        *[f"Now:             {await describe(one)}" for one in stage.wallboxes],
        f"Plug a car in:   curl -X POST {stage.world.url}/plug",
        f"and out:         curl -X POST {stage.world.url}/unplug",
        "Outside of its default charging hours, 22:00 to 08:00, it waits; the button",
        '"Charge now" is on the dashboard "Wallboxes".',
        f"Logs:            {stage.home.folder.relative_to(ROOT)}/*.log",
    ]
    if stage.clock is not None:
        lines.append(
            f"Clock:           {stage.clock.now().astimezone(ZONE):%Y-%m-%d %H:%M:%S} "
            f"at x{stage.clock.rate:g}; "
            "python3 scripts/clock/clockctl.py rate 60 changes it "
            f"(up to x{FASTEST_READ:g} the meter can be read each second)"
        )
    return "\n".join([*lines, "Ctrl-C ends the demo.", ""])


async def stay(stage: Stage) -> None:
    """Keep the demo up; restart Home Assistant when its user asked for that."""
    while True:
        ended = asyncio.create_task(stage.home.child.wait())
        died = asyncio.create_task(stage.world.child.wait())
        try:
            await asyncio.wait((ended, died), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            died.cancel()
        if stage.home.child.returncode != RESTART_EXIT_CODE:
            stage.home.child.ensure_running()
            stage.world.child.ensure_running()
        print("Home Assistant restarts …", flush=True)
        await stage.home.start(stage.environment)


async def check(options: argparse.Namespace, progress: Progress) -> int:
    """Run the headless check, print the outcome, and return the exit code."""
    folder = RUNS / "check"
    options.wallboxes = max(options.wallboxes, 2)
    start = beginning(options)
    no_clock = why_no_clock(start)
    findings, failed = Findings(), 0
    try:
        async with staged(
            options, folder, progress, None if no_clock else start
        ) as stage:
            await check_all(stage, findings, night=options.history, no_clock=no_clock)
        check_what_is_left(stage, findings)
    except DemoError as err:
        failed = 1
        print(f"\nFAILED: {err}\n")
        for name in ("home-assistant.log", "simulator.log"):
            print(f"Last lines of {folder / name}:\n{tail(folder / name)}\n")
    print(f"{findings.passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


async def show(options: argparse.Namespace, progress: Progress) -> int:
    """Run the demo for people, or for a screenshot."""
    name = "screenshot" if options.screenshot else "run"
    start = beginning(options)
    if no_clock := why_no_clock(start):
        print(f"Without history and in real time: {no_clock}.", flush=True)
        start = None
    played = options.history and start is not None
    if played and start:
        print(
            "Starting takes about half a minute, then the time since yesterday "
            f"{start.astimezone(ZONE):%H:%M} is played in about "
            f"{history.seconds_to_play(start)} s, longer on a busy machine; "
            "--no-history leaves that out.",
            flush=True,
        )
    async with staged(options, RUNS / name, progress, start) as stage:
        if played and start:
            print(progress.begin("a day of history, as fast as it can be followed:"))
            await history.play(stage, start)
        elif options.rate is not None and stage.clock is not None:
            stage.clock.set_rate(options.rate)
        if why := why_no_meter(options):
            print(progress.begin(f"no energy meter: {why}"), flush=True)
        else:
            async with progress.step("energy meter, through the wallbox's own flow"):
                await set_meter_up(stage)
        if options.screenshot:
            async with progress.step(f"screenshot {options.screenshot}"):
                await screenshot.take(stage, options.screenshot, as_it_is=played)
            return 0
        async with progress.step("dashboard of the wallboxes"):
            board = await make_board(stage.home.api)
        print(await welcome(stage, board), flush=True)
        await stay(stage)
    return 0


async def main(options: argparse.Namespace) -> int:
    """Run what was asked for; a signal ends it in good order."""
    progress = Progress()
    work = asyncio.ensure_future(
        check(options, progress) if options.check else show(options, progress)
    )
    loop = asyncio.get_running_loop()
    told_to_end = False

    def end() -> None:
        """End in good order; impatience must not leave half of it running."""
        nonlocal told_to_end
        if told_to_end:
            print("ending already, a moment please …", flush=True)
            return
        told_to_end = True
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    try:
        return await work
    except DemoError as err:
        print(f"\n{err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print("\nended", flush=True)
        return 1 if options.check or options.screenshot else 0
