"""What a person may not raise where it may harm, and what only lowers is free."""

from collections.abc import Callable
from typing import Any

import pytest

from homeassistant.core import Context, HomeAssistant

from .actions import Actions, refused, user_id
from .conftest import StartSimulator
from .helpers import Surface, entity_id, eventually
from .stage import Stage, stage
from .test_grid import check_limits, event, night
from .test_safety import waiting
from custom_components.loxone_wallbox.rights import SecurityEvent
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"


def tamper(box: Any, *, on: bool) -> None:
    """Tamper with a wallbox."""
    box.set_contact("Tamper", on)


def shed(box: Any, *, on: bool) -> None:
    """Shed its load."""
    box.set_loadshed(on)


HARMS: dict[str, tuple[str, Callable[..., None]]] = {
    "keep": ("unsafe_tamper", tamper),
    "limit": ("unsafe_tamper", tamper),
    "shed": ("unsafe_load_shedding", shed),
}


async def check_refused(
    play: Stage, told: list[SecurityEvent], key: str, act: tuple[str, str, Any]
) -> None:
    """Expect that an entity refuses a raise, says why and tells the security log."""
    service, entity, data = act
    told.clear()
    async with refused(play.entry, key):
        await play.see.call(service, entity, **data)
    (one,) = told
    assert (one.kind, one.outcome) == ("override_refused", "attempt_failed")
    assert one.detail == {"action": entity, "reason": key}
    assert one.user_id is not None


RAISES: tuple[tuple[str, str, Any], ...] = (
    ("switch.turn_on", "charging_allowed", {}),
    ("number.set_value", "target_power", {"value": 9}),
    ("select.select_option", "charge_mode", {"option": "Full"}),
)
LOWERS: tuple[tuple[str, str, Any], ...] = (
    ("number.set_value", "target_power", {"value": 6}),
    ("switch.turn_off", "charging_allowed", {}),
)


@pytest.mark.parametrize("harm", HARMS)
async def test_no_other_control_starts_or_raises(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    harm: str,
) -> None:
    """Neither permission, power nor mode; less and no charging are always taken."""
    key, set_harm = HARMS[harm]
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        await play.see.call("number.set_value", "target_power", value=7)
        if harm != "shed":
            await play.see.call("select.select_option", "tamper_policy", option=harm)
        set_harm(play.box, on=True)
        await play.settle()
        told.clear()
        for service, entity, data in LOWERS:
            await play.see.call(service, entity, **data)
            await play.settle()
        assert told == []
        for act in RAISES:
            await check_refused(play, told, key, act)
        await play.at(f"{DAY}22:05:00")
        assert play.see.commands[-1] == "allow/off"
        set_harm(play.box, on=False)
        await play.settle()
        for service, entity, data in RAISES:
            await play.see.call(service, entity, **data)
            await play.settle()
        assert "override_refused" not in {one.kind for one in told[1:]}
        assert play.see.commands[-1] == "allow/on"


@pytest.mark.parametrize("harm", HARMS)
async def test_a_shorter_longest_delay_starts_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    harm: str,
) -> None:
    """It is kept, for what comes; what waits keeps its end."""
    _, set_harm = HARMS[harm]
    async with waiting(hass, start_simulator, monkeypatch) as (play, _):
        if harm != "shed":
            await play.see.call("select.select_option", "tamper_policy", option=harm)
        ends = play.see("random_delay_ends")
        set_harm(play.box, on=True)
        await play.settle()
        await play.see.call("number.set_value", "max_random_delay", value=0)
        await play.settle()
        assert play.see("max_random_delay") == "0"
        assert play.see("random_delay_ends") == ends
        assert play.see("power_limit") == "0.0"
        set_harm(play.box, on=False)
        await play.settle()
        await play.see.call("number.set_value", "max_random_delay", value=1)
        await play.at(f"{DAY}22:01:01")
        assert play.see("random_delay_active") == "off"
        await eventually(lambda: play.see("power_limit") == "6.0")


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_power_while_a_rise_waits(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    by_hand: bool,
) -> None:
    """A person has what was asked for at once, an automation when the draw is over."""
    async with night(hass, start_simulator, monkeypatch, 10, 437) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:31:00")
        assert play.see("power_limit") == "6.0"
        by = await user_id(hass) if by_hand else None
        await set_power(play, 9, by)
        assert play.see("power_limit") == ("9.0" if by_hand else "6.0")
        assert play.see("random_delay_active") == ("off" if by_hand else "on")
        await check_limits(play, ("23:37:17", "9.0"))


async def set_power(play: Stage, power_kw: float, by: str | None) -> None:
    """Set the target power, as a person or without one."""
    await play.hass.services.async_call(
        "number",
        "set_value",
        {
            "entity_id": entity_id(play.hass, play.simulator, "target_power"),
            "value": power_kw,
        },
        blocking=True,
        context=Context(user_id=by),
    )
    await play.settle()


@pytest.mark.parametrize("response", [True, False])
async def test_a_managed_wallbox_is_paused_by_a_limit(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    response: bool,
) -> None:
    """It takes no limit from us, so less than its manager may give is none."""
    box = WallboxConfig(name="Garage", managed=True)
    async with night(
        hass, start_simulator, monkeypatch, 0, 0, box=box, manager=True
    ) as (play, act):
        fields = {"response_service": response}
        await event(play, act, "A", "23:00:00", "23:30:00", **fields)
        await play.at(f"{DAY}23:01:00")
        assert play.see.commands == ["allow/off"]
        assert play.see("power_limit") == "0.0"
        assert (play.see("reason"), play.see("status")) == ("dsr", "dsr")
        await play.restart()
        assert play.see("status") == "dsr"
        await play.at(f"{DAY}23:30:00")
        assert play.see.commands == ["allow/off", "allow/on"]
        await event(play, act, "B", "23:40:00", "23:50:00", limit_kw=11, **fields)
        await play.at(f"{DAY}23:41:00")
        assert play.see("power_limit") != "0.0"
        assert play.see.commands == ["allow/off", "allow/on"]


