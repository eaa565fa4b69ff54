"""For how long sessions are kept, and what becomes of them with their wallbox.

Takes the options of the Miniservers' entries; removes the months that are too old, at
start and each day, of every wallbox there is or was, and all of a wallbox whose owner
wants that. Statistics of a month outlive its sessions. What an owner wished last is kept
beside the sessions and holds when the Miniserver is gone; where nothing is known, nothing
is removed. What may go wrong: a disk or a database that does not answer; then it is done
another day.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .const import CONF_SERIAL, DOMAIN, LOGGER
from .history import async_get_store, ledger_of, turn_of, wallbox_key
from .ledger_repair import (
    async_look_at_files,
    async_setup_restored,
    forget_damage,
)
from .records.journal import Journal, JournalError
from .records.ledger import DEFAULT_MONTHS, MIN_MONTHS
from .rights import SecurityEvent
from .security import security_of

CONF_RETENTION = "retention_months"
CONF_ON_REMOVAL = "history_on_removal"
# Ten years are no history that anybody looks at.
MAX_MONTHS = 120
# In the folder of a Miniserver's serial: for how long its sessions are kept.
RETENTION_FILE = "retention.jsonl"
EXPIRE_EVERY = timedelta(days=1)


class OnRemoval(StrEnum):
    """What becomes of the sessions when a wallbox or its Miniserver is removed."""

    STAYS = "stays"
    GOES = "goes"


def retention_of(options: Mapping[str, Any]) -> int:
    """Return for how many months sessions are kept; regulation 9 asks for 12 whole."""
    months = options.get(CONF_RETENTION, DEFAULT_MONTHS)
    return min(max(int(months), MIN_MONTHS), MAX_MONTHS)


def history_goes(options: Mapping[str, Any]) -> bool:
    """Tell whether the sessions go with their wallbox."""
    return bool(options.get(CONF_ON_REMOVAL) == OnRemoval.GOES)


@callback
def async_setup_keeping(hass: HomeAssistant) -> None:
    """Remove what is too old from now on: at start, each day, and at another wish."""
    wishes = _wishes(hass)

    @callback
    def expire(_at: object) -> None:
        """Remove what is too old."""
        hass.async_create_background_task(async_expire(hass), "sessions that are old")

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look whether an owner wants to keep sessions for another time."""
        nonlocal wishes
        if change is ConfigEntryChange.REMOVED and entry.domain == DOMAIN:
            hass.async_create_task(
                _async_remember(hass, entry), "for how long sessions are kept"
            )
        if change is ConfigEntryChange.UPDATED and entry.domain == DOMAIN:
            before, wishes = wishes, _wishes(hass)
            if wishes != before:
                expire(None)

    async_setup_restored(hass)
    async_at_started(hass, expire)
    async_track_time_interval(hass, expire, EXPIRE_EVERY, cancel_on_shutdown=True)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


def _wishes(hass: HomeAssistant) -> dict[str, int]:
    """Return for how many months each Miniserver's sessions are kept, by serial."""
    return {
        entry.data[CONF_SERIAL]: retention_of(entry.options)
        for entry in hass.config_entries.async_entries(DOMAIN)
    }


async def async_expire(hass: HomeAssistant) -> None:
    """Remove the months that are older than their owner wants to keep.

    What is left is looked at: of what cannot be read its owner is told.
    """
    wishes, job = _wishes(hass), hass.async_add_executor_job
    kept = await _async_kept(hass)
    for serial, wallbox_id in kept:
        try:
            wish = await job(_wished, _journal(hass, serial), wishes.get(serial))
            if wish is not None:
                await _async_expire(hass, serial, wallbox_id, wish)
        except JournalError as err:
            LOGGER.error("Sessions that are too old are still there: %s", err)
    await async_look_at_files(hass, kept)


def _journal(hass: HomeAssistant, serial: str) -> Journal:
    """Return where it is kept for how long a Miniserver's sessions are."""
    return Journal(Path(hass.config.path(DOMAIN)) / serial / RETENTION_FILE)


