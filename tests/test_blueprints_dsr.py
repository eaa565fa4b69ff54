"""Grid events from a calendar by blueprint: a real calendar and the real time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.calendar import CalendarEvent
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions
from .blueprint_helpers import (
    AUTOMATION,
    add_calendar,
    announce,
    item,
    running,
    triggered,
    use,
)
from .conftest import StartSimulator, make_entry, set_up
from .dsr_stage import CALENDAR, SavingSessions
from .helpers import Surface, eventually
from simulator import Car, Simulator, WallboxConfig

AT_THE_START = {"hours": 0, "minutes": 0, "seconds": 0}


class Net:
    """Wallboxes that an automation of the blueprint gives grid events."""

    def __init__(
        self,
        hass: HomeAssistant,
        simulator: Simulator,
        entry: MockConfigEntry,
        calendar: SavingSessions,
    ) -> None:
        """Take what plays."""
        self.hass = hass
        self.entry = entry
        self.calendar = calendar
        self.see = Surface(hass, simulator)
        self.act = Actions(hass, simulator, 0, 1)

    def events(self, box: int = 0) -> list[Any]:
        """Return the grid events that a wallbox has taken, by start."""
        wallbox = list(self.entry.runtime_data.wallboxes.values())[box]
        events = wallbox.controller.state.dsr.events.values()
        return sorted(events, key=lambda event: event.start)

    async def look(self) -> None:
        """Have the automation look at the calendar, as by a trigger."""
        await self.hass.services.async_call(
            "automation",
            "trigger",
            {"entity_id": AUTOMATION, "skip_condition": False},
            blocking=True,
        )
        await eventually(lambda: running(self.hass) == 0)

    async def announce(self, *events: Any) -> None:
        """Have events in the calendar."""
        await announce(self.hass, self.calendar, *events)


@asynccontextmanager
async def net(
    hass: HomeAssistant,
    start: StartSimulator,
    *events: CalendarEvent,
    hours: dict[str, Any] | None = None,
    **inputs: Any,
) -> AsyncIterator[Net]:
    """Give an automation a calendar and two wallboxes, with a car at the first.

    The car charges, or waits for the default charging hours. The events are in the
    calendar before the automation is there. They are a paid response unless an input
    says otherwise: without that the contactor is spared for some minutes.
    """
    simulator = await start(
        wallboxes=(
            WallboxConfig(name="Garage", self_test_s=0.1),
            WallboxConfig(name="Carport"),
        )
    )
    entry = await set_up(hass, make_entry(simulator))
    calendar = await add_calendar(hass)
    playing = Net(hass, simulator, entry, calendar)
    if hours is not None:
        await playing.act("set_default_hours", windows=[hours], clock="utc")
    simulator.wallboxes[0].plug(Car(capacity_kwh=200, energy_kwh=10))
    status = "charging" if hours is None else "waiting_for_default_hours"
    await eventually(lambda: playing.see("status") == status)
    calendar.events = list(events)
    calendar.async_write_ha_state()
    await use(
        hass,
        "dsr_from_calendar",
        **{
            "calendar": CALENDAR,
            "wallboxes": playing.act.devices,
            "lead": AT_THE_START,
            "response_service": True,
            **inputs,
        },
    )
    try:
        yield playing
    finally:
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
        )
        await calendar.async_remove()
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("inputs", "description", "commands", "kind", "limit"),
    [
        ({}, None, ["allow/off"], "pause", 0.0),
        ({"kind": "limit", "limit_kw": 7}, "", ["manualLimit/7"], "limit", 7.0),
        (
            {"kind": "limit", "limit_kw": 7},
            "Please: Limit = 6,5 kW.",
            ["manualLimit/6.5"],
            "limit",
            6.5,
        ),
        ({}, "limit=6kW", ["manualLimit/6"], "limit", 6.0),
        (
            {"kind": "limit", "limit_kw": 7},
            "limit=0kW",
            ["allow/off"],
            "pause",
            0.0,
        ),
        (
            {"kind": "limit", "limit_kw": 7},
            "limit=600kW, nolimit=5kW",
            ["manualLimit/7"],
            "limit",
            7.0,
        ),
    ],
)
async def test_at_the_start(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    inputs: dict[str, Any],
    description: str | None,
    commands: list[str],
    kind: str,
    limit: float,
) -> None:
    """The event holds from its start on, with the limit of its text or the input's."""
    async with net(hass, start_simulator, **inputs) as it:
        event = item("Saving session", starts_in=1.5, description=description)
        await it.announce(event)
        await eventually(lambda: it.see.commands == commands)
        assert it.see("dsr_active") == "on"
        assert it.see("reason") == "dsr"
        for box in (0, 1):
            (taken,) = it.events(box)
            assert (taken.kind, taken.limit_kw) == (kind, limit)
            assert taken.start == event.start_datetime_local
            assert taken.end == event.end_datetime_local
            assert taken.taken_at >= taken.start
            assert taken.program == CALENDAR
            assert taken.event_id.startswith("Saving session 20")
            assert taken.response_service
            assert not taken.already_randomised


