"""Bank holidays that are days off for the owner's own hours, as the owner sees them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
import logging
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import MockEntityPlatform

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Car

CALENDAR = "calendar.bank_holidays"
SENSOR = "binary_sensor.workday"
MONDAY = date(2027, 5, 31)
WEEK = ["mon", "tue", "wed", "thu", "fri"]
HOURS: dict[str, Any] = {
    "first_use": {
        "choice": "change",
        "windows": [
            {"days": WEEK, "start": "00:00", "end": "06:00"},
            {"days": ["sat", "sun"], "start": "00:00", "end": "24:00"},
        ],
        "clock": "local",
        "preset": None,
        "at": "2027-01-01T12:00:00+00:00",
        "by": None,
    }
}


class BankHolidays(CalendarEntity):
    """A calendar of somebody else, with events that last all day."""

    _attr_has_entity_name = False
    _attr_name = "Bank holidays"
    _attr_should_poll = False
    _attr_available = True

    def __init__(self, *days: date) -> None:
        """Have these days."""
        self.entity_id = CALENDAR
        self.events = [
            # As the integration Holiday has it: the end is the day itself.
            CalendarEvent(start=day, end=day, summary="Spring bank holiday")
            for day in days
        ]
        # What is only a part of a day is no holiday.
        morning = datetime(2027, 6, 1, 8, tzinfo=UTC)
        self.events.append(
            CalendarEvent(
                start=morning, end=morning + timedelta(hours=6), summary="Dentist"
            )
        )
        self.error: Exception | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what comes next."""
        return None

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return everything."""
        if self.error is not None:
            raise self.error
        return self.events

    def go(self, *, away: bool) -> None:
        """Become unavailable, or be back."""
        self._attr_available = not away
        self.async_write_ha_state()


@asynccontextmanager
async def weekend(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *sources: str,
) -> AsyncIterator[Stage]:
    """Set the stage on the Sunday before, with a car that charges for days."""
    await hass.config.async_set_time_zone("Europe/London")
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin="2027-05-30T12:00:00",
        days_off_entities=list(sources),
        **HOURS,
    ) as play:
        play.deal(*[0] * 20)
        play.box.plug(Car(capacity_kwh=900, energy_kwh=10))
        await play.settle()
        yield play


async def add_calendar(hass: HomeAssistant, *days: date) -> BankHolidays:
    """Have a calendar of bank holidays."""
    assert await async_setup_component(hass, "calendar", {})
    calendar = BankHolidays(*days)
    component = hass.data["entity_components"]["calendar"]
    await component.async_add_entities([calendar])
    return calendar


def now(play: Stage) -> tuple[bool, str, str]:
    """Return whether charging is allowed, and whether in the hours and in the peak."""
    return (
        play.box.enabled,
        play.see("in_default_hours"),
        play.see("in_peak_hours"),
    )


async def test_without_a_source(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By default a bank holiday is a Monday."""
    await add_calendar(hass, MONDAY)
    async with weekend(hass, start_simulator, monkeypatch) as play:
        await play.at("2027-05-30T13:00:00")
        assert now(play) == (True, "on", "off")
        await play.at("2027-05-31T10:00:00")
        assert now(play) == (False, "off", "on")
        assert not play.wallbox.rules.days_off_deviate


