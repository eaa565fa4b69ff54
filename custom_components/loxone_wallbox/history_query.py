"""Whose sessions are asked for, who may ask, and the list of them.

Takes the devices and the filters of a call, gives what stands in the store. Raises
translated errors; nothing is changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import probatio

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import WallboxCoordinator
from .history import async_get_store, wallbox_key
from .history_plain import plain_session
from .naming import LONGEST_NAME, Names, async_names
from .records.rows import Wanted
from .rights import denied
from .targets import invalid, utc_instant, wallboxes_of

ATTR_START = "start"
ATTR_END = "end"
ATTR_USER = "user"
ATTR_VISITS = "visits"
ATTR_LIMIT = "limit"
ATTR_OFFSET = "offset"
DEFAULT_LIMIT = 50
MOST_LISTED = 1000
MOST_SKIPPED = 1_000_000

FILTERS: dict[Any, Any] = {
    probatio.Optional(ATTR_START): cv.datetime,
    probatio.Optional(ATTR_END): cv.datetime,
    probatio.Optional(ATTR_USER): cv.string,
    probatio.Optional(ATTR_VISITS, default=False): cv.boolean,
}
PAGE: dict[Any, Any] = {
    probatio.Optional(ATTR_LIMIT, default=DEFAULT_LIMIT): probatio.All(
        probatio.Coerce(int), probatio.Range(min=1, max=MOST_LISTED)
    ),
    probatio.Optional(ATTR_OFFSET, default=0): probatio.All(
        probatio.Coerce(int), probatio.Range(min=0, max=MOST_SKIPPED)
    ),
}
LIST_SCHEMA = {**FILTERS, **PAGE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A wallbox of which sessions are asked for."""

    device_id: str
    title: str
    key: str
    wallbox: WallboxCoordinator


def boxes_of(
    hass: HomeAssistant, device_ids: Iterable[str], user: User | None, act: str
) -> dict[str, Box]:
    """Return the wallboxes of devices by key, each once.

    Refuses a device that is no wallbox, and who may not see the energy of one of them,
    which is recorded as a refused `act`; `user` None is an automation.
    """
    found: dict[str, Box] = {}
    for device_id, wallbox in wallboxes_of(hass, list(device_ids)).items():
        if user is not None:
            check_may_read(hass, user, wallbox, act)
        key = key_of(wallbox)
        found[key] = Box(
            device_id=device_id,
            title=wallbox.title,
            key=key,
            wallbox=wallbox,
        )
    return found


def key_of(wallbox: WallboxCoordinator) -> str:
    """Return what names a wallbox in ledger and database."""
    return wallbox_key(wallbox.miniserver.serial, wallbox.wallbox_id)


def home_zone() -> tzinfo:
    """Return the zone by whose days and months sessions are cut: that of the home."""
    return dt_util.get_default_time_zone()


async def async_user(hass: HomeAssistant, context: Context) -> User | None:
    """Return who asks, None for an automation. Refuses who is nobody (any more)."""
    if context.user_id is None:
        return None
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or not user.is_active:
        raise invalid("history_user_gone")
    return user


def check_administrator(user: User | None, act: str, boxes: Mapping[str, Box]) -> None:
    """Refuse anybody else; what an automation does an administrator wrote.

    The security log is told for each of the wallboxes that are asked for.
    """
    if user is None or user.is_admin:
        return
    for box in boxes.values():
        box.wallbox.security(denied(user.id, act))
    raise invalid("history_administrator_needed")


def check_may_read(
    hass: HomeAssistant, user: User, wallbox: WallboxCoordinator, act: str
) -> None:
    """Refuse who may not see the energy of a wallbox; the security log is told."""
    unique_id = f"{wallbox.miniserver.serial}_{wallbox.wallbox_id}_energy_total"
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.SENSOR, DOMAIN, unique_id
    )
    if entity_id is None:
        allowed = user.permissions.access_all_entities(POLICY_READ)
    else:
        allowed = user.permissions.check_entity(entity_id, POLICY_READ)
    if not allowed:
        wallbox.security(denied(user.id, act))
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="history_not_readable",
            translation_placeholders={"wallbox": wallbox.title},
        )


def wanted_of(
    boxes: Mapping[str, Box], asked: Mapping[str, Any], names: Names
) -> Wanted:
    """Return which sessions are asked for; refuses a span or user that cannot be."""
    start, end = span_of(asked)
    return Wanted(
        start=None if start is None else start.timestamp(),
        end=None if end is None else end.timestamp(),
        wallboxes=tuple(boxes),
        users=users_of(asked, names),
        visits=asked[ATTR_VISITS],
    )


def span_of(asked: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Return from when to when, in UTC; refuses an end that is not after the start."""
    start, end = (
        None if asked.get(name) is None else utc_instant(asked[name])
        for name in (ATTR_START, ATTR_END)
    )
    if start is not None and end is not None and end <= start:
        raise invalid("power_end_before_start")
    return start, end


def users_of(asked: Mapping[str, Any], names: Names) -> tuple[str, ...] | None:
    """Return whose sessions are asked for, None for everybody's.

    Asked for is the owner's name of somebody, or the pseudonym.
    """
    user: str | None = asked.get(ATTR_USER)
    if user is None:
        return None
    if not 0 < len(user) <= LONGEST_NAME:
        raise invalid("history_user_invalid")
    return names.pseudonyms(user)


async def async_names_of(hass: HomeAssistant, boxes: Mapping[str, Box]) -> Names:
    """Return what the owners of some wallboxes call those who charge."""
    entries = {box.wallbox.config_entry.entry_id: box for box in boxes.values()}
    return await async_names(
        hass, [box.wallbox.config_entry for box in entries.values()]
    )


async def async_list(
    hass: HomeAssistant, boxes: Mapping[str, Box], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a page of sessions, the newest first, and how many there are."""
    names, zone = await async_names_of(hass, boxes), home_zone()
    wanted = wanted_of(boxes, asked, names)
    limit, offset = asked[ATTR_LIMIT], asked[ATTR_OFFSET]
    records, total = await async_get_store(hass).async_listed(
        wanted, limit=limit, offset=offset
    )

    def page() -> list[dict[str, Any]]:
        """Return the sessions of the page; a long one is too much for the loop."""
        return [described(one, boxes[one["wallbox"]], zone, names) for one in records]

    return {
        "sessions": await hass.async_add_executor_job(page),
        "total": total,
        "limit": limit,
        "offset": offset,
    }


def described(
    record: Mapping[str, Any], box: Box, zone: tzinfo, names: Names
) -> dict[str, Any]:
    """Return a session and whose it is."""
    return {
        "device_id": box.device_id,
        "wallbox": box.title,
        **plain_session(record, zone, names),
    }
