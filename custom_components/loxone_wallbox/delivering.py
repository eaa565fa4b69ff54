"""Keep the record of what each grid event delivered on one wallbox.

Looks with each decision at the wallbox's events, at what it shows and at its power; keeps
the records on the disk as they grow, so that a restart loses only the seconds nobody
saw. Has no timer of its own. What may go wrong: the disk takes or gives nothing, then it
is said once and goes on by what is in memory; never does it reach the control path.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .charging.delay import Target
from .charging.delivery import BASELINE_S, Delivery, Shown
from .charging.dsr import KEEP_ENDED, DsrBook, DsrEvent
from .charging.observe import Observation
from .const import DOMAIN, LOGGER
from .controller import Controller
from .measuring import Measuring
from .records.journal import Journal, JournalError
from .rules import state_file

# What flows is added up so often, and then it is safe from a crash.
MEASURE_EVERY = timedelta(minutes=1)
# So many records are kept at most, whatever their age.
MOST_RECORDS = 200
# The file is written anew when it has grown by so many lines.
COMPACT_AFTER = 500

type Key = tuple[str, str, datetime]
type DeliveryListener = Callable[[Delivery], None]


class FollowedWallbox(Protocol):
    """What is needed of a wallbox."""

    title: str
    controller: Controller
    measuring: Measuring

    @property
    def wallbox_id(self) -> str:
        """Return the id of the wallbox block."""

    @property
    def linked(self) -> bool:
        """Tell whether the wallbox's states are up to date."""

    def observe(self) -> Observation:
        """Return what the wallbox shows now."""


def delivery_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where the records of a wallbox's grid events are kept."""
    path = state_file(folder, serial, wallbox_id)
    return path.with_name(path.name.replace(".state.", ".dsr."))


