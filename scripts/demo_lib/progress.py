"""Progress lines in the manner of the setup steps that came before."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
import time


class DemoError(Exception):
    """Something the demo cannot go on without; the text is for the reader."""


class Progress:
    """Numbered lines, going on where the shell's steps ended."""

    def __init__(self) -> None:
        """Take over the count from the environment."""
        self._done = int(os.environ.get("PROGRESS_STEP", "0"))
        self._total = int(os.environ.get("PROGRESS_TOTAL", "0"))

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Print one line: the label, then how it went and how long it took."""
        self._done += 1
        total = max(self._total, self._done)
        print(f"[{self._done}/{total}] {label} … ", end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print(f"failed ({time.monotonic() - began:.0f} s)", flush=True)
            raise
        print(f"ok ({time.monotonic() - began:.0f} s)", flush=True)
