"""The actions of the integration: registered once, for all entries.

Each takes wallboxes by their devices and is refused as a whole when one of them is none
of ours, so that nothing is done by halves.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID, ATTR_MODE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .acts import Act
from .charging.override import OverrideMode, Until
from .charging.owner import DefaultHours, preset_hours
from .charging.regulation import Preset
from .charging.schedule import ClockKind, ScheduleError, Window
from .const import DOMAIN
from .coordinator import WallboxCoordinator
from .grid_actions import (
    GRID_SCHEMAS,
    OPT_OUT_SCHEMA,
    async_list_events,
    cancel_event,
    leave_events,
    start_event,
    update_event,
)
from .history_actions import async_setup_history_actions
from .power_actions import POWER_SCHEMA, async_get_power_series
from .rights import Actor, async_actor
from .targets import invalid, site_of, utc_instant, wallbox_of

ATTR_CLOCK = "clock"
ATTR_DURATION = "duration"
ATTR_END = "end"
ATTR_ON_BEHALF = "on_behalf_of_user"
ATTR_PRESET = "preset"
ATTR_UNTIL = "until"
ATTR_WINDOWS = "windows"

type Handler = Callable[[WallboxCoordinator, Actor, ServiceCall], Act]

_DEVICES = {
    probatio.Required(ATTR_DEVICE_ID): probatio.All(cv.ensure_list, [cv.string])
}
_ON_BEHALF = {probatio.Optional(ATTR_ON_BEHALF, default=False): cv.boolean}

_SCHEMAS: dict[str, dict[Any, Any]] = {
    "set_default_hours": {
        probatio.Optional(ATTR_PRESET): probatio.Coerce(Preset),
        probatio.Optional(ATTR_WINDOWS): probatio.All(cv.ensure_list, [dict]),
        probatio.Optional(ATTR_CLOCK, default=ClockKind.LOCAL): probatio.Coerce(
            ClockKind
        ),
    },
    "remove_default_hours": {},
    "override": {
        probatio.Required(ATTR_MODE): probatio.Coerce(OverrideMode),
        probatio.Optional(ATTR_UNTIL, default=Until.UNPLUG): probatio.Coerce(Until),
        probatio.Optional(ATTR_END): cv.datetime,
        probatio.Optional(ATTR_DURATION): cv.positive_time_period,
        **_ON_BEHALF,
    },
    "cancel_override": _ON_BEHALF,
    "skip_delay": _ON_BEHALF,
    "dsr_opt_out": OPT_OUT_SCHEMA | _ON_BEHALF,
    **GRID_SCHEMAS,
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handler in _HANDLERS.items():
        hass.services.async_register(
            DOMAIN,
            name,
            partial(_async_handle, handler),
            schema=probatio.Schema({**_DEVICES, **_SCHEMAS[name]}),
        )
    hass.services.async_register(
        DOMAIN,
        "dsr_list",
        async_list_events,
        schema=probatio.Schema(_DEVICES),
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "get_power_series",
        async_get_power_series,
        schema=probatio.Schema({**_DEVICES, **POWER_SCHEMA}),
        supports_response=SupportsResponse.ONLY,
    )
    async_setup_history_actions(hass)


async def _async_handle(handler: Handler, call: ServiceCall) -> None:
    """Carry an action out on every wallbox it names, or on none when one refuses.

    Of a site's wallboxes one may have left a grid event that the others still follow.
    """
    acting = [
        (
            wallbox,
            alone,
            await async_actor(
                call.hass,
                wallbox.settings,
                call.context,
                act=call.service,
                wallbox=wallbox.title,
                on_behalf_of_user=call.data.get(ATTR_ON_BEHALF, False),
                overrides=call.service not in GRID_SCHEMAS,
                security=wallbox.security,
            ),
        )
        for wallbox, alone in _acted_on(call)
    ]
    acts = _checked(handler, call, acting)
    for result in await asyncio.gather(*acts, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _checked(
    handler: Handler,
    call: ServiceCall,
    acting: list[tuple[WallboxCoordinator, bool, Actor]],
) -> list[Act]:
    """Return what is to be carried out; raises the first refusal that counts."""
    acts: list[Act] = []
    refusals: list[ServiceValidationError] = []
    for wallbox, alone, actor in acting:
        try:
            acts.append(handler(wallbox, actor, call))
        except ServiceValidationError as err:
            refusals.append(err)
            if alone or call.service == "dsr_start":
                break
    else:
        if acts or not refusals:
            return acts
    for act in acts:
        act.close()
    raise refusals[-1]


def _acted_on(call: ServiceCall) -> list[tuple[WallboxCoordinator, bool]]:
    """Return the wallboxes of a call, each once, and whether it was named itself.

    Raises a translated error for a device that is none of ours.
    """
    found: dict[str, tuple[WallboxCoordinator, bool]] = {}
    for device_id in call.data[ATTR_DEVICE_ID]:
        site = site_of(call.hass, device_id) if call.service in GRID_SCHEMAS else []
        for wallbox in site:
            found.setdefault(wallbox.subentry_id, (wallbox, False))
        if not site:
            wallbox = wallbox_of(call.hass, device_id)
            found[wallbox.subentry_id] = (wallbox, True)
    return list(found.values())


def _set_hours(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Set default charging hours, a preset or windows of one's own."""
    preset, windows = call.data.get(ATTR_PRESET), call.data.get(ATTR_WINDOWS)
    if (preset is None) is (windows is None):
        raise invalid("preset_or_windows")
    if preset is not None:
        hours = preset_hours(preset)
    else:
        try:
            parsed = tuple(Window.from_dict(window) for window in windows or ())
        except ScheduleError as err:
            raise invalid(err.key) from err
        if not parsed:
            raise invalid("windows_missing")
        hours = DefaultHours(windows=parsed, clock=call.data[ATTR_CLOCK])
    return wallbox.acts.async_set_hours(actor, hours)


def _remove_hours(wallbox: WallboxCoordinator, actor: Actor, _call: ServiceCall) -> Act:
    """Remove the default charging hours."""
    return wallbox.acts.async_set_hours(actor, DefaultHours())


def _override(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Charge or pause, against what the schedule says."""
    end = call.data.get(ATTR_END)
    return wallbox.acts.async_override(
        actor,
        call.data[ATTR_MODE],
        call.data[ATTR_UNTIL],
        end=None if end is None else utc_instant(end),
        duration=call.data.get(ATTR_DURATION),
    )


def _cancel_override(
    wallbox: WallboxCoordinator, actor: Actor, _call: ServiceCall
) -> Act:
    """End an override."""
    return wallbox.acts.async_resume(actor)


def _skip_delay(wallbox: WallboxCoordinator, actor: Actor, _call: ServiceCall) -> Act:
    """End the present delay."""
    return wallbox.acts.async_skip_delay(actor)


_HANDLERS: dict[str, Handler] = {
    "dsr_start": start_event,
    "dsr_update": update_event,
    "dsr_cancel": cancel_event,
    "set_default_hours": _set_hours,
    "remove_default_hours": _remove_hours,
    "override": _override,
    "cancel_override": _cancel_override,
    "skip_delay": _skip_delay,
    "dsr_opt_out": leave_events,
}
