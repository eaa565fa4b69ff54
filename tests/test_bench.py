"""The figures can be measured; how large they are is for who measures them."""

import asyncio
from pathlib import Path
import sys

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
async def test_the_short_figures() -> None:
    """Each is measured and printed, whatever the machine made of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "P1", "P2", "P3", "P8"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    printed = [line.split()[0] for line in output.splitlines() if " <= " in line]
    assert printed == ["P1", "P2", "P3", "P8", "P8"], output
    assert "Traceback" not in output
