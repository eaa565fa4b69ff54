"""What comes between a test of what happens without Home Assistant and its result."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .actions import Actions
from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import GATEWAY_SAYS_SILENT, MeteredHouse
from .security_home import logged
from .stage import Stage, stage
from .test_fallback import DAY, RUN, charging_house, charging_stage, try_out
from custom_components.loxone_wallbox import fallback
from custom_components.loxone_wallbox.const import CONF_AUTOMATIONS_MAY_OVERRIDE
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, WallboxConfig


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, and expect no new count of a clock that stands still."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    monkeypatch.setattr(fallback, "COUNT_WITHIN_S", 0.2)


async def stop(play: Stage) -> None:
    """Stop Home Assistant."""
    play.hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await play.hass.async_block_till_done()


async def disable(play: Stage) -> None:
    """Disable the entry."""
    await play.hass.config_entries.async_set_disabled_by(
        play.entry.entry_id, ConfigEntryDisabler.USER
    )


async def remove(play: Stage) -> None:
    """Remove the wallbox that waits."""
    found = next(
        one
        for one in play.entry.runtime_data.wallboxes.values()
        if one.wallbox_id == play.simulator.wallboxes[1].uuid
    )
    play.hass.config_entries.async_remove_subentry(play.entry, found.subentry_id)
    await play.hass.async_block_till_done(wait_background_tasks=False)


@pytest.mark.parametrize("ends", [stop, disable, remove])
async def test_who_waits_is_let_go(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    ends: Callable[[Stage], Any],
) -> None:
    """The link is dropped just then: it is made again for the last word."""
    boxes = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:30:00", boxes=boxes
    ) as play:
        play.deal(*[0] * 9)
        for box in play.simulator.wallboxes:
            box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        act, begun = Actions(hass, play.simulator), asyncio.Event()
        await act("override", mode="charge")
        await play.at(f"{DAY}17:40:00")
        allowed = [box.enabled for box in play.simulator.wallboxes]
        assert allowed == [True, False]

        async def pause(_seconds: float) -> None:
            """Take for ever."""
            await eventually(lambda: not play.simulator.clients)
            begun.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(fallback, "pause", pause)
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await begun.wait()
        await ends(play)
        assert play.simulator.wallboxes[1].enabled is True
        with pytest.raises(HomeAssistantError) as caught:
            await running
        assert caught.value.translation_key == "fallback_interrupted"


async def test_a_link_that_does_not_come_back(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever stops waits only a while for it."""
    monkeypatch.setattr(fallback, "REJOIN_WITHIN_S", 0.3)
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        begun = asyncio.Event()

        async def pause(_seconds: float) -> None:
            """Take for ever."""
            await eventually(lambda: not play.simulator.clients)
            play.simulator.fault("booting")
            begun.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await begun.wait()
        await disable(play)
        assert "is not back after a test that was broken off" in caplog.text
        await asyncio.gather(running, return_exceptions=True)


def fall_silent(home: MeteredHouse) -> None:
    """Have the gateway say at once that the meter does not answer."""
    home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)


async def test_a_meter_that_falls_silent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody measured: that is no failure of the wallbox."""
    async with charging_house(hass, start_simulator, monkeypatch, fall_silent) as home:
        result = await try_out(home)
        assert (result["outcome"], result["measured"]) == ("inconclusive", False)
        assert result["energy_wh"] is None


@pytest.mark.parametrize(("stops", "outcome"), [(False, "passed"), (True, "failed")])
async def test_a_meter_that_is_back(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    *,
    stops: bool,
) -> None:
    """Its counter went on while it was silent, and tells of all the time."""

    def silence(home: MeteredHouse) -> None:
        """Have it silent from now on, and after the test answer again."""
        home.simulator.wallboxes[0].set_allowed(not stops)
        fall_silent(home)
        hass.async_create_background_task(_async_mend(home), "mend")

    async def _async_mend(home: MeteredHouse) -> None:
        """Let it answer once the link is back."""
        await eventually(lambda: not home.wallbox().linked)
        await eventually(lambda: home.wallbox().linked)
        home.meter().clear()
        await home.run(5)

    async with charging_house(hass, start_simulator, monkeypatch, silence) as home:
        monkeypatch.setattr(fallback, "COUNT_WITHIN_S", 10)
        result = await try_out(home)
        assert (result["outcome"], result["measured"]) == (outcome, True)
        assert 120 <= result["counted_s"] < 130


async def test_two_at_once(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second one is refused, also where nobody had the time to look."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:

        async def pause(seconds: float) -> None:
            """Let the time of the test pass."""
            await eventually(lambda: not play.simulator.clients)
            play.simulator.advance(seconds, step_s=1.0)

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        answers = await asyncio.gather(
            *(act(RUN, answer=True, consent=True) for _ in range(2)),
            return_exceptions=True,
        )
        refused = [one for one in answers if isinstance(one, HomeAssistantError)]
        assert [one.translation_key for one in refused] == ["fallback_runs_already"]
        assert len(await logged(hass, play.simulator, "fallback_test")) == 1


async def test_a_wallbox_that_is_built_anew(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its settings change meanwhile: the result is the new one's, and is kept."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        old = play.wallbox

        async def pause(seconds: float) -> None:
            """Change a setting while the time of the test passes."""
            await eventually(lambda: not play.simulator.clients)
            play.simulator.advance(seconds, step_s=1.0)
            [found] = play.entry.subentries.values()
            data = {**found.data, CONF_AUTOMATIONS_MAY_OVERRIDE: False}
            hass.config_entries.async_update_subentry(play.entry, found, data=data)

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        result = (await act(RUN, answer=True, consent=True))[act.devices[0]]
        await play.settle()
        assert play.wallbox is not old
        assert result["outcome"] == "passed"
        assert play.wallbox.links.fallback == result
        assert len(await logged(hass, play.simulator, "fallback_test")) == 1
        await play.restart()
        assert play.wallbox.links.fallback == result


async def test_a_grid_event_of_a_wallbox_that_was_built_anew(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends the cut as any other."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        old, away = play.wallbox, asyncio.Event()

        async def pause(_seconds: float) -> None:
            """Take for ever."""
            away.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await away.wait()
        [found] = play.entry.subentries.values()
        data = {**found.data, CONF_AUTOMATIONS_MAY_OVERRIDE: False}
        hass.config_entries.async_update_subentry(play.entry, found, data=data)
        runtime = play.entry.runtime_data
        await eventually(lambda: [*runtime.wallboxes.values()] not in ([], [old]))
        end = play.instant(f"{DAY}23:30:00").isoformat()
        await act("dsr_start", event_id="A", end=end, kind="limit", limit_kw=6.0)
        with pytest.raises(HomeAssistantError) as caught:
            await running
        assert caught.value.translation_key == "fallback_ended_by_grid_event"


async def test_a_wallbox_that_was_left_looks_no_longer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its links wake nobody up any more and keep nothing."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        links = play.wallbox.links
        await links.async_stop()
        before = links.boundary
        play.box.set_online(False)
        links.keep_fallback({"outcome": "failed"})
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1))
        await hass.async_block_till_done(wait_background_tasks=False)
        assert links.boundary is before
