"""Two wallboxes behind one Miniserver that share a limit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, refused
from .conftest import StartSimulator
from .helpers import Surface
from .stage import Stage, stage
from simulator import Car, WallboxConfig
from simulator.wallbox import Wallbox

DAY = "2027-01-13T"
NIGHT = f"{DAY}22:52:00"


class Site:
    """Two wallboxes, what is seen of them, and the most that they could draw."""

    def __init__(self, hass: HomeAssistant, play: Stage) -> None:
        """Take a stage with two wallboxes."""
        self.play = play
        self.one, self.two = play.simulator.wallboxes
        self.see = [Surface(hass, play.simulator, box) for box in (0, 1)]
        self.act = Actions(hass, play.simulator)
        miniserver = play.entry.runtime_data.miniserver
        self.act.devices = [miniserver.device_id]
        self.highest = 0.0
        for box in (self.one, self.two):
            self._watch(box)

    def _watch(self, box: Wallbox) -> None:
        """Take note of the sum whenever a wallbox obeys a command."""
        for name in ("set_allowed", "set_mode", "set_manual_limit"):
            obey = getattr(box, name)

            def noting(*args: Any, obey: Any = obey) -> None:
                """Obey, and look."""
                obey(*args)
                self.highest = max(self.highest, self.sum_kw)

            setattr(box, name, noting)

    @property
    def sum_kw(self) -> float:
        """Return what the wallboxes may draw together, in kW."""
        return sum(
            box.limit_kw
            for box in (self.one, self.two)
            if box.enabled and box.connected
        )

    async def reaches(self, *limits: str) -> None:
        """Expect the limits in force as they are shown, and that they stay."""
        shown: tuple[str, ...] = ()
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while shown != limits:
                    await self.play.settle()
                    shown = tuple(see("power_limit") for see in self.see)
        await self.play.settle()
        assert tuple(see("power_limit") for see in self.see) == limits

    async def limit(self, limit_kw: float, **fields: Any) -> None:
        """Ask for a limit of the whole site at once, until half past eleven."""
        self.highest = 0.0
        await self.act(
            "dsr_start",
            **{
                "event_id": "site",
                "end": self.play.instant(f"{DAY}23:30:00").isoformat(),
                "kind": "limit",
                "limit_kw": limit_kw,
                "response_service": True,
                **fields,
            },
        )
        await self.play.settle()

    async def change(self, limit_kw: float) -> None:
        """Change the limit."""
        self.highest = 0.0
        await self.act("dsr_update", event_id="site", limit_kw=limit_kw)
        await self.play.settle()


@asynccontextmanager
async def site(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    cars: tuple[int, ...] = (0, 1),
) -> AsyncIterator[Site]:
    """Play until eleven at night, when cars are charging; the first goes first."""
    boxes = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))
    async with stage(hass, start, monkeypatch, begin=NIGHT, boxes=boxes) as play:
        for subentry, priority in zip(
            play.entry.subentries.values(), (80, 20), strict=True
        ):
            hass.config_entries.async_update_subentry(
                play.entry, subentry, data={**subentry.data, "priority": priority}
            )
        await play.settle()
        play.deal(*[0] * 8)
        for number in cars:
            box = play.simulator.wallboxes[number]
            box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}23:00:00")
        yield Site(hass, play)


async def test_a_limit_is_split_by_priority(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lower one keeps its minimum as long as there is enough for both."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.reaches("11.0", "11.0")
        await both.limit(10)
        await both.reaches("5.84", "4.16")
        assert [see("dsr_active") for see in both.see] == ["on", "on"]
        await both.change(8)
        await both.reaches("8.0", "0.0")
        assert both.see[1]("status") == "dsr"
        assert both.highest <= 10 + 1e-6
        await both.change(16)
        await both.reaches("11.0", "5.0")
        assert both.highest <= 16 + 1e-6
        await both.play.at(f"{DAY}23:30:00")
        await both.reaches("11.0", "11.0")


async def test_lower_confirm_then_raise(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who gets less is waited for: also one who obeys late."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(8)
        await both.reaches("8.0", "0.0")
        sent = len(both.play.simulator.commands)
        await both.change(10)
        await both.reaches("5.84", "4.16")
        assert both.highest <= 10 + 1e-6
        orders = [
            (command.control == both.one.uuid, command.command)
            for command in both.play.simulator.commands[sent:]
        ]
        lowered = orders.index((True, "manualLimit/5.84"))
        assert lowered < orders.index((False, "allow/on"))


async def test_a_second_car_takes_its_share(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who is alone has it all; who comes is let in once the other has given way."""
    async with site(hass, start_simulator, monkeypatch, cars=(1,)) as both:
        await both.limit(10)
        await both.reaches("10.0", "10.0")
        both.one.plug(Car(capacity_kwh=200, energy_kwh=10))
        await both.play.settle()
        await both.play.at(f"{DAY}23:05:00")
        await both.reaches("5.84", "4.16")
        both.one.unplug()
        await both.reaches("10.0", "10.0")


