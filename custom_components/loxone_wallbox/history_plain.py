"""A session in the words and units that people and automations read.

Takes a ledger's record as plain data and the zone of its wallbox, gives kWh, seconds,
whole units of the currency, and each time as local and as UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from .charging.money import decimals
from .charging.session import Origin
from .naming import Names

WH_A_KWH = 1000
_TIMES = ("connected", "first_import", "last_import", "disconnected")


def kwh(wh: int | None) -> float | None:
    """Return an energy in kWh."""
    return None if wh is None else wh / WH_A_KWH


def major(minor: int | None, currency: str | None) -> float | None:
    """Return an amount in the currency's own unit, not its smallest."""
    if minor is None or currency is None:
        return None
    return float(Decimal(minor).scaleb(-decimals(currency)))


def times(name: str, text: str | None, zone: tzinfo) -> dict[str, str | None]:
    """Return an instant by both clocks; the local one has its offset."""
    at = None if text is None else datetime.fromisoformat(text)
    return {
        f"{name}_local": None if at is None else at.astimezone(zone).isoformat(),
        f"{name}_utc": None if at is None else at.astimezone(UTC).isoformat(),
    }


def plain_session(
    record: Mapping[str, Any], zone: tzinfo, names: Names
) -> dict[str, Any]:
    """Return a session.

    `user` is the owner's name of who charged, `user_id` what stands for them. What the
    Miniserver's own log does not tell is None.
    """
    plain: dict[str, Any] = {"id": record["id"], "kind": record["kind"]}
    for name in _TIMES:
        plain |= times(name, record[f"{name}_utc"], zone)
    currency = record["currency"]
    origin = record.get("origin", Origin.HOME_ASSISTANT)
    watched = origin == Origin.HOME_ASSISTANT
    return {
        **plain,
        "energy_kwh": kwh(record["import_wh"]),
        "exported_kwh": kwh(record["export_wh"]),
        "charging_s": record["importing_s"] if is_timed(record) else None,
        "connected_s": record["connected_s"],
        "meter_start_kwh": kwh(record["meter_start_wh"]),
        "meter_stop_kwh": kwh(record["meter_stop_wh"]),
        "max_power_w": record["max_w"] if watched else None,
        "cost": major(record["cost_minor"], currency),
        "currency": currency,
        "cost_status": record["cost_status"],
        "user": names.shown(record["user_id"]),
        "user_id": record["user_id"],
        "tag": record["tag"],
        "vehicle": record["vehicle"],
        "mode": record["mode_last"],
        "stop_reason": record["stop_reason"],
        "delays": record["delays"],
        "origin": origin,
        "quality": record["quality"],
        "slices": [plain_slice(one, zone) for one in record["slices"]],
        "repricings": [plain_repricing(one, zone) for one in record["repricings"]],
    }


def is_timed(record: Mapping[str, Any]) -> bool:
    """Tell whether it is known for how long the car charged."""
    return not record["quality"].get("connection_only", False)


def plain_slice(part: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """Return a part of a session."""
    price = part["price"]
    return {
        **times("start", part["start"], zone),
        **times("end", part["end"], zone),
        "energy_kwh": kwh(part["wh"]),
        "in_peak": part["in_peak"],
        "grid_event": part["dsr_id"],
        "price_per_kwh": None if price is None else float(Decimal(price)),
        "currency": part["currency"],
        "cost": major(part["cost_minor"], part["currency"]),
        "cost_status": part["price_status"],
        "estimated_timing": part.get("estimated", False),
    }


def plain_repricing(change: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """Return what a slice cost before its price was replaced, and when that was."""
    price, currency = change["price"], change["currency"]
    return {
        **times("replaced", change["at"], zone),
        **times("slice_start", change["slice_start"], zone),
        "price_per_kwh": None if price is None else float(Decimal(price)),
        "currency": currency,
        "cost": major(change["cost_minor"], currency),
        "cost_status": change["price_status"],
    }
