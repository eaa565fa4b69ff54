"""Follow one calendar or binary sensor that tells a wallbox of grid events.

Takes its states and the events a calendar has ahead, gives events to the wallbox's
book. Whatever such an entity says, the wallbox goes on: what cannot be understood is
logged once, what failed is tried again.
"""

from abc import abstractmethod
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import Any, override

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    CoreState,
    Event,
    EventStateChangedData,
    HassJob,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_time_interval,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .charging.sources import (
    Source,
    calendar_changes,
    of_source,
    read_asks,
    switched_on,
)
from .const import LOGGER
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator

POLL_EVERY = timedelta(minutes=15)
RETRY_AFTER_S = 60.0
ANSWER_WITHIN_S = 30.0
# How far ahead a calendar is asked for its events.
AHEAD = timedelta(days=7)
# A sensor that is on again after it was not there is still on, not on again.
SAME_WITHIN = timedelta(hours=24)


class Worker:
    """Does one thing at a time, again when asked meanwhile, and later if it fails."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
        what: str,
    ) -> None:
        """Take the wallbox and a name for logs."""
        self.hass = hass
        self.wallbox = wallbox
        self._entry = entry
        self._what = what
        self._ends: list[CALLBACK_TYPE] = []
        self._retry: CALLBACK_TYPE | None = None
        self._running = False
        self._again = False
        self._stopped = False
        self._complained = False

    @callback
    def look(self, _now: datetime | None = None) -> None:
        """Look at the source soon."""
        self._again = True
        if self._running or self._stopped or self.hass.is_stopping:
            return
        self._running = True
        self._entry.async_create_background_task(
            self.hass, self._async_run(), f"grid events of {self._what}"
        )

    @callback
    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        for end in self._ends:
            end()
        self._ends.clear()
        self._forget_retry()

    @abstractmethod
    async def async_work(self) -> None:
        """Do what is to be done; may raise, and is then done again."""

    def complain(self, about: str) -> None:
        """Log what is wrong: the first time for the owner, then for who looks for it."""
        LOGGER.log(
            logging.DEBUG if self._complained else logging.WARNING,
            "%s, a source of grid events for %s: %s",
            self._what,
            self.wallbox.title,
            about,
        )
        self._complained = True

    async def _async_run(self) -> None:
        """Work until there is nothing more to do."""
        try:
            while self._again and not self._stopped:
                self._again = False
                self._forget_retry()
                try:
                    await self.async_work()
                except HomeAssistantError as err:
                    # A command that failed is told of by an alert of its own.
                    LOGGER.debug("A grid event of %s failed: %s", self._what, err)
                    self._try_later()
                except Exception as err:  # noqa: BLE001 - charging must go on
                    LOGGER.debug("A grid event of %s failed", self._what, exc_info=err)
                    self.complain(f"an event cannot be taken ({type(err).__name__})")
                    self._try_later()
        finally:
            self._running = False

    @callback
    def _try_later(self) -> None:
        """Look again in a while."""
        if not self._stopped:
            self._retry = async_call_later(
                self.hass, RETRY_AFTER_S, HassJob(self.look, cancel_on_shutdown=True)
            )

    @callback
    def _forget_retry(self) -> None:
        """Take the timer away."""
        if self._retry is not None:
            self._retry()
            self._retry = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """An entity, and what the owner says of its events."""

    entity_id: str
    source: Source
    end_after: timedelta


class Follower(Worker):
    """Follows one entity."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
        followed: Followed,
    ) -> None:
        """Take the entity."""
        super().__init__(hass, entry, wallbox, followed.entity_id)
        self.entity_id = followed.entity_id
        self.source = followed.source
        self.end_after = followed.end_after

    @callback
    def start(self) -> None:
        """Follow the entity from now on, also if it comes into being later."""
        self._ends.append(
            async_track_state_change_event(self.hass, self.entity_id, self._changed)
        )
        self.look()

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        """Look at a new state."""
        self.note(event.data["new_state"])
        self.look()

    @callback
    def note(self, state: State | None) -> None:
        """Take note of a state that may be gone when there is time to look at it."""

    @property
    def state(self) -> State | None:
        """Return what the entity says, None while it says nothing."""
        state = self.hass.states.get(self.entity_id)
        silent = state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}
        return None if silent else state


