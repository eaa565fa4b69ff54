"""The actions that read and check the security log, and the command of the card."""

from collections.abc import Mapping
import csv
import io
import json
from typing import Any

import probatio

from homeassistant.components import websocket_api
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN
from .history_export import (
    ATTR_FORMAT,
    ATTR_PATH,
    Format,
    cell,
    check_path,
    write_file,
)
from .history_query import async_user
from .security_query import (
    DEFAULT_LIMIT,
    DEVICES,
    LIST_SCHEMA,
    Asked,
    Work,
    async_answer,
    async_list,
    async_records,
    async_verify,
    page,
)

LIST_COMMAND = "loxone_wallbox/security/list"
COLUMNS = ("seq", "utc", "kind", "outcome", "source", "detail", "prev", "hash")

_EXPORT: dict[Any, Any] = {
    probatio.Optional(ATTR_FORMAT, default=Format.JSON): probatio.Coerce(Format),
    probatio.Optional(ATTR_PATH): cv.string,
}
_CODES = {
    "security_unknown_device": websocket_api.ERR_NOT_FOUND,
    "security_administrator_needed": websocket_api.ERR_UNAUTHORIZED,
}


async def async_export(
    hass: HomeAssistant, log: Asked, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return records, or how many were written to a file."""
    kind, path = asked[ATTR_FORMAT], asked.get(ATTR_PATH)
    if path is None and kind is Format.JSON:
        return await async_list(hass, log, asked)
    if path is not None:
        await hass.async_add_executor_job(check_path, hass, path, kind.value)
    found = await async_records(log, asked)
    records = page(found, asked, DEFAULT_LIMIT if path is None else None)
    text = await hass.async_add_executor_job(_text, kind, records)
    answer = {"format": kind.value, "count": len(records), "total": len(found)}
    if path is None:
        return {**answer, "content": text}
    await hass.async_add_executor_job(write_file, path, text)
    return {**answer, "path": path}


def _text(kind: Format, records: list[dict[str, Any]]) -> str:
    """Return records as text; no field of a table is ever read as a formula."""
    if kind is Format.JSON:
        return json.dumps(records, ensure_ascii=False, indent=1)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in records:
        detail = json.dumps(one["detail"], ensure_ascii=False)
        row = {**one, "detail": detail}
        writer.writerow({name: cell(row[name]) for name in COLUMNS})
    return out.getvalue()


SECURITY_ACTIONS: dict[str, tuple[dict[Any, Any], Work, SupportsResponse]] = {
    "get_security_log": (
        {**LIST_SCHEMA, **_EXPORT},
        async_export,
        SupportsResponse.OPTIONAL,
    ),
    "verify_security_log": ({}, async_verify, SupportsResponse.ONLY),
}


@callback
def async_setup_security(hass: HomeAssistant) -> None:
    """Register the actions and the command."""
    for name, (schema, _, response) in SECURITY_ACTIONS.items():
        hass.services.async_register(
            DOMAIN,
            name,
            _async_handle,
            schema=probatio.Schema({**DEVICES, **schema}),
            supports_response=response,
        )
    websocket_api.async_register_command(hass, list_records)


async def _async_handle(call: ServiceCall) -> ServiceResponse:
    """Answer a call; raises translated errors."""
    user = await async_user(call.hass, call.context)
    work = SECURITY_ACTIONS[call.service][1]
    answer: ServiceResponse = await async_answer(
        call.hass, user, call.service, call.data, work
    )
    return answer


@websocket_api.websocket_command(
    {probatio.Required("type"): LIST_COMMAND, **DEVICES, **LIST_SCHEMA}
)
@websocket_api.async_response
async def list_records(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send a page of records to an administrator, to others why there is none."""
    try:
        answer = await async_answer(
            hass, connection.user, LIST_COMMAND, msg, async_list
        )
    except HomeAssistantError as err:
        connection.send_error(
            msg["id"],
            _CODES.get(str(err.translation_key), websocket_api.ERR_INVALID_FORMAT),
            str(err),
            translation_key=err.translation_key,
            translation_domain=err.translation_domain,
            translation_placeholders=err.translation_placeholders,
        )
        return
    connection.send_result(msg["id"], answer)
