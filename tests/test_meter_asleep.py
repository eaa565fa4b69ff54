"""A machine that slept, or began without the right time, while a car charged."""

from typing import override

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator
from .meter_house import MeteredHouse, StepClock, metered
from .recorded import Recorded
from custom_components.loxone_wallbox import meter_coordinator
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.login_repair import REPAIRS as LOGIN_REPAIRS
from custom_components.loxone_wallbox.meter.clock import MeterClock
from simulator import Car, MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


class MachineClock(MeterClock):
    """The clock of Home Assistant's machine; the meter's world has the right one."""

    def __init__(self, world: StepClock) -> None:
        """Be right at first."""
        self._world = world
        # So many seconds it slept, and so many its UTC is behind.
        self.slept = 0.0
        self.behind = 0.0

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970, as this machine believes."""
        return self._world.time() - self.behind

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back, and stand still in a sleep."""
        return self._world.monotonic() - self.slept

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        await self._world.sleep(seconds)


async def on_a_machine(
    home: MeteredHouse, monkeypatch: pytest.MonkeyPatch
) -> MachineClock:
    """Restart Home Assistant on a machine whose clock may be wrong."""
    machine = MachineClock(home.clock)
    monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: machine)
    await home.restart()
    return machine


def repairs(home: MeteredHouse) -> list[str | None]:
    """Return what the owner is told."""
    issues = ir.async_get(home.hass).issues.values()
    ours = [one.translation_key for one in issues if one.domain == DOMAIN]
    return [one for one in ours if one not in LOGIN_REPAIRS]


@pytest.mark.parametrize("late_s", [0, 40])
async def test_a_machine_that_sleeps_while_a_car_charges(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    late_s: int,
) -> None:
    """No energy is lost, also where it wakes up with an old time for a while."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        machine = await on_a_machine(home, monkeypatch)
        recorded = Recorded(hass, home.simulator)
        await home.run(70)
        shown = float(home.see[0]("energy_total"))
        counted = home.meter().import_kwh
        await home.plug()
        await home.run(120)
        machine.slept = 3599.0
        machine.behind = 3599.0 if late_s else 0.0
        await home.leap(3599)
        await home.run(late_s)
        assert repairs(home) == (["meter_break"] if late_s else [])
        machine.behind = 0.0
        await home.run(70)
        assert repairs(home) == []
        await home.unplug()
        await home.run(70)
        drawn = home.meter().import_kwh - counted
        assert drawn > 11
        total = float(home.see[0]("energy_total"))
        assert total - shown == pytest.approx(drawn, abs=0.02)
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(drawn * 1000, abs=20)
        assert home.reading().visits.error_pct == pytest.approx(0, abs=2)
        assert repairs(home) == []


async def test_a_machine_that_starts_without_the_right_time(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The energy of the outage is the total's, and nobody is asked anything."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        machine = await on_a_machine(home, monkeypatch)
        await home.run(70)
        shown, counted = float(home.see[0]("energy_total")), home.meter().import_kwh
        await hass.config_entries.async_unload(home.entry.entry_id)
        home.simulator.wallboxes[0].plug(Car(capacity_kwh=500, energy_kwh=10))
        for _ in range(240):
            home.clock.move(home.clock.time() + 5)
        machine.behind = 3600.0
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(90)
        drawn = home.meter().import_kwh - counted
        assert drawn > 3.5
        total = float(home.see[0]("energy_total"))
        assert total - shown == pytest.approx(drawn, abs=0.2)
        assert repairs(home) == []
        machine.behind = 0.0
        await home.run(70)
        drawn = home.meter().import_kwh - counted
        assert float(home.see[0]("energy_total")) - shown == pytest.approx(
            drawn, abs=0.2
        )
        assert repairs(home) == []
