"""Start the stage, let the browser's script play and photograph, and make a film of it."""

import argparse
import asyncio
from datetime import datetime
import json
from pathlib import Path
import shutil
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

from scripts.demo_lib.metering import set_meter_up
from scripts.demo_lib.paths import ROOT, RUNS
from scripts.demo_lib.processes import run_until_told
from scripts.demo_lib.progress import DemoError, Progress
from scripts.demo_lib.screenshot import find_browser
from scripts.demo_lib.stage import Stage, staged
from scripts.recording_lib.film import Shot, write_film

SCRIPT = ROOT / "scripts" / "browser" / "recording.mjs"
FOLDER = RUNS / "recording"
TARGET = ROOT / "docs" / "images" / "card.gif"
# In the default charging hours, so that a car that comes is delayed at once.
EVENING = datetime(2027, 1, 13, 22, 3, tzinfo=ZoneInfo("Europe/London"))
PATIENCE_S = 240


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; scripts/recording explains it."""
    parser = argparse.ArgumentParser(prog="scripts/recording", allow_abbrev=False)
    parser.add_argument("file", nargs="?", type=Path, default=TARGET)
    options = parser.parse_args(arguments)
    options.host, options.port, options.wallboxes = "127.0.0.1", 8123, 1
    return options


def job_of(stage: Stage, tokens: dict[str, Any], pictures: Path) -> dict[str, Any]:
    """Return what the browser's script has to know."""
    wallbox, ahead_s = stage.wallboxes[0], stage.pace.now().timestamp() - time.time()
    return {
        "browser": find_browser(),
        "url": stage.home.api.url,
        "control": stage.world.url,
        "tokens": {**tokens, "expires": round((time.time() + ahead_s + 1700) * 1000)},
        "ahead_ms": round(ahead_s * 1000),
        "pictures": str(pictures),
        "device_id": wallbox.device_id,
        "wallbox": wallbox.name,
    }


async def shots_of(job: dict[str, Any]) -> list[Shot]:
    """Run the browser's script; its last line lists what it photographed."""
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node",
        str(SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate(json.dumps(job).encode())
    except TimeoutError:
        raise DemoError(f"The browser took more than {PATIENCE_S} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise DemoError("The browser's script failed, as it says above.")
    return [
        Shot(path=Path(one["file"]), at_ms=one["at"], height=one["height"])
        for one in json.loads(output.decode().splitlines()[-1])
    ]


async def main(options: argparse.Namespace) -> int:
    """Record it and return the exit code."""
    pictures = FOLDER / "pictures"
    try:
        async with staged(options, FOLDER, progress := Progress(), EVENING) as stage:
            async with progress.step("energy meter, through the wallbox's own flow"):
                await set_meter_up(stage)
            pictures.mkdir()
            tokens = await stage.home.api.renew(stage.tokens)
            async with progress.step("an evening before the card"):
                shots = await shots_of(job_of(stage, tokens, pictures))
    except DemoError as err:
        print(f"\nFAILED: {err}", flush=True)
        return 1
    write_film(shots, options.file)
    size = options.file.stat().st_size
    print(f"{options.file}: {size / 1000:.0f} kB, {len(shots)} pictures", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(run_until_told(main(parse(sys.argv[1:]))))
