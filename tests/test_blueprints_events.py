"""Grid events by blueprint, as Octopus Energy, Axle and OpenADR tell of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions
from .blueprint_helpers import AUTOMATION, running, triggered, use
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from simulator import Car, Simulator, WallboxConfig

DOWN = "event.octopus_energy_a_1234abcd_octoplus_power_down_events"
UP = "event.octopus_energy_a_1234abcd_octoplus_power_up_events"
AXLE = "calendar.axle_next_event"
LEVEL = "sensor.openadr_ven_dr_event_level"


class Source:
    """Wallboxes, and the entity of somebody else that tells of grid events."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take what plays."""
        self.hass = hass
        self.entry = entry
        self.see = Surface(hass, simulator)
        self.act = Actions(hass, simulator, 0, 1)
        self._looks = 0

    def events(self, box: int = 0) -> list[Any]:
        """Return the grid events that a wallbox has taken, by start."""
        wallbox = list(self.entry.runtime_data.wallboxes.values())[box]
        events = wallbox.controller.state.dsr.events.values()
        return sorted(events, key=lambda event: event.start)

    async def tell(self, entity: str, state: str | None = None, **facts: Any) -> None:
        """Let the entity say something, and the automation take it."""
        before = triggered(self.hass)
        self._looks += 1
        at = dt_util.utcnow().isoformat()
        self.hass.states.async_set(entity, state or at, {"n": self._looks, **facts})
        await eventually(lambda: triggered(self.hass) != before)
        await eventually(lambda: running(self.hass) == 0)


@asynccontextmanager
async def source(
    hass: HomeAssistant,
    start: StartSimulator,
    name: str,
    *,
    hours: dict[str, Any] | None = None,
    **inputs: Any,
) -> AsyncIterator[Source]:
    """Set two wallboxes up, with a car at the first, and an automation of a blueprint.

    The car charges, or waits for the default charging hours.
    """
    simulator = await start(
        wallboxes=(
            WallboxConfig(name="Garage", self_test_s=0.1),
            WallboxConfig(name="Carport"),
        )
    )
    entry = await set_up(hass, make_entry(simulator))
    playing = Source(hass, simulator, entry)
    if hours is not None:
        await playing.act("set_default_hours", windows=[hours], clock="utc")
    simulator.wallboxes[0].plug(Car(capacity_kwh=200, energy_kwh=10))
    status = "charging" if hours is None else "waiting_for_default_hours"
    await eventually(lambda: playing.see("status") == status)
    chosen = {"wallboxes": playing.act.devices, "response_service": True, **inputs}
    await use(hass, name, **chosen)
    yield playing
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
    )
    await hass.config_entries.async_unload(entry.entry_id)


def in_s(seconds: float) -> datetime:
    """Return an instant in so many seconds, whole as these services tell them."""
    return dt_util.now().replace(microsecond=0) + timedelta(seconds=seconds)


def session(number: int, start: datetime, minutes: float = 60) -> dict[str, Any]:
    """Return a session as Octopus Energy's integration lists it."""
    return {
        "id": number,
        "start": start,
        "end": start + timedelta(minutes=minutes),
        "octopoints_per_kwh": 600,
    }


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the automation was unhappy with."""
    return [
        one.message
        for one in caplog.records
        if one.levelno >= logging.WARNING and "automation" in one.name
    ]


async def test_power_down(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A joined session pauses every wallbox; what comes later is known ahead, once."""
    async with source(hass, start_simulator, "octopus_sessions", down=[DOWN]) as it:
        caplog.clear()
        now, later = session(1, in_s(-60)), session(2, in_s(3600))
        over = session(3, in_s(-7200), minutes=30)
        await it.tell(DOWN, joined_events=[over, now, later], available_events=[])
        await eventually(lambda: it.see.commands == ["allow/off"])
        assert it.see("reason") == "dsr"
        for box in (0, 1):
            first, second = it.events(box)
            assert (first.start, first.end) == (now["start"], now["end"])
            assert (first.kind, first.event_id) == ("pause", "octopus 1")
            assert (second.start, second.program) == (later["start"], DOWN)
            assert first.response_service
            assert not first.already_randomised
        before = it.events()
        await it.tell(DOWN, joined_events=[now, later], available_events=[])
        assert it.events() == before
        assert complaints(caplog) == []


