"""Where the sessions of all wallboxes are kept and asked for.

Gives the ledger of a wallbox and the one store that answers questions about all of them,
whatever entry they belong to. The store starts with the first wallbox and writes what
waits when Home Assistant stops.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .records.ledger import Ledger
from .records.recorder import SessionStore
from .records.wiping import Wipes
from .rules import state_file

# The ledgers and the database are compared so often.
COMPARE_EVERY = timedelta(days=1)
# Sent with a wallbox's key when its ledger took something from the database.
SIGNAL_LEDGER_REPAIRED = f"{DOMAIN}_ledger_repaired"
# Sent with a wallbox's key and the ids of sessions that its files had lost.
SIGNAL_SESSIONS_RESTORED = f"{DOMAIN}_sessions_restored"

_STORE: HassKey[SessionStore] = HassKey(f"{DOMAIN}_sessions")
_LEDGERS: HassKey[dict[str, Ledger]] = HassKey(f"{DOMAIN}_ledgers")
_TURNS: HassKey[dict[str, asyncio.Lock]] = HassKey(f"{DOMAIN}_ledger_turns")


def wallbox_key(serial: str, wallbox_id: str) -> str:
    """Return what names a wallbox in ledger and database, whatever its entry is."""
    return f"{serial}_{wallbox_id}"


def ledger_of(hass: HomeAssistant, serial: str, wallbox_id: str) -> Ledger:
    """Return the ledger of a wallbox, the same each time."""
    ledgers = hass.data.setdefault(_LEDGERS, {})
    key = wallbox_key(serial, wallbox_id)
    if key not in ledgers:
        state = state_file(Path(hass.config.path(DOMAIN)), serial, wallbox_id)
        ledgers[key] = Ledger(state.parent, state.name.partition(".")[0])
    return ledgers[key]


@callback
def turn_of(hass: HomeAssistant, key: str) -> asyncio.Lock:
    """Return the lock that whoever writes to a wallbox's ledger holds meanwhile."""
    return hass.data.setdefault(_TURNS, {}).setdefault(key, asyncio.Lock())


@callback
def async_get_store(hass: HomeAssistant) -> SessionStore:
    """Return the store of all sessions, started."""
    if (known := hass.data.get(_STORE)) is not None:
        return known

    @callback
    def repaired(wallbox: str) -> None:
        """Tell whoever made something of a ledger that it has more now."""
        async_dispatcher_send(hass, SIGNAL_LEDGER_REPAIRED, wallbox)

    @callback
    def restored(wallbox: str, ids: list[str]) -> None:
        """Tell that a ledger got back what it had lost."""
        async_dispatcher_send(hass, SIGNAL_SESSIONS_RESTORED, wallbox, ids)

    wipes = Wipes(Path(hass.config.path(DOMAIN)) / "wipes.jsonl")
    store = hass.data[_STORE] = SessionStore(
        hass, repaired=repaired, restored=restored, wipes=wipes
    )

    @callback
    def compare(_now: datetime) -> None:
        """Compare, once a day."""
        store.compare()

    stop_comparing = async_track_time_interval(
        hass, compare, COMPARE_EVERY, cancel_on_shutdown=True
    )

    async def stop(_event: Event) -> None:
        """Write what waits."""
        stop_comparing()
        await store.async_stop()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop)
    store.start()
    return store