class SensorFollower(Follower):
    """Follows a binary sensor that is on during an event."""

    # Whether the present switching-on was taken; None while that is not known.
    _taken: bool | None = None
    _was_off = False

    @callback
    @override
    def note(self, state: State | None) -> None:
        """Remember that it was off, however short."""
        if state is not None and state.state == STATE_OFF:
            self._was_off = True

    @override
    async def async_work(self) -> None:
        """Begin an event when it is switched on, end it when it is off."""
        state = self.state
        if self._was_off or (state is not None and state.state == STATE_OFF):
            self._was_off = False
            try:
                await self._async_end()
            except HomeAssistantError:
                self._was_off = True
                raise
            self._taken = False
        if state is None or state.state != STATE_ON or self._taken:
            return
        now = dt_util.utcnow()
        if self._taken is None and self._is_same(now):
            self._taken = True
            return
        event = switched_on(self.source, state.last_changed, now, self.end_after)
        await self.wallbox.acts.async_add_event(event)
        self._taken = True

    def _is_same(self, now: datetime) -> bool:
        """Tell whether the last event is of the present switching-on.

        After a restart the sensor is on anew as far as Home Assistant knows.
        """
        known = of_source(
            self.wallbox.controller.state.dsr.events.values(), self.source.name
        )
        return (
            bool(known)
            and known[-1].cancelled_at is None
            and known[-1].end > now - SAME_WITHIN
        )

    async def _async_end(self) -> None:
        """Call off what holds."""
        book = self.wallbox.controller.state.dsr
        now = dt_util.utcnow()
        for event in of_source(book.events.values(), self.source.name):
            if event.effective_end(book.silence) > now:
                await self.wallbox.acts.async_cancel_event(event.key)


class CalendarFollower(Follower):
    """Follows a calendar, with the events it has ahead."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
        followed: Followed,
    ) -> None:
        """Take the calendar."""
        super().__init__(hass, entry, wallbox, followed)
        # Those that were called off because the calendar had them no more.
        self._gone: set[str] = set()

    @callback
    @override
    def start(self) -> None:
        """Ask the calendar from time to time; a new event need not change its state."""
        super().start()
        self._ends.append(
            async_track_time_interval(
                self.hass, self.look, POLL_EVERY, cancel_on_shutdown=True
            )
        )
        if self.hass.state is not CoreState.running:
            self._ends.append(async_at_started(self.hass, self._started))

    @callback
    def _started(self, _hass: HomeAssistant) -> None:
        """Look again when all calendars have had their time to fill."""
        self.look()

    @override
    async def async_work(self) -> None:
        """Make the book say what the calendar says."""
        state = self.state
        if state is None:
            return
        items = await self._async_items()
        listed = items is not None
        if items is None:
            items = _of_state(state)
        now = dt_util.utcnow()
        asks, wrong = read_asks(items, dt_util.get_default_time_zone(), now)
        for about in wrong:
            self.complain(about)
        book = self.wallbox.controller.state.dsr
        changes = calendar_changes(
            self.source,
            asks,
            book.events.values(),
            now,
            revivable=self._gone,
        )
        failed: HomeAssistantError | None = None
        for event in changes.take:
            try:
                await self.wallbox.acts.async_add_event(event)
                self._gone.discard(event.event_id)
            except HomeAssistantError as err:
                failed = err
        for key in changes.cancel:
            try:
                if self._is_gone(key, now, listed):
                    await self.wallbox.acts.async_cancel_event(key)
                    self._gone.add(key[1])
            except HomeAssistantError as err:
                failed = err
        if failed is not None:
            raise failed

    def _is_gone(self, key: tuple[str, str], now: datetime, listed: bool) -> bool:
        """Tell whether an event that the calendar does not have was deleted.

        While Home Assistant starts it may not have it yet; its state alone says nothing
        of what is ahead.
        """
        event = self.wallbox.controller.state.dsr.events[key]
        until = now + AHEAD if listed else now
        return self.hass.state is CoreState.running and event.start < until

    async def _async_items(self) -> list[Any] | None:
        """Return the calendar's events ahead, None where it does not answer."""
        now = dt_util.utcnow()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self.hass.services.async_call(
                    Platform.CALENDAR,
                    "get_events",
                    {
                        ATTR_ENTITY_ID: self.entity_id,
                        "start_date_time": now.isoformat(),
                        "end_date_time": (now + AHEAD).isoformat(),
                    },
                    blocking=True,
                    return_response=True,
                )
        except Exception as err:  # noqa: BLE001 - it is somebody else's code
            # Not its text: that may hold an address with a secret.
            self.complain(f"its events cannot be listed ({type(err).__name__})")
            return None
        answered = answer.get(self.entity_id) if answer else None
        items = answered.get("events") if isinstance(answered, Mapping) else None
        return items if isinstance(items, list) else None


def _of_state(state: State) -> list[dict[str, Any]]:
    """Return the present event as a calendar's state describes it."""
    if state.state != STATE_ON:
        return []
    return [
        {
            "start": state.attributes.get("start_time"),
            "end": state.attributes.get("end_time"),
            "summary": state.attributes.get("message"),
            "description": state.attributes.get("description"),
        }
    ]
