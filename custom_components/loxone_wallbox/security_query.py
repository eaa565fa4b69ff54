"""The security log as administrators read it: which one, from when, of which kinds.

Takes the devices and filters of a call, gives records, the newest first. Everybody else
is refused, and that is recorded. Raises translated errors; nothing is changed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import probatio

from homeassistant.auth.models import User
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr

from .const import DOMAIN
from .history_query import ATTR_END, ATTR_LIMIT, ATTR_OFFSET, ATTR_START, span_of
from .records.journal import JournalError
from .records.security_record import KINDS
from .rights import denied, told_of_paths
from .security import ATTR_WALLBOX_ID, Security, security_of
from .targets import invalid

ATTR_KINDS = "kinds"
DEFAULT_LIMIT = 100
MOST_LISTED = 5_000
MOST_SKIPPED = 1_000_000

DEVICES: dict[Any, Any] = {
    probatio.Required(ATTR_DEVICE_ID): probatio.All(
        cv.ensure_list, [cv.string], probatio.Length(min=1)
    )
}
LIST_SCHEMA: dict[Any, Any] = {
    probatio.Optional(ATTR_START): cv.datetime,
    probatio.Optional(ATTR_END): cv.datetime,
    probatio.Optional(ATTR_KINDS): probatio.All(cv.ensure_list, [probatio.In(KINDS)]),
    probatio.Optional(ATTR_LIMIT): probatio.All(
        probatio.Coerce(int), probatio.Range(min=1, max=MOST_LISTED)
    ),
    probatio.Optional(ATTR_OFFSET, default=0): probatio.All(
        probatio.Coerce(int), probatio.Range(min=0, max=MOST_SKIPPED)
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Whose log is asked for; `wallbox_ids` None is everything."""

    security: Security
    wallbox_ids: frozenset[str] | None

    def concerns(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a record is about what is asked for, or about everything."""
        whose = record["detail"].get(ATTR_WALLBOX_ID)
        return self.wallbox_ids is None or whose is None or whose in self.wallbox_ids


type Work = Callable[[HomeAssistant, Asked, Mapping[str, Any]], Awaitable[Any]]


async def async_answer(
    hass: HomeAssistant,
    user: User | None,
    act: str,
    asked: Mapping[str, Any],
    work: Work,
) -> Any:
    """Return what an administrator asks for; `user` None is an automation of theirs.

    Raises translated errors.
    """
    log = asked_of(hass, asked[ATTR_DEVICE_ID])
    if user is not None and not user.is_admin:
        log.security.record(denied(user.id, act))
        raise invalid("security_administrator_needed")
    try:
        user_id = None if user is None else user.id
        with told_of_paths(act, user_id, log.security.record):
            return await work(hass, log, asked)
    except JournalError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="security_log_unreadable",
            translation_placeholders={"error": str(err)},
        ) from err


def asked_of(hass: HomeAssistant, device_ids: list[str]) -> Asked:
    """Return whose log some devices mean, also while their Miniserver is away.

    That is when its refused logins are of interest.
    """
    found: dict[str, set[str]] = {}
    for device_id in device_ids:
        device = dr.async_get(hass).async_get(device_id)
        ours = [] if device is None else device.identifiers
        name = next((one for domain, one in ours if domain == DOMAIN), "")
        serial, _, wallbox_id = name.partition("_")
        if security_of(hass, serial) is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="security_unknown_device",
                translation_placeholders={"device": device_id},
            )
        found.setdefault(serial, set()).add(wallbox_id)
    if len(found) > 1:
        raise invalid("security_one_miniserver")
    [(serial, wallbox_ids)] = found.items()
    security = security_of(hass, serial)
    if security is None:
        raise invalid("security_one_miniserver")
    whole = "" in wallbox_ids
    return Asked(
        security=security, wallbox_ids=None if whole else frozenset(wallbox_ids)
    )


async def async_records(log: Asked, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all records that are asked for, the newest first."""
    start, end = span_of(asked)
    kinds = asked.get(ATTR_KINDS)
    found = await log.security.async_records(
        start, end, None if kinds is None else frozenset(kinds)
    )
    return [one for one in reversed(found) if log.concerns(one)]


def page(
    records: list[dict[str, Any]], asked: Mapping[str, Any], most: int | None
) -> list[dict[str, Any]]:
    """Return the page that is asked for, `most` records where nobody says how many."""
    offset, limit = asked[ATTR_OFFSET], asked.get(ATTR_LIMIT, most)
    return records[offset:] if limit is None else records[offset : offset + limit]


async def async_list(
    hass: HomeAssistant,  # noqa: ARG001
    log: Asked,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a page of records, the newest first, and how many there are."""
    records = await async_records(log, asked)
    return {
        "records": page(records, asked, DEFAULT_LIMIT),
        "total": len(records),
        "limit": asked.get(ATTR_LIMIT, DEFAULT_LIMIT),
        "offset": asked[ATTR_OFFSET],
    }


async def async_verify(
    hass: HomeAssistant,  # noqa: ARG001
    log: Asked,
    asked: Mapping[str, Any],  # noqa: ARG001
) -> dict[str, Any]:
    """Return whether the log is whole, and the first record that is not."""
    verdict = asdict(await log.security.async_verify())
    del verdict["recorded"]
    return {"whole": verdict["broken_seq"] is None, **verdict}
