"""The actions of demand side response: events of the grid, for wallboxes or a site.

A Miniserver's device stands for all its wallboxes, which then share a limit.
"""

from datetime import datetime
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .acts import Act
from .charging.delivery import Delivery, summed
from .charging.dsr import DsrError, DsrEvent, DsrKind
from .coordinator import WallboxCoordinator
from .rights import Actor
from .targets import invalid, site_of, utc_instant, wallbox_of

ATTR_EVENT_ID = "event_id"
ATTR_PROGRAM = "program"

_EVENT: dict[Any, Any] = {
    probatio.Required(ATTR_EVENT_ID): cv.string,
    probatio.Optional(ATTR_PROGRAM, default=""): cv.string,
}
_EVENT_FIELDS: dict[Any, Any] = {
    **_EVENT,
    probatio.Optional("source"): cv.string,
    probatio.Optional("start"): cv.datetime,
    probatio.Optional("end"): cv.datetime,
    probatio.Optional("kind"): probatio.Coerce(DsrKind),
    probatio.Optional("limit_kw"): probatio.Coerce(float),
    probatio.Optional("response_service"): cv.boolean,
    probatio.Optional("already_randomised"): cv.boolean,
    probatio.Optional("priority"): probatio.Coerce(int),
    probatio.Optional("reward_per_kwh"): probatio.Coerce(float),
    probatio.Optional("validity_s"): probatio.Coerce(int),
    probatio.Optional("version"): probatio.Coerce(int),
}
GRID_SCHEMAS: dict[str, dict[Any, Any]] = {
    "dsr_start": _EVENT_FIELDS,
    "dsr_update": _EVENT_FIELDS,
    "dsr_cancel": _EVENT,
}


def start_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Take a grid event; on the Miniserver's device its limit is that of the site."""
    fields = {"kind": DsrKind.PAUSE, **_fields(call)}
    fields.setdefault("start", dt_util.utcnow())
    fields["site"] = wallbox.miniserver.device_id in call.data[ATTR_DEVICE_ID]
    if "end" not in fields:
        raise invalid("dsr_end_missing")
    return _take(wallbox, fields)


def update_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Change a grid event that is known."""
    known = wallbox.controller.state.dsr.events.get(_key(call))
    if known is None:
        raise invalid("dsr_unknown")
    before = {name: getattr(known, name) for name in DsrEvent.__dataclass_fields__}
    fields = {**before, "version": known.version + 1, **_fields(call)}
    return _take(wallbox, fields)


def cancel_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Call a grid event off."""
    return wallbox.acts.async_cancel_event(_key(call))


async def async_list_events(call: ServiceCall) -> ServiceResponse:
    """Return the grid events by device; a Miniserver's with each wallbox's share."""
    events: dict[str, Any] = {}
    for device_id in call.data[ATTR_DEVICE_ID]:
        if site := site_of(call.hass, device_id):
            events[device_id] = _site_events(site)
        else:
            wallbox = wallbox_of(call.hass, device_id)
            events[device_id] = [
                _described(wallbox, event)
                for event in wallbox.controller.state.dsr.events.values()
            ]
    return events


def _site_events(site: list[WallboxCoordinator]) -> list[dict[str, Any]]:
    """Return the events of a site, once each, with what all delivered together."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    records: dict[tuple[str, str], dict[str, Delivery]] = {}
    for wallbox in site:
        shares = wallbox.controller.shares(dt_util.utcnow())
        for key, event in wallbox.controller.state.dsr.events.items():
            if not event.site:
                continue
            described = found.setdefault(
                key, {**_described(wallbox, event), "shares": {}}
            )
            if key in shares:
                described["shares"][wallbox.title] = shares[key]
            if (record := wallbox.delivering.record_of(event)) is not None:
                records.setdefault(key, {})[wallbox.title] = record
    for key, described in found.items():
        described["delivered"] = summed(records.get(key, {}))
    return list(found.values())


def _described(wallbox: WallboxCoordinator, event: DsrEvent) -> dict[str, Any]:
    """Return an event as plain data, with what it delivered once it has begun."""
    silence = wallbox.controller.state.dsr.silence
    wallbox.delivering.follow()
    record = wallbox.delivering.record_of(event)
    return {
        **event.as_dict(),
        "active": event.is_active(dt_util.utcnow(), silence),
        "delivered": None if record is None else record.described(),
    }


def _take(wallbox: WallboxCoordinator, fields: dict[str, Any]) -> Act:
    """Make an event of its fields and take it."""
    try:
        event = DsrEvent(**{**fields, "heard_at": dt_util.utcnow()})
    except DsrError as err:
        raise invalid(err.key) from err
    return wallbox.acts.async_add_event(event)


def _key(call: ServiceCall) -> tuple[str, str]:
    """Return which event an action names."""
    return (call.data[ATTR_PROGRAM], call.data[ATTR_EVENT_ID])


def _fields(call: ServiceCall) -> dict[str, Any]:
    """Return the fields of an event that an action names."""
    return {
        name: utc_instant(value) if isinstance(value, datetime) else value
        for name, value in call.data.items()
        if name != ATTR_DEVICE_ID
    }
