"""The link to a Miniserver as Home Assistant sees it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .const import CONF_GRACE_S, DEFAULT_GRACE_S, DOMAIN, LOGGER, MANUFACTURER
from .firmware_news import FirmwareNews
from .miniserver import MiniserverClient
from .miniserver.errors import MiniserverError
from .pushed import PushCoordinator
from .security import Security

MINISERVER_MODELS = {
    0: "Miniserver Gen 1",
    1: "Miniserver Go Gen 1",
    2: "Miniserver Gen 2",
    3: "Miniserver Go Gen 2",
    4: "Miniserver Compact",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulses:
    """The pulses that show the Miniserver that we are there.

    `input_name` is what the owner named, None for none; `last_at` when the last pulse
    was taken, `refused` whether the last one was not.
    """

    input_name: str | None = None
    last_at: datetime | None = None
    refused: bool = False

    @property
    def proven(self) -> bool:
        """Tell whether the Miniserver takes them, so that it would miss us."""
        return self.last_at is not None and not self.refused


class MiniserverCoordinator(PushCoordinator[None]):
    """The link to one Miniserver; pushes, never polls.

    `connected` follows the link at once, `available` only after the grace, so that a
    short loss makes nothing unavailable.
    """

    config_entry: ConfigEntry[Any]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        client: MiniserverClient,
        security: Security,
        *,
        restarted: bool = False,
    ) -> None:
        """Take a client that is connected, and whether the Miniserver restarted.

        `security` is the log of what happens at the Miniserver.
        """
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self.client = client
        self.security = security
        self.news = FirmwareNews(hass, entry)
        self.available = True
        # When the Miniserver was last back from a restart.
        self.back_at = dt_util.utcnow() if restarted else None
        # How its clock compared with ours at the last look, None before the first.
        self.clock: dict[str, Any] | None = None
        self.device_id = self._register_device()
        self.pulses = Pulses()
        # A test of what happens without us, while one runs.
        self.fallback: asyncio.Task[Any] | None = None
        self._grace: CALLBACK_TYPE | None = None
        self._said_lost = False

    @property
    def connected(self) -> bool:
        """Tell whether there is a link now."""
        return self.client.connected

    @property
    def serial(self) -> str:
        """Return the Miniserver's serial number."""
        return self.client.identity.serial

    @property
    def firmware(self) -> str:
        """Return the Miniserver's firmware version."""
        return self.client.identity.firmware

    @callback
    def link_made(self) -> None:
        """Take note that the link is back."""
        self._cancel_grace()
        self.available = True
        if self.client.restarted:
            self.back_at = dt_util.utcnow()
        if self._said_lost:
            LOGGER.info("The link to the Miniserver %s is back", self.name)
            self._said_lost = False
        self._register_device()
        self.async_update_listeners()

    @callback
    def link_lost(self, error: MiniserverError) -> None:
        """Take note that the link is lost, and wait whether it comes back."""
        self._cancel_grace()
        seconds = self.config_entry.options.get(CONF_GRACE_S, DEFAULT_GRACE_S)

        @callback
        def give_up(_now: datetime) -> None:
            """Make everything unavailable and say so once."""
            self._grace = None
            self.available = False
            self._said_lost = True
            LOGGER.warning(
                "The link to the Miniserver %s is lost: %s. The wallboxes go on by "
                "themselves; we go on trying",
                self.name,
                error,
            )
            self.async_update_listeners()

        if self.available:
            self._grace = async_call_later(
                self.hass, seconds, HassJob(give_up, cancel_on_shutdown=True)
            )
        self.async_update_listeners()

    @override
    async def async_shutdown(self) -> None:
        """Stop waiting and close the link."""
        self._cancel_grace()
        await super().async_shutdown()
        await self.news.async_shutdown()
        await self.client.close()

    def _cancel_grace(self) -> None:
        """Stop waiting for the link."""
        if self._grace is not None:
            self._grace()
            self._grace = None

    @callback
    def _register_device(self) -> str:
        """Register the Miniserver, also with new firmware, and return its device id."""
        identity, structure = self.client.identity, self.client.structure
        mac = ":".join(identity.serial[i : i + 2] for i in range(0, 12, 2))
        model = MINISERVER_MODELS.get(structure.miniserver_type or 0, "Miniserver")
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            identifiers={(DOMAIN, identity.serial)},
            connections={(dr.CONNECTION_NETWORK_MAC, mac)},
            manufacturer=MANUFACTURER,
            model=model,
            name=structure.name,
            serial_number=identity.serial,
            sw_version=identity.firmware,
            configuration_url=str(self.client.address.url("/")),
        )
        return device.id
