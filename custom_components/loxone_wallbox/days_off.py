"""Learn from entities of others which dates are days off for a wallbox's hours.

Takes calendars whose all-day events are bank holidays, and the sensors and calendars of
the integration Workday, which tell the working days instead. What cannot be reached or
understood names no day off: an ordinary weekday is what the law's text knows.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
import logging
from typing import Any

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
    split_entity_id,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_time_interval,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .charging.schedule import WEEKDAYS
from .const import CONF_DAYS_OFF_ENTITIES, LOGGER
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator

WORKDAY = "workday"
# A new entry need not change a calendar's state, and the days go by.
LOOK_EVERY = timedelta(hours=1)
ANSWER_WITHIN_S = 10.0
# A window of a day before may still be open, and a week and more is planned ahead.
DAYS_BACK = 3
DAYS_AHEAD = 16
MOST_DAYS_AT_ONCE = 60


class DaysOffFollower:
    """Keeps a wallbox's days off as their sources say."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
    ) -> None:
        """Take the wallbox; its settings name the sources."""
        self._hass = hass
        self._entry = entry
        self._wallbox = wallbox
        self._sources = self._resolved(wallbox.settings)
        self._ends: list[CALLBACK_TYPE] = []
        self._looking = self._again = self._stopped = False
        self._complained: set[str] = set()

    async def async_start(self) -> None:
        """Learn them before the wallbox first decides, and follow them from then on.

        After a restart they are as they were, so that nothing begins or ends by them.
        """
        if not self._sources:
            return
        self._wallbox.controller.take_days_off(await self._async_dates(), first=True)
        self._ends = [
            async_track_state_change_event(self._hass, self._sources, self._changed),
            async_track_time_interval(
                self._hass, self._look, LOOK_EVERY, cancel_on_shutdown=True
            ),
        ]
        if self._hass.state is not CoreState.running:
            self._ends.append(async_at_started(self._hass, self._started))

    @callback
    def stop(self) -> None:
        """Follow them no more."""
        self._stopped = True
        for end in self._ends:
            end()
        self._ends.clear()

    def _resolved(self, settings: Mapping[str, Any]) -> list[str]:
        """Return the sources that are entities."""
        registry = er.async_get(self._hass)
        named = settings.get(CONF_DAYS_OFF_ENTITIES, ())
        found = (er.async_resolve_entity_id(registry, one) for one in named)
        return list(dict.fromkeys(one for one in found if one is not None))

    @callback
    def _changed(self, _event: Event[EventStateChangedData]) -> None:
        """Look again when a source has changed, come or gone."""
        self._look()

    @callback
    def _started(self, _hass: HomeAssistant) -> None:
        """Look again when all sources have had their time to be there."""
        self._look()

    @callback
    def _look(self, _now: datetime | None = None) -> None:
        """Look soon, and once more where something changes meanwhile."""
        self._again = True
        if self._looking or self._stopped:
            return
        self._looking = True
        self._entry.async_create_background_task(
            self._hass, self._async_look(), f"days off of {self._wallbox.title}"
        )

    async def _async_look(self) -> None:
        """Have the wallbox follow what the sources say now."""
        try:
            while self._again and not self._stopped:
                self._again = False
                dates = await self._async_dates()
                if self._again or self._stopped:
                    continue
                self._wallbox.controller.take_days_off(dates)
                self._wallbox.async_refresh_state()
                # The plan shows them also where they change nothing now.
                self._wallbox.async_update_listeners()
        finally:
            self._looking = False

    async def _async_dates(self) -> frozenset[date]:
        """Return the days off of all sources."""
        today = dt_util.utcnow().astimezone(self._wallbox.rules.zone).date()
        days = [today + timedelta(days=n) for n in range(-DAYS_BACK, DAYS_AHEAD + 1)]
        found: set[date] = set()
        for entity_id in self._sources:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    found |= await self._async_of(entity_id, days)
            except Exception as err:  # noqa: BLE001 - it is somebody else's code
                # Not its text: that may hold an address with a secret.
                self._complain(entity_id, type(err).__name__)
        return frozenset(found & set(days))

    async def _async_of(self, entity_id: str, days: list[date]) -> set[date]:
        """Return the days off that a source names."""
        state = self._hass.states.get(entity_id)
        if state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
            return set()
        known = er.async_get(self._hass).async_get(entity_id)
        of_workday = known is not None and known.platform == WORKDAY
        domain = split_entity_id(entity_id)[0]
        weekdays = {day for day in days if day.weekday() in WEEKDAYS}
        if domain == Platform.CALENDAR:
            listed = await self._async_listed(entity_id, days)
            return weekdays - listed if of_workday else listed
        if not of_workday:
            self._complain(entity_id, "it is neither a calendar nor of Workday")
            return set()
        return {
            day for day in weekdays if not await self._async_is_workday(entity_id, day)
        }

    async def _async_listed(self, entity_id: str, days: list[date]) -> set[date]:
        """Return the days on which a calendar has an event that lasts all day."""
        zone = dt_util.get_default_time_zone()
        start, end = (
            datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=more)
            for day, more in ((days[0], -1), (days[-1], 2))
        )
        answer = await self._async_ask(
            Platform.CALENDAR,
            "get_events",
            entity_id,
            start_date_time=start.isoformat(),
            end_date_time=end.isoformat(),
        )
        return {day for event in answer["events"] for day in _days_of(event)}

    async def _async_is_workday(self, entity_id: str, day: date) -> bool:
        """Ask a sensor of the integration Workday for a day."""
        answer = await self._async_ask(
            WORKDAY, "check_date", entity_id, check_date=day.isoformat()
        )
        return bool(answer["workday"])

    async def _async_ask(
        self, domain: str, service: str, entity_id: str, **data: str
    ) -> Mapping[str, Any]:
        """Return what an entity answers to an action."""
        answer: Any = await self._hass.services.async_call(
            domain,
            service,
            {ATTR_ENTITY_ID: entity_id, **data},
            blocking=True,
            return_response=True,
        )
        found: Mapping[str, Any] = answer[entity_id]
        return found

    def _complain(self, entity_id: str, about: str) -> None:
        """Log what is wrong: the first time for the owner, then for who looks for it."""
        LOGGER.log(
            logging.DEBUG if entity_id in self._complained else logging.WARNING,
            "%s names no bank holidays for %s: %s",
            entity_id,
            self._wallbox.title,
            about,
        )
        self._complained.add(entity_id)


def _days_of(event: Mapping[str, Any]) -> set[date]:
    """Return the days of an event that lasts all day, none of any other.

    Its end is the day after the last; some calendars give the day itself.
    """
    try:
        start = date.fromisoformat(str(event["start"]))
        end = date.fromisoformat(str(event["end"]))
    except ValueError:
        return set()
    days = min(max((end - start).days, 1), MOST_DAYS_AT_ONCE)
    return {start + timedelta(days=n) for n in range(days)}
