"""One websocket to a Miniserver: frames in, commands out, one at a time.

Takes an open websocket, gives answers to commands and event tables to a callback.
What may go wrong: the link breaks, falls silent, sends garbage, answers late; then the
connection fails as a whole with one `MiniserverError` and is of no more use. Answers
have no ids and come in the order of the commands, so a command that got no answer in
time takes the connection with it: the late answer would be taken for the next one's.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import logging
import re

import aiohttp

from .errors import (
    LockedOutError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    NoSlotError,
    ProtocolError,
    UserDisabledError,
)
from .frames import Header, Kind, decode_text, looks_like_header, parse_header

_LOGGER = logging.getLogger(__name__)

# The Miniserver closes after five silent minutes; half a minute also finds a dead link
# soon enough for the owner.
KEEPALIVE_INTERVAL_S = 30.0
KEEPALIVE_TIMEOUT_S = 12.0
ANSWER_TIMEOUT_S = 10.0
# A Miniserver that does not answer our close frame is not waited for.
CLOSE_TIMEOUT_S = 2.0
# A structure file over a slow radio link: its announced length gives it more time.
SLOWEST_BYTES_PER_S = 250_000

_SECONDS = re.compile(
    r"remaining\D{0,20}(\d{1,7})|(\d{1,7})\s?(?:s\b|sec)", re.IGNORECASE
)
# A bare number at the end of the reason: seconds, unless it is so small that it may
# also count the attempts.
_BARE_NUMBER = re.compile(r"\((\d{2,7})\)\s*$")
_MAX_ATTEMPTS = 30

ADDRESS_BLOCKED = 4003
_CLOSES: dict[int, MiniserverError] = {
    4004: MiniserverConnectionError("A user of the Miniserver was changed"),
    4005: MiniserverConnectionError("The user was changed"),
    4006: UserDisabledError("The user was disabled"),
    4007: MiniserverStartingError("The Miniserver updates its firmware"),
    4008: NoSlotError("The Miniserver has no free event slot"),
    1009: ProtocolError("The Miniserver sent a message that is too big"),
}


def error_for_close(code: int | None, reason: str) -> MiniserverError:
    """Return what a close of the websocket means."""
    if code == ADDRESS_BLOCKED:
        return LockedOutError(_remaining(reason))
    known = _CLOSES.get(code or 0)
    if known is None:
        return MiniserverConnectionError(f"The link was closed ({code})")
    return type(known)(*known.args)


def _remaining(reason: str) -> float | None:
    """Return the seconds that a close with 4003 names, None where it names none."""
    if (seconds := _SECONDS.search(reason)) is not None:
        return float(seconds[1] or seconds[2])
    bare = _BARE_NUMBER.search(reason)
    return None if bare is None or int(bare[1]) < _MAX_ATTEMPTS else float(bare[1])


class Connection:
    """A websocket that speaks the Miniserver's frames."""

    def __init__(
        self,
        websocket: aiohttp.ClientWebSocketResponse[bool],
        on_table: Callable[[Kind, bytes], None],
    ) -> None:
        """Start reading; `on_table` gets every event table and may raise our errors."""
        self._websocket = websocket
        self._on_table = on_table
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[str] | None = None
        self._deadline: asyncio.Timeout | None = None
        self._header: Header | None = None
        self._closing: asyncio.Task[None] | None = None
        self._sign_of_life = asyncio.Event()
        self._patience_until = 0.0
        self.broken: asyncio.Future[MiniserverError] = self._loop.create_future()
        self._tasks = (
            self._loop.create_task(self._read()),
            self._loop.create_task(self._keep_alive()),
        )

    @property
    def is_open(self) -> bool:
        """Tell whether commands can be sent."""
        return not self.broken.done()

    async def request(
        self, prepare: Callable[[], str], timeout_s: float | None = None
    ) -> str:
        """Send a command and return the text of its answer.

        Commands wait for each other in the order of their calls, and each is written by
        `prepare` when its turn has come. A caller that is cancelled before that sends
        nothing; one that is cancelled later leaves its command to finish, so that its
        answer cannot be taken for another's.
        """
        await self._turn.acquire()
        # Eager: it is on the wire before whoever asked goes on to show it.
        exchange = asyncio.Task(
            self._exchange(prepare, timeout_s or ANSWER_TIMEOUT_S),
            loop=self._loop,
            eager_start=True,
        )
        exchange.add_done_callback(self._end_turn)
        await asyncio.wait((exchange,))
        return exchange.result()

    async def close(self) -> None:
        """Close with a close frame, so that the Miniserver frees the slot at once.

        Takes a moment at most. A caller who is cancelled meanwhile leaves only after it:
        half a close would leave the websocket open.
        """
        if self._closing is None:
            self._closing = self._loop.create_task(self._close())
        try:
            await asyncio.wait((self._closing,))
        except asyncio.CancelledError:
            await asyncio.wait((self._closing,))
            raise

    async def _close(self) -> None:
        """End both tasks, the websocket and every wait."""
        self._fail(MiniserverConnectionError("The link was closed by us"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._websocket.close()
        # Everyone who waited for an answer or a turn has been told after this.
        async with self._turn:
            pass

    async def _exchange(self, prepare: Callable[[], str], timeout_s: float) -> str:
        """Send a command and wait for its answer."""
        if self.broken.done():
            raise self.broken.result()
        answer: asyncio.Future[str] = self._loop.create_future()
        self._answer = answer
        answer.add_done_callback(_retrieve)
        try:
            async with asyncio.timeout(timeout_s) as self._deadline:
                await self._send(prepare())
                return await answer
        except TimeoutError as err:
            late = MiniserverTimeoutError("An answer did not come in time")
            self._fail(late)
            raise late from err
        finally:
            self._answer = self._deadline = None

    def _end_turn(self, exchange: asyncio.Future[str]) -> None:
        """Let the next command go, whether or not anybody wants this one's answer."""
        _retrieve(exchange)
        self._turn.release()

    async def _send(self, text: str) -> None:
        """Send a text frame."""
        try:
            await self._websocket.send_str(text)
        except (aiohttp.ClientError, OSError, RuntimeError) as err:
            error = MiniserverConnectionError("The link broke while sending")
            self._fail(error)
            raise error from err

    async def _read(self) -> None:
        """Take messages until the link ends, and say how it ended."""
        try:
            while True:
                message = await self._websocket.receive()
                self._sign_of_life.set()
                match message.type:
                    case aiohttp.WSMsgType.BINARY:
                        self._take(message.data, text=False)
                    case aiohttp.WSMsgType.TEXT:
                        self._take(message.data, text=True)
                    case aiohttp.WSMsgType.CLOSE:
                        self._fail(error_for_close(message.data, message.extra or ""))
                        return
                    case aiohttp.WSMsgType.ERROR:
                        self._fail(ProtocolError(f"Broken websocket: {message.data}"))
                        return
                    case _:
                        self._fail(error_for_close(self._websocket.close_code, ""))
                        return
        except MiniserverError as err:
            self._fail(err)
        except (aiohttp.ClientError, OSError, RuntimeError) as err:
            self._fail(MiniserverConnectionError(f"The link broke: {err}"))
        except Exception:
            _LOGGER.exception("A message could not be taken")
        finally:
            # Whatever ends the reading ends the connection for those who wait on it.
            self._fail(MiniserverConnectionError("The link is no longer read"))

    def _take(self, data: bytes, *, text: bool) -> None:
        """Take one message: a header, or what the header before announced."""
        waiting = self._header
        if waiting is None:
            if text:
                raise ProtocolError("A message came without its header")
            self._announce(parse_header(data))
        elif (
            waiting.estimated
            and not text
            and looks_like_header(data)
            and data[1] == waiting.kind
        ):
            # The exact header after the estimated one.
            self._announce(parse_header(data))
        else:
            self._header = None
            if not text and not waiting.estimated and len(data) != waiting.length:
                raise ProtocolError("A message has another length than announced")
            self._dispatch(waiting.kind, data)

    def _announce(self, header: Header) -> None:
        """Wait for the payload of a header, where one follows."""
        if header.kind in {Kind.OUT_OF_SERVICE, Kind.KEEPALIVE}:
            self._header = None
            if header.kind == Kind.OUT_OF_SERVICE:
                raise MiniserverStartingError("The Miniserver goes out of service")
            return
        if header.length == 0 and not header.estimated:
            self._header = None
            self._dispatch(header.kind, b"")
            return
        self._header = header
        more = header.length / SLOWEST_BYTES_PER_S
        self._patience_until = self._loop.time() + more
        if self._deadline is not None and (when := self._deadline.when()) is not None:
            self._deadline.reschedule(max(when, self._patience_until))

    def _dispatch(self, kind: int, data: bytes) -> None:
        """Give a payload to whom it concerns; kinds of later firmware are skipped."""
        if kind in {Kind.TEXT, Kind.FILE}:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(decode_text(data))
            else:
                _LOGGER.debug("Unasked text of %s bytes", len(data))
        elif kind in {Kind.VALUES, Kind.TEXTS, Kind.DAYTIMERS, Kind.WEATHER}:
            self._on_table(Kind(kind), data)
        else:
            _LOGGER.debug("Skipped a message of unknown kind %s", kind)

    async def _keep_alive(self) -> None:
        """Show that we are there, and find out when the Miniserver is not."""
        with suppress(MiniserverError):
            while True:
                await asyncio.sleep(KEEPALIVE_INTERVAL_S)
                self._sign_of_life.clear()
                await self._send("keepalive")
                patience = max(
                    KEEPALIVE_TIMEOUT_S, self._patience_until - self._loop.time()
                )
                try:
                    async with asyncio.timeout(patience):
                        await self._sign_of_life.wait()
                except TimeoutError:
                    self._fail(MiniserverTimeoutError("The Miniserver fell silent"))
                    return

    def _fail(self, error: MiniserverError) -> None:
        """End the connection for everyone who waits on it; the first reason counts."""
        if not self.broken.done():
            self.broken.set_result(error)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(self.broken.result())


def _retrieve(outcome: asyncio.Future[str]) -> None:
    """Look at the outcome of a command that maybe nobody waits for any more."""
    if not outcome.cancelled():
        outcome.exception()
