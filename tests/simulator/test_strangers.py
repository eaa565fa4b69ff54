"""Loxone's own JavaScript client against the simulator.

What it accepts was not written by us, so that it finds what our own tests cannot.
"""

import asyncio
from collections.abc import Callable, Coroutine
import fcntl
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any

import pytest

from .conftest import Start
from simulator import Car, Simulator

HERE = Path(__file__).parent / "strangers"
INSTALLED = HERE / "node_modules" / ".package-lock.json"
type Run = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


def program(name: str) -> str:
    """Return the path of a program of Node."""
    folder = os.environ.get("LOXONE_WALLBOX_NODE")
    found = shutil.which(name, path=folder) if folder else None
    found = found or shutil.which(name)
    if found is None:
        pytest.fail(
            f"{name} is missing: the suite checks the simulator with Loxone's own "
            "client. Install Node 18 or later, or name its bin folder in "
            "LOXONE_WALLBOX_NODE."
        )
    return found


def environment() -> dict[str, str]:
    """Return an environment in which npm finds its own node."""
    folder = str(Path(program("node")).parent)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


@pytest.fixture(scope="session")
def stranger() -> Path:
    """Install the client once, without running any of its scripts."""
    script = HERE / "stranger.js"
    with (HERE / "package-lock.json").open() as lock:
        # Two runs of the suite at the same time install it once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = os.fstat(lock.fileno()).st_mtime
        if INSTALLED.exists() and INSTALLED.stat().st_mtime >= wanted:
            return script
        done = subprocess.run(
            [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=HERE,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        if done.returncode:
            pytest.fail(
                f"npm could not install Loxone's client:\n{done.stderr[-2000:]}"
            )
        INSTALLED.touch()
    return script


@pytest.fixture
def run(stranger: Path) -> Run:
    """Return a function that lets the client carry out a plan."""

    async def _run(sim: Simulator, **plan: Any) -> dict[str, Any]:
        plan = {"host": f"127.0.0.1:{sim.port}", **plan}
        process = await asyncio.create_subprocess_exec(
            program("node"),
            str(stranger),
            json.dumps(plan),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert output, errors.decode()
        report: dict[str, Any] = json.loads(output)
        assert "failed" not in report, report
        assert "late" not in report, report
        return report

    return _run


@pytest.mark.parametrize(
    ("user", "password", "changes"),
    [
        ("admin", "Sehr geheim!", {"extra_controls": 100}),
        ("old", "no algorithm", {"estimated_headers": True, "generation": 1}),
        ("old", "no algorithm", {"firmware": "10.3.11.5", "generation": 1}),
    ],
    ids=["SHA256", "SHA1 and estimated headers", "old firmware"],
)
@pytest.mark.slow
async def test_everything(
    start: Start, run: Run, user: str, password: str, changes: dict[str, Any]
) -> None:
    """It logs in, reads the structure, follows the states and is obeyed."""
    sim = await start(**changes)
    box = sim.wallboxes[0]
    box.set_allowed(False)
    box.plug(Car())
    path = f"jdev/sps/io/{box.uuid}"
    report = await run(
        sim,
        user=user,
        password=password,
        commands=[f"{path}/allow/on", f"{path}/manualLimit/6", f"{path}/explode"],
    )
    assert report["received"]["tokenRights"] == 4
    assert report["lastModified"] == report["version"]
    control = {"name": "Garage", "type": "Wallbox2", "uuid": box.uuid}
    assert control in report["controls"]
    assert [answer["Code"] for answer in report["answers"]] == ["200", "200", "404"]
    assert box.enabled
    assert box.limit_kw == 6
    assert [command.command for command in sim.commands][:2] == [
        "allow/on",
        "manualLimit/6",
    ]
    assert all(command.encrypted for command in sim.commands)
    states = box.state_uuids
    assert report["events"][states["enabled"]] == 1
    assert report["events"][states["limit"]] == 6
    assert json.loads(report["events"][states["session"]])["connect"]
    assert report["events"][states["jLocked"]] == ""
    if "extra_controls" in changes:
        assert set(report["tables"]) == {"2", "3", "4", "7"}
    assert not [line for line in report["log"] if "ERROR" in line]


@pytest.mark.slow
async def test_stored_token(start: Start, run: Run) -> None:
    """It comes back with a token, until that is revoked."""
    sim = await start(refusal_grace_s=0.2)
    first = await run(sim, user="admin", password="Sehr geheim!", listen=1)
    token = first["received"]["token"]
    second = await run(sim, user="admin", token=token, listen=1)
    assert second["confirmed"]["token"] == token
    assert second["events"]
    sim.fault("revoked_tokens")
    third = await run(sim, user="admin", token=token)
    assert third["refused"]["errorCode"] == 477


async def test_wrong_password_and_block(start: Start, run: Run) -> None:
    """It understands a refusal, and how long it is blocked."""
    sim = await start(refusal_grace_s=0.2, lockout_after=2, lockout_s=300)
    report = await run(sim, user="admin", password="wrong")
    assert report["refused"]["errorCode"] == 401
    sim.fault("blocked", seconds=77)
    # It asks over HTTP first, and is shown the page with the remaining time.
    report = await run(sim, user="admin", password="wrong")
    assert report["refused"]["status"] == 403
    left = re.search(r"<remaining>(\d+)</remaining>", report["refused"]["page"])
    assert left is not None
    assert 60 < int(left[1]) <= 77


@pytest.mark.slow
async def test_keepalive_and_restart(start: Start, run: Run) -> None:
    """Its keepalives are answered, and it notices a restart."""
    sim = await start()
    running = asyncio.create_task(
        run(sim, user="admin", password="Sehr geheim!", listen=3500)
    )
    async with asyncio.timeout(20):
        while not sim.clients or not sim.clients[0].caller.wants_events:
            await asyncio.sleep(0.05)
    # Longer than the client waits for a keepalive that it sends every two seconds.
    await asyncio.sleep(2.5)
    assert sim.clients
    await sim.restart(down_s=1)
    report = await running
    # The client's own number for "out of service".
    assert report["closed"] == 2008, report["log"]