async def test_bank_holiday(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The holiday charges like a Sunday, the peak stays a peak, Tuesday is Tuesday."""
    await add_calendar(hass, MONDAY)
    async with weekend(hass, start_simulator, monkeypatch, CALENDAR) as play:
        await play.at("2027-05-30T13:00:00")
        plan = play.wallbox.controller.next_boundary(dt_util.utcnow())
        assert plan == play.instant("2027-06-01T06:00:00")
        for time in ("05-31T00:00:01", "05-31T10:00:00", "05-31T23:59:59"):
            await play.at(f"2027-{time}")
            assert now(play)[:2] == (True, "on"), time
        await play.at("2027-06-01T05:49:00")
        assert now(play) == (True, "on", "off")
        await play.at("2027-06-01T10:00:00")
        assert now(play) == (False, "off", "on")
        assert play.wallbox.rules.days_off_deviate
        report = await async_get_config_entry_diagnostics(hass, play.entry)
        rules = report["wallboxes"][0]["rules"]
        assert rules["days_off"] == ["2027-05-31"]
        assert rules["days_off_deviate"]


async def test_the_peak_on_a_bank_holiday(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text knows no bank holidays: Monday at nine is in the peak."""
    await add_calendar(hass, MONDAY)
    async with weekend(hass, start_simulator, monkeypatch, CALENDAR) as play:
        await play.at("2027-05-31T09:00:00")
        assert now(play) == (True, "on", "on")
        await play.at("2027-05-31T12:00:00")
        assert now(play) == (True, "on", "off")


async def test_calendar_away(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its calendar it is an ordinary Monday; what follows has its delay."""
    calendar = await add_calendar(hass, MONDAY)
    async with weekend(hass, start_simulator, monkeypatch, CALENDAR) as play:
        await play.at("2027-05-31T12:00:00")
        assert now(play) == (True, "on", "off")
        play.deal(30, 45)
        calendar.go(away=True)
        await eventually(lambda: play.see("in_default_hours") == "off")
        await play.settle()
        assert play.box.enabled
        assert play.see("random_delay_active") == "on"
        await play.at("2027-05-31T12:00:31")
        assert now(play) == (False, "off", "off")
        await play.at("2027-05-31T12:30:00")
        calendar.go(away=False)
        await eventually(lambda: play.see("in_default_hours") == "on")
        await play.at("2027-05-31T12:30:40")
        assert not play.box.enabled
        await play.at("2027-05-31T12:30:46")
        assert now(play) == (True, "on", "off")
        assert play.draws == []


async def test_calendar_that_fails(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it says is not ours to show, and it is told once."""
    calendar = await add_calendar(hass, MONDAY)
    calendar.error = ValueError("https://secret.example/token")
    async with weekend(hass, start_simulator, monkeypatch, CALENDAR) as play:
        for away in (True, False):
            calendar.go(away=away)
            await play.settle()
        await play.at("2027-05-31T12:00:00")
        assert now(play) == (False, "off", "off")
    told = [
        record
        for record in caplog.records
        if "names no bank holidays" in record.getMessage()
        and record.levelno == logging.WARNING
    ]
    assert len(told) == 1
    assert "secret" not in told[0].getMessage()


async def test_workday_sensor(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sensor of the integration Workday tells the working days, also those ahead."""

    async def check(call: ServiceCall) -> ServiceResponse:
        """Answer as Workday does, for days from Monday to Friday."""
        day = date.fromisoformat(call.data["check_date"])
        return {SENSOR: {"workday": day.weekday() < 5 and day != MONDAY}}

    hass.services.async_register(
        "workday", "check_date", check, supports_response=SupportsResponse.ONLY
    )
    er.async_get(hass).async_get_or_create(
        "binary_sensor", "workday", "uk", suggested_object_id="workday"
    )
    hass.states.async_set(SENSOR, "off")
    async with weekend(hass, start_simulator, monkeypatch, SENSOR) as play:
        assert play.wallbox.controller.days_off == {MONDAY}
        await play.at("2027-05-31T10:00:00")
        assert now(play) == (True, "on", "on")
        hass.states.async_set(SENSOR, "unavailable")
        await eventually(lambda: not play.wallbox.controller.days_off)


async def test_workday_calendar(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A calendar of the integration Workday lists the days on which work is."""
    days = [date(2027, 5, 20) + timedelta(days=n) for n in range(40)]
    assert await async_setup_component(hass, "calendar", {})
    calendar = BankHolidays(
        *(day for day in days if day.weekday() < 5 and day != MONDAY)
    )
    calendar._attr_unique_id = "uk"
    platform = MockEntityPlatform(hass, domain="calendar", platform_name="workday")
    await platform.async_add_entities([calendar])
    async with weekend(hass, start_simulator, monkeypatch, CALENDAR) as play:
        assert play.wallbox.controller.days_off == {MONDAY}


async def test_no_source(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Any other sensor tells nothing of other days; a gone entity nothing at all."""
    hass.states.async_set("binary_sensor.door", "off")
    sources = ("binary_sensor.door", "calendar.gone")
    async with weekend(hass, start_simulator, monkeypatch, *sources) as play:
        assert not play.wallbox.controller.days_off
        assert "neither a calendar nor of Workday" in caplog.text
        await play.at("2027-05-31T10:00:00")
        assert now(play) == (False, "off", "on")
