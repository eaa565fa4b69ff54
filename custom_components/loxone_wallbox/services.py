"""The actions of the integration: registered once, for all entries.

Each takes wallboxes by their devices and is refused as a whole when one of them is none
of ours, so that nothing is done by halves.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID, ATTR_MODE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.util import dt as dt_util

from .acts import Act
from .charging.dsr import DsrError, DsrEvent, DsrKind
from .charging.override import OverrideMode, Until
from .charging.owner import DefaultHours, preset_hours
from .charging.regulation import Preset
from .charging.schedule import ClockKind, ScheduleError, Window
from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .rights import Actor, async_actor

ATTR_CLOCK = "clock"
ATTR_DURATION = "duration"
ATTR_END = "end"
ATTR_EVENT_ID = "event_id"
ATTR_KIND = "kind"
ATTR_ON_BEHALF = "on_behalf_of_user"
ATTR_PRESET = "preset"
ATTR_PROGRAM = "program"
ATTR_UNTIL = "until"
ATTR_VERSION = "version"
ATTR_WINDOWS = "windows"

type Handler = Callable[[WallboxCoordinator, Actor, ServiceCall], Act]

_DEVICES = {
    probatio.Required(ATTR_DEVICE_ID): probatio.All(cv.ensure_list, [cv.string])
}
_ON_BEHALF = {probatio.Optional(ATTR_ON_BEHALF, default=False): cv.boolean}
_EVENT = {
    probatio.Required(ATTR_EVENT_ID): cv.string,
    probatio.Optional(ATTR_PROGRAM, default=""): cv.string,
}
_EVENT_FIELDS = {
    probatio.Optional("source"): cv.string,
    probatio.Optional("start"): cv.datetime,
    probatio.Optional("end"): cv.datetime,
    probatio.Optional(ATTR_KIND): probatio.Coerce(DsrKind),
    probatio.Optional("limit_kw"): probatio.Coerce(float),
    probatio.Optional("response_service"): cv.boolean,
    probatio.Optional("already_randomised"): cv.boolean,
    probatio.Optional("priority"): probatio.Coerce(int),
    probatio.Optional("reward_per_kwh"): probatio.Coerce(float),
    probatio.Optional("validity_s"): probatio.Coerce(int),
    probatio.Optional(ATTR_VERSION): probatio.Coerce(int),
}

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
    "dsr_start": {**_EVENT, **_EVENT_FIELDS},
    "dsr_update": {**_EVENT, **_EVENT_FIELDS},
    "dsr_cancel": _EVENT,
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
        _async_list_events,
        schema=probatio.Schema(_DEVICES),
        supports_response=SupportsResponse.ONLY,
    )


async def _async_handle(handler: Handler, call: ServiceCall) -> None:
    """Carry an action out on every wallbox it names, or on none when one refuses."""
    acting = [
        (
            wallbox,
            await async_actor(
                call.hass,
                wallbox.settings,
                call.context,
                act=call.service,
                wallbox=wallbox.title,
                on_behalf_of_user=call.data.get(ATTR_ON_BEHALF, False),
            ),
        )
        for wallbox in wallboxes_of(call.hass, call.data[ATTR_DEVICE_ID]).values()
    ]
    acts: list[Act] = []
    try:
        for wallbox, actor in acting:
            acts.append(handler(wallbox, actor, call))
    except BaseException:
        for act in acts:
            act.close()
        raise
    for result in await asyncio.gather(*acts, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def wallboxes_of(
    hass: HomeAssistant, device_ids: list[str]
) -> dict[str, WallboxCoordinator]:
    """Return the wallboxes by device; raises a translated error for any other."""
    registry = dr.async_get(hass)
    entries: list[LoxoneWallboxConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    by_identifier = {
        (DOMAIN, f"{wallbox.miniserver.serial}_{wallbox.wallbox_id}"): wallbox
        for entry in entries
        for wallbox in entry.runtime_data.wallboxes.values()
    }
    found = {}
    for device_id in device_ids:
        device = registry.async_get(device_id)
        wallbox = next(
            (
                by_identifier[identifier]
                for identifier in (device.identifiers if device else ())
                if identifier in by_identifier
            ),
            None,
        )
        if wallbox is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unknown_wallbox",
                translation_placeholders={"device": device_id},
            )
        found[device_id] = wallbox
    return found


def _set_hours(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Set default charging hours, a preset or windows of one's own."""
    preset, windows = call.data.get(ATTR_PRESET), call.data.get(ATTR_WINDOWS)
    if (preset is None) is (windows is None):
        raise _invalid("preset_or_windows")
    if preset is not None:
        hours = preset_hours(preset)
    else:
        try:
            parsed = tuple(Window.from_dict(window) for window in windows or ())
        except ScheduleError as err:
            raise _invalid(err.key) from err
        if not parsed:
            raise _invalid("windows_missing")
        hours = DefaultHours(windows=parsed, clock=call.data[ATTR_CLOCK])
    return wallbox.acts.async_set_hours(hours)


