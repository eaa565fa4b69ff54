"""Which firmware is the newest, where the owner agreed to ask for it.

Takes the address that the owner agreed to in the options, gives the newest version once a
day; without that nothing is asked and nothing is known. The question holds nothing of the
home: no serial number, no version. What may go wrong: the internet; then what was known
last is shown no longer, and it is asked again the next day.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, override

import aiohttp
from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import DOMAIN, LOGGER
from .miniserver.errors import ProtocolError
from .miniserver.releases import MOST_BYTES, newest_release

# An option of the entry; without it nobody agreed to ask anything.
CONF_FIRMWARE_SOURCE = "firmware_source"
# Where Loxone's own tools look for new versions.
DEFAULT_SOURCE = "https://update.loxone.com/updatecheck.xml"
ASK_EVERY = timedelta(days=1)
ANSWER_TIMEOUT_S = 30.0
MOST_REDIRECTS = 3
CHUNK_BYTES = 65_536


class FirmwareNews(DataUpdateCoordinator[str | None]):
    """The newest version, None where it is unknown; asks only while it is listened to."""

    config_entry: ConfigEntry[Any]

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Take the Miniserver's entry, whose options say whom to ask."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"newest firmware for {entry.title}",
            update_interval=ASK_EVERY,
        )
        self._source: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def newest(self) -> str | None:
        """Return the newest version, None where it is unknown."""
        known = self._source is not None and self.last_update_success
        return self.data if known else None

    @callback
    def look(self) -> None:
        """Follow what the owner agrees to now."""
        before, self._source = self._source, source_of(self.config_entry.options)
        if self._source == before:
            return
        self.data = None
        self.async_update_listeners()
        if self._source is not None:
            self._task = self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), self.name
            )

    @override
    async def _async_update_data(self) -> str | None:
        """Ask, where the owner agreed to it."""
        source = self._source
        if source is None:
            return None
        try:
            return newest_release(await self._async_read(URL(source)))
        except (aiohttp.ClientError, TimeoutError, ValueError, ProtocolError) as err:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="firmware_source_unusable",
                translation_placeholders={"source": source, "error": repr(err)},
            ) from err

    async def _async_read(self, source: URL) -> bytes:
        """Return what the source says, no more than a list of releases can be long."""
        async with async_get_clientsession(self.hass).get(
            source,
            timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
            max_redirects=MOST_REDIRECTS,
            raise_for_status=True,
        ) as response:
            if response.url.scheme != source.scheme:
                raise ProtocolError("The source leads to another kind of address")
            content = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                content += chunk
                if len(content) > MOST_BYTES:
                    raise ProtocolError("The list of releases is too long")
            return bytes(content)


def source_of(options: Mapping[str, Any]) -> str | None:
    """Return whom the owner agreed to ask, None for nobody."""
    source = options.get(CONF_FIRMWARE_SOURCE)
    return source if isinstance(source, str) and source else None


def checked_source(text: str) -> str:
    """Return an address that may be asked; raises `ValueError` for any other.

    What tells of security is not asked for in plain text.
    """
    url = URL(text.strip())
    if url.scheme != "https" or not url.host or url.user or url.password:
        raise ValueError("no https address")
    return str(url)
