"""The commands of the card: the power of each second as it comes.

Each takes the device of a wallbox and answers whoever may see its charging power.
"""

from typing import Any

import probatio

from homeassistant.components import websocket_api
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from .history_websocket import async_setup_history_websocket
from .meter.series import Point
from .plan_websocket import async_setup_plan_websocket
from .power_actions import check_may_read, source_of
from .power_feed import Ending, PowerListener
from .targets import wallbox_of

ATTR_SECONDS = "seconds"
DEFAULT_WINDOW_S = 3_600
# What one message can hold without anybody noticing.
MOST_WINDOW_S = 6 * 3_600

_ENDINGS = {
    Ending.REMOVED: "The wallbox was removed.",
    Ending.UNLOADED: "The wallbox is not loaded any more. Subscribe again when it is.",
}


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, subscribe_power)
    async_setup_history_websocket(hass)
    async_setup_plan_websocket(hass)


@websocket_api.websocket_command(
    {
        probatio.Required("type"): "loxone_wallbox/power/subscribe",
        probatio.Required(ATTR_DEVICE_ID): str,
        probatio.Optional(ATTR_SECONDS, default=DEFAULT_WINDOW_S): probatio.All(
            int, probatio.Range(min=0, max=MOST_WINDOW_S)
        ),
    }
)
@callback
def subscribe_power(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the last seconds' power and then each second's.

    Each message has `points`, pairs of seconds UTC and W, null where a hole begins. The
    first also says who measures. The last one has `ended`, why there are no more.
    """
    message_id: int = msg["id"]
    try:
        wallbox = wallbox_of(hass, msg[ATTR_DEVICE_ID])
    except ServiceValidationError as err:
        connection.send_error(
            message_id,
            websocket_api.ERR_NOT_FOUND,
            str(err),
            translation_key=err.translation_key,
            translation_domain=err.translation_domain,
            translation_placeholders=err.translation_placeholders,
        )
        return
    check_may_read(hass, connection.user, wallbox, msg["type"])
    feed = wallbox.measuring.feed

    @callback
    def send(points: list[Point]) -> None:
        """Send points."""
        connection.send_event(message_id, {"points": points})

    @callback
    def end(why: Ending) -> None:
        """Say that there are no more."""
        connection.subscriptions.pop(message_id, None)
        connection.send_event(
            message_id, {"ended": why.value, "message": _ENDINGS[why]}
        )

    now = wallbox.measuring.now
    window = feed.between(now - msg[ATTR_SECONDS], now) if msg[ATTR_SECONDS] else []
    connection.subscriptions[message_id] = feed.listen(
        PowerListener(points=send, ended=end)
    )
    connection.send_result(message_id)
    connection.send_event(message_id, {**source_of(wallbox), "points": window})
