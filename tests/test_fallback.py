"""Whether cars go on charging without Home Assistant is tried out, kept and told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .actions import Actions, refused, user_id
from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from .security_home import logged
from .stage import Stage, stage
from .test_alerts import Heard
from custom_components.loxone_wallbox import fallback
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, MeterConfig, WallboxConfig

DAY = "2027-01-13T"
METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
RUN = "run_fallback_test"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, and expect no new count of a clock that stands still."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    monkeypatch.setattr(fallback, "COUNT_WITHIN_S", 0.2)


@asynccontextmanager
async def charging_house(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[MeteredHouse], None],
) -> AsyncIterator[MeteredHouse]:
    """Have a car charge behind a meter; `meanwhile` happens while the link is gone."""
    async with metered(hass, start, monkeypatch, METER) as home:

        async def pause(seconds: float) -> None:
            """Let the time of the test pass."""
            await eventually(lambda: not home.simulator.clients)
            meanwhile(home)
            await home.run(seconds)

        monkeypatch.setattr(fallback, "pause", pause)
        monkeypatch.setattr(fallback, "seconds", home.clock.time)
        await home.plug()
        await home.run(20)
        await eventually(lambda: home.see[0]("charging") == "on")
        yield home


async def try_out(home: MeteredHouse) -> dict[str, Any]:
    """Run the test as an administrator, and return what came of it."""
    act = Actions(home.hass, home.simulator)
    answer = await act(RUN, answer=True, consent=True)
    result: dict[str, Any] = answer[act.devices[0]]
    return result


async def test_a_car_that_goes_on(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Measured by the meter, answered, recorded with who ran it, kept over a restart."""
    async with charging_house(
        hass, start_simulator, monkeypatch, lambda _home: None
    ) as home:
        result = await try_out(home)
        assert result["outcome"] == "passed"
        assert result["source"] == "meter"
        assert result["energy_wh"] == pytest.approx(11_000 / 30, abs=15)
        assert result["counted_s"] == pytest.approx(120, abs=2)
        assert home.see[0]("miniserver_connection") == "on"
        [record] = await logged(hass, home.simulator, "fallback_test")
        assert record["detail"]["outcome"] == "passed"
        assert record["source"].startswith("ha_user:")
        await home.restart()
        assert home.wallbox().links.fallback == result


@pytest.mark.parametrize("returns", [True, False])
async def test_our_own_cut_is_no_alarm(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    returns: bool,
) -> None:
    """Nobody is told of a link that we drop, unless it does not come back."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        hass.config_entries.async_update_entry(
            play.entry, options={**play.entry.options, "unavailable_after": 0}
        )
        await hass.async_block_till_done()
        heard, miniserver = Heard(hass, play.simulator), play.wallbox.miniserver
        issues = set(ir.async_get(hass).issues)
        if not returns:
            monkeypatch.setattr(fallback, "BACK_WITHIN_S", 0.2)

        async def pause(_seconds: float) -> None:
            """Be away for so long that it shows."""
            await eventually(lambda: not miniserver.available)
            await hass.async_block_till_done()
            assert play.see("charging") == "unavailable"
            assert set(ir.async_get(hass).issues) == issues
            assert "link_lost" not in heard.kinds
            if not returns:
                play.simulator.fault("booting")

        monkeypatch.setattr(fallback, "pause", pause)
        await Actions(hass, play.simulator)(RUN, consent=True)
        await hass.async_block_till_done()
        assert miniserver.available is returns
        links = [one for one in heard.kinds if one.startswith("link_")]
        assert links == ([] if returns else ["link_lost"])


async def test_a_car_that_stops(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program on the Miniserver forbids it as soon as we are gone."""
    async with charging_house(
        hass,
        start_simulator,
        monkeypatch,
        lambda home: home.simulator.wallboxes[0].set_allowed(False),
    ) as home:
        assert (await try_out(home))["outcome"] == "failed"


async def test_a_car_that_leaves(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be told then."""

    def leave(home: MeteredHouse) -> None:
        """Drive away."""
        home.simulator.wallboxes[0].unplug()

    async with charging_house(
        hass,
        start_simulator,
        monkeypatch,
        leave,
    ) as home:
        assert (await try_out(home))["outcome"] == "inconclusive"


@asynccontextmanager
async def charging_stage(
    hass: HomeAssistant, start: StartSimulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Have a car charge at a wallbox that the Miniserver measures."""
    async with stage(
        hass,
        start,
        monkeypatch,
        begin=f"{DAY}23:00:00",
        box=WallboxConfig(name="Garage"),
    ) as play:
        play.deal(*[0] * 9)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}23:05:00")
        assert play.see("charging") == "on"
        yield play


