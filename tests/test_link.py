"""What the rules do when the link, the disk or Home Assistant itself goes away."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import os
from pathlib import Path
from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, RESTART_EXIT_CODE
from homeassistant.core import CoreState, HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.records import journal
from simulator import Car

DAY = "2027-01-13T"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S", "RETRY_NO_SLOT_S"):
        monkeypatch.setattr(backoff, name, 0.05)


@asynccontextmanager
async def plugged(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    begin: str,
    *draws: int,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """Play from a local time of the day with a car that was just plugged in."""
    async with stage(
        hass, start, monkeypatch, begin=f"{DAY}{begin}", **changes
    ) as play:
        play.deal(*draws)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        yield play


async def away(play: Stage, until: str, *, by: str = "503") -> None:
    """Lose the link now and have it back at a local time.

    A Miniserver that restarts says so `by` a header or with 503, else it is a `loss`.
    """
    play.simulator.fault("booting" if by == "503" else "no_slot")
    if by == "header":
        await play.simulator.restart(0)
    else:
        await play.simulator.drop(hard=False)
    await eventually(lambda: play.see("miniserver_connection") == "off")
    client = play.wallbox.client
    await eventually(lambda: client.restarted is (by != "loss"))
    seconds = play.instant(f"{DAY}{until}").timestamp() - play.clock.time()
    play.simulator.advance(seconds, step_s=max(0.1, seconds / 40))
    play.clock.step(play.instant(f"{DAY}{until}").timestamp() - play.clock.time())
    play.simulator.clear()
    await eventually(lambda: play.see("miniserver_connection") == "on", 10)
    await play.settle()


async def test_silence(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wallbox charges on; afterwards the energy is complete, without a command."""
    async with plugged(hass, start_simulator, monkeypatch, "22:35:00", 453) as play:
        assert play.see("random_delay_ends") == "2027-01-13T22:42:33+00:00"
        await play.at(f"{DAY}23:00:00")
        assert play.see.commands == ["allow/off", "allow/on"]
        assert float(play.see("energy_total")) - 100 == pytest.approx(3.2, abs=0.06)
        await away(play, "23:20:00")
        assert float(play.see("energy_total")) - 100 == pytest.approx(6.87, abs=0.06)
        await play.at(f"{DAY}23:40:00")
        assert play.see("status") == "charging"
        assert play.see.commands == ["allow/off", "allow/on"]


