"""Cars that come and go while the meter says nothing: each gets what it took."""

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from .recorded import Recorded
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


async def stay(home: MeteredHouse, seconds: float) -> float:
    """Let a car come, charge and leave; returns what it took in Wh."""
    before = home.meter().import_kwh
    ended = len(home.wallbox().state.history)
    await home.plug()
    await home.run(10)
    await home.leap(seconds)
    await home.run(10)
    await home.unplug()
    await home.run(10)
    await eventually(lambda: len(home.wallbox().state.history) > ended)
    return (home.meter().import_kwh - before) * 1000


@pytest.mark.slow
async def test_three_cars_in_one_silence(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first came before it, the last leaves after it: none pays for another."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, see = Recorded(hass, home.simulator), home.see[0]
        await home.run(70)
        began = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        await home.gateway(on=False)
        await home.run(30)
        await home.leap(1800)
        await home.run(10)
        await home.unplug()
        await home.run(10)
        await eventually(lambda: bool(home.wallbox().state.history))
        first = (home.meter().import_kwh - began) * 1000
        second = await stay(home, 600)
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        await home.gateway(on=True)
        await home.run(30)
        lines = await recorded.lines()
        assert lines.count("session_corrected") == 2
        assert float(see("last_session_energy")) * 1000 == pytest.approx(second, abs=8)
        await home.unplug()
        await home.run(70)
        third = (home.meter().import_kwh - before) * 1000
        records = await recorded.records()
        taken = [one.import_wh for one in records]
        assert taken == [pytest.approx(wh, abs=8) for wh in (first, second, third)]
        assert sum(taken) == pytest.approx(
            (home.meter().import_kwh - began) * 1000, abs=2
        )
        assert all(one.quality.estimated_timing for one in records)
        assert not any(one.quality.flagged for one in records)
