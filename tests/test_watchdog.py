"""A pulse each minute tells the Miniserver that somebody is there, and only then."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator, make_entry, set_up
from .helpers import eventually
from .stage import stage
from custom_components.loxone_wallbox import controller, watchdog
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, Simulator

NAME = "Home Assistant lebt / Käfer"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


def pulses(simulator: Simulator) -> list[int]:
    """Return the codes with which pulses were answered."""
    return [one.code for one in simulator.commands if one.command == "pulse"]


class Minutes:
    """The timers of the pulses, which go off when a test says so.

    Home Assistant's own cannot be moved alone: those of the link would go off too.
    """

    def __init__(self) -> None:
        """Start without a timer."""
        self._timers: list[Callable[[datetime], Awaitable[None]]] = []

    def track(
        self,
        _hass: HomeAssistant,
        action: Callable[[datetime], Awaitable[None]],
        interval: timedelta,
        *,
        cancel_on_shutdown: bool,
    ) -> Callable[[], None]:
        """Take a timer; returns what ends it."""
        assert interval == timedelta(seconds=60)
        assert cancel_on_shutdown
        self._timers.append(action)
        return lambda: self._timers.remove(action)

    async def pass_by(self) -> None:
        """Let a minute pass."""
        for action in tuple(self._timers):
            await action(datetime.now(UTC))


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    """Have minutes pass when the test says so."""
    minutes = Minutes()
    monkeypatch.setattr(watchdog, "async_track_time_interval", minutes.track)
    return minutes


async def choose(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> Any:
    """Name an input in the options; returns what was kept."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "link"}
    )
    await hass.config_entries.options.async_configure(
        menu["flow_id"], {"unavailable_after": 30, "watchdog_input": name}
    )
    await hass.async_block_till_done()
    return entry.options.get("watchdog_input")


def repair(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair of an input that takes no pulses."""
    issue_id = f"watchdog_refused_{entry.entry_id}"
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def proven(entry: MockConfigEntry) -> bool:
    """Tell whether the pulses count as a proof."""
    return bool(entry.runtime_data.miniserver.pulses.proven)


async def test_by_a_timer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come by themselves, and end with the entry."""
    monkeypatch.setattr(watchdog, "PULSE_EVERY", timedelta(seconds=0.05))
    simulator = await start_simulator(virtual_inputs=(NAME,))
    entry = await set_up(hass, make_entry(simulator))
    await choose(hass, entry, NAME)
    await eventually(lambda: len(pulses(simulator)) >= 4)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_pulses_each_minute(
    hass: HomeAssistant, start_simulator: StartSimulator, minutes: Minutes
) -> None:
    """From the choice on, under any name; none before, and none after it is taken back."""
    simulator = await start_simulator(virtual_inputs=(NAME,))
    entry = await set_up(hass, make_entry(simulator))
    await minutes.pass_by()
    assert pulses(simulator) == []
    assert not proven(entry)
    assert await choose(hass, entry, f" {NAME} ") == NAME
    await eventually(lambda: pulses(simulator) == [200])
    await eventually(lambda: proven(entry))
    assert simulator.commands[-1].control == NAME
    await minutes.pass_by()
    await eventually(lambda: len(pulses(simulator)) == 2)
    await minutes.pass_by()
    await eventually(lambda: len(pulses(simulator)) == 3)
    assert repair(hass, entry) is None
    assert await choose(hass, entry, "") is None
    assert not proven(entry)
    await minutes.pass_by()
    assert len(pulses(simulator)) == 3
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_input_that_is_none(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The owner is told with the name, until a pulse is taken."""
    simulator = await start_simulator(virtual_inputs=(NAME,))
    entry = await set_up(hass, make_entry(simulator))
    await choose(hass, entry, "Nobody")
    await eventually(lambda: repair(hass, entry) is not None)
    found = repair(hass, entry)
    assert found is not None
    assert found.translation_placeholders == {
        "input": "Nobody",
        "miniserver": entry.title,
        "code": "404",
    }
    assert not proven(entry)
    await choose(hass, entry, NAME)
    await eventually(lambda: repair(hass, entry) is None)
    assert proven(entry)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_no_pulse_where_nobody_decides(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    minutes: Minutes,
) -> None:
    """A decision that was forgotten is enough; it is made up for, and all is well."""
    start = partial(start_simulator, virtual_inputs=(NAME,))
    async with stage(hass, start, monkeypatch) as play:
        await choose(hass, play.entry, NAME)
        await eventually(lambda: len(pulses(play.simulator)) == 1)
        play.deal(0)
        play.box.plug(Car())
        await play.settle()
        # Nobody wakes up at ten in the evening.
        play.clock.step(6 * 3600)
        await minutes.pass_by()
        await play.settle()
        assert len(pulses(play.simulator)) == 1
        play.wallbox.async_refresh_state()
        await play.settle()
        await minutes.pass_by()
        await eventually(lambda: len(pulses(play.simulator)) == 2)


async def test_no_pulse_where_deciding_fails(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    minutes: Minutes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The last decision stands and nothing is due, but nobody decides any more."""
    start = partial(start_simulator, virtual_inputs=(NAME,))
    async with stage(hass, start, monkeypatch) as play:
        await choose(hass, play.entry, NAME)
        await eventually(lambda: len(pulses(play.simulator)) == 1)
        with monkeypatch.context() as broken:
            broken.setattr(controller, "decide", None)
            play.box.plug(Car())
            await eventually(lambda: bool(play.wallbox.state.connected))
            await minutes.pass_by()
            await play.settle()
            assert len(pulses(play.simulator)) == 1
            assert "Nothing can be decided about Garage" in caplog.text
        await minutes.pass_by()
        await eventually(lambda: len(pulses(play.simulator)) == 2)


async def test_no_pulse_without_a_link(
    hass: HomeAssistant, start_simulator: StartSimulator, minutes: Minutes
) -> None:
    """It goes on as soon as the link is back."""
    simulator = await start_simulator(virtual_inputs=(NAME,))
    entry = await set_up(hass, make_entry(simulator))
    await choose(hass, entry, NAME)
    await eventually(lambda: len(pulses(simulator)) == 1)
    simulator.fault("booting")
    await simulator.drop(hard=False)
    client = entry.runtime_data.miniserver.client
    await eventually(lambda: not client.connected)
    await minutes.pass_by()
    simulator.clear("booting")
    await eventually(lambda: bool(client.connected))
    assert len(pulses(simulator)) == 1
    await minutes.pass_by()
    await eventually(lambda: len(pulses(simulator)) == 2)
    await hass.config_entries.async_unload(entry.entry_id)