async def test_another_decision_after_a_loss(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What became due while the link was away draws anew when it is back."""
    async with plugged(hass, start_simulator, monkeypatch, "21:55:00", 88) as play:
        await away(play, "22:20:00")
        assert play.see("status") == "random_delay"
        pending = play.wallbox.controller.state.delay.pending
        assert pending is not None
        assert pending.cause == "reconnect"
        await play.at(f"{DAY}22:21:27")
        assert play.see.commands == ["allow/off"]
        await play.at(f"{DAY}22:21:28")
        assert play.see.commands == ["allow/off", "allow/on"]


@pytest.mark.parametrize(
    ("by", "cause", "due"),
    [
        ("loss", "default_hours", "22:01:28"),
        ("503", "reconnect", "22:01:38"),
        ("header", "reconnect", "22:01:38"),
    ],
)
async def test_a_short_loss(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
    cause: str,
    due: str,
) -> None:
    """Under half a minute nothing was lost, unless the Miniserver said it restarts."""
    async with plugged(hass, start_simulator, monkeypatch, "21:59:50", 88) as play:
        await away(play, "22:00:10", by=by)
        pending = play.wallbox.controller.state.delay.pending
        assert pending is not None
        assert pending.cause == cause
        assert play.see("random_delay_ends") == f"{DAY}{due}+00:00"


async def retried(play: Stage, until: str, *, refused: bool) -> None:
    """Unload, fail to set up before a Miniserver that restarts, then succeed."""
    hass, entry = play.hass, play.entry
    await hass.config_entries.async_unload(entry.entry_id)
    if refused:
        await play.simulator.stop()
    else:
        play.simulator.fault("booting")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    state = entry.state
    assert state is ConfigEntryState.SETUP_RETRY
    play.clock.step(play.instant(f"{DAY}{until}").timestamp() - play.clock.time())
    if refused:
        await play.simulator.start()
        data = {**entry.data, "port": play.simulator.port}
        hass.config_entries.async_update_entry(entry, data=data)
    else:
        play.simulator.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await play.settle()


@pytest.mark.parametrize("refused", [False, True])
async def test_first_contact_after_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    refused: bool,
) -> None:
    """A Miniserver that restarted while nobody watched is a reason for a new draw."""
    monkeypatch.setattr(
        "random.SystemRandom.randint", lambda _self, _low, _high: 88, raising=True
    )
    async with plugged(hass, start_simulator, monkeypatch, "21:55:00") as play:
        assert play.see.commands == ["allow/off"]
        await retried(play, "22:21:00", refused=refused)
        pending = play.wallbox.controller.state.delay.pending
        assert pending is not None
        assert pending.cause == "reconnect"
        assert pending.relevant_at == play.instant(f"{DAY}22:21:00")
        assert play.see("random_delay_ends") == f"{DAY}22:22:28+00:00"
        assert play.see.commands == ["allow/off"]
        # It is remembered once: the next start finds what is pending as it was.
        await play.restart()
        assert play.wallbox.controller.state.delay.pending == pending


async def test_first_contact_keeps_a_deadline(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A delay whose deadline is still ahead is not drawn anew."""
    async with plugged(hass, start_simulator, monkeypatch, "21:59:00", 437) as play:
        await play.at(f"{DAY}22:01:00")
        before = play.wallbox.controller.state.delay.pending
        assert before is not None
        await retried(play, "22:05:00", refused=False)
        assert play.wallbox.controller.state.delay.pending == before


async def test_our_own_start_draws_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a failed attempt what became due meanwhile is done at once."""
    async with plugged(hass, start_simulator, monkeypatch, "21:55:00") as play:
        await hass.config_entries.async_unload(play.entry.entry_id)
        play.clock.step(26 * 60)
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        delay = play.wallbox.controller.state.delay
        assert delay.pending is None
        assert [one.cause for one in delay.draws] == ["default_hours"]
        assert play.see.commands == ["allow/off", "allow/on"]


@pytest.mark.parametrize(("back", "due"), [("22:05:00", "22:07:17"), ("22:20:00", "")])
async def test_a_delay_that_ran_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    back: str,
    due: str,
) -> None:
    """The deadline stands; one that has passed is acted on at once."""
    async with plugged(hass, start_simulator, monkeypatch, "21:59:00", 437) as play:
        await play.at(f"{DAY}22:01:00")
        await away(play, back)
        if due:
            assert play.see("random_delay_ends") == f"{DAY}{due}+00:00"
            assert play.see.commands == ["allow/off"]
            await play.at(f"{DAY}{due}")
        assert play.see.commands == ["allow/off", "allow/on"]


async def stop(hass: HomeAssistant) -> None:
    """Stop Home Assistant as far as the integration sees it."""
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)


async def owner_pauses(play: Stage) -> None:
    """Take the permission."""
    await play.see.call("switch.turn_off", "charging_allowed")


async def owner_leaves(play: Stage) -> None:
    """Choose to leave things as they are."""
    await play.see.call("select.select_option", "handover", option="leave")


async def nothing(play: Stage) -> None:
    """Prepare nothing."""


@pytest.mark.parametrize(
    ("exit_code", "prepare", "commands"),
    [
        (0, nothing, ["allow/off", "allow/on"]),
        (RESTART_EXIT_CODE, nothing, ["allow/off"]),
        (0, owner_leaves, ["allow/off"]),
        (0, owner_pauses, ["allow/off"]),
    ],
)
async def test_stop(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    exit_code: int,
    prepare: Callable[[Stage], Any],
    commands: list[str],
) -> None:
    """A stop hands over what the rules hold back, a restart does not."""
    async with plugged(hass, start_simulator, monkeypatch, "17:30:00") as play:
        await prepare(play)
        monkeypatch.setattr(hass, "exit_code", exit_code)
        await stop(hass)
        assert play.see.commands == commands


@pytest.mark.parametrize(
    ("exit_code", "prepare", "commands"),
    [
        (0, nothing, ["allow/off", "allow/on"]),
        (RESTART_EXIT_CODE, nothing, ["allow/off"]),
        (0, owner_leaves, ["allow/off"]),
        (0, owner_pauses, ["allow/off"]),
    ],
)
async def test_stop_with_nothing_plugged_in(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    exit_code: int,
    prepare: Callable[[Stage], Any],
    commands: list[str],
) -> None:
    """The next car finds a wallbox that charges, also one strictly by the hours."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:30:00", strict=True
    ) as play:
        assert play.see("reason") == "no_vehicle"
        assert play.see.commands == ["allow/off"]
        await prepare(play)
        monkeypatch.setattr(hass, "exit_code", exit_code)
        await stop(hass)
        assert play.see.commands == commands