@pytest.mark.parametrize(("stops", "outcome"), [(False, "passed"), (True, "failed")])
async def test_by_the_count_of_the_miniserver(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    *,
    stops: bool,
) -> None:
    """Without a meter of our own the Miniserver's counter tells."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:

        async def pause(seconds: float) -> None:
            """Let the time of the test pass."""
            await eventually(lambda: not play.simulator.clients)
            play.box.set_allowed(not stops)
            play.simulator.advance(seconds, step_s=1.0)

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        answer = await act(RUN, answer=True, consent=True)
        result = answer[act.devices[0]]
        assert (result["outcome"], result["source"]) == (outcome, "miniserver")


async def test_refused(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without consent, right, car or charging, and during a grid event."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        act = Actions(hass, play.simulator)
        async with refused(play.entry, "fallback_consent_missing"):
            await act(RUN, consent=False)
        bob = await user_id(hass, "Bob", "user")
        async with refused(play.entry, "not_permitted"):
            await act(RUN, by=bob, consent=True)
        await act(
            "dsr_start",
            event_id="A",
            end=play.instant(f"{DAY}23:30:00").isoformat(),
            kind="limit",
            limit_kw=6.0,
        )
        await play.settle()
        async with refused(play.entry, "fallback_during_grid_event"):
            await act(RUN, consent=True)
        await act("dsr_cancel", event_id="A")
        soon = play.instant(f"{DAY}23:07:30").isoformat()
        end = play.instant(f"{DAY}23:30:00").isoformat()
        await act("dsr_start", event_id="B", start=soon, end=end, kind="pause")
        async with refused(play.entry, "fallback_during_grid_event"):
            await act(RUN, consent=True)
        await act("dsr_cancel", event_id="B")
        play.box.lock("maintenance")
        await eventually(lambda: play.see("status") == "locked")
        async with refused(play.entry, "wallbox_locked"):
            await act(RUN, consent=True)
        # What was cleared waits for some minutes, in which nothing charges.
        play.box.unlock()
        await eventually(lambda: play.see("status") == "paused")
        await play.settle()
        assert play.see("charging") == "off"
        async with refused(play.entry, "fallback_without_charging"):
            await act(RUN, consent=True)
        play.box.unplug()
        await eventually(lambda: play.see("vehicle_connected") == "off")
        async with refused(play.entry, "fallback_without_vehicle"):
            await act(RUN, consent=True)
        assert play.entry.runtime_data.miniserver.client.connections == 1


async def test_a_grid_event_that_comes_first(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It begins while the count is awaited: then the link is not dropped."""
    monkeypatch.setattr(fallback, "COUNT_WITHIN_S", 60)
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        act, miniserver = Actions(hass, play.simulator), play.wallbox.miniserver
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await eventually(lambda: miniserver.fallback is not None)
        end = play.instant(f"{DAY}23:30:00").isoformat()
        await act("dsr_start", event_id="A", end=end, kind="limit", limit_kw=6.0)
        play.simulator.advance(60, step_s=1.0)
        with pytest.raises(HomeAssistantError) as caught:
            await running
        assert caught.value.translation_key == "fallback_during_grid_event"
        assert miniserver.fallback is None
        assert miniserver.client.connections == 1


@pytest.mark.parametrize("begins", ["23:05:00", "23:07:30"])
async def test_a_grid_event_that_comes_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    begins: str,
) -> None:
    """Told while the link is dropped: the cut is over, and the event is obeyed."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        away = asyncio.Event()

        async def pause(_seconds: float) -> None:
            """Take for ever."""
            away.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(fallback, "pause", pause)
        act, miniserver = Actions(hass, play.simulator), play.wallbox.miniserver
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await away.wait()
        begin, end = (play.instant(f"{DAY}{one}") for one in (begins, "23:30:00"))
        await act(
            "dsr_start",
            event_id="A",
            start=begin.isoformat(),
            end=end.isoformat(),
            kind="limit",
            limit_kw=6.0,
        )
        with pytest.raises(HomeAssistantError) as caught:
            await running
        assert caught.value.translation_key == "fallback_ended_by_grid_event"
        assert miniserver.connected
        await play.settle()
        await play.at(f"{DAY}{begins}")
        await eventually(lambda: play.box.limit_kw == pytest.approx(6.0))
        assert miniserver.fallback is None
        assert play.wallbox.links.fallback is None


async def test_interrupted(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entry is unloaded meanwhile: it says so, and one at a time is enough."""
    async with charging_stage(hass, start_simulator, monkeypatch) as play:
        begun = asyncio.Event()

        async def pause(_seconds: float) -> None:
            """Take for ever."""
            begun.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(fallback, "pause", pause)
        act = Actions(hass, play.simulator)
        running = hass.async_create_background_task(act(RUN, consent=True), "test")
        await begun.wait()
        async with refused(play.entry, "fallback_runs_already"):
            await act(RUN, consent=True)
        await hass.config_entries.async_unload(play.entry.entry_id)
        with pytest.raises(HomeAssistantError) as caught:
            await running
        assert caught.value.translation_key == "fallback_interrupted"
        await hass.config_entries.async_setup(play.entry.entry_id)
        await eventually(lambda: play.see("miniserver_connection") == "on")
        assert play.wallbox.links.fallback is None