async def test_known_ahead(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The wallbox knows an event before it starts, with all that is said of it."""
    async with net(
        hass,
        start_simulator,
        lead={"hours": 0, "minutes": 10, "seconds": 0},
        response_service=False,
        already_randomised=True,
    ) as it:
        event = item("Saving session", starts_in=603)
        await it.announce(event)
        await eventually(lambda: len(it.events()) == 1)
        (taken,) = it.events()
        assert taken.start == event.start_datetime_local
        assert timedelta() < taken.start - taken.taken_at <= timedelta(minutes=10)
        assert not taken.response_service
        assert taken.already_randomised
        await eventually(
            lambda: it.see.attribute("plan", "message") == "Grid event: pause"
        )
        assert it.see("dsr_active") == "off"
        assert it.see("status") == "charging"
        assert it.see.commands == []


async def test_filters(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Only what fits counts; what the owner wants besides is done for that alone."""
    told: list[Any] = []
    hass.bus.async_listen("told", lambda event: told.append(event.data))
    async with net(
        hass,
        start_simulator,
        title_filter="SAVING",
        only_if=[
            {
                "condition": "template",
                "value_template": "{{ 'rehearsal' not in title and asked == 'pause' }}",
            }
        ],
        and_then=[
            {
                "event": "told",
                "event_data": {"title": "{{ title }}", "start": "{{ start }}"},
            }
        ],
    ) as it:
        good = item("Power saving", starts_in=1.5)
        await it.announce(
            item("Dentist", starts_in=1.5),
            item("Power saving, rehearsal", starts_in=1.5),
            good,
        )
        await eventually(lambda: len(told) == 1 and running(hass) == 0)
        (taken,) = it.events()
        assert taken.start == good.start_datetime_local
        assert told[0]["title"] == "Power saving"
        assert dt_util.parse_datetime(told[0]["start"]) == taken.start


async def test_increase(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Charging is allowed outside the default charging hours."""
    later = dt_util.utcnow() + timedelta(hours=11)
    hours = {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "start": f"{later:%H:%M}",
        "end": f"{later + timedelta(hours=2):%H:%M}",
    }
    async with net(hass, start_simulator, hours=hours, kind="increase") as it:
        assert it.see.commands == ["allow/off"]
        await it.announce(item("Free electricity", starts_in=1.5))
        await eventually(lambda: it.see.commands == ["allow/off", "allow/on"])
        assert it.see("reason") == "dsr_increase"
        await eventually(lambda: it.see("status") == "charging")


async def test_entered_late(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What has begun counts too; another look gives nothing twice, unless moved."""
    told: list[Any] = []
    hass.bus.async_listen("told", lambda event: told.append(event.data))
    async with net(hass, start_simulator, and_then=[{"event": "told"}]) as it:
        it.calendar.events = [item("Saving session", starts_in=-60)]
        it.calendar.async_write_ha_state()
        await eventually(lambda: it.see.commands == ["allow/off"])
        await eventually(lambda: running(hass) == 0)
        caplog.clear()
        await it.look()
        assert len(it.events()) == 1
        it.calendar.events = [item("Saving session", starts_in=-180)]
        await it.look()
        assert len(it.events()) == 2
        assert not [
            one.message
            for one in caplog.records
            if one.levelno >= logging.WARNING and "automation" in one.name
        ]


async def test_restart_during_the_event(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The wallbox keeps what it was given, and is not given it again."""
    async with net(hass, start_simulator, kind="limit", limit_kw=6) as it:
        it.calendar.events = [item("Saving session", starts_in=-60)]
        it.calendar.async_write_ha_state()
        await eventually(lambda: it.see.commands == ["manualLimit/6"])
        before = it.events()
        await hass.config_entries.async_unload(it.entry.entry_id)
        it.calendar.events = []
        it.calendar.async_write_ha_state()
        await hass.config_entries.async_setup(it.entry.entry_id)
        await eventually(lambda: it.see("reason") == "dsr")
        assert it.see("power_limit") == "6.0"
        assert it.events() == before


async def test_event_under_way_at_the_start(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What began while Home Assistant was not running is given when it has started."""
    hass.set_state(CoreState.starting)
    begun = item("Saving session", starts_in=-60)
    async with net(hass, start_simulator, begun) as it:
        assert not triggered(hass)
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await eventually(lambda: it.see.commands == ["allow/off"])
        assert len(it.events()) == 1


async def test_a_day_and_longer(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """An event of several days is cut to 24 hours; one whose 24 hours are over is not."""
    async with net(hass, start_simulator) as it:
        day = 24 * 3600
        it.calendar.events = [
            item("Old week", starts_in=-2 * day, seconds=7 * day),
            item("Week", starts_in=-60, seconds=7 * day),
        ]
        it.calendar.async_write_ha_state()
        await eventually(lambda: len(it.events()) == 1)
        await eventually(lambda: running(hass) == 0)
        (taken,) = it.events()
        assert taken.event_id.startswith("Week ")
        assert taken.end - taken.start == timedelta(days=1)


async def test_not_from_our_own_plan(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What a wallbox knows already is not given to it again as something new."""
    async with net(hass, start_simulator, calendar="calendar.garage_garage_plan") as it:
        assert it.see.attribute("plan", "friendly_name")
        now = dt_util.utcnow()
        await it.act(
            "dsr_start",
            event_id="A",
            start=now.isoformat(),
            end=(now + timedelta(hours=1)).isoformat(),
        )
        await eventually(lambda: it.see("plan") == "on")
        await it.look()
        assert not triggered(hass)
        assert [one.event_id for one in it.events()] == ["A"]
