"""The event loop's time, so that waiting for nothing takes no time.

Whatever waits in these tests, meters and gateways as well as the time-outs of clients,
waits by the time of the event loop. Here that time leaps to what is due next whenever
nothing is to be done. Bytes between two sockets of this process are there as soon as
they are sent; what other threads and other processes do takes real time and is waited
for: files that open, and what passes a serial device.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import logging
from typing import Any, cast, override

import pytest
from tmodbus.transport import async_rtu

from custom_components.loxone_wallbox.meter.clock import MeterClock
from simulator.meters.line import _Client

# Some day, so that a reading has a date.
EPOCH_S = 1_800_000_000.0
# What has not passed a serial device within this real time was lost (seconds).
LOST_S = 0.05


class SerialTraffic:
    """What is on its way through the serial devices of simulated meters, in bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch both ends of every device."""
        self.to_meter = 0
        self.from_meter = 0
        log, handle, send = async_rtu.log_raw_traffic, _Client._handle, _Client._send

        def logged(direction: Any, data: bytes, *args: Any, **kwargs: Any) -> None:
            """Count what a client sends and receives."""
            if direction == "sent":
                self.to_meter += len(data)
            else:
                # What was given up for lost may come to the next client.
                self.from_meter = max(self.from_meter - len(data), 0)
            log(direction, data, *args, **kwargs)

        async def handled(client: _Client, request: Any) -> bool:
            """Count what a meter hears."""
            self.to_meter = max(self.to_meter - len(request.frame), 0)
            return await handle(client, request)

        def sent(client: _Client, frame: bytes) -> None:
            """Count what a meter sends."""
            if not client._writer.is_closing():
                self.from_meter += len(frame)
            send(client, frame)

        monkeypatch.setattr(async_rtu, "log_raw_traffic", logged)
        monkeypatch.setattr(_Client, "_handle", handled)
        monkeypatch.setattr(_Client, "_send", sent)

    def __bool__(self) -> bool:
        """Tell whether something is on its way."""
        return bool(self.to_meter or self.from_meter)

    def lose(self) -> None:
        """Wait no longer for what a client that has gone will not read."""
        self.to_meter = self.from_meter = 0


class LoopTime(MeterClock):
    """The time of the running event loop, which leaps until it is slowed down."""

    def __init__(self, traffic: SerialTraffic | None = None) -> None:
        """Take the time of the loop over; `traffic` where there are serial devices."""
        self._loop = cast(Any, asyncio.get_running_loop())
        loop = self._loop
        self._ahead = 0.0
        self._jobs = 0
        self._traffic = traffic
        self._real: Callable[[], float] = loop.time
        self._select: Callable[[float | None], list[Any]] = loop._selector.select
        self._execute: Callable[..., asyncio.Future[Any]] = loop.run_in_executor
        # A stack kept for each callback would cost more than all else.
        loop.set_debug(False)
        loop.time = self.monotonic
        loop._selector.select = self._wait
        loop.run_in_executor = self._run

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return EPOCH_S + self.monotonic()

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._real() + self._ahead

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        await asyncio.sleep(seconds)

    def be_busy(self, seconds: float) -> None:
        """Let time pass in which this machine does something else."""
        self._ahead += seconds

    def slow_down(self) -> None:
        """Leap no more: what ends the loop may take its time."""
        self._loop._selector.select = self._select
        self._loop.run_in_executor = self._execute

    def _run(self, *args: Any) -> asyncio.Future[Any]:
        """Let another thread do something."""
        job = self._execute(*args)
        self._jobs += 1
        job.add_done_callback(self._done)
        return job

    def _done(self, _job: asyncio.Future[Any]) -> None:
        """Note that another thread has done something."""
        self._jobs -= 1

    def _wait(self, timeout: float | None = None) -> list[Any]:
        """Wait for events; if there are none, let the time come that is waited for."""
        if timeout is None or timeout <= 0:
            return self._select(timeout)
        if self._jobs:
            return self._select(timeout)
        events = self._select(LOST_S if self._traffic else 0)
        if self._traffic and not events:
            self._traffic.lose()
        elif not events:
            self._ahead += timeout
        return events


@contextmanager
def leaping_time(wire: str = "tcp") -> Iterator[LoopTime]:
    """Let time leap over what is waited for, on wires of this kind."""
    with pytest.MonkeyPatch.context() as patch:
        clock = LoopTime(SerialTraffic(patch) if wire == "pty" else None)
        # Libraries that tell each byte take longer than all else.
        logging.disable(logging.INFO)
        try:
            yield clock
        finally:
            logging.disable(logging.NOTSET)
            clock.slow_down()
