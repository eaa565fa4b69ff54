"""What a meter stands of our reads is found out once, and kept."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_house import MeteredHouse, metered
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.model import Measured
from simulator import MeterConfig

# One that gives fewer registers at once than its document says.
SMALL = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500, max_registers=20)


def refusals(home: MeteredHouse) -> int:
    """Return how many reads the meter has refused."""
    outcomes = home.meter().outcomes
    return sum(n for outcome, n in outcomes.items() if outcome.startswith("exception"))


def stored(home: MeteredHouse) -> dict[str, Any]:
    """Return what is kept of the meter."""
    [subentry] = home.entry.subentries.values()
    return dict(subentry.data["meter"])


async def test_what_is_refused_once_is_not_asked_again(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first start finds out what the meter stands, the next ones know."""
    async with metered(hass, start_simulator, monkeypatch, SMALL) as home:
        before = home.wallbox()
        await home.run(20)
        assert refusals(home) > 0
        assert stored(home)["fit"]["cautious"] is True
        # It is kept without building the wallbox anew.
        assert home.wallbox() is before
        home.meter().outcomes.clear()
        await home.restart()
        await home.run(20)
        assert refusals(home) == 0
        assert home.meter().outcomes["answered"] > 20
        assert home.reading().settings.fit.cautious


def test_it_is_plain_data() -> None:
    """A fit is read back as it was; settings from before have the usual one."""
    fit = Fit(cautious=True, without=frozenset({Measured.EXPORT, Measured.FREQUENCY}))
    assert Fit.from_dict(fit.as_dict()) == fit
    assert Fit.from_dict({}) == Fit()
    with pytest.raises(ValueError, match="nonsense"):
        Fit.from_dict({"without": ["nonsense"]})