async def test_a_full_car_makes_room(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A car that takes nothing any more keeps only what it needs to start again."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(12)
        await both.reaches("7.84", "4.16")
        assert both.one.car is not None
        both.one.car.energy_kwh = both.one.car.capacity_kwh
        await both.play.at(f"{DAY}23:01:00")
        await both.play.at(f"{DAY}23:08:00")
        assert both.see[0]("status") == "finished"
        await both.reaches("4.16", "7.84")


async def test_owners_word_stands_above(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an owner takes for one car is taken off for the others."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(16)
        await both.reaches("11.0", "5.0")
        await both.see[1].call("button.press", "charge_now")
        await both.play.settle()
        await both.reaches("5.0", "11.0")
        await both.see[1].call("button.press", "resume_schedule")
        await both.play.at(f"{DAY}23:10:00")
        await both.reaches("11.0", "5.0")
        await both.see[0].call("button.press", "dsr_opt_out")
        await both.play.settle()
        await both.reaches("11.0", "5.0")
        assert both.see[0]("dsr_active") == "off"


async def test_restart_keeps_the_split(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a restart nobody draws more, not even for a moment."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(10)
        sent = len(both.play.simulator.commands)
        await both.play.restart()
        await both.reaches("5.84", "4.16")
        assert [
            one.text for one in both.play.simulator.commands[sent:] if one.control
        ] == []


async def test_site_events_are_listed_and_ended(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list shows each wallbox's share; the end is for all, also after opt-outs."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(10)
        (miniserver,) = both.act.devices
        listed = await both.act("dsr_list", answer=True)
        (event,) = listed[miniserver]
        assert event["shares"] == {"Garage": 5.84, "Carport": 4.16}
        assert event["active"]
        await both.see[0].call("button.press", "dsr_opt_out")
        await both.act("dsr_cancel", event_id="site")
        await both.play.settle()
        assert [see("dsr_active") for see in both.see] == ["off", "off"]
        async with refused(both.play.entry, "dsr_is_over"):
            await both.act("dsr_cancel", event_id="site")
        async with refused(both.play.entry, "dsr_unknown"):
            await both.act("dsr_cancel", event_id="another")
        async with refused(both.play.entry, "unknown_wallbox"):
            await both.act("remove_default_hours")


async def test_pause_of_a_site(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pause of the site pauses everybody."""
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(10, kind="pause")
        await both.reaches("0.0", "0.0")
        await both.act("dsr_cancel", event_id="site")
        await both.play.settle()
        await both.reaches("11.0", "11.0")


async def test_delayed_limit_binds_when_the_longest_delay_is_over(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each wallbox draws its own delay; after the longest the sum is under the limit."""
    async with site(hass, start_simulator, monkeypatch) as both:
        for wallbox, draw in zip(
            both.play.entry.runtime_data.wallboxes.values(), (45, 600), strict=True
        ):
            wallbox.controller.draw = lambda _longest, draw=draw: draw
        await both.limit(10, response_service=False)
        await both.reaches("11.0", "11.0")
        await both.play.at(f"{DAY}23:00:45")
        assert both.see[0]("power_limit") == "5.84"
        await both.play.at(f"{DAY}23:10:00")
        await both.reaches("5.84", "4.16")
