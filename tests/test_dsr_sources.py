"""Grid events from calendars and binary sensors of other integrations."""

from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .conftest import StartSimulator
from .dsr_stage import CALENDAR, RELAY, grid
from .helpers import entity_id, eventually
from custom_components.loxone_wallbox import dsr_follower
from custom_components.loxone_wallbox.acts import Acts
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from simulator import Car


async def test_sensor(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On pauses until off, or until the end; only off makes it ready again."""
    async with grid(hass, start_simulator, monkeypatch, RELAY) as net:
        assert net.events == []
        await net.relay("on")
        assert net.live == [("13 17:25", "13 19:25", 0)]
        (event,) = net.events
        assert event.source == RELAY
        assert event.kind is DsrKind.PAUSE
        assert not event.response_service
        assert net.play.see("dsr_active") == "on"
        await net.play.at("2027-01-13T18:00:00")
        await net.relay("unavailable")
        await net.relay("on")
        await net.relay("unknown")
        hass.states.async_remove(RELAY)
        await net.play.settle()
        assert net.live == [("13 17:25", "13 19:25", 0)]
        await net.relay("off")
        assert net.live == []
        assert net.play.see("dsr_active") == "off"
        await net.relay("on")
        assert net.live == [("13 18:00", "13 20:00", 0)]
        await net.play.at("2027-01-13T20:30:00")
        assert net.play.see("dsr_active") == "off"
        hass.states.async_set(RELAY, "on", {"some": "attribute"})
        await net.relay("unavailable")
        await net.relay("on")
        assert len(net.events) == 2
        hass.states.async_set(RELAY, "off")
        hass.states.async_set(RELAY, "on")
        await net.play.settle()
        assert len(net.events) == 3
        assert net.live[-1] == ("13 20:30", "13 22:30", 0)


async def test_sensor_over_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sensor that stays on over a restart has one event; one that went off none."""
    async with grid(hass, start_simulator, monkeypatch, RELAY) as net:
        await net.relay("on")
        hass.states.async_set(RELAY, "unavailable")
        await net.play.restart()
        await net.relay("on")
        assert net.live == [("13 17:25", "13 19:25", 0)]
        await net.play.at("2027-01-13T20:00:00")
        await net.play.restart()
        assert len(net.events) == 1
        await net.relay("off")
        await net.relay("on")
        assert len(net.events) == 2
        hass.states.async_set(RELAY, "unavailable")
        await net.play.restart()
        await net.relay("off")
        assert net.live == [("13 17:25", "13 19:25", 0)]


async def test_limit_of_a_sensor(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The options say the limit, the end, and whether it is a paid response."""
    async with grid(
        hass,
        start_simulator,
        monkeypatch,
        RELAY,
        dsr_limit_kw=4.2,
        dsr_end_after_min=30,
        dsr_response=True,
    ) as net:
        net.play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await net.play.see.call("button.press", "charge_now")
        await net.play.see.call("button.press", "resume_schedule")
        await net.relay("on")
        assert net.live == [("13 17:25", "13 17:55", 4.2)]
        assert net.events[0].response_service


async def test_calendar(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a calendar has ahead is planned, moved and called off with it."""
    async with grid(
        hass, start_simulator, monkeypatch, CALENDAR, dsr_limit_kw=5
    ) as net:
        calendar = await net.add_calendar()
        assert net.events == []
        first = ("2027-01-13T18:00:00", "2027-01-13T19:00:00", "Save", "")
        second = ("2027-01-14T18:00:00", "2027-01-14T19:00:00", "Save", "limit=6,5 kW")
        calendar.set(first, second)
        await net.play.settle()
        assert net.live == [("13 18:00", "13 19:00", 5), ("14 18:00", "14 19:00", 6.5)]
        assert {one.source for one in net.events} == {CALENDAR}
        assert net.play.see.attribute("plan", "message") == "Grid event: 5 kW"
        later = ("2027-01-14T18:30:00", "2027-01-14T19:30:00", "Save", "limit=0kW")
        calendar.set(first, later)
        hass.states.async_set(CALENDAR, "off", {"changed": 1})
        await net.play.settle()
        assert net.live == [("13 18:00", "13 19:00", 5), ("14 18:30", "14 19:30", 0)]
        assert net.events[1].version == 2
        await net.play.at("2027-01-13T18:10:00")
        assert net.play.see("dsr_active") == "on"
        calendar.set(later)
        await net.play.settle()
        assert net.play.see("dsr_active") == "off"
        assert net.live == [("14 18:30", "14 19:30", 0)]
        calendar.set(first, later)
        await net.play.settle()
        assert net.play.see("dsr_active") == "on"
        assert len(net.events) == 2


async def test_calendar_that_is_silent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Unavailable changes nothing; what cannot be listed is read from the state."""
    async with grid(hass, start_simulator, monkeypatch, CALENDAR) as net:
        calendar = await net.add_calendar()
        one = ("2027-01-13T18:00:00", "2027-01-13T19:00:00", "Save", "limit=6kW")
        two = ("2027-01-14T18:00:00", "2027-01-14T19:00:00", "Save", "")
        calendar.set(one, two)
        await net.play.settle()
        planned = [("13 18:00", "13 19:00", 6), ("14 18:00", "14 19:00", 0)]
        calendar.events = []
        hass.states.async_set(CALENDAR, "unavailable")
        await net.play.settle()
        assert net.live == planned
        calendar.error = RuntimeError("https://example.com/?token=secret")
        with caplog.at_level(logging.WARNING):
            for number in range(3):
                hass.states.async_set(CALENDAR, "off", {"number": number})
                await net.play.settle()
        assert net.live == planned
        ours = [
            record.message
            for record in caplog.records
            if record.name.startswith("custom_components.loxone_wallbox")
            and record.levelno >= logging.WARNING
        ]
        assert sum("cannot be listed" in message for message in ours) == 1
        assert not any("secret" in message for message in ours)
        attributes = {
            "message": "Save",
            "start_time": "2027-01-13 17:00:00",
            "end_time": "2027-01-13 20:00:00",
            "description": "limit=7kW",
        }
        hass.states.async_set(CALENDAR, "on", attributes)
        await net.play.settle()
        assert net.live == [("13 17:00", "13 20:00", 7), planned[1]]
        hass.states.async_set(CALENDAR, "off")
        await net.play.settle()
        assert net.live == [planned[1]]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"start_time": None, "end_time": 7},
        {"start_time": "2027-01-13 17:00:00", "end_time": "2027-01-13 16:00:00"},
        {"start_time": "9999-12-31 23:59:59", "end_time": "0001-01-01 00:00:00"},
    ],
)
async def test_nonsense(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    attributes: dict[str, Any],
) -> None:
    """A calendar that makes no sense does no harm, and is logged once."""
    async with grid(hass, start_simulator, monkeypatch, CALENDAR, RELAY) as net:
        caplog.clear()
        for number in range(3):
            hass.states.async_set(CALENDAR, "on", {**attributes, "number": number})
            await net.play.settle()
        assert net.events == []
        said = [
            record.message
            for record in caplog.records
            if record.levelno >= logging.WARNING
            and f"{CALENDAR}, a source of grid events" in record.message
        ]
        assert len(said) == 1
        await net.relay("on")
        assert len(net.live) == 1


async def test_calendar_is_asked_from_time_to_time(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new event far ahead need not change the calendar's state."""
    monkeypatch.setattr(dsr_follower, "POLL_EVERY", timedelta(milliseconds=50))
    async with grid(hass, start_simulator, monkeypatch, CALENDAR) as net:
        calendar = await net.add_calendar()
        one = ("2027-01-13T18:00:00", "2027-01-13T19:00:00", "Save", "")
        with patch.object(calendar, "async_write_ha_state"):
            calendar.set(one)
        await eventually(lambda: len(net.live) == 1)
        await hass.config_entries.async_unload(net.play.entry.entry_id)
        asked = calendar.asked
        await net.play.settle()
        await net.play.settle()
        assert calendar.asked == asked
        await hass.config_entries.async_setup(net.play.entry.entry_id)
        await net.play.settle()


async def test_calendar_that_fills_late(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While Home Assistant starts, what a calendar does not have is not called off."""
    async with grid(hass, start_simulator, monkeypatch, CALENDAR) as net:
        calendar = await net.add_calendar()
        calendar.set(("2027-01-13T18:00:00", "2027-01-13T19:00:00", "Save", ""))
        await net.play.settle()
        hass.set_state(CoreState.starting)
        calendar.set()
        await net.play.restart()
        assert len(net.live) == 1
        hass.set_state(CoreState.running)
        hass.bus.async_fire("homeassistant_started")
        await net.play.settle()
        assert net.live == []


async def test_source_that_is_none_any_more(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its events are called off, those of actions are not."""
    async with grid(hass, start_simulator, monkeypatch, RELAY) as net:
        await net.relay("on")
        own = net.events[0]
        await net.play.wallbox.acts.async_add_event(
            DsrEvent(
                event_id="by action",
                source=RELAY,
                start=own.start,
                end=own.end,
                kind=DsrKind.PAUSE,
                heard_at=own.start,
            )
        )
        entry = net.play.entry
        (subentry,) = entry.subentries.values()
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, "dsr_entities": []}
        )
        await net.play.settle()
        await eventually(lambda: net.play.wallbox.data.dsr_events == ("by action",))
        assert net.live == []
        await net.relay("off")
        await net.relay("on")
        assert net.live == []


async def test_again_after_a_failure(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event that the wallbox did not follow is tried again."""
    monkeypatch.setattr(dsr_follower, "RETRY_AFTER_S", 0.05)
    take = Acts.async_add_event
    failures: list[Exception] = [HomeAssistantError("no"), RuntimeError("no")]

    async def failing(acts: Acts, event: DsrEvent) -> None:
        """Fail at first."""
        if failures:
            raise failures.pop()
        await take(acts, event)

    monkeypatch.setattr(Acts, "async_add_event", failing)
    async with grid(hass, start_simulator, monkeypatch, RELAY) as net:
        await net.relay("on")
        await eventually(lambda: len(net.live) == 1)
        assert not failures


async def test_ids_and_strangers(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An id of the registry is as good as an entity; our own plan is no source."""
    assert await async_setup_component(hass, "calendar", {})
    known = er.async_get(hass).async_get_or_create("binary_sensor", "grid", "relay")
    async with grid(
        hass, start_simulator, monkeypatch, known.id, "no such thing", "light.lamp"
    ) as net:
        assert "no such thing is no entity" in caplog.text
        assert "light.lamp can give" in caplog.text
        hass.states.async_set(known.entity_id, "on")
        await net.play.settle()
        assert [one.source for one in net.events] == [known.entity_id]
        plan = entity_id(hass, net.play.simulator, "plan")
        entry = net.play.entry
        (subentry,) = entry.subentries.values()
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, "dsr_entities": [plan]}
        )
        await net.play.settle()
        assert f"{plan} can give" in caplog.text
        assert net.live == []
