"""The calendars of a wallbox: its plan, of default charging hours and grid events."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .calendar_event import PlanEvent, local
from .calendar_sessions import SessionsCalendar
from .charging.dsr import DsrBook, DsrEvent
from .charging.schedule import LOOK_AHEAD, Span, unending, wall_clock
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, async_setup_wallbox_platform

PARALLEL_UPDATES = 0

PLAN = CalendarEntityDescription(key="plan")
# More than a year ahead nobody plans.
LONGEST_LISTING = timedelta(days=366)

# Home Assistant does not translate what is in a calendar.
TEXTS = {
    "en": {
        "hours": "Default charging hours",
        "limit": "Grid event: {limit} kW",
        "pause": "Grid event: pause",
        "increase": "Grid event: charging asked for",
        "opted_out": "{title} (opted out)",
        "cancelled": "{title} (cancelled)",
        "described": "At most {limit} kW",
        "source": "Source: {source}",
        "program": "Program: {program}",
        "point": ".",
    },
    "de": {
        "hours": "Standardladezeiten",
        "limit": "Netzereignis: {limit} kW",
        "pause": "Netzereignis: Pause",
        "increase": "Netzereignis: Laden erwünscht",
        "opted_out": "{title} (abgelehnt)",
        "cancelled": "{title} (abgesagt)",
        "described": "Höchstens {limit} kW",
        "source": "Quelle: {source}",
        "program": "Programm: {program}",
        "point": ",",
    },
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the calendars up."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.CALENDAR,
        async_add_entities,
        lambda wallbox: (PlanCalendar(wallbox), SessionsCalendar(wallbox)),
    )


class PlanCalendar(WallboxEntity, CalendarEntity):
    """What is planned, also while the wallbox cannot be reached."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, PLAN)
        self._shown: tuple[object, ...] = ()

    @property
    @override
    def available(self) -> bool:
        """Stay there: the plan is ours."""
        return True

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what holds now, a grid event before the hours, or what comes next."""
        now = dt_util.utcnow()
        ahead = now + LOOK_AHEAD
        events = [
            (one.start, 0, self._of_event(one))
            for one in self._book.events.values()
            if one.effective_end(self._book.silence) > max(now, one.start)
        ]
        events += [
            (one.start_datetime_local, 1, one) for one in self._hours(now, ahead)
        ]
        found = min(
            events,
            key=lambda one: (max(one[0], now), one[1], one[0]),
            default=None,
        )
        return None if found is None else found[2]

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the plan between two instants."""
        start = dt_util.as_utc(start_date)
        end = min(dt_util.as_utc(end_date), start + LONGEST_LISTING)
        events = [*self._hours(start, end)]
        events += [
            self._of_event(one)
            for one in self._book.events.values()
            if one.start < end and one.end > start
        ]
        return sorted(events, key=lambda one: one.start_datetime_local)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the plan only where it changed: power comes every second."""
        shown = (
            self.coordinator.controller.schedule,
            self._book,
            self.coordinator.data.dsr_events,
            self.coordinator.data.in_default_hours,
        )
        if shown != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()

    @property
    def _book(self) -> DsrBook:
        """Return the grid events."""
        return self.coordinator.controller.state.dsr

    def _hours(self, start: datetime, end: datetime) -> Iterator[CalendarEvent]:
        """Return the default charging hours between two instants."""
        schedule = self.coordinator.controller.schedule
        title = self._text("hours")
        for span in [] if schedule is None else schedule.spans(start, end):
            if unending(span):
                yield from _days(span, start, end, title)
            else:
                yield PlanEvent(
                    start=local(span.start), end=local(span.end), summary=title
                )

    def _of_event(self, event: DsrEvent) -> CalendarEvent:
        """Return a grid event, marked where it does not hold (any more)."""
        limit = f"{event.limit_kw or 0:g}".replace(".", self._text("point"))
        title = self._text(event.kind.value, limit=limit)
        if event.cancelled_at is not None:
            title = self._text("cancelled", title=title)
        elif event.opted_out_at is not None:
            title = self._text("opted_out", title=title)
        lines = []
        if event.limit_kw is not None:
            lines.append(self._text("described", limit=limit))
        if event.source:
            lines.append(self._text("source", source=event.source))
        if event.program:
            lines.append(self._text("program", program=event.program))
        return PlanEvent(
            start=local(event.start),
            end=local(event.end),
            summary=title,
            description="\n".join(lines),
        )

    def _text(self, key: str, **values: str) -> str:
        """Return a text in the language of the installation."""
        language = self.hass.config.language.partition("-")[0]
        return TEXTS.get(language, TEXTS["en"])[key].format(**values)


def _days(
    span: Span, start: datetime, end: datetime, title: str
) -> Iterator[CalendarEvent]:
    """Return a span without an end as one event a day, all day where it is open so.

    The days do not depend on who asks, as an event of the asked time would.
    """
    zone = dt_util.get_default_time_zone()
    day = max(span.start, start).astimezone(zone).date()
    while (begin := wall_clock(zone, day, 0, second=False)) < min(span.end, end):
        following = day + timedelta(days=1)
        midnight = wall_clock(zone, following, 0, second=False)
        if span.start <= begin and midnight <= span.end:
            yield PlanEvent(start=day, end=following, summary=title)
        else:
            yield PlanEvent(
                start=local(max(begin, span.start)),
                end=local(min(midnight, span.end)),
                summary=title,
            )
        day = following