def _remove_hours(
    wallbox: WallboxCoordinator, _actor: Actor, _call: ServiceCall
) -> Act:
    """Remove the default charging hours."""
    return wallbox.acts.async_set_hours(DefaultHours())


def _override(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Charge or pause, against what the schedule says."""
    end = call.data.get(ATTR_END)
    return wallbox.acts.async_override(
        actor,
        call.data[ATTR_MODE],
        call.data[ATTR_UNTIL],
        end=None if end is None else _instant(end),
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


def _start_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Take a grid event."""
    fields = {"kind": DsrKind.PAUSE, **_event_fields(call)}
    fields.setdefault("start", dt_util.utcnow())
    if "end" not in fields:
        raise _invalid("dsr_end_missing")
    return _take(wallbox, fields)


def _update_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Change a grid event that is known."""
    key = (call.data[ATTR_PROGRAM], call.data[ATTR_EVENT_ID])
    known = wallbox.controller.state.dsr.events.get(key)
    if known is None:
        raise _invalid("dsr_unknown")
    before = {name: getattr(known, name) for name in DsrEvent.__dataclass_fields__}
    fields = {**before, "version": known.version + 1, **_event_fields(call)}
    return _take(wallbox, fields)


def _take(wallbox: WallboxCoordinator, fields: dict[str, Any]) -> Act:
    """Make an event of its fields and take it."""
    try:
        event = DsrEvent(**{**fields, "heard_at": dt_util.utcnow()})
    except DsrError as err:
        raise _invalid(err.key) from err
    return wallbox.acts.async_add_event(event)


def _cancel_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Call a grid event off."""
    key = (call.data[ATTR_PROGRAM], call.data[ATTR_EVENT_ID])
    return wallbox.acts.async_cancel_event(key)


async def _async_list_events(call: ServiceCall) -> ServiceResponse:
    """Return the grid events of the wallboxes, by device."""
    wallboxes = wallboxes_of(call.hass, call.data[ATTR_DEVICE_ID])
    now = dt_util.utcnow()
    return {
        device_id: [
            {
                **event.as_dict(),
                "active": event.is_active(now, wallbox.controller.state.dsr.silence),
            }
            for event in wallbox.controller.state.dsr.events.values()
        ]
        for device_id, wallbox in wallboxes.items()
    }


def _event_fields(call: ServiceCall) -> dict[str, Any]:
    """Return the fields of an event that an action names."""
    return {
        name: _instant(value) if isinstance(value, datetime) else value
        for name, value in call.data.items()
        if name != ATTR_DEVICE_ID
    }


def _instant(value: datetime) -> datetime:
    """Return an instant in UTC; one without a zone could be any."""
    if value.tzinfo is None:
        raise _invalid("time_naive")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        # At the very ends of the calendar; the rules refuse it as too far away.
        return value.replace(tzinfo=UTC)


def _invalid(key: str) -> ServiceValidationError:
    """Return the error for an input that makes no sense."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


_HANDLERS: dict[str, Handler] = {
    "set_default_hours": _set_hours,
    "remove_default_hours": _remove_hours,
    "override": _override,
    "cancel_override": _cancel_override,
    "skip_delay": _skip_delay,
    "dsr_start": _start_event,
    "dsr_update": _update_event,
    "dsr_cancel": _cancel_event,
}
