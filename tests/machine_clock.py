"""A world whose clock stands still: its event loop, its disk and Home Assistant's clock.

Time only passes when the test says so, from one timer to the next; what runs at an
instant runs to its end before the next one. So every run of the same steps is the same.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
import math
from types import SimpleNamespace
from typing import Any, override
from unittest.mock import patch

from homeassistant.helpers import event as event_helper
from homeassistant.util import dt as dt_util

from custom_components.loxone_wallbox import clock

MICROSECOND = timedelta(microseconds=1)
# No step of this world needs as many turns of the loop; more is a circle.
MOST_TURNS = 5000


class Disk(ThreadPoolExecutor):
    """Does blocking work in the loop's next turn, or later where the disk is slow."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start fast and idle."""
        super().__init__(max_workers=1)
        self._loop = loop
        self.slow = False
        self.waiting: list[Callable[[], None]] = []

    @override
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do a job, or keep it until the disk is done with what it has."""
        future: Future[Any] = Future()

        def work() -> None:
            """Do the job and tell what came of it."""
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as err:  # noqa: BLE001 - handed to whoever waits for it
                future.set_exception(err)

        if self.slow:
            self.waiting.append(work)
        else:
            self._loop.call_soon(work)
        return future

    def catch_up(self) -> None:
        """Do what waits, in its order, and be fast again."""
        self.slow = False
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()

    def forget(self) -> None:
        """Lose what waits, as when the power fails."""
        self.slow = False
        self.waiting = []


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is set by hand.

    `time` only ever grows; `now` is the clock on the wall, which can be set.
    """

    def __init__(self, start: datetime) -> None:
        """Begin at an instant."""
        self._micros = 0
        self._began = start
        super().__init__()
        self.errors: list[dict[str, Any]] = []
        self.disk = Disk(self)
        self.set_default_executor(self.disk)
        self.set_exception_handler(lambda _loop, context: self.errors.append(context))

    @override
    def time(self) -> float:
        return self._micros / 1_000_000

    @property
    def now(self) -> datetime:
        """Return the present instant."""
        return self._began + self._micros * MICROSECOND

    def wall(self) -> float:
        """Return the present instant as seconds since the epoch."""
        return self.now.timestamp()

    def set_clock(self, step: timedelta) -> None:
        """Set the clock on the wall; no time passes."""
        self._began += step

    def timers(self) -> Iterator[asyncio.TimerHandle]:
        """Return the timers that are set."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return (timer for timer in scheduled if not timer.cancelled())

    @property
    def next_timer(self) -> datetime | None:
        """Return the instant of the next timer."""
        # The first of the loop's own heap, unless it was taken back.
        first: asyncio.TimerHandle | None = next(iter(self._scheduled), None)  # type: ignore[attr-defined]
        if first is None:
            return None
        if first.cancelled():
            first = min(self.timers(), default=None)
        when = None if first is None else first.when()
        return None if when is None else self._began + _micros(when) * MICROSECOND

    async def settle(self) -> None:
        """Let everything run that runs at this instant."""
        for _ in range(MOST_TURNS):
            await asyncio.sleep(0)
            due = self.next_timer
            if not self._ready and (due is None or due > self.now):  # type: ignore[attr-defined]
                return
        raise AssertionError("it never comes to rest")

    async def until(self, end: datetime) -> None:
        """Let time pass up to an instant, timer by timer."""
        most = 500 + (end - self.now).total_seconds()
        while True:
            await self.settle()
            when = self.next_timer
            if when is None or when > end:
                break
            most -= 1
            if most < 0:
                raise AssertionError("it is awake all the time")
            self._go(when)
        self._go(end)
        await self.settle()

    def _go(self, when: datetime) -> None:
        """Be at an instant, which does not lie behind."""
        self._micros = max((when - self._began) // MICROSECOND, self._micros)


def _micros(seconds: float) -> int:
    """Return whole microseconds, at which a timer of so many seconds is due."""
    return math.ceil(round(seconds * 1_000_000, 3))


@contextmanager
def clock_of(loop: StillLoop) -> Iterator[None]:
    """Have Home Assistant look at the loop's clock."""
    with ExitStack() as patches:
        for where, name, value in (
            (dt_util, "utcnow", lambda: loop.now),
            (event_helper, "time_tracker_utcnow", lambda: loop.now),
            (event_helper, "time_tracker_timestamp", loop.wall),
            (event_helper, "time", SimpleNamespace(time=loop.wall)),
            (clock, "monotonic", loop.time),
        ):
            patches.enter_context(patch.object(where, name, value))
        yield
