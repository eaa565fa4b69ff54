"""A picture of the wallbox's device page, from a real browser."""

import asyncio
import json
from pathlib import Path
import shutil
import time
from typing import Any

from scripts.demo_lib.api import wait_for
from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.paths import ROOT
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.stage import Stage

SCRIPT = ROOT / "scripts" / "browser" / "screenshot.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHARGING_W = 1000
LIMIT_KW = 6
SETTLE_S = 20
PATIENCE_S = 30
BROWSER_TIMEOUT = 180


def find_browser() -> str:
    """Return a Chromium that is on the machine."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise DemoError("No Chromium was found (Debian: apt-get install chromium).")


async def take(stage: Stage, target: Path, *, as_it_is: bool) -> None:
    """Photograph the page of a wallbox, `as_it_is` or with a car that charges."""
    browser = find_browser()
    wallbox = stage.wallboxes[0]
    if not as_it_is:
        await charge(stage, wallbox)
    tokens = await stage.home.api.renew(stage.tokens)
    job: dict[str, Any] = {
        "browser": browser,
        "url": f"{stage.home.api.url}/config/devices/device/{wallbox.device_id}",
        "tokens": {**tokens, "expires": round((time.time() + 1800) * 1000)},
        "target": str(target),
    }
    await run_browser(job)


async def charge(stage: Stage, wallbox: Wallbox) -> None:
    """Let a car charge for a while."""
    await stage.world.plug(wallbox.name)

    async def connected() -> bool | None:
        """Return True once Home Assistant knows of the car."""
        return True if await wallbox.state("vehicle_connected") == "on" else None

    async def charging() -> bool | None:
        """Return True once power flows."""
        watts = await wallbox.watts("charging_power")
        return True if watts is not None and watts > CHARGING_W else None

    await wait_for("the car to be seen", connected, PATIENCE_S)
    await wallbox.press("charge_now")
    await wait_for("the car to charge", charging, PATIENCE_S)
    await wallbox.set_number("target_power", LIMIT_KW)
    # A few points for the history.
    await asyncio.sleep(SETTLE_S)


async def run_browser(job: dict[str, Any]) -> None:
    """Hand the job to the browser's script on its standard input."""
    node = shutil.which("node") or "node"
    process = await asyncio.create_subprocess_exec(
        node,
        str(SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(BROWSER_TIMEOUT):
            output, _ = await process.communicate(json.dumps(job).encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise DemoError(f"The browser took more than {BROWSER_TIMEOUT} s.") from None
    if process.returncode != 0:
        raise DemoError(f"The browser's script failed:\n{output.decode()}")
