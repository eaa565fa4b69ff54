"""The clock that Home Assistant and the simulator share."""

from collections.abc import Mapping
from datetime import datetime
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys

from scripts.clock.clockctl import Clock
from scripts.demo_lib.paths import ROOT
from scripts.demo_lib.progress import DemoError

SOURCE = ROOT / "scripts" / "clock" / "timeshim.c"
BUILT = ROOT / ".cache" / "clock"


def compiler() -> str | None:
    """Return a C compiler that is on the machine."""
    wanted = (os.environ.get("CC"), "cc", "gcc", "clang")
    return next(
        (found for name in wanted if name and (found := shutil.which(name))), None
    )


def build() -> Path | str:
    """Compile the shim unless that has been done; return it, or why there is none."""
    if sys.platform != "linux":
        return "the shared clock is for Linux"
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = BUILT / f"timeshim-{digest}.so"
    if library.is_file():
        return library
    tool = compiler()
    if tool is None:
        return "there is no C compiler on this machine (Debian: apt-get install gcc)"
    BUILT.mkdir(parents=True, exist_ok=True)
    unfinished = library.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [
            *(tool, "-O2", "-shared", "-fPIC"),
            *("-o", str(unfinished), str(SOURCE), "-ldl"),
        ],
        env={name: value for name, value in os.environ.items() if name != "CPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return f"the shared clock did not compile: {done.stderr.strip()[-300:]}"
    unfinished.rename(library)
    return library


def shared_clock(file: Path, start: datetime) -> tuple[Clock, Mapping[str, str]]:
    """Make a clock; return it and what processes need to see it.

    Raises a DemoError with the reason where there can be none.
    """
    library = build()
    if isinstance(library, str):
        raise DemoError(f"There is no shared clock: {library}.")
    clock = Clock.create(file, start)
    preload = [str(library), os.environ.get("LD_PRELOAD", "")]
    return clock, {
        "LD_PRELOAD": ":".join(name for name in preload if name),
        "TIMESHIM": str(file),
    }
