"""The plan as a calendar: hours and grid events, also where the clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions
from .conftest import StartSimulator
from .helpers import entity_id
from .stage import LONDON, Stage, stage
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind

HOURS = "Default charging hours"


@pytest.fixture(autouse=True)
async def _in_london(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live in London, by the clock of the stage."""
    await hass.config.async_set_time_zone("Europe/London")
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: dt_util.utcnow().astimezone(
            zone or dt_util.get_default_time_zone()
        ),
    )


async def listed(play: Stage, start: str, end: str) -> list[dict[str, Any]]:
    """Return the events between two local times as the action gives them."""
    calendar = entity_id(play.hass, play.simulator, "plan")
    answer = await play.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": calendar,
            "start_date_time": play.instant(start).isoformat(),
            "end_date_time": play.instant(end).isoformat(),
        },
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    content: Any = answer[calendar]
    events: list[dict[str, Any]] = content["events"]
    return events


def event(play: Stage, name: str, start: str, end: str, **more: Any) -> DsrEvent:
    """Return a grid event of local times."""
    return DsrEvent(
        **{
            "event_id": name,
            "start": play.instant(start),
            "end": play.instant(end),
            "kind": DsrKind.PAUSE,
            "heard_at": dt_util.utcnow(),
            **more,
        }
    )


