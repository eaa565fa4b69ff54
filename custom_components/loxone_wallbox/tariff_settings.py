"""A wallbox's tariff as its settings have it.

Takes what the owner answered, gives the tariff; what cannot be read is no tariff, since
without a price energy is counted all the same.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from .charging.money import TariffError, parse_price
from .charging.tariff import QUARTER, DynamicTariff, Tariff, tariff_from_dict
from .const import CONF_TARIFF, LOGGER

CONF_CURRENCY = "currency"
CONF_PRICE = "per_kwh"
CONF_RATES = "rates"
CONF_PRICE_ENTITY = "price_entity"
CONF_FALLBACK = "fallback"


class Kind(StrEnum):
    """Where the price of a kilowatt-hour comes from."""

    NONE = "none"
    KEEP = "keep"
    FIXED = "fixed"
    TIME_OF_USE = "time_of_use"
    DYNAMIC = "dynamic"


def tariff_settings(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the settings of a wallbox's tariff, None where there is none."""
    kept = settings.get(CONF_TARIFF)
    return dict(kept) if isinstance(kept, Mapping) else None


def price_entity(settings: Mapping[str, Any] | None) -> str | None:
    """Return the entity that tells the price, None where no entity does."""
    if settings is None or settings.get("kind") != Kind.DYNAMIC:
        return None
    return str(settings[CONF_PRICE_ENTITY])


def read_tariff(settings: Mapping[str, Any], name: str, zone: tzinfo) -> Tariff:
    """Read a tariff under a name. Raises `TariffError` for what is none."""
    if settings.get("kind") != Kind.DYNAMIC:
        return tariff_from_dict({**settings, "id": name}, zone)
    fallback = settings.get(CONF_FALLBACK)
    return DynamicTariff(
        id=name,
        currency=str(settings[CONF_CURRENCY]),
        step=QUARTER,
        fallback=None if fallback is None else parse_price(fallback),
    )


def tariff_of(
    settings: Mapping[str, Any] | None, since: datetime | None, zone: tzinfo
) -> Tariff | None:
    """Return a tariff that is agreed from an instant on, None for none."""
    if settings is None:
        return None
    try:
        return read_tariff(settings, since.isoformat() if since else "first", zone)
    except (TariffError, KeyError) as err:
        LOGGER.error("The settings of a tariff cannot be read: %s", err)
    return None
