"""A copy of where a security log stands, in Home Assistant's own storage.

Who cuts the end of a log off can cut the file beside it as well; this is somewhere else.
It is written a little after the log and never before it: a crash leaves it behind, which
accuses nobody, and during a backup it waits, because the log may have been read already.
What may go wrong: it cannot be read; then the log is compared with less.
"""

import asyncio
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store

from .const import DOMAIN, LOGGER
from .holding import async_get_holding
from .records.security_record import Link

VERSION = 1
# A storm of records is one copy; what a kill takes of it is so short.
DELAY_S = 10.0


class SecurityCopy:
    """The copy for the log of one Miniserver."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        """Take the Miniserver; nothing is read yet."""
        self._hass = hass
        self._serial = serial
        self._store: Store[dict[str, Any]] = Store(
            hass, VERSION, f"{DOMAIN}.security.{serial}", private=True
        )
        self._turn = asyncio.Lock()
        self._holding = async_get_holding(hass)
        self._leave = self._holding.join(self._turn, self._arm)
        self._last = self._saved = Link()
        self._timer: CALLBACK_TYPE | None = None

    async def async_load(self) -> Link:
        """Return where the log stood, seq 0 where that is not known; never raises."""
        if self._last.seq:
            return self._last
        try:
            kept = await self._store.async_load()
            link = Link() if kept is None else _link(kept)
        except Exception as err:  # noqa: BLE001 - a damaged file may fail with anything
            LOGGER.error(
                "Where the security log of %s stood could not be read: %s. Whether "
                "its end is missing is told by the folder of the log alone",
                self._serial,
                err,
            )
            link = Link()
        self._last = self._saved = link
        return link

    @callback
    def keep(self, last: Link) -> None:
        """Keep soon where the log stands; what is on the disk there may be told here."""
        if last.seq:
            self._last = last
            self._arm()

    async def async_save(self) -> None:
        """Keep it now, unless a backup is made; Home Assistant says what goes wrong."""
        self._disarm()
        async with self._turn:
            last = self._last
            if last == self._saved or self._holding.held:
                return
            await self._store.async_save({"seq": last.seq, "hash": last.hash})
            self._saved = last

    async def async_remove(self) -> None:
        """Remove it with its log; never raises."""
        self._disarm()
        self._leave()
        self._last = self._saved = Link()
        async with self._turn:
            try:
                await self._store.async_remove()
            except OSError as err:
                LOGGER.error("A file of a removed Miniserver is still there: %s", err)

    @callback
    def _arm(self) -> None:
        """Keep it in a while; what comes until then does not put that off."""
        if self._timer is None and self._last != self._saved:
            self._timer = async_call_later(
                self._hass, DELAY_S, HassJob(self._due, cancel_on_shutdown=True)
            )

    @callback
    def _due(self, _now: datetime) -> None:
        """Keep it."""
        self._timer = None
        self._hass.async_create_task(
            self.async_save(), f"where the security log of {self._serial} stands"
        )

    @callback
    def _disarm(self) -> None:
        """Keep nothing by itself."""
        if self._timer is not None:
            self._timer()
            self._timer = None


def _link(kept: dict[str, Any]) -> Link:
    """Read where a log stood."""
    return Link(seq=int(kept["seq"]), hash=str(kept["hash"]))
