"""The action that forgets people.

Only for administrators; what an automation does an administrator wrote. Each Miniserver's
security log is told that people were forgotten and by whom, not who they were.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import probatio

from homeassistant.auth.models import User
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.hass_dict import HassKey

from .const import CONF_SERIAL, DOMAIN
from .history_query import async_user
from .naming import LONGEST_ID
from .people import async_get_people
from .personal_data import (
    DatabaseBusyError,
    Forgotten,
    Persons,
    async_forget,
    async_persons,
)
from .records.journal import JournalError
from .rights import SecurityEvent, denied
from .security import Security, security_of
from .security_query import asked_of
from .targets import invalid

ACTION = "delete_personal_data"
ATTR_USERS = "users"
MOST_USERS = 100
# Whom the database, or a file, would not let be forgotten: by pseudonym, until a call did.
HALF_DONE: HassKey[set[str]] = HassKey(f"{DOMAIN}_half_forgotten")

_NAME = probatio.All(
    cv.string,
    str.strip,
    probatio.Length(min=1, msg="a name has at least one letter"),
    probatio.Length(max=LONGEST_ID),
)
SCHEMA: dict[Any, Any] = {
    probatio.Required(ATTR_USERS): probatio.All(
        cv.ensure_list, [_NAME], probatio.Length(min=1, max=MOST_USERS)
    ),
    probatio.Optional(ATTR_DEVICE_ID): probatio.All(
        cv.ensure_list, [cv.string], probatio.Length(min=1)
    ),
}


@callback
def async_setup_personal_data(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        ACTION,
        partial(_async_handle, hass),
        schema=probatio.Schema(SCHEMA),
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_handle(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Forget those who are named; raises translated errors."""
    user = await async_user(hass, call.context)
    logs = logs_of(hass, call.data)
    if user is not None and not user.is_admin:
        for log in logs:
            log.record(denied(user.id, ACTION))
        raise invalid("security_administrator_needed")
    done = await async_delete(hass, call.data[ATTR_USERS], user, logs)
    return {
        "names": done.names,
        "settings": done.settings,
        "files": done.files,
        "security_records": done.records,
        "sessions": done.sessions,
        "calls": 0 if done.rows is None else done.rows.calls,
        "database": "none" if done.rows is None else "forgotten",
        "traces": "none" if done.rows is None else done.rows.traces.value,
    }


async def async_delete(
    hass: HomeAssistant, whom: Collection[str], user: User | None, logs: list[Security]
) -> Forgotten:
    """Forget people for somebody, None for an automation, and tell the logs.

    Raises translated errors; what was done before one stays done.
    """
    persons = await async_persons(hass, whom)
    half_done = hass.data.setdefault(HALF_DONE, set())
    try:
        done = await async_forget(hass, persons)
    except JournalError as err:
        half_done |= persons.pseudonyms
        raise _failed("personal_data_not_written", err) from err
    except DatabaseBusyError as err:
        half_done |= persons.pseudonyms
        raise _failed("personal_data_database_away", err) from err
    # The database may have caught up by itself since the first call.
    if not done.anything and half_done.isdisjoint(persons.pseudonyms):
        raise invalid("personal_data_nobody")
    half_done -= persons.pseudonyms
    await _async_record(hass, logs, user, persons, done)
    return done


def logs_of(
    hass: HomeAssistant, asked: Mapping[str, Any] | None = None
) -> list[Security]:
    """Return which logs are told, by default all; refuses a device that is not ours."""
    if asked is not None and ATTR_DEVICE_ID in asked:
        return [asked_of(hass, asked[ATTR_DEVICE_ID]).security]
    entries = hass.config_entries.async_entries(DOMAIN)
    found = (security_of(hass, entry.data[CONF_SERIAL]) for entry in entries)
    return [one for one in found if one is not None]


async def _async_record(
    hass: HomeAssistant,
    logs: list[Security],
    user: User | None,
    persons: Persons,
    done: Forgotten,
) -> None:
    """Tell the logs; who forgets themselves is not named for it again."""
    people = await async_get_people(hass)
    user_id = None if user is None else user.id
    if user_id is not None and persons.is_person(people.pseudonym(user_id)):
        user_id = None
    for log in logs:
        log.record(
            SecurityEvent(
                kind="data_deleted",
                outcome="info",
                user_id=user_id,
                detail={"what": "personal_data", "records": done.records},
            )
        )


def _failed(key: str, err: Exception) -> HomeAssistantError:
    """Return the error of something that is to be tried again."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"error": str(err)},
    )
