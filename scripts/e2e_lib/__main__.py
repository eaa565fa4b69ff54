"""Start the stage without the integration, and let the browser's script play on it."""

import argparse
import asyncio
import json
from pathlib import Path
import shutil
import sys
import time
from typing import Any

from scripts.demo_lib.paths import ROOT, RUNS
from scripts.demo_lib.processes import run_until_told
from scripts.demo_lib.progress import DemoError, Progress
from scripts.demo_lib.screenshot import find_browser
from scripts.demo_lib.stage import Stage, staged
from scripts.demo_lib.world import PASSWORD, USERNAME

SCRIPT = ROOT / "scripts" / "browser" / "e2e" / "main.mjs"
FOLDER = RUNS / "e2e"
PATIENCE_S = 900
LOADS = 3
LOADS_CAMPAIGN = 20


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; scripts/e2e explains it."""
    parser = argparse.ArgumentParser(prog="scripts/e2e", allow_abbrev=False)
    parser.add_argument("--campaign", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args(arguments)
    options.host, options.port, options.wallboxes = "127.0.0.1", 8123, 2
    return options


def job_of(stage: Stage, pictures: Path, *, loads: int) -> dict[str, Any]:
    """Return what the browser's script has to know."""
    return {
        "browser": find_browser(),
        "url": stage.home.api.url,
        "tokens": {**stage.tokens, "expires": round((time.time() + 1700) * 1000)},
        "pictures": str(pictures),
        "loads": loads,
        "miniserver": {
            "host": "127.0.0.1",
            "port": stage.world.port,
            "tls_port": stage.world.tls_port,
            "username": USERNAME,
            "password": PASSWORD,
        },
        "control": stage.world.url,
    }


async def play(job: dict[str, Any]) -> tuple[int, int]:
    """Run the browser's script; return how many checks passed and failed.

    Its last line is their count; without one it did not come to its end.
    """
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node",
        str(SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if process.stdin is None or process.stdout is None:
        msg = "the browser's script has no pipes"
        raise RuntimeError(msg)
    last = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            process.stdin.write(json.dumps(job).encode())
            process.stdin.close()
            async for line in process.stdout:
                last = line.decode().rstrip()
                if not last.startswith("{"):
                    print(last, flush=True)
            await process.wait()
    except TimeoutError:
        print(f"The browser's script took more than {PATIENCE_S} s.", flush=True)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        counts = json.loads(last)
    except ValueError:
        return 0, 1
    return int(counts["passed"]), int(counts["failed"])


async def main(options: argparse.Namespace) -> int:
    """Play it, print the outcome, and return the exit code."""
    pictures = FOLDER / "pictures"
    passed, failed = 0, 1
    try:
        async with staged(options, FOLDER, Progress(), add=False) as stage:
            pictures.mkdir()
            job = job_of(
                stage, pictures, loads=LOADS_CAMPAIGN if options.campaign else LOADS
            )
            passed, failed = await play(job)
            if options.keep:
                print(f"Home Assistant: {stage.home.api.url}, until Ctrl-C", flush=True)
                (FOLDER / "job.json").write_text(json.dumps(job))
                await stage.home.child.wait()
        for line in stage.home.complaints():
            failed += 1
            print(f"FAILED  Home Assistant's log: {line}", flush=True)
    except DemoError as err:
        print(f"\nFAILED: {err}", flush=True)
    print(f"Pictures: {pictures.relative_to(ROOT)}")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_until_told(main(parse(sys.argv[1:]))))
