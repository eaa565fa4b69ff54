"""The action that tries out whether cars go on charging without Home Assistant.

Only an administrator may: it cuts Home Assistant off from all wallboxes of a Miniserver
for two minutes. Each Miniserver is cut off once, for all of its wallboxes that are named.
"""

import asyncio
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN
from .coordinator import WallboxCoordinator
from .fallback import async_result, check, try_out
from .rights import Actor, async_actor
from .targets import wallboxes_of

ACTION = "run_fallback_test"
ATTR_CONSENT = "consent"

_SCHEMA = probatio.Schema(
    {
        probatio.Required(ATTR_DEVICE_ID): probatio.All(
            cv.ensure_list, [cv.string], probatio.Length(min=1)
        ),
        probatio.Required(ATTR_CONSENT): cv.boolean,
    }
)


@callback
def async_setup_fallback(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        ACTION,
        _async_run,
        schema=_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_run(call: ServiceCall) -> ServiceResponse:
    """Try it out, and answer with what came of it by device."""
    wallboxes = wallboxes_of(call.hass, call.data[ATTR_DEVICE_ID])
    actor = await _async_allowed(call, list(wallboxes.values()))
    check(list(wallboxes.values()), consents=call.data[ATTR_CONSENT])
    sites: dict[str, dict[str, WallboxCoordinator]] = {}
    for device_id, wallbox in wallboxes.items():
        of = sites.setdefault(wallbox.config_entry.entry_id, {})
        of[device_id] = wallbox
    running = [
        try_out(next(iter(site.values())).config_entry, list(site.values()), actor)
        for site in sites.values()
    ]
    results = await asyncio.gather(*(async_result(one) for one in running))
    answer: dict[str, Any] = {}
    for site, found in zip(sites.values(), results, strict=True):
        answer |= dict(zip(site, found, strict=True))
    return answer if call.return_response else None


async def _async_allowed(
    call: ServiceCall, wallboxes: list[WallboxCoordinator]
) -> Actor:
    """Return who acts; refuses who is no administrator of each wallbox."""
    actors = [
        await async_actor(
            call.hass,
            wallbox.settings,
            call.context,
            act=ACTION,
            wallbox=wallbox.title,
            administrator=True,
            security=wallbox.security,
        )
        for wallbox in wallboxes
    ]
    return actors[0]
