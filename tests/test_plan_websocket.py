"""The plan of a wallbox as the card asks for it."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.auth.models import Group
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import device_of
from .conftest import StartSimulator
from .cost_home import TIME_OF_USE
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.rights import Actor
from simulator import Car


async def asked(
    play: Stage, hass_ws_client: WebSocketGenerator, **asked: Any
) -> dict[str, Any]:
    """Ask for a plan and return the whole answer."""
    client = await hass_ws_client(play.hass)
    device = device_of(play.hass, play.simulator)
    message = {"type": "loxone_wallbox/plan", "device_id": device, **asked}
    await client.send_json_auto_id(message)
    answer: dict[str, Any] = await client.receive_json()
    return answer


def span(play: Stage, start: str, end: str) -> dict[str, str]:
    """Return a span of local times as the answer has it."""
    return {
        "start": play.instant(start).isoformat(),
        "end": play.instant(end).isoformat(),
    }


def event(play: Stage, name: str, start: str, end: str, **more: Any) -> DsrEvent:
    """Return a grid event of local times."""
    return DsrEvent(
        **{
            "event_id": name,
            "start": play.instant(start),
            "end": play.instant(end),
            "kind": DsrKind.LIMIT,
            "limit_kw": 4.0,
            "heard_at": dt_util.utcnow(),
            **more,
        }
    )


async def test_a_day(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Hours, peak, prices and grid events of a day; hours are told whole."""
    await hass.config.async_set_time_zone("Europe/London")
    async with stage(hass, start_simulator, monkeypatch, tariff=TIME_OF_USE) as play:
        soon = event(play, "soon", "2027-01-14T09:00:00", "2027-01-14T09:30:00")
        await play.wallbox.acts.async_add_event(soon)
        gone = event(play, "gone", "2027-01-14T12:00:00", "2027-01-14T13:00:00")
        await play.wallbox.acts.async_add_event(gone)
        await play.wallbox.acts.async_cancel_event(gone.key)
        day = span(play, "2027-01-13T18:00:00", "2027-01-14T18:00:00")
        plan = (await asked(play, hass_ws_client, **day))["result"]
        assert {name: plan[name] for name in day} == day
        assert plan["default_hours"] == [
            span(play, "2027-01-13T22:00:00", "2027-01-14T08:00:00")
        ]
        assert plan["peak"] == [
            span(play, "2027-01-13T16:00:00", "2027-01-13T22:00:00"),
            span(play, "2027-01-14T08:00:00", "2027-01-14T11:00:00"),
            span(play, "2027-01-14T16:00:00", "2027-01-14T22:00:00"),
        ]
        assert plan["currency"] == "GBP"
        assert [(one["start"], one["per_kwh"]) for one in plan["prices"]] == [
            (play.instant("2027-01-13T18:00:00").isoformat(), 0.25),
            (play.instant("2027-01-14T00:30:00").isoformat(), 0.07),
            (play.instant("2027-01-14T05:30:00").isoformat(), 0.25),
        ]
        assert not any(one["provisional"] for one in plan["prices"])
        assert plan["events"] == [
            {
                "id": "soon",
                "program": "",
                "kind": "limit",
                "limit_kw": 4.0,
                "active": False,
                **span(play, "2027-01-14T09:00:00", "2027-01-14T09:30:00"),
            }
        ]
        assert (plan["override"], plan["delay"]) == (None, None)


async def test_delay_and_override(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The delay that runs with what follows it, then the override that ended it."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        play.deal(300, *[0] * 9)
        play.box.plug(Car(capacity_kwh=60, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T22:01:00")
        delay = (await asked(play, hass_ws_client))["result"]["delay"]
        assert delay == {
            "cause": "default_hours",
            "limit_kw": pytest.approx(play.wallbox.info.max_kw),
            **span(play, "2027-01-13T22:00:00", "2027-01-13T22:05:00"),
        }
        await play.see.call("button.press", "pause_now")
        await play.settle()
        plan = (await asked(play, hass_ws_client))["result"]
        assert plan["delay"] is None
        assert plan["override"] == {
            "mode": "pause",
            "start": play.instant("2027-01-13T22:01:00").isoformat(),
            "end": None,
        }
        # Before it began there was none to draw.
        before = span(play, "2027-01-13T20:00:00", "2027-01-13T21:00:00")
        assert (await asked(play, hass_ws_client, **before))["result"][
            "override"
        ] is None
        await play.wallbox.acts.async_resume(Actor(user_id=None, by_hand=True))
        night = span(play, "2027-01-13T21:00:00", "2027-01-13T23:00:00")
        assert (await asked(play, hass_ws_client, **night))["result"][
            "override"
        ] is None


async def test_refused(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: Any,
) -> None:
    """Times that are none, a device that is none, and who may not see the power."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        for start, end, key in (
            ("2027-01-13T18:00:00Z", "2027-01-13T18:00:00Z", "plan_time_invalid"),
            ("2027-01-13T18:00:00Z", "2027-01-23T18:00:00Z", "plan_time_invalid"),
            ("9999-12-31T23:00:00Z", "9999-12-31T23:30:00Z", "plan_time_invalid"),
            ("2027-01-13T18:00:00", "2027-01-14T18:00:00", "time_naive"),
        ):
            answer = await asked(play, hass_ws_client, start=start, end=end)
            assert answer["error"]["translation_key"] == key
        answer = await asked(play, hass_ws_client, device_id="nobody")
        assert answer["error"]["code"] == "not_found"
        hass_admin_user.groups = [Group(name="none", policy={}, id="none")]
        hass_admin_user.invalidate_cache()
        answer = await asked(play, hass_ws_client)
        assert answer["error"]["code"] == "unauthorized"
