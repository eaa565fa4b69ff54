"""The security log of one Miniserver at work.

Takes security events from wherever they come, writes them one after the other in the
executor, and tells whoever listens once they are on the disk. What may go wrong: the disk
takes nothing; then they wait in memory with the instants at which they came, it is said
once and tried again. Nothing waits for the log: a refusal is a refusal without it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HassJob,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .holding import async_get_holding
from .people import People, async_get_people
from .records.journal import JournalError
from .records.security_log import SecurityLog, Verdict
from .records.security_record import PERSON, Entry, shown, utc_text
from .records.state import StateKeeper
from .records.storm import Storms
from .retrying import Retrying
from .rights import SecurityEvent, SecuritySink, log_security
from .security_copy import SecurityCopy
from .security_repair import report_verdict

ATTR_WALLBOX = "wallbox"
ATTR_WALLBOX_ID = "wallbox_id"

# Of what waits for a disk that takes nothing only so much is kept.
MOST_WAITING = 1000

_LOGS: HassKey[dict[str, Security]] = HassKey(f"{DOMAIN}_security")

type Listener = Callable[[Mapping[str, Any]], None]


class Security:
    """Records what happened at one Miniserver and its wallboxes."""

    def __init__(
        self,
        hass: HomeAssistant,
        serial: str,
        title: str,
        log: SecurityLog,
        people: People,
    ) -> None:
        """Take the log, and what the owner calls the Miniserver."""
        self._hass = hass
        self.serial = serial
        self._title = title
        self._log = log
        self._people = people
        self._copy = SecurityCopy(hass, serial)
        self._storms = Storms()
        self._waiting: deque[tuple[Entry, datetime]] = deque()
        # Of what had to go: how many, and when the first and the last of them came.
        self._lost: tuple[int, datetime, datetime] | None = None
        self._opened = self._started = False
        # The last look at all of it came to nothing.
        self._unread = False
        self._turn = asyncio.Lock()
        # A backup waits for what is being written; afterwards the next record tells.
        self._holding = async_get_holding(hass)
        self._holding.join(self._turn, self._arm)
        self._retrying = Retrying(hass, self.start)
        self._timer: CALLBACK_TYPE | None = None
        self._listeners: list[Listener] = []
        self._unwritten: list[Callable[[], None]] = []

    @property
    def failing(self) -> bool:
        """Tell whether the disk gave or took nothing when it was last asked to."""
        return self._unread or self._retrying.failing

    @callback
    def record(self, event: SecurityEvent) -> None:
        """Take an event; it is written as soon as possible."""
        log_security(event)
        self._put(event)

    def _put(self, event: SecurityEvent) -> None:
        """Have an event written, unless it is one of a storm."""
        now = dt_util.utcnow()
        self._queue(self._storms.take(self._entry(event), now), now)
        self._arm()

    @callback
    def listen(
        self, listener: Listener, failing: Callable[[], None] | None = None
    ) -> CALLBACK_TYPE:
        """Have a listener told of each record that is written; returns what ends that.

        `failing` is told when the disk takes nothing, for who waits for a record.
        """
        self._listeners.append(listener)
        if failing is not None:
            self._unwritten.append(failing)

        @callback
        def leave() -> None:
            """Tell it no longer."""
            self._listeners.remove(listener)
            if failing is not None:
                self._unwritten.remove(failing)

        return leave

    def sink(self, wallbox_id: str, title: str) -> SecuritySink:
        """Return what takes the events of one wallbox."""

        @callback
        def take(event: SecurityEvent) -> None:
            """Take an event, and say of which wallbox it is."""
            log_security(event)
            whose = {ATTR_WALLBOX: title, ATTR_WALLBOX_ID: wallbox_id}
            self._put(replace(event, detail={**whose, **event.detail}))

        return take

    async def async_records(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        kinds: frozenset[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the records of a span as they are read, the oldest first.

        Raises `JournalError` where the disk does not give the files.
        """
        await self._async_flush()
        async with self._turn:
            found = await self._hass.async_add_executor_job(
                lambda: self._log.read(start, end, kinds=kinds)
            )
        return [shown(one) for one in found]

    async def async_verify(self) -> Verdict:
        """Look at every byte of the log; raises `JournalError`.

        A break is recorded, once, and the owner is asked to look at it.
        """
        await self._async_flush()
        async with self._turn:
            try:
                verdict = await self._hass.async_add_executor_job(
                    self._log.check, dt_util.utcnow()
                )
            except JournalError as err:
                # It may have found a break that it could not record, and is unread until
                # somebody has looked at every byte again.
                self._unread, self._opened = True, False
                self._failed(err)
                raise
            self._unread, self._opened = False, True
            self._copy.keep(self._log.last)
        self._take(verdict)
        return replace(verdict, recorded=None)

    async def async_settle(self, user_id: str | None) -> None:
        """Let the chain begin behind a break that the owner has taken note of.

        Raises `JournalError`.
        """
        await self._async_flush()
        async with self._turn:
            await self._hass.async_add_executor_job(self._log.settle)
        self.record(
            SecurityEvent(
                kind="config_security_changed",
                outcome="info",
                user_id=user_id,
                detail={"what": "security_log", "change": "break_acknowledged"},
            )
        )
        await self.async_verify()

    async def async_forget(self, is_person: Callable[[str], bool]) -> int:
        """Forget who it was in the records of some people; raises `JournalError`.

        Also in what waits for a disk, or for the end of a storm.
        """
        self._queue(self._storms.flush(), dt_util.utcnow(), start=False)
        await self._async_flush()
        for entry, at in tuple(self._waiting):
            self._waiting.popleft()
            known = entry.person is not None and is_person(entry.person)
            self._waiting.append((replace(entry, person=None) if known else entry, at))
        async with self._turn:
            return await self._hass.async_add_executor_job(self._log.forget, is_person)

    async def async_delete(self) -> None:
        """Remove the whole log; raises `JournalError`."""
        await self.async_stop()
        self._waiting.clear()
        self._lost = None
        async with self._turn:
            # Before the log: without it the copy would accuse the next one.
            await self._copy.async_remove()
            await self._hass.async_add_executor_job(self._log.delete)

    @callback
    def start(self) -> None:
        """Look at the whole log soon, and write what came meanwhile.

        No background task, which would be cancelled at the stop.
        """
        if not self._started:
            self._started = True
            self._hass.async_create_task(
                self._async_flush(),
                f"security log of {self._title}",
                eager_start=False,
            )

    async def async_stop(self) -> None:
        """Write what waits, if the disk takes it, and try nothing again."""
        if self._timer is not None:
            self._timer()
            self._timer = None
        self._queue(self._storms.flush(), dt_util.utcnow(), start=False)
        await self._async_flush()
        self._retrying.cancel()
        await self._copy.async_save()

    def _entry(self, event: SecurityEvent) -> Entry:
        """Return an event as it is recorded: a person is a pseudonym."""
        if event.user_id is None:
            return Entry(
                kind=event.kind,
                outcome=event.outcome,
                source=event.source,
                detail=event.detail,
            )
        return Entry(
            kind=event.kind,
            outcome=event.outcome,
            source=PERSON,
            person=self._people.pseudonym(event.user_id),
            detail=event.detail,
        )

    @callback
    def _queue(
        self, entries: list[Entry], now: datetime, *, start: bool = True
    ) -> None:
        """Have entries written."""
        if not entries:
            return
        self._waiting.extend((entry, now) for entry in entries)
        while len(self._waiting) > MOST_WAITING:
            _, at = self._waiting.popleft()
            number, first = (0, at) if self._lost is None else self._lost[:2]
            self._lost = number + 1, first, at
        if start and not self._retrying.failing:
            self.start()

    async def _async_flush(self) -> None:
        """Write what waits, one after the other; never raises."""
        async with self._turn:
            self._started = True
            self._retrying.cancel()
            try:
                await self._async_write_all()
            except JournalError as err:
                self._failed(err)
            else:
                if self._retrying.worked():
                    LOGGER.info("The security log of %s is written again", self._title)
            finally:
                self._started = False
                # A log that could not tell of a break yet is not to be taken for whole.
                if self._opened:
                    self._copy.keep(self._log.last)

    async def _async_write_all(self) -> None:
        """Write until nothing waits any more; raises `JournalError`."""
        if not self._opened:
            self._log.remind(await self._copy.async_load())
            self._take(
                await self._hass.async_add_executor_job(
                    self._log.open, dt_util.utcnow()
                )
            )
            self._unread, self._opened = False, True
        while self._waiting or self._lost is not None:
            # Taken out meanwhile: only what waits has to go where too many wait.
            if self._lost is not None:
                lost, self._lost = self._lost, None
                await self._async_write_lost(lost)
                continue
            first = self._waiting.popleft()
            try:
                record = await self._async_append(*first)
            except BaseException:
                self._waiting.appendleft(first)
                raise
            self._tell(record)

    async def _async_write_lost(self, lost: tuple[int, datetime, datetime]) -> None:
        """Write how many could not wait any longer; raises `JournalError`."""
        number, first, last = lost
        detail = {"what": "security_events", "reason": "disk_full", "number": number}
        span = {"first": utc_text(first), "last": utc_text(last)}
        entry = Entry(kind="data_deleted", outcome="info", detail={**detail, **span})
        try:
            record = await self._async_append(entry, last)
        except BaseException:
            more, _, last = self._lost or (0, first, last)
            self._lost = number + more, first, last
            raise
        self._tell(record)

    async def _async_append(self, entry: Entry, at: datetime) -> Mapping[str, Any]:
        """Write one; raises `JournalError`."""
        self._log.held = self._holding.held
        return await self._hass.async_add_executor_job(self._log.append, entry, at)

    def _take(self, verdict: Verdict) -> None:
        """Say once that the log was changed, and that it is whole again."""
        report_verdict(self._hass, self.serial, self._title, verdict.broken_seq)
        if verdict.recorded is None:
            return
        LOGGER.error(
            "The security log of %s was changed from outside: record %s is not as it "
            "was written",
            self._title,
            verdict.broken_seq,
        )
        self._tell(verdict.recorded)

    def _failed(self, err: JournalError) -> None:
        """Say once that the disk takes nothing."""
        if self._retrying.failed():
            LOGGER.error(
                "The security log of %s could not be written: %s. What happens waits "
                "in memory and it is tried again; see that the disk is not full",
                self._title,
                err,
            )
            for one in tuple(self._unwritten):
                one()

    @callback
    def _tell(self, record: Mapping[str, Any]) -> None:
        """Tell of a record that is on the disk."""
        one = shown(record)
        for listener in tuple(self._listeners):
            try:
                listener(one)
            except Exception:  # noqa: BLE001 - the others are told, and the log goes on
                LOGGER.exception("A record of the security log could not be told of")

    @callback
    def _arm(self) -> None:
        """Wake up when a storm is to be summed up."""
        if self._timer is not None:
            self._timer()
            self._timer = None
        if (due := self._storms.next_due) is not None:
            self._timer = async_track_point_in_utc_time(
                self._hass, HassJob(self._awake, cancel_on_shutdown=True), due
            )

    @callback
    def _awake(self, now: datetime) -> None:
        """Sum up what is over."""
        self._timer = None
        self._queue(self._storms.due(now), now)
        self._arm()


