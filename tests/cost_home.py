"""A wallbox that charges, a tariff, and an entity that says what a kWh costs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .actions import Actions
from .conftest import StartSimulator
from .recorded import Recorded
from .stage import LONDON, Stage, stage
from custom_components.loxone_wallbox.charging.price_words import quarter_of
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.tariff import QUARTER
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Car

PRICE = "sensor.price"
FIXED = {"kind": "fixed", "currency": "GBP", "per_kwh": "0.30"}
DYNAMIC = {
    "kind": "dynamic",
    "currency": "GBP",
    "price_entity": PRICE,
    "fallback": "0.40",
}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TIME_OF_USE = {
    "kind": "time_of_use",
    "currency": "GBP",
    "per_kwh": "0.25",
    "clock": "local",
    "rates": [
        {
            "per_kwh": "0.07",
            "windows": [{"days": DAYS, "start": "00:30", "end": "05:30"}],
        }
    ],
}
JUST = timedelta(seconds=1)
# A car takes a moment to begin, and what flows is looked at then.
SEEN = timedelta(seconds=5)


type Home = Callable[..., AbstractAsyncContextManager[Costs]]


class Costs:
    """A night at the wallbox, as its owner and its ledger see the cost."""

    def __init__(self, play: Stage) -> None:
        """Take the stage."""
        self.play = play
        self.recorded = Recorded(play.hass, play.simulator)

    def say(self, price: object, unit: str | None = "GBP/kWh") -> None:
        """Let the price entity say something, None takes it away."""
        states = self.play.hass.states
        if price is None:
            states.async_remove(PRICE)
            return
        attributes = {} if unit is None else {"unit_of_measurement": unit}
        at = self.play.clock.time()
        states.async_set_internal(PRICE, str(price), attributes, False, None, None, at)

    async def settle(self) -> None:
        """Let what is on its way arrive, what is looked up included."""
        await self.play.settle()
        await self.play.hass.async_block_till_done(wait_background_tasks=False)

    async def until(self, text: str) -> None:
        """Let time pass; what flowed is looked at just before each quarter hour.

        Whatever the Miniserver tells while time passes arrives at its end.
        """
        end = self.play.instant(text)
        while (now := datetime.fromtimestamp(self.play.clock.time(), UTC)) < end:
            quarter = quarter_of(now) + QUARTER
            before = quarter - JUST
            at = before if now < before else quarter
            await self.look(min(at, end - JUST) if now < end - JUST else min(at, end))

    async def look(self, at: datetime) -> None:
        """Go on to an instant."""
        local = at.astimezone(LONDON).replace(tzinfo=None)
        await self.play.at(local.isoformat())

    async def plug(self) -> None:
        """Plug a car in that charges at once, with 11 kW, and see that it does."""
        self.play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await self.settle()
        await self.look(datetime.fromtimestamp(self.play.clock.time(), UTC) + SEEN)

    async def unplug(self) -> SessionRecord:
        """Plug it out and return what was recorded of it."""
        self.play.box.unplug()
        await self.settle()
        return await self.last()

    async def last(self) -> SessionRecord:
        """Return the last session of the ledger."""
        return (await self.recorded.records())[-1]

    async def change(self, tariff: dict[str, Any] | None) -> None:
        """Let the owner choose another tariff, or none."""
        entry = self.play.entry
        [subentry] = entry.subentries.values()
        data = {name: one for name, one in subentry.data.items() if name != "tariff"}
        if tariff is not None:
            data["tariff"] = tariff
        self.play.hass.config_entries.async_update_subentry(entry, subentry, data=data)
        await self.settle()

    async def listed(self) -> dict[str, Any]:
        """Return the last session as the action lists it."""
        actions = Actions(self.play.hass, self.play.simulator)
        answer = await actions("get_sessions", answer=True, limit=1)
        found: dict[str, Any] = answer["sessions"][0]
        return found

    @property
    def repairs(self) -> list[str]:
        """Return what the owner is told of the price."""
        issues = ir.async_get(self.play.hass).issues.values()
        return [
            str(one.translation_key)
            for one in issues
            if one.domain == DOMAIN and str(one.issue_id).startswith("price_source")
        ]


def exact(record: SessionRecord) -> int:
    """Return what a session costs by its slices, each to the penny."""
    return sum(round(one.wh * (one.price or Decimal(0)) / 10) for one in record.slices)


def by_price(record: SessionRecord) -> dict[str, int]:
    """Return the energy at each price."""
    found: dict[str, int] = {}
    for one in record.slices:
        found[str(one.price)] = found.get(str(one.price), 0) + one.wh
    return found


@asynccontextmanager
async def cost_home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tariff: dict[str, Any] | None,
    *,
    begin: str = "2027-01-13T22:55:00",
) -> AsyncIterator[Costs]:
    """Set a wallbox in London up that charges at once in the evening."""
    await hass.config.async_set_time_zone("Europe/London")
    settings: dict[str, Any] = {} if tariff is None else {"tariff": tariff}
    async with stage(
        hass, start_simulator, monkeypatch, begin=begin, **settings
    ) as play:
        play.deal(*[0] * 20)
        yield Costs(play)
