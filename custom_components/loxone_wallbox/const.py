"""Names and numbers of the integration that more than one room uses."""

import logging
from typing import Final

DOMAIN: Final = "loxone_wallbox"
LOGGER = logging.getLogger(__package__)
MANUFACTURER: Final = "Loxone"

# Config entry: how to reach the Miniserver.
CONF_CLIENT_ID: Final = "client_id"
CONF_ENCRYPTION: Final = "encryption"
CONF_SERIAL: Final = "serial"
CONF_STORE_PASSWORD: Final = "store_password"  # noqa: S105 - a field name
CONF_TLS: Final = "tls"
CONF_TLS_PORT: Final = "tls_port"
CONF_VERIFY_SSL: Final = "verify_ssl"

# Options of the config entry.
CONF_GRACE_S: Final = "unavailable_after"
# The wallbox goes on charging without us; half a minute spares the owner the alarm for
# a link that comes back by itself.
DEFAULT_GRACE_S: Final = 30

# Wallbox subentry.
SUBENTRY_WALLBOX: Final = "wallbox"
CONF_WALLBOX_ID: Final = "wallbox_id"
CONF_VARIANT: Final = "variant"
CONF_VISUALISATION_PASSWORD: Final = "visualisation_password"  # noqa: S105
CONF_DIAGNOSTIC_INPUTS: Final = "diagnostic_inputs"

# The diagnostic inputs a wallbox device has in Loxone Config.
INPUT_ONLINE: Final = "online"
INPUT_CHARGING_ERROR: Final = "charging_error"
INPUT_FAULT_CURRENT: Final = "fault_current"
INPUT_TEMPERATURE: Final = "temperature"
INPUT_ERROR_CODE: Final = "error_code"
DIAGNOSTIC_INPUTS: Final = (
    INPUT_ONLINE,
    INPUT_CHARGING_ERROR,
    INPUT_FAULT_CURRENT,
    INPUT_TEMPERATURE,
    INPUT_ERROR_CODE,
)
