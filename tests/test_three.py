"""Three wallboxes behind one Miniserver: on their own, and under one limit."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .helpers import Surface, eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.rules import state_file
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"
NAMES = ("Garage", "Carport", "Yard")
DRAWS = {"Garage": 437, "Carport": 100, "Yard": 600}
BOXES = tuple(WallboxConfig(name=name) for name in NAMES)


def wallboxes(play: Stage) -> dict[str, WallboxCoordinator]:
    """Return the wallboxes by their names."""
    return {one.title: one for one in play.entry.runtime_data.wallboxes.values()}


def deal(play: Stage, draws: dict[str, int]) -> dict[str, list[int]]:
    """Give each wallbox one draw, and return how many seconds each was asked for."""
    asked: dict[str, list[int]] = {name: [] for name in draws}
    for name, wallbox in wallboxes(play).items():

        def draw(longest: int, name: str = name) -> int:
            """Draw once."""
            asked[name].append(longest)
            assert len(asked[name]) == 1, f"{name} draws again"
            return draws[name]

        wallbox.controller.draw = draw
    return asked


async def plug_all(play: Stage, see: dict[str, Surface]) -> None:
    """Plug a car in everywhere."""
    for box in play.simulator.wallboxes:
        box.plug(Car(capacity_kwh=200, energy_kwh=10))
    await eventually(
        lambda: all(one("vehicle_connected") == "on" for one in see.values())
    )
    await play.settle()


def state_files(play: Stage) -> dict[str, Path]:
    """Return where the wallboxes keep their state; each of them has written there."""
    folder = Path(play.hass.config.path("loxone_wallbox"))
    files = {
        box.name: state_file(folder, play.simulator.config.serial, box.uuid)
        for box in play.simulator.wallboxes
    }
    assert set(folder.rglob("*.state.jsonl")) == set(files.values())
    return files


def surfaces(hass: HomeAssistant, play: Stage) -> dict[str, Surface]:
    """Return the wallboxes as the owner sees them."""
    return {
        name: Surface(hass, play.simulator, number) for number, name in enumerate(NAMES)
    }


async def test_three_draws(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One window, a draw for each; what is done to one concerns no other."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:55:00", boxes=BOXES
    ) as play:
        see = surfaces(hass, play)
        asked = deal(play, DRAWS)
        await plug_all(play, see)
        await play.at(f"{DAY}22:00:00")
        opens = play.instant(f"{DAY}22:00:00")
        for name, seconds in DRAWS.items():
            due = opens + timedelta(seconds=seconds)
            assert see[name]("random_delay_ends") == due.isoformat()
        assert asked == {name: [600] for name in NAMES}
        one = wallboxes(play)
        pending = [one[name].controller.state.delay.pending for name in NAMES]
        assert len({each and each.relevant_time_id for each in pending}) == 3
        # The one that is locked and the one that is damaged keep nobody else back.
        play.simulator.wallboxes[2].lock("maintenance")
        await play.at(f"{DAY}22:01:39")
        assert all(box.commands == ["allow/off"] for box in see.values())
        await play.at(f"{DAY}22:01:40")
        assert see["Carport"].commands == ["allow/off", "allow/on"]
        assert see["Garage"]("status") == "random_delay"
        await see["Garage"].call("button.press", "skip_random_delay")
        assert see["Garage"].commands == ["allow/off", "allow/on"]
        assert see["Yard"].commands == ["allow/off"]
        assert see["Yard"]("status") == "locked"


async def test_three_files(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each keeps its own state: without that of one the others know their delay."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:55:00", boxes=BOXES
    ) as play:
        see = surfaces(hass, play)
        deal(play, DRAWS)
        await plug_all(play, see)
        for surface in see.values():
            await surface.call("select.select_option", "handover", option="leave")
        await play.at(f"{DAY}22:00:00")
        await hass.async_block_till_done()
        files = state_files(play)
        assert len(files) == 3
        await hass.config_entries.async_unload(play.entry.entry_id)
        files["Carport"].unlink()
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        # Its plug-in is not known any more, the hour of it is: a draw of its own.
        asked = deal(play, {"Garage": 1, "Carport": 2, "Yard": 3})
        for name in ("Garage", "Yard"):
            due = play.instant(f"{DAY}22:00:00") + timedelta(seconds=DRAWS[name])
            assert see[name]("random_delay_ends") == due.isoformat()
        await play.at(f"{DAY}22:07:17")
        assert see["Garage"].commands == ["allow/off", "allow/on"]
        await play.at(f"{DAY}22:09:59")
        assert see["Yard"].commands == ["allow/off"]
        await play.at(f"{DAY}22:10:00")
        assert see["Yard"].commands == ["allow/off", "allow/on"]
        assert (asked["Garage"], asked["Yard"]) == ([], [])


async def test_a_limit_for_three(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sum is under the limit of the site; who would starve pauses."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}22:30:00", boxes=BOXES
    ) as play:
        see = surfaces(hass, play)
        deal(play, dict.fromkeys(NAMES, 0))
        await plug_all(play, see)
        await play.at(f"{DAY}23:00:00")
        act = Actions(hass, play.simulator)
        act.devices = [play.entry.runtime_data.miniserver.device_id]

        async def limits(site_kw: float, action: str, **fields: Any) -> list[float]:
            """Set the limit of the site, and return what each may draw at last."""
            await act(action, event_id="site", limit_kw=site_kw, **fields)
            found: list[float] = []
            before: list[float] | None = None
            while found != before:
                before = found
                await play.settle()
                await hass.async_block_till_done()
                found = sorted(float(one("power_limit")) for one in see.values())
            assert sum(found) <= site_kw + 1e-6
            return found

        split = await limits(
            20,
            "dsr_start",
            kind="limit",
            response_service=True,
            end=play.instant(f"{DAY}23:50:00").isoformat(),
        )
        assert split == [4.16, 4.84, 11.0]
        assert await limits(15, "dsr_update") == [4.16, 4.16, 6.68]
        assert await limits(12, "dsr_update") == [0.0, 4.16, 7.84]
        assert await limits(3, "dsr_update") == [0.0, 0.0, 0.0]
