"""The actions that list, sum up, export and import sessions.

Whoever may see a wallbox's energy may read its sessions; writing a file and importing
needs an administrator. Each answers with data and is refused as a whole.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
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
from .history_export import ATTR_PATH, EXPORT_SCHEMA, async_export
from .history_import import IMPORT_SCHEMA, async_import
from .history_query import (
    LIST_SCHEMA,
    Box,
    async_list,
    async_user,
    boxes_of,
    check_administrator,
)
from .history_summary import SUMMARY_SCHEMA, async_summary
from .rights import told_of_paths

type Work = Callable[
    [HomeAssistant, Mapping[str, Box], Mapping[str, Any]], Awaitable[dict[str, Any]]
]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryAction:
    """What an action takes and does, and whether it always answers."""

    schema: dict[Any, Any]
    work: Work
    response: SupportsResponse = SupportsResponse.ONLY


HISTORY_ACTIONS = {
    "get_sessions": HistoryAction(schema=LIST_SCHEMA, work=async_list),
    "get_summary": HistoryAction(schema=SUMMARY_SCHEMA, work=async_summary),
    "export_sessions": HistoryAction(
        schema=EXPORT_SCHEMA, work=async_export, response=SupportsResponse.OPTIONAL
    ),
    "import_sessions": HistoryAction(
        schema=IMPORT_SCHEMA, work=async_import, response=SupportsResponse.OPTIONAL
    ),
}


@callback
def async_setup_history_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    devices = probatio.All(cv.ensure_list, [cv.string], probatio.Length(min=1))
    for name, action in HISTORY_ACTIONS.items():
        hass.services.async_register(
            DOMAIN,
            name,
            partial(_async_handle, action),
            schema=probatio.Schema(
                {probatio.Required(ATTR_DEVICE_ID): devices, **action.schema}
            ),
            supports_response=action.response,
        )


async def _async_handle(action: HistoryAction, call: ServiceCall) -> ServiceResponse:
    """Answer a call; raises translated errors."""
    user = await async_user(call.hass, call.context)
    boxes = boxes_of(call.hass, call.data[ATTR_DEVICE_ID], user, call.service)
    if action.work is async_import or ATTR_PATH in call.data:
        check_administrator(user, call.service, boxes)
    sinks = (box.wallbox.security for box in boxes.values())
    with told_of_paths(call.service, call.context.user_id, *sinks):
        return await action.work(call.hass, boxes, call.data)
