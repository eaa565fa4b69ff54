"""The wires to meters: what a client sends comes in here, and what it sees goes out.

The line hears the frames of clients, is silent where a meter would be, and has the rest
answered by the meters' own server. What is wrong on the wires is made here as well.
"""

import asyncio
from collections.abc import Callable, Sequence
import contextlib

from .config import Link
from .device import Station
from .frames import (
    Framing,
    Mbap,
    NoFrameError,
    Request,
    Rtu,
    exception,
    shortened,
)
from .limits import (
    GATEWAY_TARGET_SILENT,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    REGISTER_READS,
)
from .meter import SimulatedMeter, request_text
from .serial_device import SerialDevice

_READ_SIZE = 1024
# Length of a read without header and checksum.
_READ_PDU = 5
# Longer than any silence within a frame (seconds), however busy the machine is.
_SILENCE_S = 0.1
# A pause may be so much shorter, because timers are not exact (seconds).
_TOLERANCE_S = 0.002
_ERROR = 0x80


class Line:
    """Wires with one or more meters on them; clients come and go."""

    def __init__(
        self,
        meters: Sequence[SimulatedMeter],
        *,
        link: Link,
        host: str,
        log: Callable[[str], None],
        port: int = 0,
        path: str = "",
    ) -> None:
        """Take the meters; two of them with the same address raise a ValueError."""
        self.meters = {meter.config.unit_id: meter for meter in meters}
        if len(self.meters) < len(meters):
            raise ValueError("two meters on one line have the same unit id")
        self.link = link
        self.log = log
        self.framing: Framing = Mbap() if link == "tcp" else Rtu()
        self.station = Station(meters, self.framing, rtu=link != "tcp")
        # When the line was last in use, in the time of the event loop.
        self.used_at = float("-inf")
        self._host = host
        self._port = port
        self._path = path
        self._server: asyncio.Server | None = None
        self._device: SerialDevice | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the line; a port that is taken raises an OSError."""
        try:
            await self.station.start()
            self._server = await asyncio.start_server(
                self._serve, self._host, self._port
            )
            port = self._server.sockets[0].getsockname()[1]
            address = f"{self._host}:{port}"
            if self.link == "pty":
                self._device = SerialDevice(self._host, port, self._path, self.log)
                await self._device.start()
                address = self._device.path
        except BaseException:
            await self.stop()
            raise
        for meter in self.meters.values():
            meter.address = address

    async def stop(self) -> None:
        """Close the line and leave nothing behind."""
        if self._device:
            await self._device.stop()
            self._device = None
        if self._server:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._server:
            await self._server.wait_closed()
            self._server = None
        await self.station.stop()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a client until it goes."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine runs in one)
        self._clients.add(task)
        client = _Client(self, reader, writer)
        try:
            await client.run()
        except ConnectionError, NoFrameError:
            # The client has gone or speaks something else; there is nobody to tell.
            pass
        except asyncio.CancelledError:
            # What a client does not read must not keep the line from closing.
            writer.transport.abort()
        except Exception as err:  # noqa: BLE001  (a bug here must show)
            self.log(f"internal error on a meter's line: {err!r}")
        finally:
            client.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._clients.discard(task)


class _Client:
    """A connection of a client to a line."""

    def __init__(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take the connection."""
        self._line = line
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> None:
        """Answer what comes in, one request after the other."""
        buffer = bytearray()
        heard_at = self._loop.time()
        while data := await self._reader.read(_READ_SIZE):
            if self._line.link != "tcp" and self._loop.time() - heard_at > _SILENCE_S:
                # Silence ends a frame on RTU; the rest of a broken one is forgotten.
                buffer.clear()
            heard_at = self._loop.time()
            buffer += data
            for request in self._line.framing.split(buffer):
                if not await self._handle(request):
                    return
                self._line.used_at = max(self._line.used_at, heard_at)

    def close(self) -> None:
        """End the connection, and with it what would still have been sent."""
        for timer in self._timers:
            timer.cancel()
        self._writer.close()

    async def _handle(self, request: Request) -> bool:
        """Answer a request, and return whether the connection stays."""
        meter = self._line.meters.get(request.unit)
        if meter is None:
            any_meter = next(iter(self._line.meters.values()))
            self._unreachable(any_meter, request)
            return True
        text = request_text(request.function, request.address, request.count)
        if meter.faults.take("echo", text):
            self._send(request.frame)
        outcome = self._unheard(meter, request, text)
        if outcome is not None:
            if not outcome.endswith("fault"):
                self._unreachable(meter, request)
        elif fault := meter.faults.take("closed", text):
            outcome = "connection closed"
            if fault["halfway"]:
                frame = await self._line.station.ask(request.frame)
                self._send(frame[: len(frame) // 2])
        else:
            outcome = await self._answer(meter, request, text)
        meter.note(request.function, request.address, request.count, outcome)
        return outcome != "connection closed"

    def _unheard(
        self, meter: SimulatedMeter, request: Request, text: str
    ) -> str | None:
        """Return why a meter is silent, None if it answers."""
        quiet = self._loop.time() - self._line.used_at
        if meter.is_dark():
            return "silent: starting"
        if quiet < meter.config.effective_pause_s - _TOLERANCE_S:
            if meter.map.reboots_when_hurried:
                meter.reboot()
            return "silent: no pause before it"
        most = meter.config.silent_beyond
        if most is not None and request.count > most:
            return "silent: too long"
        if meter.faults.take("silent", text) or meter.storm_is_silent(text):
            return "silent: fault"
        return None

    def _unreachable(self, meter: SimulatedMeter, request: Request) -> None:
        """Answer for a silent meter as a gateway does; on RTU there is none."""
        if self._line.link == "tcp" and meter.config.gateway and request.unit:
            pdu = exception(request, GATEWAY_TARGET_SILENT)
            self._send(self._line.framing.build(request, pdu))

    async def _answer(self, meter: SimulatedMeter, request: Request, text: str) -> str:
        """Send an answer with all that is wrong with it, and say what it was."""
        framing = self._line.framing
        if fault := meter.faults.take("exception", text):
            frame = framing.build(request, exception(request, fault["code"]))
        elif request.function not in REGISTER_READS:
            frame = framing.build(request, exception(request, ILLEGAL_FUNCTION))
        elif len(request.pdu) != _READ_PDU:
            frame = framing.build(request, exception(request, ILLEGAL_VALUE))
        else:
            frame = await self._line.station.ask(request.frame)
        pdu = framing.pdu(frame)
        outcome = f"exception {pdu[1]}" if pdu[0] & _ERROR else "answered"
        self._deliver(self._damaged(meter, request, frame, text), meter, text)
        return outcome

    def _damaged(
        self, meter: SimulatedMeter, request: Request, frame: bytes, text: str
    ) -> bytes:
        """Return a frame with what is wrong in it."""
        faults, framing = meter.faults, self._line.framing
        pdu = framing.pdu(frame)
        if fault := faults.take("short", text):
            frame = framing.build(request, shortened(pdu, fault["by"]))
        if fault := faults.take("other_unit", text):
            other = (request.unit + fault["by"]) % 256
            frame = framing.build(request, framing.pdu(frame), unit=other)
        if faults.take("wrong_crc", text):
            frame = frame[:-2] + bytes([frame[-2] ^ 0x55, frame[-1]])
        if faults.take("wrong_transaction", text):
            frame = bytes([frame[0] ^ 0x40]) + frame[1:]
        if fault := faults.take("truncated", text):
            frame = framing.cut(frame, fault["missing"])
        if fault := faults.take("garbage", text):
            dirt = bytes((7 * index + 77) % 256 for index in range(fault["size"]))
            frame = dirt if fault["instead"] else dirt + frame
        return frame

    def _deliver(self, frame: bytes, meter: SimulatedMeter, text: str) -> None:
        """Send a frame: at once, late, or twice."""
        late = meter.faults.take("slow", text)
        wait = float(late["seconds"]) if late else 0.0
        self._later(wait, frame)
        if again := meter.faults.take("duplicate", text):
            self._later(wait + again["after_s"], frame)

    def _later(self, seconds: float, frame: bytes) -> None:
        """Send a frame after a while, if the client is still there then."""
        if seconds <= 0:
            self._send(frame)
            return
        now = self._loop.time()
        self._timers = [timer for timer in self._timers if timer.when() > now]
        self._timers.append(self._loop.call_later(seconds, self._send, frame))

    def _send(self, frame: bytes) -> None:
        """Put bytes on the wire."""
        if frame and not self._writer.is_closing():
            # Before the write: while it lasts the client may run, and this one wait.
            self._line.used_at = self._loop.time()
            self._writer.write(frame)
