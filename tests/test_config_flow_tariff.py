"""The tariff in the flow of a wallbox: each kind, what is refused, and its end."""

from typing import Any

import probatio
import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .flow_helpers import change
from .meter_flow import Home, Wizard, build

pytestmark = pytest.mark.usefixtures("unload_all")

PRICE = "sensor.price"
NIGHT = {"per_kwh": 0.07, "start": "00:30:00", "end": "05:30:00"}
WEEKEND = {
    "per_kwh": 0.15,
    "start": "10:00:00",
    "end": "16:00:00",
    "days": ["sat", "sun"],
}
ALL = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
async def home(hass: HomeAssistant, start_simulator: StartSimulator) -> Home:
    """Return a wallbox without a tariff, in a home that pays in pounds."""
    hass.config.currency = "GBP"
    return await build(hass, start_simulator)


async def wizard(home: Home, kind: str) -> Wizard:
    """Change the wallbox up to the form of a tariff."""
    found = Wizard(home.hass, await change(home.hass, home.entry, "Garage"))
    await found.say(tariff_kind=kind)
    return found


def stored(home: Home) -> Any:
    """Return the settings of the tariff."""
    return home.garage.data.get("tariff")


async def submitted_empty(flow: Wizard) -> str:
    """Submit the price as the form opens; what is not typed is no price.

    A form fills a number that is required and has no default with 0.
    """
    [field] = [one for one in flow.result["data_schema"].schema if one == "per_kwh"]
    assert isinstance(field, probatio.Optional)
    assert isinstance(field.default, probatio.Undefined)
    step = await flow.say()
    assert flow.errors == {"per_kwh": "price_missing"}
    return step


async def test_one_price(home: Home) -> None:
    """A price is kept as it was typed, stays by itself, and can be removed."""
    flow = await wizard(home, "fixed")
    assert flow.step == "tariff_fixed"
    assert flow.suggested == {"currency": "GBP"}
    assert await submitted_empty(flow) == "tariff_fixed"
    assert await flow.say(per_kwh=2e9) == "tariff_fixed"
    assert flow.errors == {"per_kwh": "price_invalid"}
    assert await flow.say(per_kwh=0.2476) == "abort"
    kept = {"kind": "fixed", "currency": "GBP", "per_kwh": "0.2476"}
    assert stored(home) == kept
    flow = Wizard(home.hass, await change(home.hass, home.entry, "Garage"))
    assert flow.suggested["tariff_kind"] == "keep"
    assert await flow.say() == "abort"
    assert stored(home) == kept
    flow = await wizard(home, "fixed")
    assert flow.suggested == {"currency": "GBP", "per_kwh": 0.2476}
    flow.leave()
    await wizard(home, "none")
    assert stored(home) is None


async def test_prices_by_the_hour(home: Home) -> None:
    """Times with a price of their own are edited as a list."""
    flow = await wizard(home, "time_of_use")
    assert await submitted_empty(flow) == "tariff_time_of_use"
    assert await flow.say(per_kwh=0.25) == "tariff_time_of_use"
    assert flow.errors == {"rates": "rates_invalid"}
    for wrong, error in (
        ({"end": "00:30:00"}, "window_without_length"),
        ({"start": "00:30:30"}, "window_time_invalid"),
        ({"per_kwh": 2e9}, "price_invalid"),
    ):
        await flow.say(per_kwh=0.25, rates=[{**NIGHT, **wrong}])
        assert flow.errors == {"rates": error}
    assert await flow.say(per_kwh=0.25, rates=[NIGHT, WEEKEND]) == "abort"
    night, weekend = stored(home)["rates"]
    assert night == {
        "per_kwh": "0.07",
        "windows": [{"days": ALL, "start": "00:30", "end": "05:30"}],
    }
    assert weekend["windows"][0]["days"] == ["sat", "sun"]
    flow = await wizard(home, "time_of_use")
    assert [one["per_kwh"] for one in flow.suggested["rates"]] == [0.07, 0.15]
    assert await flow.say(rates=[NIGHT]) == "abort"
    assert len(stored(home)["rates"]) == 1


@pytest.mark.parametrize(
    ("unit", "error"),
    [
        (None, "price_unit_unknown"),
        ("kWh", "price_unit_unknown"),
        ("EUR/kWh", "price_currency_differs"),
    ],
)
async def test_an_entity_that_tells_no_price(
    home: Home, unit: str | None, error: str
) -> None:
    """A unit that cannot be understood, or of another currency, is refused."""
    attributes = {} if unit is None else {"unit_of_measurement": unit}
    home.hass.states.async_set(PRICE, "0.2", attributes)
    flow = await wizard(home, "dynamic")
    assert await flow.say(price_entity=PRICE) == "tariff_dynamic"
    assert flow.errors == {"price_entity": error}
    assert flow.texts["unit"] == (unit or "-")
    assert flow.texts["currency"] == "GBP"
    flow.leave()


async def test_an_entity(home: Home) -> None:
    """A price entity is kept with its currency and the price while it is away."""
    home.hass.states.async_set(PRICE, "20", {"unit_of_measurement": "p/kWh"})
    flow = await wizard(home, "dynamic")
    assert await flow.say(price_entity=PRICE, fallback=0.3) == "abort"
    assert stored(home) == {
        "kind": "dynamic",
        "currency": "GBP",
        "price_entity": PRICE,
        "fallback": "0.3",
    }
    flow = await wizard(home, "dynamic")
    assert flow.suggested["price_entity"] == PRICE
    assert flow.suggested["fallback"] == 0.3
    flow.leave()
