"""Grid events, faults and what may be overridden when, through the actions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, map_inputs, refused, states_of
from .conftest import StartSimulator
from .helpers import entity_id
from .stage import Stage, stage
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"


@asynccontextmanager
async def night(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *draws: int,
    **changes: Any,
) -> AsyncIterator[tuple[Stage, Actions]]:
    """Play until one minute to eleven, when a car is charging."""
    async with stage(
        hass, start, monkeypatch, begin=f"{DAY}22:52:00", **changes
    ) as play:
        play.deal(0, *draws)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:59:00")
        assert play.see("status") == "charging"
        play.simulator.commands.clear()
        yield play, Actions(hass, play.simulator)


async def event(
    play: Stage, act: Actions, event_id: str, start: str, end: str, **fields: Any
) -> None:
    """Start a limit between two local times of the evening."""
    await act(
        "dsr_start",
        event_id=event_id,
        start=play.instant(f"{DAY}{start}").isoformat(),
        end=play.instant(f"{DAY}{end}").isoformat(),
        **{"kind": "limit", "limit_kw": 6.0, **fields},
    )


async def check_limits(play: Stage, *limits: tuple[str, str]) -> None:
    """Expect a limit from each local time on, and the one before until then."""
    for at, limit in limits:
        before = play.see("power_limit")
        second = f"{at[:-2]}{int(at[-2:]) - 1:02}" if at[-2:] != "00" else None
        if second is not None:
            await play.at(f"{DAY}{second}")
            assert play.see("power_limit") == before, second
        await play.at(f"{DAY}{at}")
        assert play.see("power_limit") == limit, at


async def test_a_grid_event(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A delayed limit, a response on top of it, and both their ends."""
    async with night(hass, start_simulator, monkeypatch, 45, 300) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        assert play.see("dsr_active") == "off"
        assert play.see("next_change") == "2027-01-13T23:00:00+00:00"
        await play.at(f"{DAY}23:00:00")
        assert play.see("dsr_active") == "on"
        assert play.see("dsr_event") == "A"
        assert play.see("power_limit") == "11.0"
        assert play.see("next_change") == "2027-01-13T23:00:45+00:00"
        assert play.see("status") == "charging"
        await check_limits(play, ("23:00:45", "6.0"))
        assert play.see("reason") == "dsr"
        assert play.see("status") == "charging"
        await event(
            play, act, "B", "23:10:00", "23:20:00", limit_kw=4.5, response_service=True
        )
        await check_limits(play, ("23:09:59", "6.0"), ("23:10:00", "4.5"))
        assert play.see("dsr_event") == "A, B"
        await check_limits(play, ("23:19:59", "4.5"), ("23:20:00", "6.0"))
        assert play.see("dsr_event") == "A"
        await play.at(f"{DAY}23:30:00")
        assert play.see("dsr_active") == "off"
        assert play.see("dsr_event") in {"", "unknown"}
        await check_limits(play, ("23:35:00", "11.0"))
        assert play.see("charge_mode") == "Full"
        assert play.see.commands == [
            "manualLimit/6",
            "manualLimit/4.5",
            "manualLimit/6",
            "setmode/3",
        ]
        draws = play.wallbox.controller.state.delay.draws
        assert [(draw.cause, draw.drawn_s) for draw in draws[-2:]] == [
            ("dsr", 45),
            ("dsr", 300),
        ]


@pytest.mark.parametrize(
    ("variant", "limit", "status"),
    [("11kw_tree", "0.0", "dsr"), ("7.4kw_tree", "2.0", "charging")],
)
async def test_a_limit_below_the_minimum(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    variant: Any,
    limit: str,
    status: str,
) -> None:
    """Two kilowatts pause the larger wallbox and are kept by the smaller one."""
    async with night(
        hass,
        start_simulator,
        monkeypatch,
        45,
        300,
        box=WallboxConfig(name="Garage", variant=variant),
        variant="7kw_tree" if variant.startswith("7") else "11kw_tree",
    ) as (play, act):
        full = play.see("power_limit")
        await event(play, act, "A", "23:00:00", "23:30:00", limit_kw=2.0)
        await check_limits(play, ("23:00:45", limit))
        await play.at(f"{DAY}23:01:00")
        assert play.see("status") == status
        await check_limits(play, ("23:35:00", full))