class Delivering:
    """The records of one wallbox's grid events."""

    def __init__(
        self, hass: HomeAssistant, wallbox: FollowedWallbox, serial: str
    ) -> None:
        """Take the wallbox; what was kept of it is read at the first look."""
        self._hass = hass
        self._wallbox = wallbox
        folder = Path(hass.config.path(DOMAIN))
        self._journal = Journal(delivery_file(folder, serial, wallbox.wallbox_id))
        self._records: dict[Key, Delivery] = {}
        self._lines = 0
        self._unsaved: dict[Key, Delivery] = {}
        self._listeners: list[DeliveryListener] = []
        self._turn = asyncio.Lock()
        self._loading: asyncio.Task[None] | None = None
        self._loaded = self._stopped = self._failing = self._broken = False
        # Events that were over by then have no record, or no longer one.
        self._since: datetime | None = None

    @callback
    def follow(self) -> None:
        """Look at the events and at the wallbox; never raises."""
        if self._stopped:
            return
        if not self._loaded:
            if self._loading is None:
                self._loading = self._hass.async_create_task(
                    self._async_load(), f"grid events of {self._wallbox.title}"
                )
            return
        self._look(dt_util.utcnow(), MEASURE_EVERY)

    @callback
    def listen(self, listener: DeliveryListener) -> CALLBACK_TYPE:
        """Have a listener told of each record that is complete; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def outcomes(self) -> Counter[str]:
        """Return how many of the kept events came to what."""
        ended = (one.outcome for one in self._records.values())
        return Counter(one.value for one in ended if one is not None)

    def record_of(self, event: DsrEvent) -> Delivery | None:
        """Return the last record of an event, None where it has not begun."""
        found = [one for one in self._records.values() if one.key == event.key]
        return max(found, key=lambda one: one.began_at, default=None)

    async def async_stop(self) -> None:
        """Keep everything as it is and look no longer; may come twice."""
        if self._stopped:
            return
        if self._loaded:
            self._look(dt_util.utcnow(), timedelta(0))
        self._stopped = True
        if self._loading is not None:
            await self._loading
        if self._failing:
            self._unsaved = dict(self._records)
        await self._async_save()

    def _look(self, now: datetime, measure_after: timedelta) -> None:
        """Bring every record to an instant, and keep those that changed."""
        try:
            self._advance(now, measure_after)
        except Exception:  # noqa: BLE001
            # A wrong record is no reason for a car to be charged wrongly.
            if not self._broken:
                LOGGER.exception(
                    "The grid events of %s cannot be followed", self._title
                )
            self._broken = True
        if self._unsaved and not self._turn.locked():
            self._hass.async_create_task(
                self._async_save(), f"grid events of {self._title}"
            )

    @property
    def _title(self) -> str:
        """Return what the owner calls the wallbox."""
        return self._wallbox.title

    def _advance(self, now: datetime, measure_after: timedelta) -> None:
        """Bring every record to an instant, and begin those that are due."""
        book = self._wallbox.controller.state.dsr
        latest = {one.key: key for key, one in self._records.items()}
        due = [one for one in book.events.values() if self._begins(one, book, now)]
        for key, record in list(self._records.items()):
            event = book.events.get(record.key) if latest[record.key] == key else None
            if record.complete and (event is None or not _goes_on(record, event, book)):
                continue
            self._put(key, self._stepped(record, event, now, measure_after))
        for event in due:
            if not self._is_known(event):
                record = self._begun(event, now)
                key = (*record.key, record.began_at)
                self._put(key, self._stepped(record, event, now, measure_after))

    def _begins(self, event: DsrEvent, book: DsrBook, now: datetime) -> bool:
        """Tell whether an event has begun whose record is not forgotten."""
        end = event.effective_end(book.silence)
        since = now - KEEP_ENDED
        if self._since is not None:
            since = max(since, self._since)
        return event.effective_start <= now and event.effective_start < end > since

    def _is_known(self, event: DsrEvent) -> bool:
        """Tell whether there is a record of this version of an event."""
        record = self.record_of(event)
        return record is not None and record.version >= event.version

    def _begun(self, event: DsrEvent, now: datetime) -> Delivery:
        """Return the new record of an event, with what flowed before it."""
        start = event.effective_start.timestamp()
        before = self._wallbox.measuring.feed.between(start - BASELINE_S, start)
        return Delivery.begin(event, self._limit(event, now), before)

    def _stepped(
        self,
        record: Delivery,
        event: DsrEvent | None,
        now: datetime,
        measure_after: timedelta,
    ) -> Delivery:
        """Return a record brought to an instant; `event` is what it is of now."""
        controller = self._wallbox.controller
        book, shown = controller.state.dsr, self._shown()
        if event is not None and _goes_on(record, event, book):
            record = record.reopen()
        if record.ended_at is None:
            record, end = _planned(record, event, book, now)
            until = min(now, end)
            if now < end and event is not None:
                record = record.look(shown, self._limit(event, now), now)
            record = record.take_draws(controller.state.delay)
            if now >= end or until - record.measured_to >= measure_after:
                record = self._measured(record, until)
            if now >= end:
                left = event is not None and event.opted_out_at == end
                record = record.end(end, opted_out=left)
        if record.ended_at is not None:
            record = record.take_draws(controller.state.delay)
            record = record.release(shown, now)
        return record

    def _measured(self, record: Delivery, to: datetime) -> Delivery:
        """Return a record with what has flowed up to an instant."""
        if to <= record.measured_to:
            return record
        points = self._wallbox.measuring.feed.between(
            record.measured_to.timestamp(), to.timestamp()
        )
        return record.measure(points, to)

    def _limit(self, event: DsrEvent, now: datetime) -> float | None:
        """Return what the wallbox is to keep to in kW, None for an increase."""
        if not event.reduces:
            return None
        controller = self._wallbox.controller
        alone = event.limit(controller.state.dsr.floor_kw)
        return controller.shares(now).get(event.key, alone)

    def _shown(self) -> Shown:
        """Return what the wallbox shows now."""
        linked = self._wallbox.linked
        seen = self._wallbox.observe()
        decision = self._wallbox.controller.decision
        if not linked or seen.allowed is None or decision is None:
            return Shown(linked=False, connected=None, power_kw=None, settled=False)
        limit = seen.max_kw if seen.limit_kw is None else seen.limit_kw
        target = Target(allowed=seen.allowed, limit_kw=limit)
        return Shown(
            linked=True,
            connected=seen.connected,
            power_kw=target.power_kw,
            settled=decision.pending is None and target.same_as(decision.unshed.target),
        )

    def _put(self, key: Key, record: Delivery) -> None:
        """Take a record as it is now; what changed has to be kept."""
        if self._records.get(key) == record:
            return
        self._records[key] = self._unsaved[key] = record
        if record.complete:
            for listener in tuple(self._listeners):
                listener(record)

    async def _async_load(self) -> None:
        """Read what was kept; what cannot be read is forgotten."""
        now = dt_util.utcnow()
        try:
            content = await self._hass.async_add_executor_job(self._journal.read)
        except JournalError as err:
            LOGGER.error("What grid events delivered could not be read: %s", err)
            self._since = now
        else:
            self._lines = len(content.records) + len(content.damaged)
            found = []
            for data in content.latest("key").values():
                try:
                    found.append(Delivery.from_dict(data["record"]).resumed())
                except (ValueError, KeyError, TypeError) as err:
                    LOGGER.error("A record of a grid event could not be read: %r", err)
            found.sort(key=lambda one: one.began_at)
            self._records = {(*one.key, one.began_at): one for one in found}
            self._forget_old(now)
        self._loaded = True
        self.follow()

    async def _async_save(self) -> None:
        """Keep what changed, one after the other; never raises."""
        async with self._turn:
            while self._unsaved:
                self._forget_old(dt_util.utcnow())
                unsaved, self._unsaved = self._unsaved, {}
                try:
                    await self._hass.async_add_executor_job(
                        self._write, unsaved, dict(self._records)
                    )
                except JournalError as err:
                    # Kept with the next change: all of it, in a new file.
                    self._lines = COMPACT_AFTER
                    if not self._failing:
                        LOGGER.error(
                            "What grid events delivered could not be kept: %s", err
                        )
                    self._failing = True
                    return
                self._failing = False

    def _forget_old(self, now: datetime) -> None:
        """Forget what is older than the events that are kept, or too much."""
        over = sorted(
            (one.ended_at, key)
            for key, one in self._records.items()
            if one.ended_at is not None
        )
        too_many = len(self._records) - MOST_RECORDS
        for number, (ended_at, key) in enumerate(over):
            if number < too_many:
                self._since = ended_at
            elif ended_at > now - KEEP_ENDED:
                break
            del self._records[key]

    def _write(self, unsaved: dict[Key, Delivery], all_of: dict[Key, Delivery]) -> None:
        """Write what changed, or everything anew where that has become much."""
        if self._lines >= COMPACT_AFTER:
            self._journal.replace([_line(*one) for one in all_of.items()])
            self._lines = len(all_of)
            return
        for key, record in unsaved.items():
            self._journal.append(_line(key, record))
            self._lines += 1


def _line(key: Key, record: Delivery) -> dict[str, object]:
    """Return a record as a line of the file, under what tells it from others."""
    program, event_id, began_at = key
    name = f"{began_at.isoformat()}|{program}|{event_id}"
    return {"key": name, "record": record.as_dict()}


def _goes_on(record: Delivery, event: DsrEvent, book: DsrBook) -> bool:
    """Tell whether an event holds on after its record was ended."""
    return (
        record.ended_at is not None
        and event.version == record.version
        and event.effective_end(book.silence) > record.ended_at
    )


def _planned(
    record: Delivery, event: DsrEvent | None, book: DsrBook, now: datetime
) -> tuple[Delivery, datetime]:
    """Return a running record under its event's present version, and when it ends."""
    if event is None:
        return record, min(record.planned_end, now)
    if event.version == record.version:
        return record, event.effective_end(book.silence)
    replaced_at = event.taken_at or now
    goes_on = event.effective_start <= replaced_at < event.effective_end(
        book.silence
    ) and event.reduces is (record.limit_kw is not None)
    if goes_on:
        return record.updated(event), event.effective_end(book.silence)
    return record, replaced_at
