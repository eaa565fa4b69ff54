"""A home with two wallboxes whose history the test itself writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .records.nights import stay, utc
from custom_components.loxone_wallbox.charging.costing import TariffBook, priced
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.tariff import FixedTariff
from custom_components.loxone_wallbox.history import (
    async_get_store,
    ledger_of,
    wallbox_key,
)
from custom_components.loxone_wallbox.records.ledger import Ledger
from simulator import Simulator

PENCE = FixedTariff(id="night", currency="GBP", per_kwh=Decimal("0.10"))
PRICES = TariffBook().switched(PENCE)


class HistoryHome:
    """The home, and a pen for its ledgers."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take a home whose entry is set up."""
        self.hass = hass
        self.simulator = simulator
        self.entry = entry
        self.first = Actions(hass, simulator, 0)
        self.both = Actions(hass, simulator, 0, 1)
        self.see = Surface(hass, simulator)
        self._count = 0

    @property
    def again(self) -> HistoryHome:
        """Return the home as it is set up now, after it was removed."""
        return HistoryHome(self.hass, self.simulator, self.entry)

    def key(self, box: int = 0) -> str:
        """Return what names a wallbox in ledger and database."""
        return wallbox_key(
            self.simulator.config.serial, self.simulator.wallboxes[box].uuid
        )

    def ledger(self, box: int = 0) -> Ledger:
        """Return the ledger of a wallbox."""
        uuid = self.simulator.wallboxes[box].uuid
        return ledger_of(self.hass, self.simulator.config.serial, uuid)

    def session(
        self, start: str, hours: float = 2.0, *, box: int = 0, user: str = "anna"
    ) -> SessionRecord:
        """Return a session: half a kWh an hour, within its first half, for 10 p each."""
        self._count += 1
        book = SessionBook(wallbox=self.key(box), seq=self._count)
        record = stay(utc(start), hours, book)[1][-1].record
        return priced(replace_user(record, user), PRICES, utc(start))

    async def keep(self, *records: SessionRecord, box: int = 0) -> None:
        """Write sessions as a wallbox does: the ledger first."""
        ledger, store = self.ledger(box), async_get_store(self.hass)
        for record in records:
            await self.hass.async_add_executor_job(ledger.write, record, "test")
            store.put(record)
        if "recorder" in self.hass.config.components:
            await eventually(lambda: not store.behind, 20)
        await self.hass.async_block_till_done(wait_background_tasks=False)

    async def wipe(self) -> None:
        """Delete all that is kept, as if it had never been there."""
        store = async_get_store(self.hass)
        for box in (0, 1):
            ledger = self.ledger(box)
            for month in await self.hass.async_add_executor_job(ledger.months):
                for record in ledger.month(month).records:
                    store.drop(record.id)
                ledger._journal(month).delete()
        if "recorder" in self.hass.config.components:
            await eventually(lambda: not store.behind, 20)


def replace_user(record: SessionRecord, user: str | None) -> SessionRecord:
    """Return a session of somebody."""
    return SessionRecord.from_dict({**record.as_dict(), "user_id": user})


@asynccontextmanager
async def history_home(
    hass: HomeAssistant, start_simulator: StartSimulator, **config: Any
) -> AsyncIterator[HistoryHome]:
    """Set a home in London up."""
    await hass.config.async_set_time_zone("Europe/London")
    simulator = await start_simulator(**config)
    entry = await set_up(hass, make_entry(simulator))
    home = HistoryHome(hass, simulator, entry)
    yield home
    if hass.config_entries.async_get_entry(home.entry.entry_id) is not None:
        await hass.config_entries.async_unload(home.entry.entry_id)


def instant(text: str) -> datetime:
    """Return an instant of UTC."""
    return utc(text)
