"""Charging with the sun by blueprint: a grid sensor, a day, and what the box does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions
from .blueprint_helpers import AUTOMATION, running, use
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .stage import Stage, stage
from simulator import Car

GRID = "sensor.grid_power"
DAY = "2027-06-16T"
NOW = {"hours": 0, "minutes": 0, "seconds": 0}
LONG = {"hours": 1, "minutes": 0, "seconds": 0}
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Roof:
    """A wallbox of 11 kW, and the power at the grid connection."""

    def __init__(self, play: Stage, *, sign: float = -1.0) -> None:
        """Take the stage, and which sign the grid sensor gives to an export."""
        self.hass = play.hass
        self.play = play
        self.see = play.see
        self.act = Actions(play.hass, play.simulator)
        self._sign = sign

    async def plug(self) -> None:
        """Plug a car in."""
        self.play.box.plug(Car(capacity_kwh=500, energy_kwh=10))
        await self.done()

    async def sun(self, kw: float) -> None:
        """Let the sun give more than the house uses, of which the car takes its part."""
        flow = self._sign * (kw - self.drawn_kw)
        unit = {"unit_of_measurement": "kW"}
        self.hass.states.async_set(GRID, f"{flow:.3f}", unit)
        await self.done()

    async def done(self) -> None:
        """Wait until the automation and the wallbox have nothing more to do."""
        await self.hass.async_block_till_done()
        await eventually(lambda: running(self.hass) == 0)
        await self.play.settle()

    async def at(self, time: str) -> None:
        """Go on to a time of the day, at which the power is known as it is."""
        await self.play.at(f"{DAY}{time}:00")
        await eventually(
            lambda: self.drawn_kw == pytest.approx(self.play.box.power_kw, abs=0.06)
        )
        await self.done()

    @property
    def drawn_kw(self) -> float:
        """Return the power of the car as Home Assistant knows it, in kW."""
        return float(self.see("charging_power")) / 1000

    @property
    def limit(self) -> float:
        """Return the power that the wallbox may draw, in kW; none while it may not."""
        return self.play.box.limit_kw if self.play.box.enabled else 0.0


@asynccontextmanager
async def roof(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    hours: bool = True,
    profile: str = "none",
    **inputs: Any,
) -> AsyncIterator[Roof]:
    """Set it up at noon, patient for no time, perhaps with hours from 13:00 to 15:00."""
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: dt_util.utcnow().astimezone(
            zone or dt_util.get_default_time_zone()
        ),
    )
    played: dict[str, Any] = {"begin": f"{DAY}12:00:00", "profile": profile}
    if profile == "none":
        played["first_use"] = None
    async with stage(hass, start, monkeypatch, **played) as play:
        it = Roof(play, sign=1.0 if inputs.get("export_is") == "positive" else -1.0)
        if hours:
            window = {"days": EVERY_DAY, "start": "13:00", "end": "15:00"}
            await it.act("set_default_hours", windows=[window], clock="utc")
        hass.states.async_set(GRID, "0", {"unit_of_measurement": "kW"})
        names = {
            "target": "target_power",
            "power": "charging_power",
            "vehicle": "vehicle_connected",
            "reason": "reason",
            "charge_now": "charge_now",
            "override_ends": "override_ends",
            "in_hours": "in_default_hours",
            "grid_event": "dsr_active",
        }
        chosen: dict[str, Any] = {
            key: entity_id(hass, play.simulator, one) for key, one in names.items()
        }
        chosen |= {"grid": GRID, "start_after": NOW, "stop_after": NOW, "reserve": 0}
        await use(hass, "solar_surplus", **{**chosen, **inputs})
        try:
            yield it
        finally:
            await hass.services.async_call(
                "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
            )


async def test_it_follows_the_sun(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without hours it charges with the sun alone: from the least on, up and down."""
    async with roof(hass, start_simulator, monkeypatch, hours=False) as it:
        await it.plug()
        await it.sun(4.1)
        assert (it.limit, it.see("reason")) == (0, "override_pause")
        await it.at("12:06")
        await it.sun(5.0)
        assert it.limit == 5.0
        assert it.see("reason") == "override_charge"
        assert it.see("override_ends") == "2027-06-16T12:06:00+00:00"
        await it.at("12:08")
        before = it.see.commands
        await it.sun(5.2)
        assert it.see.commands == before
        await it.sun(8.03)
        assert it.limit == 8.0
        await it.at("12:10")
        await it.sun(99)
        assert it.limit == 11
        await it.at("12:12")
        await it.sun(4.0)
        await it.at("12:20")
        assert (it.limit, it.see("reason")) == (0, "override_pause")


