"""The repairs of files of sessions that are damaged, gone, or were for a while.

Takes the wallboxes of which there are sessions; raises a repair for each whose files have
something that cannot be read or are gone, and takes it back when that is over. An owner
who ignores it has taken note: the same damage is not told again, another one is. What the
database still has of files comes back by itself; that it did is told until the owner has
taken note.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import override
import zlib

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import CONF_SERIAL, CONF_WALLBOX_ID, DOMAIN
from .history import (
    SIGNAL_SESSIONS_RESTORED,
    async_get_store,
    ledger_of,
    wallbox_key,
)
from .records.journal import JournalError
from .records.ledger import Damage, Ledger, month_of
from .records.rows import Wanted

DAMAGED = "sessions_damaged"
RESTORED = "sessions_restored"
# Of a file that is damaged all over the rest is no news.
MOST_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Damaged:
    """A file, and what of it cannot be read: lines, ids of sessions, or nothing of it."""

    file: str
    places: tuple[str, ...] = ()

    @override
    def __str__(self) -> str:
        """Return it as the owner reads it."""
        shown = [
            *self.places[:MOST_SHOWN],
            *(["…"] if self.places[MOST_SHOWN:] else []),
        ]
        return f"`{self.file}`: {', '.join(shown) or '–'}"  # noqa: RUF001


@callback
def async_setup_restored(hass: HomeAssistant) -> None:
    """Tell of sessions that come back from now on."""

    @callback
    def restored(key: str, ids: list[str]) -> None:
        """Tell which sessions files had lost; a wallbox has one such repair."""
        serial, _, wallbox_id = key.partition("_")
        months = sorted({month_of(one) for one in ids})
        ir.async_create_issue(
            hass,
            DOMAIN,
            f"{RESTORED}_{key}",
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=RESTORED,
            translation_placeholders={
                "wallbox": _called(hass, serial, wallbox_id),
                "count": str(len(ids)),
                "months": ", ".join(months),
            },
        )

    async_dispatcher_connect(hass, SIGNAL_SESSIONS_RESTORED, restored)


async def async_look_at_files(
    hass: HomeAssistant, wallboxes: Iterable[tuple[str, str]]
) -> None:
    """Read all sessions of some wallboxes, by serial and id; raise and clear repairs.

    Nothing of any other wallbox is damaged, as it has no files.
    """
    looked_at = []
    for serial, wallbox_id in wallboxes:
        await async_look_at_wallbox(hass, serial, wallbox_id)
        looked_at.append(_issues_of(serial, wallbox_id))
    _clear(hass, f"{DAMAGED}_", but=looked_at)


async def async_look_at_wallbox(
    hass: HomeAssistant, serial: str, wallbox_id: str
) -> None:
    """Read all sessions of a wallbox; raise its repair, or clear it."""
    ledger = ledger_of(hass, serial, wallbox_id)
    issues = _issues_of(serial, wallbox_id)
    if await _async_lost(hass, ledger):
        # The database may still have what was in a file that is gone.
        store = async_get_store(hass)
        store.compare()
        one = Wanted(wallboxes=(wallbox_key(serial, wallbox_id),))
        await store.async_listed(one, limit=0)
    damaged = await _async_damaged(hass, ledger)
    name = issues + _print(damaged)
    _clear(hass, issues, but=[name] if damaged else [])
    if not damaged:
        return
    places = "\n".join(f"- {one}" for one in damaged)
    ir.async_create_issue(
        hass,
        DOMAIN,
        name,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=DAMAGED,
        translation_placeholders={
            "wallbox": _called(hass, serial, wallbox_id),
            "places": places,
        },
    )


@callback
def is_damaged(hass: HomeAssistant, serial: str, wallbox_id: str) -> bool:
    """Tell whether some of a wallbox's sessions could not be read at the last look.

    One before a restart counts until there was another.
    """
    prefix = _issues_of(serial, wallbox_id)
    names = (name for domain, name in ir.async_get(hass).issues if domain == DOMAIN)
    return any(name.startswith(prefix) for name in names)


@callback
def forget_damage(hass: HomeAssistant, serial: str, wallbox_id: str) -> None:
    """Clear the repairs of a wallbox whose sessions were deleted."""
    _clear(hass, _issues_of(serial, wallbox_id))
    _clear(hass, f"{RESTORED}_{wallbox_key(serial, wallbox_id)}")


@callback
def _clear(hass: HomeAssistant, prefix: str, *, but: Iterable[str] = ()) -> None:
    """Clear all repairs that begin so, except those that begin like some others."""
    names = [name for domain, name in ir.async_get(hass).issues if domain == DOMAIN]
    for name in names:
        if name.startswith(prefix) and not name.startswith(tuple(but)):
            ir.async_delete_issue(hass, DOMAIN, name)


async def _async_lost(hass: HomeAssistant, ledger: Ledger) -> list[str]:
    """Return the months of a ledger whose file is gone."""
    try:
        lost: list[str] = await hass.async_add_executor_job(ledger.lost)
    except JournalError:
        # That the folder cannot be read is told with the months that are there.
        return []
    return lost


async def _async_damaged(hass: HomeAssistant, ledger: Ledger) -> list[Damaged]:
    """Return what of a ledger cannot be read, a month after the other."""
    job = hass.async_add_executor_job
    try:
        months = await job(ledger.months)
    except JournalError as err:
        return [Damaged(file=str(err))]
    lost = await _async_lost(hass, ledger)
    found = [Damaged(file=ledger.file_of(month)) for month in lost]
    for month in months:
        try:
            damage = await job(ledger.damage, month)
        except JournalError as err:
            found.append(Damaged(file=str(err)))
        else:
            found += _damaged(month, damage)
    return found


def _damaged(month: str, damage: Damage) -> list[Damaged]:
    """Return what of a month cannot be read."""
    found = [
        Damaged(file=file, places=tuple(map(str, lines)))
        for file, lines in damage.lines.items()
    ]
    if damage.ids:
        found.append(Damaged(file=month, places=tuple(sorted(damage.ids))))
    return found


def _issues_of(serial: str, wallbox_id: str) -> str:
    """Return what the ids of a wallbox's repairs begin with."""
    return f"{DAMAGED}_{serial}_{wallbox_id}_"


def _print(damaged: Iterable[Damaged]) -> str:
    """Return what tells one damage from another."""
    return f"{zlib.crc32(repr(list(damaged)).encode()):08x}"


def _called(hass: HomeAssistant, serial: str, wallbox_id: str) -> str:
    """Return the owner's name of a wallbox; its id where it is none any more."""
    return next(
        (
            subentry.title
            for entry in hass.config_entries.async_entries(DOMAIN)
            if entry.data[CONF_SERIAL] == serial
            for subentry in entry.subentries.values()
            if subentry.data[CONF_WALLBOX_ID] == wallbox_id
        ),
        wallbox_id,
    )
