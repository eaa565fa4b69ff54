"""The actions of demand side response: events of the grid, for wallboxes or a site.

A Miniserver's device stands for all its wallboxes, which then share a limit.
"""

from datetime import datetime
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .acts import Act
from .charging.delivery import Delivery, summed
from .charging.dsr import DsrError, DsrEvent, DsrKind
from .charging.leaving import Scope
from .coordinator import WallboxCoordinator
from .history_query import async_user, check_may_read
from .rights import Actor
from .targets import invalid, site_of, utc_instant, wallbox_of

ATTR_EVENT_ID = "event_id"
ATTR_PROGRAM = "program"
ATTR_SCOPE = "scope"

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
OPT_OUT_SCHEMA: dict[Any, Any] = {
    probatio.Optional(ATTR_SCOPE, default=Scope.EVENT): probatio.Coerce(Scope),
    probatio.Optional(ATTR_EVENT_ID): cv.string,
    probatio.Optional(ATTR_PROGRAM, default=""): cv.string,
}


def start_event(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Take a grid event; on the Miniserver's device its limit is that of the site.

    Without a start it begins now, or goes on since it began where it is told again.
    """
    fields = {"kind": DsrKind.PAUSE, **_fields(call)}
    known = wallbox.controller.state.dsr.events.get(_key(call))
    again = known is not None and fields.get("version", 1) == known.version
    fields.setdefault("start", known.start if known and again else dt_util.utcnow())
    fields["site"] = wallbox.miniserver.device_id in call.data[ATTR_DEVICE_ID]
    if "end" not in fields:
        raise _wrong(wallbox, actor, call, "dsr_end_missing")
    return _take(wallbox, actor, call, fields)


def update_event(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Change a grid event that is known; one that was called off is over for good."""
    known = wallbox.controller.state.dsr.events.get(_key(call))
    if known is None:
        raise invalid("dsr_unknown")
    if known.cancelled_at is not None:
        raise _wrong(wallbox, actor, call, "dsr_is_over")
    before = {name: getattr(known, name) for name in DsrEvent.__dataclass_fields__}
    fields = {**before, "version": known.version + 1, **_fields(call)}
    return _take(wallbox, actor, call, fields)


def cancel_event(wallbox: WallboxCoordinator, _actor: Actor, call: ServiceCall) -> Act:
    """Call a grid event off."""
    return wallbox.acts.async_cancel_event(_key(call))


def leave_events(wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall) -> Act:
    """Leave grid events: one, those that hold now, those of today, or all."""
    key = _key(call) if ATTR_EVENT_ID in call.data else None
    return wallbox.acts.async_opt_out(actor, call.data[ATTR_SCOPE], key)


async def async_list_events(call: ServiceCall) -> ServiceResponse:
    """Return the grid events by device; a Miniserver's with each wallbox's share.

    What an event delivered tells of the energy, so who may not see that is refused.
    """
    user = await async_user(call.hass, call.context)
    events: dict[str, Any] = {}
    for device_id in call.data[ATTR_DEVICE_ID]:
        site = site_of(call.hass, device_id)
        concerned = site or [wallbox_of(call.hass, device_id)]
        if user is not None:
            for wallbox in concerned:
                check_may_read(call.hass, user, wallbox, call.service)
        if site:
            events[device_id] = _site_events(site)
        else:
            [wallbox] = concerned
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


def _take(
    wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall, fields: dict[str, Any]
) -> Act:
    """Make an event of its fields and take it."""
    try:
        event = DsrEvent(**{**fields, "heard_at": dt_util.utcnow()})
    except DsrError as err:
        raise _wrong(wallbox, actor, call, err.key) from err
    return wallbox.acts.async_add_event(event, actor)


def _wrong(
    wallbox: WallboxCoordinator, actor: Actor, call: ServiceCall, key: str
) -> ServiceValidationError:
    """Return the error for an event that makes no sense, and have it logged."""
    wallbox.acts.note_invalid(actor, key, call.data[ATTR_EVENT_ID])
    return invalid(key)


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
