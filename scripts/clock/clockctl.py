#!/usr/bin/env python3
"""Make, read and steer the clock that timeshim.so shows to the processes of a demo.

    python3 scripts/clock/clockctl.py now
    python3 scripts/clock/clockctl.py rate 60
    python3 scripts/clock/clockctl.py run-to 2027-01-14T06:00:00+00:00 600

Works on the clock of the running demo, or on the one named with --file. Needs nothing
but Python 3.11. Must itself run in real time, without the shim.
"""

import argparse
from collections.abc import Iterator
from datetime import datetime, timezone
import mmap
import os
from pathlib import Path
import sys
import time

DEMO_CLOCK = Path(__file__).resolve().parents[2] / ".demo" / "run" / "clock"
FILE_BYTES = 4096
NS_PER_S = 1_000_000_000
# Index of each 64 bit number in the file; timeshim.c has the same layout.
SEQUENCE, REAL_REF, WALL_REF, MONO_REF, RATE_MILLI, LENT_UNTIL = range(6)
# Pairs of a process id and the real instant at which it last had nothing to do.
FIRST_FOLLOWER, FOLLOWERS = 8, 16
FOR_EVER = WAITING = 2**63 - 1
LONGEST_NAP_S = 0.05
MAX_RATE = 1000


class Clock:
    """The shared clock in its file."""

    def __init__(self, path: Path) -> None:
        """Map an existing clock file."""
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), FILE_BYTES)
        # Native 64 bit items are stored in one go; a reader never sees half of one.
        self._fields = memoryview(self._map).cast("q")

    @classmethod
    def create(cls, path: Path, start: datetime, rate: float = 1.0) -> "Clock":
        """Write a clock file that shows `start` now."""
        path.write_bytes(bytes(FILE_BYTES))
        clock = cls(path)
        fields = clock._fields
        fields[REAL_REF] = fields[MONO_REF] = time.monotonic_ns()
        fields[WALL_REF] = round(start.timestamp() * NS_PER_S)
        fields[RATE_MILLI], fields[LENT_UNTIL] = 1000, FOR_EVER
        clock.set_rate(rate)
        return clock

    def _bend(self, rate: float, seconds: float | None) -> None:
        """Go on from here with a new line of the clock.

        Readers wait while the sequence is odd. The real time is taken after that, so
        that nobody reads on along the old line and is then set back by the new one.
        """
        fields = self._fields
        fields[SEQUENCE] += 1
        try:
            real = time.monotonic_ns()
            passed = self._passed(real)
            until = FOR_EVER if seconds is None else real + round(seconds * NS_PER_S)
            fields[REAL_REF] = real
            fields[WALL_REF] += passed
            fields[MONO_REF] += passed
            fields[RATE_MILLI] = round(rate * 1000)
            fields[LENT_UNTIL] = until
        finally:
            fields[SEQUENCE] += 1

    @property
    def rate(self) -> float:
        """Return how many shown seconds pass in a real one."""
        return self._fields[RATE_MILLI] / 1000

    def _passed(self, real: int) -> int:
        """Return the shown ns that have passed since the reference."""
        passed = real - self._fields[REAL_REF]
        fast = min(passed, self._fields[LENT_UNTIL] - self._fields[REAL_REF])
        return fast * self._fields[RATE_MILLI] // 1000 + passed - fast

    def now(self) -> datetime:
        """Return the shown time."""
        wall = self._fields[WALL_REF] + self._passed(time.monotonic_ns())
        return datetime.fromtimestamp(wall / NS_PER_S, timezone.utc)  # noqa: UP017

    def set_rate(self, rate: float) -> None:
        """Go on from here at another rate."""
        self._bend(_checked(rate), None)

    def lend(self, rate: float, seconds: float) -> None:
        """Go on at a rate for some real seconds, then in real time.

        A rate that is lent ends by itself, also when whoever lends it is held up.
        """
        self._bend(_checked(rate), seconds)

    def behind(self) -> Iterator[float]:
        """Yield for how many real seconds each process has not caught up.

        One that waits with nothing to do is a slice behind at most.
        """
        real = time.monotonic_ns()
        for index in range(FOLLOWERS):
            pid, free_at = self._fields[FIRST_FOLLOWER + 2 * index :][:2]
            if pid and _alive(pid):
                yield 0.0 if free_at == WAITING else max(real - free_at, 0) / NS_PER_S

    def run_to(self, when: datetime, rate: float) -> None:
        """Go on at a rate until a shown instant, then in real time."""
        self.set_rate(rate)
        while (left := (when - self.now()).total_seconds()) > 0:
            time.sleep(min(left / rate, LONGEST_NAP_S))
        self.set_rate(1)


def _checked(rate: float) -> float:
    """Return a rate; raises a ValueError for one that cannot be."""
    if not 0 < rate <= MAX_RATE:
        msg = f"The rate must be above 0 and at most {MAX_RATE}."
        raise ValueError(msg)
    return rate


def _alive(pid: int) -> bool:
    """Tell whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def instant(text: str) -> datetime:
    """Read an ISO date and time; without an offset it is local time."""
    return datetime.fromisoformat(text).astimezone()


def main() -> int:
    """Carry out one command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--file", type=Path, default=DEMO_CLOCK)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("now", help="show the time")
    rate = commands.add_parser("rate", help="change the rate")
    rate.add_argument("rate", type=float)
    run_to = commands.add_parser("run-to", help="hurry to an instant, then real time")
    run_to.add_argument("when", type=instant)
    run_to.add_argument("rate", type=float)
    options = parser.parse_args()
    if "TIMESHIM" in os.environ:
        parser.error("this process itself is under the shim; run it without")
    try:
        clock = Clock(options.file)
        if options.command == "rate":
            clock.set_rate(options.rate)
        elif options.command == "run-to":
            clock.run_to(options.when, options.rate)
    except FileNotFoundError:
        parser.error(f"{options.file} does not exist: start scripts/demo --rate 1")
    except ValueError as err:
        parser.error(str(err))
    print(f"{clock.now().isoformat(timespec='milliseconds')} at x{clock.rate:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
