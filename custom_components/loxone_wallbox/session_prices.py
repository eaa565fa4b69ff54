"""What the sessions of one wallbox cost, while they run and when prices come late.

Takes the owner's tariff and what its source says, cuts the running session where another
price begins and prices what was recorded. What may go wrong: a price that is not known;
then energy stands without one, or at the owner's fallback price, until it is. Nothing
here decides about charging.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .charging.costing import TariffBook, priced
from .charging.following import OpenSession
from .charging.money import TariffError
from .charging.price_words import heard, quarter_of, said
from .charging.pricing import Prices, told_again
from .charging.session import SessionRecord
from .charging.session_book import SessionBook
from .charging.step import Step
from .charging.tariff import QUARTER, DynamicTariff
from .const import LOGGER
from .records.journal import JournalError
from .records.ledger import Ledger, LedgerError
from .session_files import KeptSessions
from .tariff_following import PriceFollower, PriceRepair
from .tariff_settings import price_entity, tariff_of
from .tracking import Absorb

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# The recorder keeps as much unless the owner says otherwise.
LOOK_BACK = timedelta(days=10)
# Sooner than this the timer of the next price is not set again.
SOONEST_S = 0.1


class SessionPrices:
    """The tariffs of one wallbox and the cost of its sessions.

    `book` gives the sessions as they stand, `took` takes their next step, `absorb`
    writes to the ledger, `show` is called when another price may be shown.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        subentry_id: str,
        kept: KeptSessions,
        *,
        book: Callable[[], SessionBook],
        took: Callable[[Step], None],
        absorb: Absorb,
        show: Callable[[], None],
    ) -> None:
        """Go on from what was kept."""
        self._hass = hass
        self._title = title
        self._rules = kept.rules
        self._book = book
        self._took = took
        self._absorb = absorb
        self._show = show
        self._prices = _kept_prices(kept)
        # The settings that the last tariff in the book was made of.
        self._settings: Mapping[str, Any] | None = kept.prices.get("settings")
        self._follower: PriceFollower | None = None
        self._repair = PriceRepair(hass, subentry_id, title)
        # Up to when the source's word is known, and since when it is waited for.
        self._said_until: datetime | None = None
        self._waiting_since: datetime | None = None
        self._looked: datetime | None = None
        self._edge: datetime | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended_at: datetime | None = None

    @property
    def tariffs(self) -> TariffBook:
        """Return the tariffs."""
        return self._prices.tariffs

    @callback
    def settle(self, settings: Mapping[str, Any] | None) -> None:
        """Let the tariff of some settings hold from now on, if it is another one.

        The very first one also counts for the last day, or since the running session
        began: whoever sets it means that session too.
        """
        now = dt_util.utcnow()
        if settings != self._settings:
            session, tariffs = self._book().open, self.tariffs
            since = now if tariffs.agreements or settings is None else now - DAY
            if since is not now and session is not None:
                since = min(since, session.connected)
            tariff = tariff_of(settings, since, self._rules.zone)
            self._settings = settings
            self._take(tariffs.switched(tariff, since), now)
            self._took(Step(book=self._book(), save=True))
            # The present edge was that of another tariff.
            self._edge = None
        self._follow(now)
        self.look(now)

    @callback
    def stop(self) -> None:
        """Follow no source and wait for nothing any more; may come twice."""
        self._end_following()
        self._repair.clear()
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def look(self, at: datetime) -> None:
        """Take what holds at an instant, and cut where another price began."""
        looked, edge = self._looked, self._edge
        if looked is not None and edge is not None and looked <= at < edge:
            return
        self._hear(at)
        self._cut(at)
        self._looked = at
        self._arm(at)

    def priced(self, record: SessionRecord, at: datetime) -> SessionRecord:
        """Return a record with what is known of its price, as it is written."""
        after = self._prices.priced(record, at)
        if record.disconnected_utc is not None:
            self._ended_at = record.disconnected_utc
        return after

    def running(self, session: OpenSession, at: datetime) -> SessionRecord:
        """Return the record of the running session with what it has cost so far."""
        record = self._prices.priced(session.record(self._rules), at)
        tariff = self.tariffs.at(at)
        if record.slices or tariff is None:
            return record
        return replace(record, cost_minor=0, currency=tariff.currency)

    def currency(self, at: datetime) -> str | None:
        """Return the currency of the present tariff."""
        tariff = self.tariffs.at(at)
        return None if tariff is None else tariff.currency

    @property
    def plain(self) -> Callable[[], dict[str, Any] | None]:
        """Return what gives, in any thread, what is needed to go on after a restart."""
        return partial(_plain, self._prices, self._settings)

    def _follow(self, now: datetime) -> None:
        """Follow the source of the present tariff, if it has one."""
        self._end_following()
        tariff, entity_id = self.tariffs.at(now), price_entity(self._settings)
        if entity_id is None or not isinstance(tariff, DynamicTariff):
            self._repair.clear()
            return
        self._follower = PriceFollower(
            self._hass, entity_id, tariff.currency, self._heard
        )
        self._waiting_since = now
        self._said_until = self._known_until(tariff, now)
        if self._said_until < quarter_of(now):
            self._catch_up(self._said_until)

    def _known_until(self, tariff: DynamicTariff, now: datetime) -> datetime:
        """Return up to when the prices are known that anything may need."""
        agreed = next(
            (one.since for one in self.tariffs.agreements if one.tariff is tariff), None
        )
        session = self._book().open
        needed = agreed or (now if session is None else session.connected)
        told = tariff.points[-1].end if tariff.points else needed
        return max(told, needed, now - LOOK_BACK)

    @callback
    def _end_following(self) -> None:
        """Follow no source."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @callback
    def _heard(self) -> None:
        """Take another word of the source."""
        self._edge = None
        self.look(dt_util.utcnow())
        self._show()

    def _hear(self, at: datetime) -> None:
        """Take what the source says now of the present quarter hour."""
        tariff, follower = self.tariffs.at(at), self._follower
        if follower is None or not isinstance(tariff, DynamicTariff):
            return
        price = follower.price
        if price is None:
            since = self._waiting_since or at
            if at - since >= QUARTER or not follower.silent:
                self._repair.report(follower, tariff.currency)
            return
        self._repair.clear()
        quarter, until = quarter_of(at), self._said_until or at
        after = said(tariff, at, price)
        if after is not tariff:
            self._take(self.tariffs.updated(after), at)
            ended = self._ended_at
            corrected = ended is not None and quarter <= ended and quarter < until
            if until < quarter or corrected:
                self._catch_up(min(until, quarter))
        self._waiting_since = at
        self._said_until = quarter + QUARTER

    def _cut(self, at: datetime) -> None:
        """Cut the running session where another price began since the last look."""
        book = self._book()
        session = book.open
        if session is None:
            price_id = self.tariffs.price_id(at)
            if price_id != book.price_id:
                self._took(Step(book=replace(book, price_id=price_id)))
            return
        since = self._looked or session.cuts.at - session.ahead
        for edge, price_id in self._prices.cuts(since, at, book.price_id):
            book = self._book()
            self._took(book.price_changed(edge, price_id, self._rules))

    def _take(self, tariffs: TariffBook, at: datetime) -> None:
        """Take another book of tariffs, and tell of sessions that it changes."""
        book = self._book()
        sessions = [one for one in (book.closing, book.open) if one is not None]
        records = [one.record(self._rules) for one in sessions]
        needed = [one.connected for one in sessions if (one.ended or at) > at - DAY]
        tariffs = tariffs.forgotten(min([*needed, at]) - HOUR)
        self._prices, changed = self._prices.taken(tariffs, records, at)
        if changed:
            self._took(told_again(book, changed, at, self._rules))

    def _arm(self, at: datetime) -> None:
        """Look again where the next price begins."""
        if self._timer is not None:
            self._timer()
        following = self.tariffs.edges(at, at + DAY)
        self._edge = following[0] if following else at + DAY
        self._timer = None
        if self.tariffs.agreements:
            seconds = max((self._edge - at).total_seconds(), SOONEST_S)
            job = HassJob(self._due, cancel_on_shutdown=True)
            self._timer = async_call_later(self._hass, seconds, job)

    @callback
    def _due(self, _now: datetime) -> None:
        """Take the price that begins now."""
        self._timer = None
        self.look(dt_util.utcnow())
        if self._timer is None:
            self._arm(dt_util.utcnow())
        self._show()

    def _catch_up(self, since: datetime) -> None:
        """Ask the recorder what the source said since an instant, and price anew."""
        if self._task is not None and not self._task.done():
            return
        self._task = self._hass.async_create_background_task(
            self._async_catch_up(since), f"prices of {self._title}"
        )

    async def _async_catch_up(self, since: datetime) -> None:
        """Take the prices that were missed: of what runs, and of what has ended."""
        follower = self._follower
        if follower is None:
            return
        try:
            words = await follower.async_history(since, dt_util.utcnow())
            now = dt_util.utcnow()
            tariff = self.tariffs.at(now)
            if not isinstance(tariff, DynamicTariff):
                return
            # What is said now was heard already, and later than it was recorded.
            known = heard(tariff, words, min(now, quarter_of(now)))
            tariffs = self.tariffs.updated(known)
            await self._async_price_ended(tariffs, since, now)
            self._take(self.tariffs.updated(known), now)
            self._show()
        except (JournalError, LedgerError) as err:
            LOGGER.error("A file of sessions cannot be read: %s", err)
        except Exception:  # noqa: BLE001
            # Somebody else's database; energy is safe, and prices come again.
            LOGGER.exception("Prices of %s could not be looked up", self._title)

    async def _async_price_ended(
        self, tariffs: TariffBook, since: datetime, now: datetime
    ) -> None:
        """Price what has ended in a time whose prices are known better now."""
        book = self._book()
        changing = {one.id for one in (book.open, book.closing) if one is not None}

        def choose(ledger: Ledger) -> list[SessionRecord]:
            """Return those that cost something else."""
            found = []
            for record in ledger.between(since, now).records:
                if record.disconnected_utc is None or record.id in changing:
                    continue
                after = priced(record, tariffs, now)
                if after is not record:
                    found.append(after)
            return found

        await self._absorb(choose)


def _plain(prices: Prices, settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return prices and settings as plain data, None without any tariff."""
    if not prices.tariffs.agreements:
        return None
    return {**prices.as_dict(), "settings": settings}


def _kept_prices(kept: KeptSessions) -> Prices:
    """Return what was kept; what cannot be read begins anew."""
    if kept.prices:
        try:
            return Prices.from_dict(kept.prices, kept.rules.zone)
        except TariffError as err:
            LOGGER.error("The prices of a wallbox could not be read: %s", err)
    return Prices()
