"""Units of price entities: what their numbers mean, and which are refused."""

from decimal import Decimal

import pytest

from custom_components.loxone_wallbox.charging.money import TariffError
from custom_components.loxone_wallbox.charging.price_units import read_unit, unit_in


@pytest.mark.parametrize(
    ("unit", "currency", "number", "price"),
    [
        ("GBP/kWh", "GBP", "0.2476", "0.2476"),
        ("eur/kWh", "EUR", "0.31", "0.31"),
        ("€/kWh", "EUR", "0.31", "0.31"),
        ("£/kWh", "GBP", "0.31", "0.31"),
        ("p/kWh", "GBP", "24.76", "0.2476"),
        ("pence/kWh", "GBP", "-3", "-0.03"),
        ("ct/kWh", "EUR", "31.5", "0.315"),
        ("c/kWh", "AUD", "31.5", "0.315"),
        ("EUR ct/kWh", "EUR", "31.5", "0.315"),
        ("EUR/MWh", "EUR", "87.4", "0.0874"),
        ("EUR/Wh", "EUR", "0.0003", "0.3"),
        ("SEK/kWh", "SEK", "1.2", "1.2"),
        ("kr/kWh", "DKK", "2", "2"),
        ("öre/kWh", "SEK", "120", "1.2"),
        ("$/kWh", "USD", "0.11", "0.11"),
        (" GBP / kWh ", "GBP", "1e-1", "0.1"),
    ],
)
def test_units(unit: str, currency: str, number: str, price: str) -> None:
    """A number in a unit is a price of a kWh in the usual unit of the currency."""
    assert unit_in(unit, currency).price_of(number) == Decimal(price)


@pytest.mark.parametrize(
    "unit",
    [None, "", "kWh", "GBP", "/kWh", "W/kWh", "GBP/h", "bananas/kWh", "GBP/kWh/h", 7],
)
def test_units_that_say_nothing(unit: object) -> None:
    """What leaves room for doubt is no unit of a price."""
    with pytest.raises(TariffError) as caught:
        read_unit(unit)
    assert caught.value.key == "price_unit_unknown"


@pytest.mark.parametrize(
    ("unit", "currency"),
    [
        ("GBP/kWh", "EUR"),
        ("p/kWh", "EUR"),
        ("ct/kWh", "GBP"),
        ("kr/kWh", "EUR"),
        ("$/MWh", "EUR"),
    ],
)
def test_another_currency(unit: str, currency: str) -> None:
    """A price in pounds is none in euros."""
    with pytest.raises(TariffError) as caught:
        unit_in(unit, currency)
    assert caught.value.key == "price_currency_differs"


@pytest.mark.parametrize("number", ["unavailable", "", "nan", "inf", "1e9", "0,25"])
def test_no_number(number: str) -> None:
    """What is no number, or beyond all reason, is no price."""
    with pytest.raises(TariffError) as caught:
        unit_in("GBP/kWh", "GBP").price_of(number)
    assert caught.value.key == "price_invalid"
