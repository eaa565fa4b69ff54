"""What the unit of a price entity means: which currency, and how much of it a kWh costs.

Takes the text of a unit and of a state, gives a price of a kilowatt-hour in the
currency's usual unit. A unit that leaves room for doubt is refused, since a price that
is wrong by a hundred or a thousand is worse than none.
"""

from dataclasses import dataclass
from decimal import Decimal

from .money import CURRENCIES, TariffError, parse_price

_CENT = Decimal("0.01")
_ONE = Decimal(1)
# How many kWh the energy of a unit is.
_ENERGIES = {
    "wh": Decimal("0.001"),
    "kwh": _ONE,
    "mwh": Decimal(1000),
    "gwh": Decimal(1_000_000),
}
_DOLLARS = frozenset({"USD", "AUD", "CAD", "NZD", "SGD", "HKD", "TWD"})
_CROWNS = frozenset({"SEK", "NOK", "DKK", "ISK"})
_EURO = frozenset({"EUR"})
_POUND = frozenset({"GBP"})
_CENTS = _DOLLARS | _EURO | {"ZAR"}
# The words for money other than codes: which currencies it may be, and how much of one.
_WORDS: dict[str, tuple[frozenset[str], Decimal]] = {
    **dict.fromkeys(("€", "euro"), (_EURO, _ONE)),
    **dict.fromkeys(("eurocent", "eurocents", "€ct"), (_EURO, _CENT)),
    "£": (_POUND, _ONE),
    **dict.fromkeys(("p", "pence"), (_POUND, _CENT)),
    "$": (_DOLLARS, _ONE),
    **dict.fromkeys(("ct", "cts", "cent", "cents", "c", "¢"), (_CENTS, _CENT)),
    "kr": (_CROWNS, _ONE),
    **dict.fromkeys(("öre", "øre", "ore"), (_CROWNS - {"ISK"}, _CENT)),
    "zł": (frozenset({"PLN"}), _ONE),
    "gr": (frozenset({"PLN"}), _CENT),
    "kč": (frozenset({"CZK"}), _ONE),
    "ft": (frozenset({"HUF"}), _ONE),
    "rp": (frozenset({"CHF"}), _CENT),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceUnit:
    """A unit that was understood: the currencies it may mean, and what a number is worth.

    `factor` makes the price of a kWh in the currency's usual unit of a number.
    """

    currencies: frozenset[str]
    factor: Decimal

    def price_of(self, value: object) -> Decimal:
        """Return the price of a kWh. Raises `TariffError` for what is no number."""
        return parse_price(parse_price(value) * self.factor)


def read_unit(text: object) -> PriceUnit:
    """Read a unit such as GBP/kWh, ct/kWh, p/kWh or EUR/MWh.

    Raises `TariffError` for one that is missing or cannot be understood.
    """
    money, _, energy = str(text or "").strip().rpartition("/")
    size = _ENERGIES.get(energy.strip().casefold())
    if size is None:
        raise TariffError("price_unit_unknown")
    # Some write the currency and its hundredth, as in EUR ct.
    word = money.strip()
    if word.upper() in CURRENCIES:
        return PriceUnit(currencies=frozenset({word.upper()}), factor=_ONE / size)
    code, _, rest = word.partition(" ")
    worth = _WORDS.get((rest if code.upper() in CURRENCIES else word).casefold())
    if worth is None:
        raise TariffError("price_unit_unknown")
    currencies, part = worth
    if rest and code.upper() in CURRENCIES:
        currencies &= {code.upper()}
    if not currencies:
        raise TariffError("price_unit_unknown")
    return PriceUnit(currencies=currencies, factor=part / size)


def unit_in(text: object, currency: str) -> PriceUnit:
    """Read a unit of prices in a currency.

    Raises `TariffError` for one that cannot be understood, or is of another currency.
    """
    unit = read_unit(text)
    if currency not in unit.currencies:
        raise TariffError("price_currency_differs")
    return unit
