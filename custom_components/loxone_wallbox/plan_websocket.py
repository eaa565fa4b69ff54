"""The command of the card that tells what is planned.

It takes the device of a wallbox and answers whoever may see its charging power.
"""

from datetime import datetime, timedelta
from typing import Any

import probatio

from homeassistant.components import websocket_api
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .plan_ahead import plan_ahead
from .power_actions import check_may_read
from .targets import invalid, utc_instant, wallbox_of

ATTR_START = "start"
ATTR_END = "end"
A_DAY = timedelta(days=1)
LONGEST = timedelta(days=9)
# More than a year away nobody plans.
FARTHEST = timedelta(days=366)


@callback
def async_setup_plan_websocket(hass: HomeAssistant) -> None:
    """Register the command."""
    websocket_api.async_register_command(hass, send_plan)


@websocket_api.websocket_command(
    {
        probatio.Required("type"): "loxone_wallbox/plan",
        probatio.Required(ATTR_DEVICE_ID): str,
        probatio.Optional(ATTR_START): cv.datetime,
        probatio.Optional(ATTR_END): cv.datetime,
    }
)
@callback
def send_plan(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the plan between two instants, by default of the next 24 hours."""
    try:
        wallbox = wallbox_of(hass, msg[ATTR_DEVICE_ID])
        check_may_read(hass, connection.user, wallbox, msg["type"])
        now = dt_util.utcnow()
        start, end = _times(msg, now)
        answer = plan_ahead(wallbox, start, end, now)
    except ServiceValidationError as err:
        unknown = err.translation_key == "unknown_wallbox"
        connection.send_error(
            msg["id"],
            websocket_api.ERR_NOT_FOUND
            if unknown
            else websocket_api.ERR_INVALID_FORMAT,
            str(err),
            translation_key=err.translation_key,
            translation_domain=err.translation_domain,
            translation_placeholders=err.translation_placeholders,
        )
        return
    connection.send_result(msg["id"], answer)


def _times(msg: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when in UTC; raises a translated error."""
    start = utc_instant(msg.get(ATTR_START, now))
    if abs(start - now) > FARTHEST:
        raise invalid("plan_time_invalid")
    end = utc_instant(msg.get(ATTR_END, start + A_DAY))
    if not timedelta(0) < end - start <= LONGEST:
        raise invalid("plan_time_invalid")
    return start, end