async def test_plan(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shows what holds and what comes next, and lists what is asked for."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        assert play.see("plan") == "off"
        assert play.see.attribute("plan", "message") == HOURS
        assert play.see.attribute("plan", "start_time") == "2027-01-13 22:00:00"
        assert play.see.attribute("plan", "end_time") == "2027-01-14 08:00:00"
        acts = play.wallbox.acts
        await acts.async_add_event(
            event(
                play,
                "evening",
                "2027-01-13T18:00:00",
                "2027-01-13T19:00:00",
                kind=DsrKind.LIMIT,
                limit_kw=4.2,
                source="Grid",
                program="Flex",
            )
        )
        await acts.async_add_event(
            event(play, "night", "2027-01-13T23:00:00", "2027-01-14T00:00:00")
        )
        await acts.async_add_event(
            event(play, "late", "2027-01-14T12:00:00", "2027-01-14T13:00:00")
        )
        await acts.async_cancel_event(("", "late"))
        assert play.see.attribute("plan", "message") == "Grid event: 4.2 kW"
        await play.at("2027-01-13T18:00:00")
        assert play.see("plan") == "on"
        assert play.see("dsr_active") == "on"
        await play.see.call("button.press", "dsr_opt_out")
        assert play.see("plan") == "off"
        assert play.see.attribute("plan", "message") == HOURS
        await play.at("2027-01-13T22:00:00")
        assert play.see("plan") == "on"
        await play.at("2027-01-13T23:00:00")
        assert play.see.attribute("plan", "message") == "Grid event: pause"
        await play.at("2027-01-14T00:00:00")
        assert play.see.attribute("plan", "message") == HOURS
        found = await listed(play, "2027-01-13T17:00:00", "2027-01-14T17:00:00")
        assert [
            (one["summary"], one["start"][11:16], one["end"][11:16]) for one in found
        ] == [
            ("Grid event: 4.2 kW (opted out)", "18:00", "19:00"),
            (HOURS, "22:00", "08:00"),
            ("Grid event: pause", "23:00", "00:00"),
            ("Grid event: pause (cancelled)", "12:00", "13:00"),
        ]
        assert found[0]["description"] == (
            "At most 4.2 kW\nSource: Grid\nProgram: Flex"
        )


async def test_always_there_and_in_german(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan is there without the Miniserver, in the installation's language."""
    hass.config.language = "de-AT"
    async with stage(hass, start_simulator, monkeypatch) as play:
        await play.wallbox.acts.async_add_event(
            event(
                play,
                "one",
                "2027-01-13T18:00:00",
                "2027-01-13T19:00:00",
                kind=DsrKind.LIMIT,
                limit_kw=4.2,
            )
        )
        assert play.see.attribute("plan", "message") == "Netzereignis: 4,2 kW"
        await play.simulator.stop()
        play.clock.step(120)
        await play.settle()
        assert play.see("plan") == "off"
        found = await listed(play, "2027-01-14T17:00:00", "2027-01-15T17:00:00")
        assert [one["summary"] for one in found] == ["Standardladezeiten"]


async def test_suspended_and_far_ahead(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hours that are suspended are not planned; a listing has an end."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        found = await listed(play, "2027-01-13T12:00:00", "2037-01-13T12:00:00")
        last = datetime.fromisoformat(found[-1]["start"])
        assert last < play.instant("2027-01-13T12:00:00") + timedelta(days=366)
        assert len(found) > 300
        await play.see.call("switch.turn_off", "default_hours")
        assert play.see("plan") == "off"
        assert play.see.attribute("plan", "message") is None
        assert not await listed(play, "2027-01-13T12:00:00", "2027-02-13T12:00:00")


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("2027-03-27T21:00:00", "2027-03-28T11:00:00"),
        ("2027-10-30T21:00:00", "2027-10-31T11:00:00"),
    ],
)
async def test_clock_change(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    opens: str,
    closes: str,
) -> None:
    """Listing and state agree with the schedule in the nights of the clock changes."""
    async with stage(hass, start_simulator, monkeypatch, begin=opens) as play:
        schedule = play.wallbox.controller.state.hours.schedule(LONDON)
        assert schedule is not None
        spans = schedule.spans(play.instant(opens), play.instant(closes))
        found = await listed(play, opens, closes)
        assert [
            (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
            for one in found
        ] == [(span.start, span.end) for span in spans]
        for edge in schedule.boundaries(play.instant(opens), play.instant(closes)):
            for at in (edge - timedelta(seconds=1), edge):
                await play._go(at)
                expected = "on" if schedule.is_open(at) else "off"
                assert play.see("plan") == expected, at


async def test_an_event_is_the_same_for_everybody(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weekend is one event; what is always open is one a day, all day."""
    begin = "2027-01-16T12:00:00"
    async with stage(hass, start_simulator, monkeypatch, begin=begin) as play:
        call = Actions(hass, play.simulator)
        await call("set_default_hours", preset="gb_complement")
        weekend = {
            "start": "2027-01-15T22:00:00+00:00",
            "end": "2027-01-18T08:00:00+00:00",
            "summary": HOURS,
        }
        for start, end in (
            ("2027-01-16T12:00:00", "2027-01-16T13:00:00"),
            ("2027-01-15T22:00:00", "2027-01-15T22:01:00"),
            ("2027-01-18T07:59:00", "2027-01-18T08:00:00"),
        ):
            assert await listed(play, start, end) == [weekend]
        assert weekend in await listed(
            play, "2027-01-01T00:00:00", "2027-02-01T00:00:00"
        )
        assert play.see("plan") == "on"
        assert play.see.attribute("plan", "start_time") == "2027-01-15 22:00:00"
        assert play.see.attribute("plan", "end_time") == "2027-01-18 08:00:00"
        always = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
        window = {**always, "start": "00:00", "end": "24:00"}
        await call("set_default_hours", windows=[window])
        assert play.see("plan") == "on"
        assert play.see.attribute("plan", "all_day") is True
        assert play.see.attribute("plan", "start_time") == "2027-01-16 00:00:00"
        assert await listed(play, "2027-01-17T23:00:00", "2027-01-18T12:00:00") == [
            {"start": "2027-01-17", "end": "2027-01-18", "summary": HOURS},
            {"start": "2027-01-18", "end": "2027-01-19", "summary": HOURS},
        ]
        assert play.see("next_change") == "unknown"
        await play.at("2027-01-17T00:00:00")
        # What Home Assistant's own timer does at the end of the event.
        calendars = hass.data["entity_components"]["calendar"]
        plan = calendars.get_entity(entity_id(hass, play.simulator, "plan"))
        assert plan is not None
        plan.async_write_ha_state()
        assert play.see.attribute("plan", "start_time") == "2027-01-17 00:00:00"


async def test_event_in_the_hour_that_comes_twice(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From 01:40 of the first to 01:20 of the second time, and no other time."""
    begin = "2027-10-31T00:30:00"
    removed: dict[str, Any] = {
        "choice": "remove",
        "windows": [],
        "clock": "local",
        "preset": None,
    }
    async with stage(
        hass, start_simulator, monkeypatch, begin=begin, first_use=removed
    ) as play:
        start = datetime(2027, 10, 31, 0, 40, tzinfo=UTC)
        await play.wallbox.acts.async_add_event(
            DsrEvent(
                event_id="one",
                start=start,
                end=start + timedelta(minutes=40),
                kind=DsrKind.PAUSE,
                heard_at=dt_util.utcnow(),
            )
        )
        (one,) = await listed(play, begin, "2027-10-31T06:00:00")
        assert one["start"] == "2027-10-31T01:40:00+01:00"
        assert one["end"] == "2027-10-31T01:20:00+00:00"
        assert play.see.attribute("plan", "start_time") == "2027-10-31 01:40:00"
        for minutes, state in ((-1, "off"), (0, "on"), (39, "on"), (40, "off")):
            at = start + timedelta(minutes=minutes)
            await play._go(at)
            assert play.see("plan") == state, at
