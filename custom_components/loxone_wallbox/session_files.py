"""What is kept of a wallbox's sessions, loaded before its first look.

Takes the wallbox, gives its ledger, the sessions that run, and where they are kept. What
may go wrong: a file that cannot be read; then what can be read counts, the ledger first,
and charging goes on.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .charging.session import Kind, SessionError, SessionRecord, instant
from .charging.session_book import SessionBook
from .charging.slices import SessionRules
from .const import CONF_WALLBOX_ID, DOMAIN, LOGGER
from .history import ledger_of, turn_of, wallbox_key
from .meter.quality import EnergyMemory
from .people import People, async_get_people
from .records.journal import JournalError
from .records.ledger import Ledger, LedgerError
from .records.reconciling import Kept
from .records.state import StateKeeper
from .records.together import Line, make_good
from .rules import running_file, session_rules
from .tariff_settings import tariff_settings

# The statistics of a wallbox by key, and the entity whose name says what each one is.
STATISTIC_NAMES = {
    "energy": "sensor.session_energy",
    "sessions": "event.session",
    "charging_time": "sensor.session_charging_time",
    "cost": "sensor.session_cost",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSessions:
    """What is kept of a wallbox's sessions.

    `energy` is how the Miniserver's energy is counted, `source` whose counter the book
    speaks of, `noted_at` up to when random delays were noted. `latest` is the last
    session that has ended, `occasion` the last of them that took energy. `turn` is held
    by whoever writes to the ledger; `askew` are the stays of the Miniserver's log that
    are ours, although its clock puts them into another time. `tariff` are the settings
    of the price, `prices` is what was kept of prices. `unwritten` is what the ledger
    still lacks.
    """

    wallbox: str
    ledger: Ledger
    turn: asyncio.Lock
    keeper: StateKeeper
    people: People
    names: Mapping[str, str]
    rules: SessionRules
    book: SessionBook
    energy: EnergyMemory | None = None
    source: dict[str, Any] | None = None
    noted_at: datetime | None = None
    latest: SessionRecord | None = None
    occasion: SessionRecord | None = None
    askew: frozenset[str] = frozenset()
    tariff: Mapping[str, Any] | None = None
    prices: Mapping[str, Any] = field(default_factory=dict)
    unwritten: tuple[Line, ...] = ()

    @property
    def place(self) -> Kept:
        """Return where the sessions are, as the store of all needs to know it."""
        return Kept(ledger=self.ledger, zone=self.rules.zone, turn=self.turn)


async def async_load_sessions(
    hass: HomeAssistant, serial: str, settings: Mapping[str, Any]
) -> KeptSessions:
    """Return what is kept of a wallbox's sessions; never raises for a broken file."""
    wallbox_id, rules = settings[CONF_WALLBOX_ID], session_rules(hass, settings)
    key = wallbox_key(serial, wallbox_id)
    ledger = ledger_of(hass, serial, wallbox_id)
    folder = Path(hass.config.path(DOMAIN))
    keeper = StateKeeper(running_file(folder, serial, wallbox_id))
    people = await async_get_people(hass)
    names = await _async_names(hass)
    data = await hass.async_add_executor_job(_state, keeper)
    turn = turn_of(hass, key)
    async with turn:
        unwritten = await hass.async_add_executor_job(make_good, ledger, data)
    newest, latest, occasion = await hass.async_add_executor_job(_last, ledger)
    book = _book(data, key).reconciled(newest, rules)
    source, noted = data.get("source"), data.get("noted_at")
    askew = data.get("askew")
    return KeptSessions(
        wallbox=key,
        ledger=ledger,
        turn=turn,
        keeper=keeper,
        people=people,
        names=names,
        rules=rules,
        book=book,
        energy=EnergyMemory.from_dict(data.get("energy") or {}),
        source=source if isinstance(source, dict) else None,
        noted_at=instant(noted) if isinstance(noted, str) else None,
        latest=latest,
        occasion=occasion,
        askew=frozenset(askew if isinstance(askew, list) else ()),
        tariff=tariff_settings(settings),
        prices=data.get("prices") or {},
        unwritten=tuple(unwritten),
    )


async def _async_names(hass: HomeAssistant) -> dict[str, str]:
    """Return what the statistics are called."""
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])
    return {
        key: texts.get(f"component.{DOMAIN}.entity.{entity}.name", key)
        for key, entity in STATISTIC_NAMES.items()
    }


def _state(keeper: StateKeeper) -> dict[str, Any]:
    """Return what was kept to go on."""
    try:
        return keeper.load() or {}
    except JournalError as err:
        LOGGER.error("The running session could not be read: %s", err)
    return {}


def _last(
    ledger: Ledger,
) -> tuple[SessionRecord | None, SessionRecord | None, SessionRecord | None]:
    """Return the newest session, the newest that ended, and the newest occasion."""
    newest = latest = None
    try:
        for month in reversed(ledger.months()):
            for record in reversed(ledger.month(month).records):
                newest = newest or record
                if record.disconnected_utc is None:
                    continue
                latest = latest or record
                if record.kind is Kind.OCCASION:
                    return newest, latest, record
    except (JournalError, LedgerError) as err:
        LOGGER.error("The sessions of a wallbox could not be read: %s", err)
    return newest, latest, None


def _book(data: Mapping[str, Any], wallbox: str) -> SessionBook:
    """Return the sessions that run; what cannot be read is in the ledger."""
    kept = data.get("book")
    if isinstance(kept, Mapping):
        try:
            return SessionBook.from_dict(kept)
        except SessionError as err:
            LOGGER.error("The running session could not be read: %s", err)
    return SessionBook(wallbox=wallbox)
