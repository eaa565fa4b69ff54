"""Stories of single evenings to their very end, by Home Assistant's own surface."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, refused, user_id
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .recorded import Recorded
from .security_home import logged
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.delay import Outcome
from simulator import Car

DAY = "2027-01-13T"
MORNING = "2027-01-14T"
# From 22:07:17 on at 11 kW a car with so much room is full at 03:34:33.
ROOM_KWH = 60.0


async def plug(play: Stage, room_kwh: float = 190) -> None:
    """Plug a car in that has room for so much energy."""
    play.box.plug(Car(capacity_kwh=room_kwh + 10, energy_kwh=10))
    await eventually(lambda: play.see("vehicle_connected") == "on")
    await play.settle()


async def test_a_night_to_its_very_end(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Full in the night, unplugged in the morning: one session, everywhere the same."""
    await hass.config.async_set_time_zone("Europe/London")
    async with stage(hass, start_simulator, monkeypatch) as play:
        recorded = Recorded(hass, play.simulator)
        play.deal(437)
        await play.at(f"{DAY}17:30:00")
        before = play.box.total_kwh
        await plug(play, ROOM_KWH)
        await play.at(f"{DAY}22:07:17")
        for at in (f"{DAY}22:10:00", f"{MORNING}00:00:00", f"{MORNING}03:34:00"):
            await play.at(at)
            assert play.see("status") == "charging"
        await play.at(f"{MORNING}03:34:40")
        assert play.see("charging") == "off"
        # What tells a full car from a short pause is a while without current.
        await play.at(f"{MORNING}03:37:40")
        assert play.see("status") == "finished"
        assert recorded.kinds[-1] != "session_finished"
        await play.at(f"{MORNING}07:45:00")
        assert play.see("status") == "finished"
        assert float(play.see("session_energy")) == pytest.approx(ROOM_KWH, abs=0.01)
        play.box.unplug()
        await eventually(lambda: play.see("status") == "disconnected")
        await play.settle()
        assert play.see("vehicle_connected") == "off"
        assert play.see.commands == ["allow/off", "allow/on"]
        assert recorded.kinds == [
            "session_started",
            "charging_started",
            "charging_paused",
            "session_finished",
        ]
        taken = play.box.total_kwh - before
        assert taken == pytest.approx(ROOM_KWH)
        assert float(play.see("last_session_energy")) == pytest.approx(taken, abs=0.001)
        assert float(play.see("session_connected_time")) == pytest.approx(14.25)
        # 60 kWh at 11 kW.
        charging_h = pytest.approx(ROOM_KWH / 11, rel=0.02)
        assert float(play.see("session_charging_time")) == charging_h
        await check_lists(hass, play, recorded, taken)


async def check_lists(
    hass: HomeAssistant, play: Stage, recorded: Recorded, taken_kwh: float
) -> None:
    """Find the session of the night in the list, in the months and in the calendar."""
    act = Actions(hass, play.simulator)
    [record] = await recorded.records()
    listed = await act("get_sessions", answer=True)
    [session] = listed["sessions"]
    assert listed["total"] == 1
    assert session["id"] == record.id == recorded.told[-1]["session_id"]
    assert session["energy_kwh"] == pytest.approx(taken_kwh, abs=0.001)
    assert session["connected_utc"] == "2027-01-13T17:30:00+00:00"
    assert session["disconnected_utc"] == "2027-01-14T07:45:00+00:00"
    assert session["connected_s"] == 14.25 * 3600
    assert session["charging_s"] == record.importing_s
    assert session["stop_reason"] == "car"
    summary = await act("get_summary", answer=True, date="2027-01-20")
    assert summary["total"]["energy_kwh"] == session["energy_kwh"]
    assert summary["total"]["sessions"] == 1
    calendar = entity_id(hass, play.simulator, "sessions")
    answer: Any = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": calendar,
            "start_date_time": f"{DAY}00:00:00+00:00",
            "end_date_time": f"{MORNING}23:00:00+00:00",
        },
        blocking=True,
        return_response=True,
    )
    [event] = answer[calendar]["events"]
    assert event["start"] == "2027-01-13T17:30:00+00:00"
    assert event["end"] == "2027-01-14T07:45:00+00:00"
    assert event["summary"] == "Charged 60.00 kWh"
    assert "Plugged in: 14 h 15 min" in event["description"]


async def test_an_override_until_seven(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends by itself at its time; the stop is a relevant time with its own draw."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:39:00"
    ) as play:
        play.deal(60)
        await plug(play)
        await play.at(f"{DAY}17:40:00")
        act = Actions(hass, play.simulator)
        await act(
            "override", mode="charge", until="time", end="2027-01-13T19:00:00+00:00"
        )
        assert play.see.commands == ["allow/off", "allow/on"]
        assert play.see("override_ends") == "2027-01-13T19:00:00+00:00"
        assert play.see.attribute("override_ends", "mode") == "charge"
        assert play.see("next_change") == "2027-01-13T19:00:00+00:00"
        await play.at(f"{DAY}18:59:59")
        assert play.see("reason") == "override_charge"
        before = play.wallbox.controller.state.delay.draws
        assert before == ()
        await play.at(f"{DAY}19:00:00")
        assert play.see("override_ends") == "unknown"
        assert play.see.attribute("override_ends", "mode") is None
        assert play.see("random_delay_ends") == "2027-01-13T19:01:00+00:00"
        await play.at(f"{DAY}19:00:59")
        assert play.see("status") == "charging"
        assert play.see.commands == ["allow/off", "allow/on"]
        await play.at(f"{DAY}19:01:00")
        assert play.see.commands == ["allow/off", "allow/on", "allow/off"]
        [draw] = play.wallbox.controller.state.delay.draws
        assert (draw.cause, draw.drawn_s) == ("override_end", 60)
        assert draw.relevant_at == play.instant(f"{DAY}19:00:00")
        assert draw.outcome is Outcome.APPLIED
        await eventually(lambda: play.see("status") == "waiting_for_default_hours")
        assert play.see("next_change") == "2027-01-13T22:00:00+00:00"


async def test_a_user_without_the_right(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who may not is told so, nothing changes at the wallbox, and it is recorded."""
    ann = await user_id(hass, "Ann", "user")
    bob = await user_id(hass, "Bob", "user")
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=f"{DAY}17:39:00",
        override_users=[ann],
    ) as play:
        play.deal()
        await plug(play)
        await play.at(f"{DAY}17:40:00")
        act = Actions(hass, play.simulator)
        async with refused(play.entry, "not_permitted"):
            await act("override", by=bob, mode="charge")
        [record] = await logged(hass, play.simulator, "action_denied")
        assert record["outcome"] == "attempt_failed"
        assert record["utc"] == "2027-01-13T17:40:00.000Z"
        assert record["detail"]["action"] == "override"
        await play.at(f"{DAY}17:41:00")
        assert play.see("status") == "waiting_for_default_hours"
        assert play.see.commands == ["allow/off"]
        await act("override", by=ann, mode="charge")
        assert play.see("reason") == "override_charge"
        assert play.see.commands == ["allow/off", "allow/on"]
