"""Sessions that ran while we were away, from the Miniserver's own log.

Takes the log whenever it has changed, gives the ledger what it lacks: at first use all
that the Miniserver still knows, after an absence the stays of the absence, never one
that we watched ourselves. What may go wrong: a disk that takes nothing, then it is tried
again later; a Miniserver whose clock is wrong, then its stays of ours are known by name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .charging.costing import TariffBook, priced
from .charging.session import SessionRecord
from .charging.session_book import SessionBook
from .charging.tracked import TrackedStay
from .charging.transition import Transition, TransitionKind
from .const import LOGGER
from .miniserver import WallboxSession
from .people import People
from .records.importing import beside, plan
from .records.journal import JournalError
from .records.ledger import Ledger, LedgerError
from .session_files import KeptSessions

# The Miniserver's clock may be a little ahead of ours.
AHEAD = timedelta(minutes=1)
RETRY_S = 300.0

type Absorb = Callable[
    [Callable[[Ledger], list[SessionRecord]]], Awaitable[list[SessionRecord]]
]


class Tracking:
    """The Miniserver's log of one wallbox's sessions.

    `book` and `tariffs` give what is the case now, `absorb` writes to the ledger, `keep`
    has `askew` kept, `tell` hears of each session that was taken.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        kept: KeptSessions,
        *,
        max_kw: float,
        book: Callable[[], SessionBook],
        tariffs: Callable[[], TariffBook],
        absorb: Absorb,
        keep: Callable[[], None],
        tell: Callable[[Transition], None],
    ) -> None:
        """Go on from what was kept."""
        self._hass = hass
        self._title = title
        self._wallbox = kept.wallbox
        self._rules = kept.rules
        self._people = kept.people
        self._max_w = max_kw * 1000
        self._book = book
        self._tariffs = tariffs
        self._absorb = absorb
        self._keep = keep
        self._tell = tell
        self.askew = kept.askew
        self._log: Sequence[WallboxSession] = ()
        # What became of these was decided since the start.
        self._done: set[str] = set()
        self._again = False
        self._task: asyncio.Task[None] | None = None
        self._retry: CALLBACK_TYPE | None = None

    @callback
    def look(self, log: Sequence[WallboxSession]) -> None:
        """Take the log; it is the same object as long as it has not changed."""
        if log is not self._log:
            self._log = log
            self._start()

    @callback
    def stop(self) -> None:
        """Take nothing any more."""
        self._cancel_retry()
        if self._task is not None:
            self._task.cancel()

    @callback
    def _start(self, _now: datetime | None = None) -> None:
        """Work, or once more when it is being worked."""
        self._cancel_retry()
        self._again = True
        if self._task is None or self._task.done():
            self._task = self._hass.async_create_background_task(
                self._async_work(), f"the Miniserver's log of {self._title}"
            )

    def _cancel_retry(self) -> None:
        """Try nothing again by itself."""
        if self._retry is not None:
            self._retry()
            self._retry = None

    async def _async_work(self) -> None:
        """Take what is new until the log has not changed meanwhile."""
        while self._again:
            self._again = False
            try:
                await self._async_take()
            except (JournalError, LedgerError) as err:
                LOGGER.debug("Sessions of %s wait: %s", self._title, err)
                self._cancel_retry()
                self._retry = async_call_later(
                    self._hass, RETRY_S, HassJob(self._start, cancel_on_shutdown=True)
                )

    async def _async_take(self) -> None:
        """Take the sessions that the ledger lacks."""
        now, people = dt_util.utcnow(), self._people
        told = [_stay(one, people) for one in self._log]
        # Also those that lie ahead of a clock of ours which is behind.
        stays = {one.name(self._wallbox): one for one in told if one is not None}
        self._note_askew(stays)
        known = self._done | self.askew
        new = [
            stay
            for name, stay in stays.items()
            if name not in known and stay.is_sane(now + AHEAD, self._max_w)
        ]
        if not new:
            return
        tariffs, book = self._tariffs(), self._book()
        others = set(book.others) - {one.visit for one in book.gone}

        def recorded(ledger: Ledger, stay: TrackedStay) -> SessionRecord:
            """Return a stay as a session, beside ours if it surely is none of them."""
            record = stay.record(self._wallbox, self._rules, self._max_w)
            if stay.connected.isoformat() not in others:
                return record
            time = beside(ledger, record, now)
            if time is None or time == (stay.connected, stay.disconnected):
                return record
            return stay.moved(*time).record(self._wallbox, self._rules, self._max_w)

        def choose(ledger: Ledger) -> list[SessionRecord]:
            """Return what is not there yet and does not lie upon what is."""
            records = [recorded(ledger, stay) for stay in new]
            plain = [priced(one, tariffs, now).as_dict() for one in records]
            until, kept = now + AHEAD, self._people.kept
            return plan(ledger, self._wallbox, plain, until, kept=kept).take

        taken = await self._absorb(choose)
        self._done.update(one.name(self._wallbox) for one in new)
        for record in taken:
            at, kind = record.disconnected_utc or now, TransitionKind.SESSION_FINISHED
            self._tell(Transition(kind=kind, at=at, record=record))
        if taken:
            LOGGER.info(
                "%s sessions of %s were taken from the Miniserver's own log",
                len(taken),
                self._title,
            )

    def _note_askew(self, stays: Mapping[str, TrackedStay]) -> None:
        """Take note of stays that are ours and seem to have been at another time."""
        book = self._book()
        # A log that tells nothing for a moment has forgotten nobody.
        askew = self.askew & stays.keys() if stays else self.askew
        askew |= {name for name, stay in stays.items() if _is_askew(stay, book)}
        if askew != self.askew:
            self.askew = askew
            self._keep()


def _stay(session: WallboxSession, people: People) -> TrackedStay | None:
    """Return a stay of the log, None where it does not tell enough."""
    begin, end, kwh = (
        session.connected_at,
        session.disconnected_at,
        session.energy_kwh,
    )
    if begin is None or end is None or kwh is None:
        return None
    return TrackedStay(
        connected=begin,
        disconnected=end,
        wh=kwh * 1000,
        allowed=session.started_at,
        user_id=people.pseudonym(session.user) if session.user else None,
    )


def _is_askew(stay: TrackedStay, book: SessionBook) -> bool:
    """Tell whether a stay is one of our sessions by name, and not by its time."""
    name, session = stay.connected.isoformat(), book.open
    if session is not None and session.visit_id == name:
        return stay.disconnected <= session.connected
    return any(
        one.visit == name
        and not (one.connected < stay.disconnected and stay.connected < one.ended)
        for one in book.gone
    )