def _wished(journal: Journal, now: int | None) -> int | None:
    """Return what is wished now and keep it, or else what was wished last. Blocking.

    None where nobody ever said anything; raises `JournalError`.
    """
    lines = journal.read().records
    last = lines[-1].get("months") if lines else None
    if now is None:
        known = isinstance(last, int)
        return retention_of({CONF_RETENTION: last}) if known else None
    if now != last:
        journal.replace([{"months": now}])
    return now


async def _async_remember(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Keep what the owner of a Miniserver wished that was removed just now."""
    serial = entry.data[CONF_SERIAL]
    try:
        if any(one == serial for one, _ in await _async_kept(hass)):
            wish, journal = retention_of(entry.options), _journal(hass, serial)
            await hass.async_add_executor_job(_wished, journal, wish)
    except JournalError as err:
        LOGGER.error("For how long sessions are kept is not known later: %s", err)


async def _async_expire(
    hass: HomeAssistant, serial: str, wallbox_id: str, months: int
) -> None:
    """Remove the months of a wallbox that are too old, in its files and the database."""
    key, ledger = wallbox_key(serial, wallbox_id), ledger_of(hass, serial, wallbox_id)
    async with turn_of(hass, key):
        gone = await hass.async_add_executor_job(
            ledger.expire, dt_util.utcnow(), months
        )
        first = await hass.async_add_executor_job(ledger.first_month)
    if gone:
        LOGGER.info("Sessions of %s to %s were kept long enough", gone[0], gone[-1])
        months_gone = {"from": gone[0], "to": gone[-1]}
        _tell(hass, serial, wallbox_id, "kept_long_enough", **months_gone)
    if first:
        begin = datetime.strptime(first, "%Y-%m").replace(tzinfo=UTC)
        await async_get_store(hass).async_forget_before(key, begin.timestamp())


async def async_wipe_history(hass: HomeAssistant, serial: str, wallbox_id: str) -> None:
    """Delete all sessions of a wallbox that was let go, wherever they are."""
    key, store = wallbox_key(serial, wallbox_id), async_get_store(hass)
    ledger = ledger_of(hass, serial, wallbox_id)
    try:
        await store.async_note_wipe(key)
        async with turn_of(hass, key):
            await hass.async_add_executor_job(ledger.wipe)
        await store.async_wipe(key)
    except JournalError as err:
        LOGGER.error("Sessions of a removed wallbox are still there: %s", err)
    else:
        forget_damage(hass, serial, wallbox_id)
        _tell(hass, serial, wallbox_id, "wallbox_removed")


@callback
def _tell(
    hass: HomeAssistant, serial: str, wallbox_id: str, reason: str, **more: str
) -> None:
    """Tell the security log that sessions are gone."""
    if (security := security_of(hass, serial)) is not None:
        detail = {"wallbox_id": wallbox_id, "what": "sessions", "reason": reason}
        security.record(
            SecurityEvent(
                kind="data_deleted", outcome="info", detail={**detail, **more}
            )
        )


async def async_wipe_miniserver(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete the sessions of all wallboxes that a removed Miniserver has or had."""
    for serial, wallbox_id in await _async_kept(hass):
        if serial == entry.data[CONF_SERIAL]:
            await async_wipe_history(hass, serial, wallbox_id)
    journal = _journal(hass, entry.data[CONF_SERIAL])
    try:
        await hass.async_add_executor_job(journal.delete)
    except JournalError as err:
        LOGGER.error("A file of a removed Miniserver is still there: %s", err)


async def _async_kept(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return the wallboxes of which there are sessions, by serial and id."""

    def found() -> list[tuple[str, str]]:
        """Look into the folders."""
        files = Path(hass.config.path(DOMAIN)).glob("*/*.sessions.*jsonl")
        return sorted({(one.parent.name, one.name.partition(".")[0]) for one in files})

    return await hass.async_add_executor_job(found)
