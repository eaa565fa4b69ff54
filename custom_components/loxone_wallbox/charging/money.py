"""Prices and costs: a price in a currency for a kilowatt-hour, a cost in minor units.

Takes watt-hours and a price, gives a whole number of the currency's smallest unit
(pence, cents, yen), rounded half to even. Source of the codes and of the number of
decimals: ISO 4217.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

WH_A_KWH = 1000
# A price beyond is a mistake in any currency.
MAX_PRICE = Decimal(1_000_000)
# More digits than any tariff has; a longer text is no price.
MAX_PRICE_TEXT = 40

_ACTIVE = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL "
    "BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD "
    "EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR "
    "ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR "
    "LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG "
    "SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD "
    "TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "
    "ZWL"
)
CURRENCIES = frozenset(_ACTIVE.split())
_DECIMALS = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"),
            *("UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class TariffError(ValueError):
    """A tariff that cannot be; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class PriceStatus(StrEnum):
    """How sure a price is, and the cost that follows from it."""

    FINAL = "final"
    PROVISIONAL = "provisional"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """A price of a kilowatt-hour in a currency; below zero it is paid to the owner."""

    per_kwh: Decimal
    currency: str
    status: PriceStatus = PriceStatus.FINAL


def checked_currency(code: Any) -> str:
    """Return a currency code of ISO 4217. Raises `TariffError` for anything else."""
    if code not in CURRENCIES:
        raise TariffError("currency_unknown")
    return str(code)


def decimals(currency: str) -> int:
    """Return how many decimals the smallest unit of a currency has."""
    return _DECIMALS.get(currency, 2)


def parse_price(value: Any) -> Decimal:
    """Return a price of a kilowatt-hour; a number counts as it is written.

    Raises `TariffError` for what is no finite number or beyond all reason.
    """
    text = str(value).strip()
    if isinstance(value, bool) or len(text) > MAX_PRICE_TEXT:
        raise TariffError("price_invalid")
    try:
        price = Decimal(text)
    except InvalidOperation as err:
        raise TariffError("price_invalid") from err
    if not price.is_finite() or abs(price) > MAX_PRICE:
        raise TariffError("price_invalid")
    return price


def cost_minor(wh: int, price: Price) -> int:
    """Return what an energy in Wh costs, in the currency's smallest unit."""
    exact = (wh * price.per_kwh / WH_A_KWH).scaleb(decimals(price.currency))
    return int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))
