"""Home Assistant's clock is set while the Miniserver is away; the meter goes on."""

from typing import override

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import StepClock, metered
from .recorded import Recorded
from custom_components.loxone_wallbox import meter_coordinator
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Clock, MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
# What a stay's energy may be off where the meter was read: a step at either end.
STEP_WH = 3


class HomeClock(Clock):
    """The clock of Home Assistant's computer, which somebody may set."""

    def __init__(self, world: StepClock) -> None:
        """Begin right."""
        self._world = world
        self.off_s = 0.0

    @override
    def time(self) -> float:
        """Return what it takes for UTC seconds since 1970."""
        return self._world.time() + self.off_s

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back, and that nobody can set."""
        return self._world.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait until the world's clock has been moved so far."""
        await self._world.sleep(seconds)


@pytest.mark.parametrize("step_s", [-900.0, 600.0], ids=["back", "forward"])
async def test_the_car_leaves_after_that(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    step_s: float,
) -> None:
    """Its session has what the meter counted, for as long as it was there."""
    for name in ("MIN", "STARTING"):
        monkeypatch.setattr(backoff, f"RETRY_{name}_S", 0.05)
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        computer = HomeClock(home.clock)
        monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: computer)
        await home.restart()
        recorded, before = Recorded(hass, home.simulator), home.meter().import_kwh
        await home.plug()
        # It does not charge yet as the Miniserver goes away.
        await home.run(3)
        await home.simulator.restart(1e9)
        await eventually(lambda: home.see[0]("miniserver_connection") == "off")
        await home.run(8)
        computer.off_s = step_s
        await home.run(8)
        home.simulator.wallboxes[0].unplug()
        await home.run(8)
        home.simulator.unit.boot_until = 0.0
        await eventually(lambda: home.see[0]("miniserver_connection") == "on", 10)
        await home.run(8)
        counted_wh = (home.meter().import_kwh - before) * 1000
        assert counted_wh > 20
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(counted_wh, abs=STEP_WH)
        # The record follows the clock forward, and never goes back with it.
        stayed_s = 19 + max(step_s, 0)
        assert record.connected_s == pytest.approx(stayed_s, abs=3)


async def test_the_meter_is_silent_after_that(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock is set back to before the car came; the stay is no longer for that."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        computer = HomeClock(home.clock)
        monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: computer)
        await home.restart()
        recorded = Recorded(hass, home.simulator)
        await home.plug()
        came = home.clock.time()
        await home.run(20)
        computer.off_s = -900.0
        await home.run(10)
        for _ in range(3):
            await home.gateway(on=False)
            await home.run(30)
            await home.gateway(on=True)
            await home.run(30)
        await home.unplug()
        stayed_s = home.clock.time() - came
        await home.run(10)
        [record] = await recorded.records()
        assert record.connected_s == pytest.approx(stayed_s, abs=5)


@pytest.mark.parametrize("before_s", [600.0, -600.0], ids=["ahead", "behind"])
async def test_a_restart_with_the_right_time(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    before_s: float,
) -> None:
    """The clock was wrong before it; a car charges while the meter cannot be read."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        computer = HomeClock(home.clock)
        computer.off_s = before_s
        monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: computer)
        await home.restart()
        recorded, before = Recorded(hass, home.simulator), home.meter().import_kwh
        await home.plug()
        await home.run(10)
        await home.gateway(on=False)
        await home.run(5)
        computer.off_s = 0.0
        await home.restart()
        await home.leap(800)
        await home.gateway(on=True)
        await home.run(30)
        home.simulator.wallboxes[0].unplug()
        await home.run(15)
        counted_wh = (home.meter().import_kwh - before) * 1000
        assert counted_wh > 2000
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(counted_wh, abs=STEP_WH)
