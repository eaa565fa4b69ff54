"""A tariff for the first wallbox: set up as its owner would, held against each session."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from scripts.demo_lib.findings import Findings
from scripts.demo_lib.flow import change_subentry
from scripts.demo_lib.household import ZONE
from scripts.demo_lib.paths import DOMAIN
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.stage import Stage

CURRENCY = "GBP"
# In pounds a kWh: by day, and in the hours of the night.
BY_DAY, BY_NIGHT = 0.31, 0.09
NIGHT_BEGINS, NIGHT_ENDS = 22, 8
TARIFF = {
    "tariff_kind": "time_of_use",
    "currency": CURRENCY,
    "per_kwh": BY_DAY,
    "rates": [
        {
            "per_kwh": BY_NIGHT,
            "start": f"{NIGHT_BEGINS:02}:00:00",
            "end": f"{NIGHT_ENDS:02}:00:00",
        }
    ],
}
# Half a penny, and what a binary fraction is off by.
ROUNDING = 0.005 + 1e-9

type Scene = tuple[str, Callable[[], Awaitable[None]]]


class Paying:
    """The tariff, before a car comes."""

    def __init__(self, stage: Stage, findings: Findings) -> None:
        """Take a stage whose first wallbox is free."""
        self._stage = stage
        self._found = findings
        self.scenes: list[Scene] = [("a tariff is set up", self.set_up)]

    async def set_up(self) -> None:
        """Set the tariff up, through the flow that changes a wallbox."""
        api, name = self._stage.home.api, self._stage.wallboxes[0].name
        [entry] = await api.command("config_entries/get", domain=DOMAIN)
        subentries = await api.command(
            "config_entries/subentries/list", entry_id=entry["entry_id"]
        )
        subentry = next(one for one in subentries if one["title"] == name)
        await change_subentry(api, entry["entry_id"], subentry, TARIFF)
        self._found.note(
            f"{name}: {BY_DAY} {CURRENCY} a kWh by day, {BY_NIGHT} from "
            f"{NIGHT_BEGINS}:00 to {NIGHT_ENDS}:00"
        )


def price_at(text: str) -> float:
    """Return the price of an instant."""
    hour = datetime.fromisoformat(text).astimezone(ZONE).hour
    return BY_DAY if NIGHT_ENDS <= hour < NIGHT_BEGINS else BY_NIGHT


def check_cost(session: dict[str, Any]) -> float:
    """Return what a session costs; raise where that is not what its energy costs."""
    total = 0.0
    for part in session["slices"]:
        price, energy = price_at(part["start_utc"]), part["energy_kwh"]
        right = part["price_per_kwh"] == price and part["currency"] == CURRENCY
        if not right or abs(part["cost"] - energy * price) > ROUNDING:
            raise DemoError(
                f"{energy} kWh at {part['start_local']} cost {part['cost']} at "
                f"{part['price_per_kwh']} a kWh, not {energy * price:.2f}."
            )
        total += part["cost"]
    if session["cost_status"] != "final" or abs(session["cost"] - total) > ROUNDING:
        raise DemoError(
            f"A session costs {session['cost']} ({session['cost_status']}), its parts "
            f"{total:.2f}."
        )
    return total
