"""The demo command."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
from datetime import datetime
from pathlib import Path
import signal
import sys

from scripts.demo_lib import screenshot
from scripts.demo_lib.check import Check, after_the_run
from scripts.demo_lib.home import PASSWORD, RESTART_EXIT_CODE, USERNAME
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
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--wallboxes", type=int, default=2)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--start", type=instant)
    options = parser.parse_args(arguments)
    if options.check and (options.rate is not None or options.start is not None):
        parser.error("--check is done in real time")
    return options


def welcome(stage: Stage) -> str:
    """Return what the reader needs to know now."""
    lines = [
        "",
        f"Home Assistant:  {stage.home.api.url}",
        f"Sign in with:    {USERNAME} / {PASSWORD}",
        f"Plug a car in:   curl -X POST {stage.world.url}/plug",
        f"and out:         curl -X POST {stage.world.url}/unplug",
        f"Logs:            {stage.home.folder.relative_to(ROOT)}/*.log",
    ]
    if stage.clock is not None:
        lines.append(
            f"Clock:           {stage.clock.now().astimezone():%Y-%m-%d %H:%M:%S} "
            f"at x{stage.clock.rate:g}; "
            "python3 scripts/clock/clockctl.py rate 60 changes it"
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
    run: Check | None = None
    failed = 0
    try:
        async with staged(options, folder, progress) as stage:
            run = Check(stage)
            await run.run()
        after_the_run(run, stage)
    except DemoError as err:
        failed = 1
        print(f"\nFAILED: {err}\n")
        for name in ("home-assistant.log", "simulator.log"):
            print(f"Last lines of {folder / name}:\n{tail(folder / name)}\n")
    print(f"{run.passed if run else 0} passed, {failed} failed", flush=True)
    return 1 if failed else 0


async def show(options: argparse.Namespace, progress: Progress) -> int:
    """Run the demo for people, or for a screenshot."""
    name = "screenshot" if options.screenshot else "run"
    async with staged(options, RUNS / name, progress) as stage:
        if options.screenshot:
            with progress.step(f"screenshot {options.screenshot}"):
                await screenshot.take(stage, options.screenshot)
            return 0
        print(welcome(stage), flush=True)
        await stay(stage)
    return 0


async def main(options: argparse.Namespace) -> int:
    """Run what was asked for; a signal ends it in good order."""
    progress = Progress()
    work = asyncio.ensure_future(
        check(options, progress) if options.check else show(options, progress)
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, work.cancel)
    try:
        return await work
    except DemoError as err:
        print(f"\n{err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print("\nended", flush=True)
        return 1 if options.check or options.screenshot else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main(parse(sys.argv[1:]))))
