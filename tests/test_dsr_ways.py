"""Whatever way a grid event comes, the limit is the same at the same second.

An OpenADR client tells the level of a SIMPLE signal as a number; a template of Home
Assistant makes a binary sensor of it, which the owner names in the settings.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .actions import Actions
from .conftest import StartSimulator
from .dsr_stage import CALENDAR, RELAY, Grid, grid
from .helpers import Surface, eventually
from simulator import Car, WallboxConfig

LEVEL = "sensor.ven_simple_level"
OPEN_ADR = "binary_sensor.open_adr_event"
TEMPLATE = {
    "binary_sensor": {
        "name": "OpenADR event",
        "default_entity_id": OPEN_ADR,
        "state": f"{{{{ states('{LEVEL}') | int > 0 }}}}",
        "availability": f"{{{{ has_value('{LEVEL}') }}}}",
    }
}
WAYS = ("action", "calendar", "relay", "open_adr")
DAY = "2027-01-13T"


async def level(net: Grid, state: str) -> None:
    """Have the OpenADR client tell a level, or that it has none."""
    net.hass.states.async_set(LEVEL, state)
    await net.play.settle()


@asynccontextmanager
async def night(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *entities: str,
    **settings: Any,
) -> AsyncIterator[Grid]:
    """Plug a car in at each wallbox in the night, beside an OpenADR client."""
    assert await async_setup_component(hass, "template", {"template": TEMPLATE})
    hass.states.async_set(LEVEL, "0")
    await hass.async_block_till_done()
    assert hass.states.is_state(OPEN_ADR, "off")
    async with grid(
        hass, start, monkeypatch, *entities, begin=f"{DAY}22:55:00", **settings
    ) as net:
        net.play.deal(*(0 for _ in net.play.simulator.wallboxes))
        for box in net.play.simulator.wallboxes:
            box.plug(Car(capacity_kwh=60, energy_kwh=60))
        await net.play.settle()
        yield net


async def name_sources(net: Grid, *, response: bool) -> None:
    """Have each wallbox hear of events in its own way."""
    sources = dict(zip(WAYS, ((), (CALENDAR,), (RELAY,), (OPEN_ADR,)), strict=True))
    for way, box in zip(WAYS, net.play.simulator.wallboxes, strict=True):
        (subentry,) = (
            one
            for one in net.play.entry.subentries.values()
            if one.unique_id == box.uuid
        )
        changed = {
            "dsr_entities": list(sources[way]),
            "dsr_limit_kw": 0.0 if way == "calendar" else 6.0,
            "dsr_response": response,
        }
        net.hass.config_entries.async_update_subentry(
            net.play.entry, subentry, data={**subentry.data, **changed}
        )
    await net.play.settle()


@pytest.mark.parametrize("draws", [(45, 300), ()], ids=["delayed", "response"])
async def test_every_way_is_the_same(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    draws: tuple[int, ...],
) -> None:
    """An action, a calendar, a relay, OpenADR: 6 kW at once or after the draw."""
    response = not draws
    boxes = tuple(WallboxConfig(name=way) for way in WAYS)
    async with night(hass, start_simulator, monkeypatch, boxes=boxes) as net:
        await name_sources(net, response=response)
        net.play.deal(*(draw for draw in draws for _ in WAYS))
        shown = [Surface(hass, net.play.simulator, box) for box in range(len(WAYS))]

        def seen(key: str) -> set[str]:
            """Return what all the wallboxes show."""
            return {see(key) for see in shown}

        begins, ends = f"{DAY}23:00:00", f"{DAY}23:30:00"
        (await net.add_calendar()).set((begins, ends, "Save", "limit=6kW"))
        await Actions(hass, net.play.simulator)(
            "dsr_start",
            event_id="one",
            kind="limit",
            limit_kw=6,
            response_service=response,
            start=net.play.instant(begins).isoformat(),
            end=net.play.instant(ends).isoformat(),
        )
        assert seen("dsr_active") == {"off"}
        await net.play.at(begins)
        await net.relay("on")
        await level(net, "1")
        assert seen("dsr_active") == {"on"}
        if draws:
            assert seen("power_limit") == {"11.0"}
            await net.play.at(f"{DAY}23:00:45")
        await eventually(lambda: seen("power_limit") == {"6.0"})
        await net.play.at(ends)
        await net.relay("off")
        await level(net, "0")
        assert seen("dsr_active") == {"off"}
        if draws:
            assert seen("power_limit") == {"6.0"}
            await net.play.at(f"{DAY}23:35:00")
        await eventually(lambda: seen("power_limit") == {"11.0"})
        assert net.play.draws == []
        told = [see.commands for see in shown]
        assert told[0]
        assert all(commands == told[0] for commands in told)


async def test_an_open_adr_client_that_is_lost(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its limit is held over its loss and a restart, until the option's time is over."""
    settings: dict[str, Any] = {"dsr_limit_kw": 6.0, "dsr_end_after_min": 90}
    async with night(hass, start_simulator, monkeypatch, OPEN_ADR, **settings) as net:
        see, play = net.play.see, net.play
        await play.at(f"{DAY}23:00:00")
        play.deal(45)
        await level(net, "2")
        await play.at(f"{DAY}23:00:45")
        await eventually(lambda: see("power_limit") == "6.0")
        play.simulator.commands.clear()
        await level(net, "unavailable")
        assert hass.states.is_state(OPEN_ADR, "unavailable")
        await play.at(f"{DAY}23:30:00")
        await play.restart()
        assert see("dsr_active") == "on"
        await level(net, "1")
        await level(net, "unavailable")
        await play.at("2027-01-14T00:29:59")
        assert see("dsr_active") == "on"
        assert see("power_limit") == "6.0"
        assert net.live == [("13 23:00", "14 00:30", 6.0)]
        assert not any("limit" in command for command in see.commands)
        play.deal(60)
        await play.at("2027-01-14T00:30:59")
        assert see("dsr_active") == "off"
        assert see("power_limit") == "6.0"
        await play.at("2027-01-14T00:31:00")
        await eventually(lambda: see("power_limit") == "11.0")
        # Still on is no new event; off and on again is one.
        await level(net, "1")
        assert see("dsr_active") == "off"
        play.deal(0)
        await level(net, "0")
        await level(net, "3")
        assert see("dsr_active") == "on"
        assert len(net.live) == 2