async def async_get_security(hass: HomeAssistant, serial: str, title: str) -> Security:
    """Return the security log of a Miniserver, which looks at itself meanwhile.

    Nothing waits for its disk.
    """
    people = await async_get_people(hass)
    logs = hass.data.setdefault(_LOGS, {})
    if (known := logs.get(serial)) is None:
        folder = Path(hass.config.path(DOMAIN)) / serial
        known = Security(hass, serial, title, SecurityLog(folder), people)
        logs[serial] = known

        async def stop(_event: Event) -> None:
            """Write what waits after everybody has said the last word."""
            await known.async_stop()

        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, stop)
        known.start()
    return known


async def async_forget_security(
    hass: HomeAssistant, serial: str, *, log_goes: bool
) -> None:
    """Forget what was known of a removed Miniserver, the log with it; never raises.

    The log goes where sessions do: it tells of the people of the house as well.
    """
    folder = Path(hass.config.path(DOMAIN)) / serial
    try:
        await hass.async_add_executor_job(known_keeper(folder).delete)
        if not log_goes:
            return
        security = hass.data.get(_LOGS, {}).pop(serial, None)
        if security is not None:
            await security.async_delete()
        else:
            await SecurityCopy(hass, serial).async_remove()
            await hass.async_add_executor_job(SecurityLog(folder).delete)
    except JournalError as err:
        LOGGER.error("The security log of a removed Miniserver is there: %s", err)


def known_keeper(folder: Path) -> StateKeeper:
    """Return where it is kept what was known last of a Miniserver."""
    return StateKeeper(folder / "security.known.jsonl")


@callback
def security_of(hass: HomeAssistant, serial: str) -> Security | None:
    """Return the security log of a Miniserver, None before it was set up."""
    return hass.data.get(_LOGS, {}).get(serial)
