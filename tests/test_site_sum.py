"""The sum of two wallboxes under one limit, at every event that the Miniserver sees.

What counts of each is the higher of what it was told last and what it does: a command
that is on its way, or is not obeyed, takes its room already.
"""

from collections.abc import Callable
from typing import override

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .test_site import DAY, Site, site
from custom_components.loxone_wallbox import commander
from simulator import Car
from simulator.miniserver import ControlCommand
from simulator.wallbox import Wallbox

TINY_KW = 1e-6


class Told:
    """What a wallbox was told last: by itself, whether it obeyed or not."""

    def __init__(self, box: Wallbox) -> None:
        """Begin with what it does."""
        self.allowed = box.enabled
        self.limit_kw = box.limit_kw

    def hear(self, box: Wallbox, command: str) -> None:
        """Take a command."""
        name, _, value = command.partition("/")
        match name:
            case "allow":
                self.allowed = value == "on"
            case "manualLimit":
                self.limit_kw = min(float(value), box.config.maximum_kw)
            case "setmode":
                self.limit_kw = box.modes[int(value)].limit_kw

    @property
    def power_kw(self) -> float:
        """Return what it was told to draw at most, in kW."""
        return self.limit_kw if self.allowed else 0.0


class Heard(list[ControlCommand]):
    """The commands that the Miniserver got, told as they come."""

    def __init__(self, known: list[ControlCommand], tell: Callable[[], None]) -> None:
        """Go on with those that are known."""
        super().__init__(known)
        self._tell = tell

    @override
    def append(self, command: ControlCommand, /) -> None:
        """Take one more, and tell."""
        super().append(command)
        self._tell()


class Watch:
    """Adds up at every command that arrives and at every change of the world."""

    def __init__(self, both: Site) -> None:
        """Look from now on."""
        unit = both.play.simulator.unit
        self._world = unit.world
        self.boxes = (both.one, both.two)
        self.told = {box.uuid: Told(box) for box in self.boxes}
        self.sums: list[float] = []
        self._seen = len(unit.commands)
        self._heard = unit.commands = Heard(unit.commands, self.look)
        flush = unit.world.on_change

        def changed() -> None:
            """Look at a change of the world."""
            flush()
            self.look()

        unit.world.on_change = changed

    def begin(self) -> None:
        """Forget the sums so far."""
        self.sums.clear()
        self.look()

    def look(self) -> None:
        """Add up."""
        for command in self._heard[self._seen :]:
            for box in self.boxes:
                if command.control == box.uuid:
                    self.told[box.uuid].hear(box, command.command)
        self._seen = len(self._heard)
        self.sums.append(sum(self._most(box) for box in self.boxes))

    def _most(self, box: Wallbox) -> float:
        """Return the higher of what a wallbox was told and what it does, in kW."""
        # In the first seconds of a car no current flows, whatever is allowed.
        if not box.connected or self._world.now < box.point.ready_at:
            return 0.0
        does = box.limit_kw if box.enabled else 0.0
        return max(self.told[box.uuid].power_kw, does)

    def check(self, limit_kw: float, before_kw: float) -> None:
        """Expect the sum under the old limit, and once under the new one to stay."""
        assert len(self.sums) > 1
        assert max(self.sums) <= before_kw + TINY_KW
        kept = [one <= limit_kw + TINY_KW for one in self.sums]
        assert all(kept[kept.index(True) :]), self.sums


async def test_the_sum_at_every_event(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the limit becomes: lower, confirm, then raise."""
    async with site(hass, start_simulator, monkeypatch) as both:
        watch = Watch(both)
        watch.begin()
        await both.limit(10)
        await both.reaches("5.84", "4.16")
        watch.check(10, 22)
        for before, limit_kw, shown in (
            (10, 8, ("8.0", "0.0")),
            (8, 10, ("5.84", "4.16")),
            (10, 16, ("11.0", "5.0")),
            (16, 9, ("4.84", "4.16")),
            (9, 4.2, ("4.2", "0.0")),
        ):
            watch.begin()
            await both.change(limit_kw)
            await both.reaches(*shown)
            watch.check(limit_kw, max(before, limit_kw))
        # The other one takes over the room of a car that goes, and gives it back.
        for change in (both.one.unplug, lambda: both.one.plug(Car(capacity_kwh=200))):
            watch.begin()
            change()
            await both.play.settle()
            await both.play.at(f"{DAY}23:05:00")
            watch.check(4.2, 4.2)


async def test_who_does_not_obey_keeps_its_room(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reduction that is answered and not done is no room for the other one."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.3)
    async with site(hass, start_simulator, monkeypatch) as both:
        await both.limit(8)
        await both.reaches("8.0", "0.0")
        watch = Watch(both)
        watch.begin()
        both.play.simulator.fault("command_ignored", times=2, match="manualLimit/5.84")
        await both.change(10)
        await eventually(lambda: both.two.enabled, 10)
        await both.reaches("5.84", "4.16")
        watch.check(10, 10)
        lowered = [one.command for one in both.play.simulator.commands].count(
            "manualLimit/5.84"
        )
        assert lowered > 2