async def test_opting_out(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner leaves the event at once; it is listed as left, and stays so."""
    async with night(hass, start_simulator, monkeypatch, 45) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:05:00")
        assert play.see("power_limit") == "6.0"
        await play.see.call("button.press", "dsr_opt_out")
        assert play.see("power_limit") == "11.0"
        assert play.see("dsr_active") == "off"
        listed = (await act("dsr_list", answer=True))[act.devices[0]]
        assert [one["event_id"] for one in listed] == ["A"]
        assert listed[0]["opted_out_at"] == "2027-01-13T23:05:00+00:00"
        assert listed[0]["opted_out_by"] is not None
        assert listed[0]["active"] is False
        async with refused(play.entry, "dsr_nothing_active"):
            await play.see.call("button.press", "dsr_opt_out")
        await act("dsr_update", event_id="A", limit_kw=5.0)
        await play.at(f"{DAY}23:40:00")
        assert play.see.commands == ["manualLimit/6", "setmode/3"]


async def test_leaving_by_an_automation_is_delayed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thousands of automations would otherwise leave in the same second."""
    async with night(hass, start_simulator, monkeypatch, 45, 90) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:05:00")
        await hass.services.async_call(
            "button",
            "press",
            {"entity_id": entity_id(hass, play.simulator, "dsr_opt_out")},
            blocking=True,
        )
        await check_limits(play, ("23:06:29", "6.0"), ("23:06:30", "11.0"))


async def test_an_event_that_comes_late_or_changes(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is heard after its start, and a new limit, has a delay from then on."""
    async with night(hass, start_simulator, monkeypatch, 45, 30, 70) as (play, act):
        await play.at(f"{DAY}23:10:00")
        await event(play, act, "A", "22:50:00", "23:30:00")
        assert play.see("power_limit") == "11.0"
        await check_limits(play, ("23:10:45", "6.0"))
        await play.at(f"{DAY}23:15:00")
        await act("dsr_update", event_id="A", limit_kw=5.0)
        await check_limits(play, ("23:15:30", "5.0"))
        await play.at(f"{DAY}23:20:00")
        await act("dsr_cancel", event_id="A")
        await check_limits(play, ("23:21:10", "11.0"))


async def test_an_automation_overrides_with_a_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call without a user is a relevant time, one on behalf of a user is none."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:39:00"
    ) as play:
        play.deal(80)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}17:40:00")
        act = Actions(hass, play.simulator)
        await act("override", by=None, mode="charge")
        assert play.see("status") == "random_delay"
        await play.at(f"{DAY}17:41:19")
        assert play.see.commands == ["allow/off"]
        await play.at(f"{DAY}17:41:20")
        assert play.see.commands == ["allow/off", "allow/on"]
        record = play.wallbox.controller.state.delay.draws[-1]
        assert (record.cause, record.drawn_s) == ("automation", 80)
        await act("override", by=None, mode="pause", on_behalf_of_user=True)
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]


async def test_new_hours_are_a_relevant_time(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What follows from new hours is delayed from the instant they were set."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:49:00"
    ) as play:
        play.deal(50, 70)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}18:00:00")
        act = Actions(hass, play.simulator)
        await act("remove_default_hours", by=None)
        await play.at(f"{DAY}18:00:49")
        assert play.see("status") == "random_delay"
        await play.at(f"{DAY}18:00:50")
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at(f"{DAY}18:30:00")
        await act("set_default_hours", preset="gb_night")
        await play.at(f"{DAY}18:31:09")
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at(f"{DAY}18:31:10")
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]


async def test_a_fault(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stops at once and refuses overrides; the start after it has its draw."""
    async with night(hass, start_simulator, monkeypatch, 77) as (play, act):
        await map_inputs(hass, play.entry, play.simulator)
        play.deal(77)
        await play.settle()
        await play.at(f"{DAY}23:00:00")
        assert play.see("status") == "charging"
        assert play.see.commands == []
        play.box.set_error(101)
        await play.settle()
        assert play.see("status") == "fault"
        assert play.see("problem") == "on"
        assert play.see("charging") == "off"
        assert play.see.commands == ["allow/off"]
        async with refused(play.entry, "unsafe_fault"):
            await act("override", mode="charge")
        for button in ("charge_now", "skip_random_delay", "dsr_opt_out"):
            async with refused(play.entry, "unsafe_fault"):
                await play.see.call("button.press", button)
        await play.at(f"{DAY}23:15:00")
        play.box.set_error(0)
        await play.settle()
        assert play.see("status") == "random_delay"
        assert play.see("problem") == "off"
        assert play.see("random_delay_ends") == "2027-01-13T23:16:17+00:00"
        await play.at(f"{DAY}23:16:16")
        assert play.see.commands == ["allow/off"]
        await play.at(f"{DAY}23:16:17")
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at(f"{DAY}23:16:30")
        assert play.see("status") == "charging"


UNSAFE: dict[str, tuple[str, Callable[[Any], None]]] = {
    "fault": ("unsafe_fault", lambda box: box.set_error(102)),
    "unreachable": ("wallbox_unreachable", lambda box: box.set_online(False)),
    "locked": ("wallbox_locked", lambda box: box.lock("maintenance")),
    "load_shedding": ("unsafe_load_shedding", lambda box: box.set_loadshed(True)),
}


@pytest.mark.parametrize("override", ["charge_now", "skip_random_delay", "dsr_opt_out"])
async def test_overrides_where_it_is_safe(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    override: str,
) -> None:
    """Each override passes when all is well and is refused in every other state."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}22:00:00"
    ) as play:
        await map_inputs(hass, play.entry, play.simulator)
        play.deal(437, 437, 437)
        act = Actions(hass, play.simulator)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await event(play, act, "A", "22:00:00", "23:30:00")
        await play.at(f"{DAY}22:01:00")
        assert play.see("status") == "random_delay"
        for status, (key, harm) in UNSAFE.items():
            harm(play.box)
            await play.settle()
            assert play.see("status") == status
            commands = list(play.see.commands)
            caplog.clear()
            if status == "unreachable":
                before = states_of(play.entry)
                await play.see.call("button.press", override)
                assert states_of(play.entry) == before
            else:
                async with refused(play.entry, key):
                    await play.see.call("button.press", override)
                assert "override_refused: attempt_failed" in caplog.text
            if override != "dsr_opt_out":
                async with refused(play.entry, key):
                    await act(
                        "skip_delay" if override.startswith("skip") else "override",
                        **({} if override.startswith("skip") else {"mode": "charge"}),
                    )
                assert "override_refused: attempt_failed" in caplog.text
            assert play.see.commands == commands
            play.box.set_error(0)
            play.box.set_online(True)
            play.box.unlock()
            play.box.set_loadshed(False)
            await play.settle()
            assert play.see("status") == "random_delay"
        await play.at(f"{DAY}22:02:00")
        await play.see.call("button.press", override)
        expected = {
            "charge_now": ("override_charge", "11.0"),
            "skip_random_delay": ("dsr", "6.0"),
            "dsr_opt_out": ("random_delay", "0.0"),
        }
        assert (play.see("reason"), play.see("power_limit")) == expected[override]