async def test_a_managed_wallbox_in_a_split(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is too little for it goes to the other, and the site keeps its limit."""
    boxes = (
        WallboxConfig(name="Garage", managed=True),
        WallboxConfig(name="Carport"),
    )
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=f"{DAY}22:52:00",
        boxes=boxes,
        manager=True,
    ) as play:
        for subentry, priority in zip(
            play.entry.subentries.values(), (80, 20), strict=True
        ):
            data = {**subentry.data, "priority": priority}
            hass.config_entries.async_update_subentry(play.entry, subentry, data=data)
        await play.settle()
        play.deal(*[0] * 20)
        for box in play.simulator.wallboxes:
            box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.at(f"{DAY}23:00:00")
        managed, other = (Surface(hass, play.simulator, one) for one in (0, 1))
        assert (managed("charging"), other("charging")) == ("on", "on")
        act = Actions(hass, play.simulator)
        act.devices = [play.entry.runtime_data.miniserver.device_id]
        end = play.instant(f"{DAY}23:50:00").isoformat()
        fields = {"kind": "limit", "response_service": True}
        await act("dsr_start", event_id="site", end=end, limit_kw=10, **fields)
        await play.at(f"{DAY}23:02:00")
        assert (managed("power_limit"), other("power_limit")) == ("0.0", "10.0")
        await act("dsr_update", event_id="site", limit_kw=16)
        await play.at(f"{DAY}23:12:00")
        assert managed("charging") == "on"
        assert other("power_limit") == "5.0"


async def test_an_override_that_is_over_ends_no_more(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its end is shown while it holds, and not afterwards."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:35:00"
    ) as play:
        play.deal(60)
        act = Actions(hass, play.simulator)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await act("override", mode="charge", until="duration", duration="01:00:00")
        await play.at(f"{DAY}17:40:00")
        assert play.see("override_ends") == "2027-01-13T18:35:00+00:00"
        await play.see.call("button.press", "resume_schedule")
        await play.settle()
        assert play.see("override_ends") == "unknown"
        play.box.unplug()
        await play.settle()
        assert play.see("override_ends") == "unknown"


def check_no_delay(play: Stage, status: str, reason: str) -> None:
    """Expect that no random delay is shown anywhere."""
    assert (play.see("status"), play.see("reason")) == (status, reason)
    assert play.see("random_delay_active") == "off"
    assert play.see("random_delay_ends") == "unknown"
    assert play.see.attribute("random_delay_ends", "seconds_drawn") is None


async def plugged_at(play: Stage, at: str) -> None:
    """Plug a car in at a time of the morning."""
    await play.at(f"2027-01-14T{at}")
    play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
    await play.settle()


MORNING = "2027-01-14T07:50:00"


@pytest.mark.parametrize("who", ["aggregator", "home_assistant"])
async def test_the_last_minutes_without_a_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
) -> None:
    """Where nothing is drawn a car charges until the end; a minute is not worth it."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=MORNING, who_delays=who
    ) as play:
        play.deal()
        await play.see.call("number.set_value", "max_random_delay", value=0)
        await plugged_at(play, "07:56:00")
        await play.at("2027-01-14T07:56:30")
        check_no_delay(play, "charging", "default_hours")
        await play.at("2027-01-14T08:00:00")
        check_no_delay(play, "waiting_for_default_hours", "outside_default_hours")
        play.box.unplug()
        await play.settle()
        await play.at("2027-01-15T07:58:30")
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        check_no_delay(play, "waiting_for_default_hours", "outside_default_hours")


async def test_a_start_that_comes_too_late(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits for the next window, and not for its random delay."""
    async with stage(hass, start_simulator, monkeypatch, begin=MORNING) as play:
        play.deal(100, 0)
        await play.see.call(
            "select.select_option", "end_delay", option="after_boundary"
        )
        await plugged_at(play, "07:54:00")
        check_no_delay(play, "waiting_for_default_hours", "outside_default_hours")
        assert play.see("next_change") == "2027-01-14T22:00:00+00:00"
        await play.at("2027-01-14T08:00:00")
        check_no_delay(play, "waiting_for_default_hours", "outside_default_hours")
        assert play.see.commands == ["allow/off"]


async def test_a_rest_is_no_random_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The contactor is spared after a short pause; nothing was drawn for that."""
    async with night(hass, start_simulator, monkeypatch, who_delays="aggregator") as (
        play,
        act,
    ):
        await event(play, act, "A", "23:00:00", "23:02:00", kind="pause")
        await play.at(f"{DAY}23:03:00")
        check_no_delay(play, "dsr", "dsr")
        assert play.see("next_change") == "2027-01-13T23:05:00+00:00"
        await check_limits(play, ("23:05:00", "11.0"))


async def test_an_event_that_was_called_off_takes_no_update(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is refused, so that nobody believes that it holds; a new one may begin."""
    async with night(hass, start_simulator, monkeypatch, 10) as (play, act):
        await event(play, act, "A", "23:10:00", "23:30:00")
        await act("dsr_cancel", event_id="A")
        async with refused(play.entry, "dsr_is_over"):
            await act("dsr_update", event_id="A", limit_kw=5.0)
        await event(play, act, "A", "23:10:00", "23:30:00", version=2, limit_kw=5.0)
        await play.at(f"{DAY}23:10:10")
        assert play.see("power_limit") == "5.0"
