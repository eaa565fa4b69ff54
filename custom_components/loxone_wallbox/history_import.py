"""Take sessions back that were exported, here or at another Miniserver.

Takes a file of an allowed folder or its content, gives what was taken, what was there
already and what was refused. All of it is checked before anything is written, and the
same again changes nothing. Raises translated errors.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import timedelta
from functools import partial
import json
from pathlib import Path
from typing import Any

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .history import SIGNAL_LEDGER_REPAIRED, async_get_store, ledger_of, turn_of
from .history_export import ATTR_PATH, FORMAT_NAME, SCHEMA, check_path
from .history_query import Box
from .people import async_get_people
from .records.importing import Plan, Refused, plan
from .records.journal import JournalError
from .records.ledger import Ledger
from .targets import invalid

ATTR_DATA = "data"
ATTR_WALLBOX = "wallbox"
# Two years of a hundred wallboxes come one wallbox after the other.
MOST_BYTES = 100_000_000
MOST_SESSIONS = 50_000
# A clock may have been a little ahead when a session ended.
AHEAD = timedelta(days=1)

IMPORT_SCHEMA: dict[Any, Any] = {
    probatio.Optional(ATTR_PATH): cv.string,
    probatio.Optional(ATTR_DATA): probatio.Any(dict, cv.string),
    probatio.Optional(ATTR_WALLBOX): cv.string,
}

type Sessions = dict[str, list[Any]]


async def async_import(
    hass: HomeAssistant, boxes: Mapping[str, Box], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Take sessions; returns what became of each, by wallbox."""
    path, data = asked.get(ATTR_PATH), asked.get(ATTR_DATA)
    if (path is None) is (data is None):
        raise invalid("import_path_or_data")
    sessions = await hass.async_add_executor_job(_read, hass, path, data)
    sources = sources_of(boxes, sessions, asked.get(ATTR_WALLBOX))
    async with AsyncExitStack() as turns:
        # Always in the same order, so that no two imports wait for each other.
        for key in sorted(sources):
            await turns.enter_async_context(turn_of(hass, key))
        plans = {
            key: await _async_planned(hass, boxes[key], sessions[source])
            for key, source in sources.items()
        }
        return {
            "wallboxes": [
                await _async_taken(hass, boxes[key], one) for key, one in plans.items()
            ]
        }


def sources_of(
    boxes: Mapping[str, Box], sessions: Sessions, named: str | None
) -> dict[str, str]:
    """Return of which wallbox of the export each wallbox takes the sessions.

    Its own; else those of the same block at another Miniserver; else, for a single
    wallbox, those of the only one there is. Another one has to be named.
    """
    if named is not None:
        if len(boxes) > 1 or named not in sessions:
            raise _unclear(sessions)
        return {next(iter(boxes)): named}
    found: dict[str, str] = {}
    for key, box in boxes.items():
        same = [one for one in sessions if one.endswith(f"_{box.wallbox.wallbox_id}")]
        if key in sessions:
            found[key] = key
        elif len(same) == 1:
            found[key] = same[0]
        elif len(boxes) == len(sessions) == 1:
            found[key] = next(iter(sessions))
    if len(found) < len(boxes) or len(set(found.values())) < len(found):
        raise _unclear(sessions)
    return found


def _unclear(sessions: Sessions) -> ServiceValidationError:
    """Return the error for wallboxes that cannot be told apart."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="import_wallbox_unclear",
        translation_placeholders={"wallboxes": ", ".join(sorted(sessions)) or "-"},
    )


def _read(hass: HomeAssistant, path: str | None, data: Any) -> Sessions:
    """Return the sessions of an export by wallbox. Blocking."""
    try:
        if path is not None:
            data = _content(check_path(hass, path, "json"))
        content = json.loads(data) if isinstance(data, str) else data
    except OSError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="import_file_unreadable",
            translation_placeholders={"path": str(path)},
        ) from err
    except (ValueError, RecursionError) as err:
        raise invalid("import_not_ours") from err
    return _by_wallbox(content)


def _content(file: Path) -> str:
    """Return the text of a file that is not too large."""
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise invalid("import_too_much")
    return data.decode()


def _by_wallbox(content: Any) -> Sessions:
    """Return what an export says by wallbox; raises a translated error for another."""
    if not isinstance(content, Mapping) or content.get("format") != FORMAT_NAME:
        raise invalid("import_not_ours")
    if content.get("schema") != SCHEMA:
        raise invalid("import_of_another_version")
    sessions = content.get("sessions")
    if not isinstance(sessions, list):
        raise invalid("import_not_ours")
    if len(sessions) > MOST_SESSIONS:
        raise invalid("import_too_much")
    found: Sessions = {}
    for session in sessions:
        wallbox = session.get("wallbox") if isinstance(session, Mapping) else None
        if not isinstance(wallbox, str):
            raise invalid("import_not_ours")
        found.setdefault(wallbox, []).append(session)
    return found


def _ledger(hass: HomeAssistant, box: Box) -> Ledger:
    """Return the ledger of a wallbox."""
    wallbox = box.wallbox
    return ledger_of(hass, wallbox.miniserver.serial, wallbox.wallbox_id)


async def _async_planned(hass: HomeAssistant, box: Box, sessions: list[Any]) -> Plan:
    """Return what is to become of sessions; writes nothing."""
    until = dt_util.utcnow() + AHEAD
    people = await async_get_people(hass)
    planned = partial(plan, kept=people.kept)
    try:
        return await hass.async_add_executor_job(
            planned, _ledger(hass, box), box.key, sessions, until
        )
    except JournalError as err:
        raise _failed(box, err) from err


async def _async_taken(hass: HomeAssistant, box: Box, found: Plan) -> dict[str, Any]:
    """Write the sessions that can be taken; returns what became of all."""
    try:
        taken = await hass.async_add_executor_job(_ledger(hass, box).absorb, found.take)
    except JournalError as err:
        async_get_store(hass).compare()
        raise _failed(box, err) from err
    # A month that was kept too long already takes nothing any more.
    late = [one.id for one in found.take if one.id not in taken]
    refused = [*found.refused, *(Refused(id=one, reason="expired") for one in late)]
    store = async_get_store(hass)
    for record in found.take:
        if record.id in taken:
            store.put(record)
    if taken:
        LOGGER.info("%s sessions of %s were imported", len(taken), box.title)
        async_dispatcher_send(hass, SIGNAL_LEDGER_REPAIRED, box.key)
    return {
        "device_id": box.device_id,
        "wallbox": box.title,
        "imported": len(taken),
        "already_there": len(found.there),
        "refused": [asdict(one) for one in refused],
    }


def _failed(box: Box, error: JournalError) -> HomeAssistantError:
    """Return the error of a ledger that cannot be read or written."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="import_not_written",
        translation_placeholders={"wallbox": box.title, "error": str(error)},
    )