async def test_disabled(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unloading and reloading leave things alone, disabling hands over."""
    async with plugged(hass, start_simulator, monkeypatch, "17:30:00") as play:
        await hass.config_entries.async_reload(play.entry.entry_id)
        play.deal()
        await play.restart()
        assert play.see.commands == ["allow/off"]
        assert play.see("status") == "waiting_for_default_hours"
        await hass.config_entries.async_set_disabled_by(
            play.entry.entry_id, ConfigEntryDisabler.USER
        )
        assert play.see.commands == ["allow/off", "allow/on"]
        await hass.config_entries.async_set_disabled_by(play.entry.entry_id, None)
        await play.settle()


def state_file(hass: HomeAssistant) -> Path:
    """Return the file of the wallbox's state."""
    return next(Path(hass.config.path(DOMAIN)).rglob("*.state.jsonl"))


async def test_the_state_survives(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything the owner set and what is under way is there after a reload."""
    async with plugged(hass, start_simulator, monkeypatch, "22:00:00", 437) as play:
        await play.at(f"{DAY}22:01:00")
        act = Actions(hass, play.simulator)
        end = play.instant(f"{DAY}23:30:00").isoformat()
        await act("dsr_start", event_id="A", end=end, kind="limit", limit_kw=5)
        await act("set_default_hours", preset="gb_complement")
        await play.see.call("number.set_value", "target_power", value=8)
        await play.see.call("select.select_option", "handover", option="leave")
        before = play.wallbox.controller.state
        assert before.delay.pending is not None
        await play.restart()
        assert play.wallbox.controller.state == before


async def test_a_damaged_state(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What cannot be read starts anew, is said, and charges."""
    async with plugged(hass, start_simulator, monkeypatch, "22:00:00", 437, 5) as play:
        await play.see.call("number.set_value", "max_random_delay", value=900)
        await hass.config_entries.async_unload(play.entry.entry_id)
        await hass.async_add_executor_job(
            journal.Journal(state_file(hass)).append, {"schema": 1, "profile": 7}
        )
        play.simulator.advance(600, step_s=10)
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        assert "could not be read and starts anew" in caplog.text
        assert play.see("max_random_delay") == "600"
        assert play.see("default_hours") == "on"
        caplog.clear()


async def test_a_full_disk(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Charging goes on by what is in memory; it is said once, and when it is back."""
    async with plugged(hass, start_simulator, monkeypatch, "21:59:00", 60) as play:
        with monkeypatch.context() as full:

            def refuse(_file: int) -> None:
                """Be full."""
                raise OSError(28, "No space left on device")

            full.setattr(os, "fsync", refuse)
            await play.at(f"{DAY}22:00:30")
            assert play.see("status") == "random_delay"
            await play.see.call("number.set_value", "max_random_delay", value=900)
            await play.at(f"{DAY}22:01:00")
            assert play.see.commands == ["allow/off", "allow/on"]
            assert caplog.text.count("could not be kept") == 1
            caplog.clear()
        await play.see.call("number.set_value", "max_random_delay", value=800)
        await play.restart()
        assert play.see("max_random_delay") == "800"
        assert play.see.commands == ["allow/off", "allow/on"]
