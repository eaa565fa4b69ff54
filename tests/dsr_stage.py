"""A stage with a relay and a calendar that tell of grid events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, override

import pytest

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.dsr import DsrEvent
from custom_components.loxone_wallbox.charging.sources import PROGRAM

RELAY = "binary_sensor.relay"
CALENDAR = "calendar.saving_sessions"


class SavingSessions(CalendarEntity):
    """A calendar of somebody else."""

    _attr_has_entity_name = False
    _attr_name = "Saving sessions"
    _attr_should_poll = False

    def __init__(self, play_instant: Any) -> None:
        """Have no events yet."""
        self.entity_id = CALENDAR
        self.instant = play_instant
        self.events: list[CalendarEvent] = []
        self.error: Exception | None = None
        self.asked = 0

    def set(self, *events: tuple[str, str, str, str]) -> None:
        """Have these events: start, end, title and description."""
        self.events = [
            CalendarEvent(
                start=self.instant(start),
                end=self.instant(end),
                summary=summary,
                description=description,
            )
            for start, end, summary, description in events
        ]
        self.async_write_ha_state()

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what comes next."""
        now = dt_util.utcnow()
        ahead = [one for one in self.events if one.end_datetime_local > now]
        return min(ahead, key=lambda one: one.start_datetime_local, default=None)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what is between two instants."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [
            one
            for one in self.events
            if one.end_datetime_local > start_date
            and one.start_datetime_local < end_date
        ]


class Grid:
    """A stage with sources of grid events."""

    def __init__(self, play: Stage) -> None:
        """Take the stage."""
        self.play = play
        self.hass = play.hass
        self.calendar = SavingSessions(play.instant)

    async def add_calendar(self) -> SavingSessions:
        """Have the calendar come into being."""
        component = self.hass.data["entity_components"]["calendar"]
        await component.async_add_entities([self.calendar])
        await self.play.settle()
        return self.calendar

    async def relay(self, state: str) -> None:
        """Switch the relay."""
        self.hass.states.async_set(RELAY, state)
        await self.play.settle()

    @property
    def events(self) -> list[DsrEvent]:
        """Return what came of the sources, by start."""
        events = self.play.wallbox.controller.state.dsr.events.values()
        return sorted(
            (one for one in events if one.program == PROGRAM),
            key=lambda one: one.start,
        )

    @property
    def live(self) -> list[tuple[str, str, float]]:
        """Return start, end and limit of what is not called off."""
        return [
            (f"{one.start:%d %H:%M}", f"{one.end:%d %H:%M}", one.limit_kw or 0)
            for one in self.events
            if one.cancelled_at is None
        ]


@asynccontextmanager
async def grid(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *entities: str,
    **settings: Any,
) -> AsyncIterator[Grid]:
    """Set the stage with sources of grid events."""
    await hass.config.async_set_time_zone("Europe/London")
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: dt_util.utcnow().astimezone(
            zone or dt_util.get_default_time_zone()
        ),
    )
    async with stage(
        hass, start_simulator, monkeypatch, dsr_entities=list(entities), **settings
    ) as play:
        net = Grid(play)
        yield net
        if net.calendar.hass is not None:
            await net.calendar.async_remove()