async def test_power_down_moved_and_called_off(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What changes before it starts changes here; what runs keeps its end."""
    async with source(
        hass, start_simulator, "octopus_sessions", down=[DOWN], limit_kw=6
    ) as it:
        now, later = session(1, in_s(-60)), session(2, in_s(3600))
        await it.tell(DOWN, joined_events=[now, later])
        await eventually(lambda: it.see.commands == ["manualLimit/6"])
        moved = session(2, in_s(7200))
        await it.tell(DOWN, joined_events=[moved])
        first, second = it.events()
        assert first.cancelled_at is None
        assert (second.start, second.version) == (moved["start"], 2)
        await it.tell(DOWN, joined_events=[])
        first, second = it.events()
        assert first.cancelled_at is None
        assert second.cancelled_at is not None
        assert it.see("reason") == "dsr"
        await it.tell(DOWN, joined_events=[moved])
        first, second = it.events()
        assert second.cancelled_at is None


async def test_power_up(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A session of free power charges outside the default charging hours."""
    far = dt_util.utcnow() + timedelta(hours=11)
    hours = {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "start": f"{far:%H:%M}",
        "end": f"{far + timedelta(hours=2):%H:%M}",
    }
    async with source(
        hass, start_simulator, "octopus_sessions", hours=hours, down=[DOWN], up=[UP]
    ) as it:
        assert it.see.commands == ["allow/off"]
        one = {"code": "up-7", "start": in_s(-60), "end": in_s(3600)}
        await it.tell(UP, events=[one])
        await eventually(lambda: it.see.commands[-1:] == ["allow/on"])
        assert it.see("reason") == "dsr_increase"
        (taken,) = it.events()
        assert (taken.kind, taken.event_id) == ("increase", "octopus up-7")


async def test_octopus_away(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """An entity that is away for a while calls nothing off."""
    async with source(hass, start_simulator, "octopus_sessions", down=[DOWN]) as it:
        await it.tell(DOWN, joined_events=[session(2, in_s(3600))])
        at = triggered(hass)
        hass.states.async_set(DOWN, "unavailable")
        await hass.async_block_till_done()
        assert triggered(hass) == at
        (event,) = it.events()
        assert event.cancelled_at is None


@pytest.mark.parametrize(
    ("inputs", "direction", "kind", "commands"),
    [
        ({}, "export", "pause", ["allow/off"]),
        ({}, None, "pause", ["allow/off"]),
        ({"limit_kw": 5}, "export", "limit", ["manualLimit/5"]),
        ({}, "import", "increase", []),
        ({"imports": False}, "import", None, []),
    ],
)
async def test_axle(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    inputs: dict[str, Any],
    direction: str | None,
    kind: str | None,
    commands: list[str],
) -> None:
    """The next event is taken for what it asks, from a calendar's local times."""
    async with source(hass, start_simulator, "axle_events", event=AXLE, **inputs) as it:
        start, end = in_s(-60), in_s(3600)
        facts = {} if direction is None else {"import_export": direction}
        await it.tell(
            AXLE,
            "on",
            start_time=f"{start:%Y-%m-%d %H:%M:%S}",
            end_time=f"{end:%Y-%m-%d %H:%M:%S}",
            **facts,
        )
        found = [(one.kind, one.start, one.end) for one in it.events()]
        assert found == ([] if kind is None else [(kind, start, end)])
        if commands:
            await eventually(lambda: it.see.commands == commands)
        else:
            assert it.see.commands == []


async def test_axle_changes(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A new end is taken, an event that is gone is called off, what runs stays."""
    async with source(hass, start_simulator, "axle_events", event=AXLE) as it:

        async def tell(start: datetime | None, end: datetime | None) -> None:
            """Tell of the next event as Axle's own instructions do."""
            times = {"start_time": start, "end_time": end}
            facts = {name: at and at.isoformat() for name, at in times.items()}
            await it.tell(AXLE, "on", import_export="export", **facts)

        start = in_s(1800)
        await tell(start, in_s(3600))
        await tell(start, in_s(5400))
        (event,) = it.events()
        assert (event.version, event.cancelled_at) == (2, None)
        await tell(None, None)
        (event,) = it.events()
        assert event.cancelled_at is not None
        await tell(in_s(-60), in_s(3600))
        await eventually(lambda: it.see.commands == ["allow/off"])
        await tell(None, None)
        assert it.events()[0].cancelled_at is None
        assert it.see("reason") == "dsr"


async def test_openadr(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """The level limits, pauses and lets go again, and never charges in between."""
    async with source(
        hass, start_simulator, "openadr_level", level=LEVEL, limit_kw=6
    ) as it:
        await it.tell(LEVEL, "0")
        assert it.events() == []
        await it.tell(LEVEL, "1")
        await eventually(lambda: it.see.commands == ["manualLimit/6"])
        await it.tell(LEVEL, "2")
        await eventually(lambda: it.see.commands == ["manualLimit/6", "allow/off"])
        await it.tell(LEVEL, "3")
        live = [one for one in it.events() if one.cancelled_at is None]
        assert [one.kind for one in live] == ["pause"]
        length = live[0].end - live[0].start
        assert timedelta(hours=3, minutes=59) < length <= timedelta(hours=4)
        at = triggered(hass)
        hass.states.async_set(LEVEL, "unavailable")
        await hass.async_block_till_done()
        assert triggered(hass) == at
        assert it.see("reason") == "dsr"
        await it.tell(LEVEL, "0")
        await eventually(lambda: it.see.commands[-1] == "allow/on")
        assert all(one.cancelled_at for one in it.events())
