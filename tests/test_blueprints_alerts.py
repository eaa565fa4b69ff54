"""The blueprints that tell a phone, run by what really happens to a wallbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions, map_inputs
from .blueprint_helpers import Phone, running, use
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from .stage import GB_NIGHT
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, Simulator, WallboxConfig

BOTH = tuple(WallboxConfig(name=name, contacts=True) for name in ("Garage", "Carport"))


class Told:
    """A wallbox, and a phone that is told of it."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator, phone: Phone) -> None:
        """Take both."""
        self.hass = hass
        self.simulator = simulator
        self.phone = phone
        self.see = Surface(hass, simulator)

    @property
    def texts(self) -> list[str]:
        """Return what was said, title and text."""
        return [f"{one['title']}: {one['message']}" for one in self.phone.sent]

    async def says(self, *texts: str) -> None:
        """Wait until the phone was told exactly this; of the wallbox, if of nobody else."""
        await eventually(lambda: len(self.phone.sent) >= len(texts))
        await eventually(lambda: running(self.hass) == 0)
        of = "Home: "
        whose = [text if text.startswith(of) else f"Garage: {text}" for text in texts]
        assert self.texts == whose


@asynccontextmanager
async def told(
    hass: HomeAssistant,
    start: StartSimulator,
    name: str,
    key: str,
    inputs: dict[str, Any] | None = None,
    *,
    boxes: int = 1,
    **settings: Any,
) -> AsyncIterator[Told]:
    """Set wallboxes with contacts up, and an automation of a blueprint."""
    simulator = await start(wallboxes=BOTH[:boxes])
    entry = make_entry(simulator, **settings)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"unavailable_after": 0})
    entry = await set_up(hass, entry)
    await map_inputs(hass, entry, simulator)
    phone = Phone(hass, "Ann's phone")
    phone.reach_by("mobile_app_ann_s_phone")
    alerts = [entity_id(hass, simulator, "alert", box) for box in range(boxes)]
    chosen = {key: alerts if key == "alerts" else alerts[0], **(inputs or {})}
    await use(hass, name, phones=[phone.device_id], **chosen)
    yield Told(hass, simulator, phone)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_alarms(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tampering and a lost link, and that they are over in the same place."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    async with told(hass, start_simulator, "alarms", "alerts", {"loud": True}) as it:
        box = it.simulator.wallboxes[0]
        box.set_contact("Tamper", True)
        await it.says("Tampering")
        assert it.phone.sent[0]["data"]["push"]["interruption-level"] == "critical"
        box.set_contact("Tamper", False)
        await it.says("Tampering", "Tampering over")
        assert len(it.phone.shown) == 1
        assert "push" not in it.phone.sent[1]["data"]
        await it.simulator.drop()
        await it.says(
            "Tampering",
            "Tampering over",
            "Home: Connection lost: Miniserver",
            "Home: Connection restored: Miniserver",
        )
        assert len(it.phone.shown) == 2
        assert all(len(tag.encode()) <= 64 for tag in it.phone.shown)


async def test_two_wallboxes_of_one_miniserver(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is the Miniserver's is told once, what is a wallbox's for that one."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    async with told(hass, start_simulator, "alarms", "alerts", boxes=2) as it:
        await it.simulator.drop()
        miniserver = (
            "Home: Connection lost: Miniserver",
            "Home: Connection restored: Miniserver",
        )
        await it.says(*miniserver)
        it.simulator.wallboxes[0].set_contact("Tamper", True)
        await it.says(*miniserver, "Tampering")


async def test_alarms_that_are_not_wanted(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Only what was chosen is told, in the words that were chosen."""
    chosen = {"kinds": ["tamper_cleared"], "title": "Hallo", "message": "{{ name }} ok"}
    async with told(hass, start_simulator, "alarms", "alerts", chosen) as it:
        box = it.simulator.wallboxes[0]
        box.set_contact("Tamper", True)
        await eventually(lambda: it.see.attribute("alert", "event_type") == "tamper")
        box.set_contact("Tamper", False)
        await eventually(lambda: it.texts == ["Hallo: Garage ok"])


async def test_a_delay_is_skipped(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The button ends the delay that the phone was told of."""
    night: dict[str, Any] = dict(GB_NIGHT)
    hours = {**night["first_use"], "choice": "remove", "windows": []}
    settings: dict[str, Any] = {**night, "first_use": hours}
    async with told(hass, start_simulator, "notices", "alert", **settings) as it:
        wallbox = next(
            wallbox
            for entry in hass.config_entries.async_entries("loxone_wallbox")
            for wallbox in entry.runtime_data.wallboxes.values()
        )
        wallbox.controller.draw = lambda _longest: 500
        it.simulator.wallboxes[0].plug(Car(capacity_kwh=77, energy_kwh=10))
        await eventually(lambda: "Random delay" in "".join(it.texts))
        assert it.see("random_delay_active") == "on"
        ends = dt_util.parse_datetime(it.see("random_delay_ends"))
        assert ends is not None
        assert f"→ {dt_util.as_local(ends):%H:%M}" in it.texts[-1]
        it.phone.tap(it.phone.answers["Skip"])
        await eventually(lambda: it.see("random_delay_active") == "off")
        await eventually(lambda: it.see.commands[-1] == "allow/on")


async def test_an_event_is_left(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The button leaves the event that the phone was told of, also a later one."""
    async with told(hass, start_simulator, "notices", "alert") as it:
        act, start = (
            Actions(hass, it.simulator),
            dt_util.utcnow() + timedelta(minutes=9),
        )
        end = start + timedelta(minutes=30)
        for name in ("first", "second"):
            await act(
                "dsr_start",
                event_id=name,
                program="Saving | sessions",
                kind="pause",
                start=start.isoformat(),
                end=end.isoformat(),
            )
        await eventually(lambda: len(it.phone.sent) == 2)
        local = [f"{dt_util.as_local(one):%H:%M}" for one in (start, end)]
        assert it.texts[0] == f"Garage: Grid event soon {local[0]}-{local[1]}"
        [answer] = it.phone.sent[0]["data"]["actions"]
        assert answer["title"] == "Opt out"
        it.phone.tap(answer["action"])
        answers = await left(act, 1)
        assert answers == {"first": True, "second": False}


FIGURES: dict[str, tuple[dict[str, Any], str]] = {
    "charge_finished": (
        {"energy": 7.444, "charging_time": 8100, "cost": 2.2, "currency": "GBP"},
        "Charging finished 7.44 kWh, 2:15 h, 2.20 GBP",
    ),
    "dsr_result": (
        {"outcome": "delivered", "delivered_wh": 1500.0},
        "Result of a grid event delivered, 1.50 kWh",
    ),
    "monthly_summary": (
        {
            "month": "2026-10",
            "sessions": 12,
            "energy": 88.08,
            "costs": [{"currency": "GBP", "cost": 12.5}],
        },
        "Summary of the month 2026-10: 12 x, 88.1 kWh, 12.50 GBP",
    ),
    "command_failed": ({"command": "allow"}, "Command not obeyed allow"),
    "firmware_available": ({"after": "17.0.3.31"}, "New firmware 17.0.3.31"),
    "meter_break": ({"what": "meter_reset"}, "Meter counts from another value"),
}


async def test_figures(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Each alert comes with what it is about; a stop's delay is not worth a look."""
    async with told(hass, start_simulator, "notices", "alert") as it:
        [wallbox] = (
            wallbox
            for entry in hass.config_entries.async_loaded_entries("loxone_wallbox")
            for wallbox in entry.runtime_data.wallboxes.values()
        )
        wallbox.async_alert("random_delay", {"change": "stop", "until": None})
        for kind, (details, _) in FIGURES.items():
            wallbox.async_alert(kind, details)
        await it.says(*(text for _, text in FIGURES.values()))


async def left(act: Actions, count: int) -> dict[str, bool]:
    """Return which events were left, once so many were."""
    while True:
        [listed] = (await act("dsr_list", answer=True)).values()
        found = {one["event_id"]: one["opted_out_at"] is not None for one in listed}
        if sum(found.values()) >= count:
            return found
        await act._hass.async_block_till_done()
