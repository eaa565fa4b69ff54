"""Bring the card to the dashboards: serve its module, and have them load it.

A dashboard waits for its resources, so the card is one of them where Home Assistant
keeps these itself. Where they stand in YAML all pages load the module. An owner who
lists the card among the resources by hand is left alone.
"""

import asyncio
import logging
from pathlib import Path

from homeassistant.components.frontend import (
    DATA_EXTRA_MODULE_URL,
    add_extra_js_url,
    remove_extra_js_url,
)
from homeassistant.components.http import StaticPathConfig
from homeassistant.components.lovelace import LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

# Option of the entry: the owner keeps the dashboard's resources.
CONF_RESOURCE_BY_HAND = "dashboard_resource_by_hand"

FOLDER = Path(__file__).parent / "frontend"
FOLDER_URL = f"/{DOMAIN}/frontend"
MODULE_URL = f"{FOLDER_URL}/loxone-wallbox-card.js"

_CARD: HassKey[CardResource] = HassKey(f"{DOMAIN}_card")


async def async_setup_frontend(hass: HomeAssistant) -> None:
    """Serve the card's module, and keep the dashboards loading it.

    The dashboards are seen to beside the set-up: a charger needs none, and no fault of
    theirs keeps it from being set up.
    """
    # A path can be served once, and nothing takes it away again.
    if _CARD in hass.data:
        return
    try:
        await _async_serve(hass)
    except Exception:
        _LOGGER.exception("The card is not served, the wallboxes are set up without it")


async def _async_serve(hass: HomeAssistant) -> None:
    """Serve the module, and have the dashboards seen to."""
    integration = await async_get_integration(hass, DOMAIN)
    # The version makes another address of another module, which no cache holds.
    card = CardResource(hass, f"{MODULE_URL}?v={integration.version}")
    hass.data[_CARD] = card
    await hass.http.async_register_static_paths(
        [StaticPathConfig(FOLDER_URL, str(FOLDER), cache_headers=True)]
    )

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """See to the dashboards where an entry comes or has another option."""
        if entry.domain == DOMAIN:
            hass.async_create_task(card.async_offer(), "the card's resource")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    hass.async_create_task(card.async_offer(), "the card's resource")


async def async_remove_frontend(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Have no dashboard load the card any more, once the last entry is removed."""
    others = [
        one
        for one in hass.config_entries.async_entries(DOMAIN)
        if one.entry_id != entry.entry_id
    ]
    if not others and not entry.options.get(CONF_RESOURCE_BY_HAND):
        card = hass.data.get(_CARD) or CardResource(hass, MODULE_URL)
        await card.async_withdraw()


class CardResource:
    """The card among the resources of the dashboards."""

    def __init__(self, hass: HomeAssistant, url: str) -> None:
        """Take the address of this version's module."""
        self._hass = hass
        self._url = url
        self._lock = asyncio.Lock()

    async def async_offer(self) -> None:
        """Have the dashboards load this version of the card, if that is ours to do."""
        entries = self._hass.config_entries.async_entries(DOMAIN)
        by_hand = any(one.options.get(CONF_RESOURCE_BY_HAND) for one in entries)
        if not entries or by_hand:
            return
        async with self._lock:
            if (resources := await self._async_resources()) is None:
                self._load_everywhere()
                return
            listed = _ours(resources)
            for item_id, url in listed.items():
                if url != self._url:
                    await resources.async_update_item(item_id, {"url": self._url})
            if not listed:
                await resources.async_create_item(
                    {"res_type": "module", "url": self._url}
                )

    async def async_withdraw(self) -> None:
        """Have no dashboard load the card any more."""
        async with self._lock:
            if (resources := await self._async_resources()) is not None:
                for item_id in _ours(resources):
                    await resources.async_delete_item(item_id)
            for url in self._everywhere():
                remove_extra_js_url(self._hass, url)

    async def _async_resources(self) -> ResourceStorageCollection | None:
        """Return the resources that Home Assistant keeps, None where YAML does."""
        dashboards = self._hass.data.get(LOVELACE_DATA)
        resources = None if dashboards is None else dashboards.resources
        if not isinstance(resources, ResourceStorageCollection):
            return None
        # Asked for its items before it has read them it would have none.
        await resources.async_get_info()
        return resources

    def _load_everywhere(self) -> None:
        """Have all pages load the card, unless the owner's YAML has it listed."""
        dashboards = self._hass.data.get(LOVELACE_DATA)
        if dashboards is None or DATA_EXTRA_MODULE_URL not in self._hass.data:
            return
        listed = any(_is_ours(one["url"]) for one in dashboards.resources.async_items())
        if not listed and not self._everywhere():
            add_extra_js_url(self._hass, self._url)

    def _everywhere(self) -> list[str]:
        """Return what of ours all pages load."""
        loaded = self._hass.data.get(DATA_EXTRA_MODULE_URL)
        return [] if loaded is None else [url for url in loaded.urls if _is_ours(url)]


def _ours(resources: ResourceStorageCollection) -> dict[str, str]:
    """Return the addresses of the card by the id of the resource, of any version."""
    return {
        one["id"]: one["url"] for one in resources.async_items() if _is_ours(one["url"])
    }


def _is_ours(url: str) -> bool:
    """Tell whether an address is that of the card, in whatever version."""
    return url.partition("?")[0] == MODULE_URL