async def test_hours_are_respected(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Outside the hours only the sun charges; within them the power is full."""
    async with roof(hass, start_simulator, monkeypatch) as it:
        await it.plug()
        assert (it.limit, it.see("reason")) == (0, "outside_default_hours")
        assert it.see("override_ends") == "unknown"
        await it.at("13:00")
        await it.sun(5.0)
        assert (it.limit, it.see("reason")) == (5.0, "override_charge")
        # Begins at 14:00 of the clock on the wall, which is an hour ahead of UTC.
        await it.at("14:01")
        await eventually(lambda: it.see("target_power") == "11.0")
        await it.at("14:04")
        assert (it.limit, it.see("reason")) == (11, "default_hours")
        await it.sun(1.0)
        assert it.limit == 11
        await it.at("16:10")
        assert (it.limit, it.see("reason")) == (0, "outside_default_hours")


async def test_it_is_patient(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sun that has just come starts nothing, and a cloud stops nothing."""
    async with roof(
        hass, start_simulator, monkeypatch, start_after=LONG, stop_after=LONG
    ) as it:
        await it.plug()
        await it.sun(6.0)
        assert it.limit == 0
        it.play.box.unplug()
        await it.done()
        await it.plug()
        await it.at("12:06")
        assert it.limit == 6.0
        await it.sun(1.0)
        await it.at("12:20")
        assert it.limit == pytest.approx(float(it.see.attribute("target_power", "min")))


async def test_a_silent_sensor(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the sensor there is no surplus, and what was asked for has its end."""
    async with roof(hass, start_simulator, monkeypatch) as it:
        await it.plug()
        await it.sun(6.0)
        await it.at("12:20")
        assert it.limit == 6.0
        # Asked for anew in good time, as long as the sensor speaks.
        await it.at("12:45")
        await it.sun(6.1)
        ends = datetime.fromisoformat(it.see("override_ends"))
        assert ends - dt_util.utcnow() == timedelta(hours=1)
        hass.states.async_set(GRID, "unavailable")
        await it.at("12:52")
        assert (it.limit, it.see("reason")) == (0, "outside_default_hours")


async def test_the_owner_comes_first(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Charge now has the full power, and is left alone until the vehicle leaves."""
    async with roof(hass, start_simulator, monkeypatch) as it:
        await it.plug()
        await it.sun(5.0)
        await it.at("12:06")
        assert it.limit == 5.0
        await it.see.call("button.press", "charge_now")
        await eventually(lambda: it.see("target_power") == "11.0")
        await it.at("12:10")
        await it.sun(7.0)
        await it.sun(0.0)
        assert (it.limit, it.see("override_ends")) == (11, "unknown")
        assert it.see("reason") == "override_charge"
        await it.see.call("switch.turn_off", "charging_allowed")
        await it.at("12:20")
        await it.sun(9.0)
        assert (it.limit, it.see("reason")) == (0, "paused")
        await it.see.call("button.press", "resume_schedule")
        await it.see.call("switch.turn_on", "charging_allowed")
        await eventually(lambda: it.see("target_power") == "9.0")
        await it.at("12:26")
        assert (it.limit, it.see("reason")) == (9.0, "override_charge")


async def test_a_grid_event_comes_first(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event ends what the sun asked for; after it the sun counts again."""
    async with roof(hass, start_simulator, monkeypatch) as it:
        await it.plug()
        await it.sun(6.0)
        await it.at("12:06")
        assert it.limit == 6.0
        end = dt_util.utcnow() + timedelta(minutes=20)
        await it.act("dsr_start", event_id="A", kind="pause", end=end.isoformat())
        await eventually(lambda: it.see("override_ends") == "unknown")
        await it.at("12:12")
        assert it.limit == 0
        await it.sun(9.0)
        assert it.limit == 0
        await it.at("12:30")
        await eventually(lambda: it.see("target_power") == "9.0")
        await it.at("12:35")
        assert (it.limit, it.see("reason")) == (9.0, "override_charge")


async def test_the_vehicle_leaves(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next one finds the full power, and nothing that was asked for this one."""
    async with roof(hass, start_simulator, monkeypatch, export_is="positive") as it:
        await it.plug()
        await it.sun(5.0)
        await it.at("12:06")
        assert it.limit == 5.0
        it.play.box.unplug()
        await it.done()
        assert it.see("target_power") == "11.0"
        assert it.see("override_ends") == "unknown"


async def test_a_random_delay_is_kept(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under the rules of Great Britain the start waits, once, whatever the sun does."""
    async with roof(hass, start_simulator, monkeypatch, profile="gb_2021") as it:
        it.play.deal(*[600] * 9)
        await it.plug()
        await it.sun(5.0)
        assert (it.limit, it.see("status")) == (0, "random_delay")
        ends = it.see("random_delay_ends")
        await it.at("12:05")
        await it.sun(7.0)
        assert it.see("random_delay_ends") == ends
        await it.at("12:09")
        assert it.limit == 0
        await it.at("12:11")
        assert it.limit == 7.0
