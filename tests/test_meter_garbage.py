"""What is shown of a meter that says something impossible for a moment."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_house import MeteredHouse, metered
from custom_components.loxone_wallbox.meter.reader import LOST_AFTER
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0)
# Far beyond what a wallbox draws; no number; a lost answer, as a gateway tells it.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "too much": ("bias", {"percent": 900.0, "of": "power"}),
    "no number": ("invalid", {}),
    "silent": ("exception", {"code": 11}),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_garbage_is_a_hiccup_at_first(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    """What was measured last is shown for two ticks; then the power is unknown."""
    name, options = FAULTS[fault]
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(90)
        assert shown(home) == pytest.approx(11_000, rel=0.01)
        for _ in range(2):
            home.meter().fault(name, **options)
            for _ in range(LOST_AFTER - 1):
                await home.run(1)
                assert shown(home) == pytest.approx(11_000, rel=0.01)
            home.meter().clear()
            await home.run(2)
            assert shown(home) == pytest.approx(11_000, rel=0.01)
        home.meter().fault(name, **options)
        await home.run(LOST_AFTER + 1)
        assert home.see[0]("charging_power") == "unknown"
        home.meter().clear()
        await home.run(2)
        assert shown(home) == pytest.approx(11_000, rel=0.01)


async def test_garbage_is_no_reading(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seconds that were answered with nonsense are missed, and the power grows old."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        see = home.see[0]
        await home.plug()
        await home.run(95)
        assert float(see("meter_coverage")) == 100
        name, options = FAULTS["too much"]
        home.meter().fault(name, **options)
        await home.run(180)
        assert see("charging_power") == "unknown"
        assert float(see("power_age")) == pytest.approx(150, abs=31)
        assert float(see("meter_coverage")) == pytest.approx(40, abs=8)
        home.meter().clear()
        await home.run(2)
        assert float(see("power_age")) < 2


async def test_the_energy_of_a_new_meter_is_known_at_once(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does not wait for the next minute."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        total = float(home.see[0]("energy_total"))
        assert total == pytest.approx(home.meter().import_kwh, abs=0.1)


def shown(home: MeteredHouse) -> float:
    """Return the power that is shown, in W."""
    return float(home.see[0]("charging_power"))
