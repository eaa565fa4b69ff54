"""How wallboxes are left to themselves, and what is remembered of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.owner import HandedOver, HandOver
from simulator import Car


@asynccontextmanager
async def strict(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Play an evening on which the permission is off without a car, by the hours."""
    async with stage(hass, start, monkeypatch, strict=True, **settings) as play:
        await eventually(lambda: not play.box.enabled)
        await play.settle()
        yield play


async def test_strict_and_removed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would be left to let the next car charge."""
    async with strict(hass, start_simulator, monkeypatch) as play:
        await hass.config_entries.async_remove(play.entry.entry_id)
        assert play.box.enabled


async def test_strict_and_one_wallbox_removed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wallbox alone is let go too."""
    async with strict(hass, start_simulator, monkeypatch) as play:
        [subentry_id] = play.entry.subentries
        hass.config_entries.async_remove_subentry(play.entry, subentry_id)
        await eventually(lambda: play.box.enabled)
        await hass.async_block_till_done()


@pytest.mark.parametrize("plugged", [False, True])
@pytest.mark.parametrize("policy", HandOver)
async def test_disabled(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    policy: HandOver,
    plugged: bool,
) -> None:
    """It is left as its owner chose, and that is known when it is back."""
    async with strict(hass, start_simulator, monkeypatch) as play:
        if plugged:
            play.box.plug(Car())
            await play.settle()
        await play.see.call("select.select_option", "handover", option=policy.value)
        await hass.config_entries.async_set_disabled_by(
            play.entry.entry_id, ConfigEntryDisabler.USER
        )
        lets_go = policy is HandOver.ALLOW
        assert play.box.enabled is lets_go
        await hass.config_entries.async_set_disabled_by(play.entry.entry_id, None)
        await play.settle()
        assert play.wallbox.controller.state.handed_over == HandedOver(
            at=play.instant("2027-01-13T17:25:00"),
            policy=policy,
            waited=lets_go,
            allowed=True if lets_go else None,
        )


@pytest.mark.parametrize("answers", [True, False])
async def test_stopped(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    """A wallbox that does not take it is remembered as one that may wait."""
    async with strict(hass, start_simulator, monkeypatch) as play:
        if not answers:
            play.simulator.fault("command_code", code=500)
        controller = play.wallbox.controller
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await hass.async_block_till_done()
        assert play.box.enabled is answers
        handed_over = controller.state.handed_over
        assert handed_over is not None
        assert (handed_over.waited, handed_over.allowed) == (True, answers)
