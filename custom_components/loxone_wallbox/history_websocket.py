"""The commands of the card that list sessions and sum them up.

They answer as the actions do, to whoever may see the energy of the wallboxes.
"""

from collections.abc import Mapping
from typing import Any

import probatio

from homeassistant.components import websocket_api
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from .history_actions import Work
from .history_query import LIST_SCHEMA, async_list, boxes_of
from .history_summary import SUMMARY_SCHEMA, async_summary

_DEVICES: dict[Any, Any] = {
    probatio.Required(ATTR_DEVICE_ID): probatio.All(
        cv.ensure_list, [str], probatio.Length(min=1)
    )
}
_CODES = {
    "unknown_wallbox": websocket_api.ERR_NOT_FOUND,
    "history_not_readable": websocket_api.ERR_UNAUTHORIZED,
}


@callback
def async_setup_history_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, list_sessions)
    websocket_api.async_register_command(hass, summary)


@websocket_api.websocket_command(
    {
        probatio.Required("type"): "loxone_wallbox/sessions/list",
        **_DEVICES,
        **LIST_SCHEMA,
    }
)
@websocket_api.async_response
async def list_sessions(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send a page of sessions."""
    await _async_answer(hass, connection, msg, async_list)


@websocket_api.websocket_command(
    {
        probatio.Required("type"): "loxone_wallbox/sessions/summary",
        **_DEVICES,
        **SUMMARY_SCHEMA,
    }
)
@websocket_api.async_response
async def summary(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send what sessions add up to."""
    await _async_answer(hass, connection, msg, async_summary)


async def _async_answer(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: Mapping[str, Any],
    work: Work,
) -> None:
    """Send an answer, or in words why there is none."""
    try:
        boxes = boxes_of(hass, msg[ATTR_DEVICE_ID], connection.user, msg["type"])
        answer = await work(hass, boxes, msg)
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
