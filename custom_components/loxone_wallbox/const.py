"""Names and numbers of the integration that more than one room uses."""

from collections.abc import Mapping
import logging
from types import MappingProxyType
from typing import Any, Final

DOMAIN: Final = "loxone_wallbox"
LOGGER = logging.getLogger(__package__)
MANUFACTURER: Final = "Loxone"
# Where a weakness is reported in private, and until when there are fixes of one at
# least; `SECURITY.md` says the same.
SECURITY_URL: Final = "https://github.com/loxone-wallbox/loxone-wallbox/security"
SUPPORT_UNTIL: Final = "2028-12-31"

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
CONF_PROFILE: Final = "profile"
CONF_WHO_DELAYS: Final = "who_delays"
CONF_FIRST_USE: Final = "first_use"
# Who else delays, since when and by whose word; only where that is not we.
CONF_EXEMPTION: Final = "exemption"
# Ids of users; not there means everybody, also those who come later.
CONF_OVERRIDE_USERS: Final = "override_users"
CONF_AUTOMATIONS_MAY_OVERRIDE: Final = "automations_may_override"
CONF_PLUG_IN_DELAY: Final = "plug_in_delay"
CONF_STRICT: Final = "strict"
CONF_PRIORITY: Final = "priority"
CONF_DSR_ENTITIES: Final = "dsr_entities"
CONF_DSR_LIMIT_KW: Final = "dsr_limit_kw"
CONF_DSR_END_AFTER_MIN: Final = "dsr_end_after_min"
CONF_DSR_RESPONSE: Final = "dsr_response"
# With whom and since when, by whose word; only where there is one.
CONF_AGREEMENT: Final = "dsr_agreement"
# The clock of the rules: a name of the time zone database, or what the profile says.
CONF_TIMEZONE: Final = "timezone"
TIMEZONE_OF_PROFILE: Final = "profile"
# That another zone than the profile's is meant, since when and by whose word.
CONF_TIMEZONE_KEPT: Final = "timezone_kept"
# Entities that know the bank holidays; none means that those are days like others.
CONF_DAYS_OFF_ENTITIES: Final = "days_off_entities"
CONF_TARIFF: Final = "tariff"

# Who applies the random delay.
DELAY_HOME_ASSISTANT: Final = "home_assistant"
DELAY_MINISERVER: Final = "miniserver"
DELAY_AGGREGATOR: Final = "aggregator"
DELAY_NOBODY: Final = "nobody"

# What holds for a wallbox that was set up without being asked.
WALLBOX_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        CONF_PROFILE: "none",
        CONF_WHO_DELAYS: DELAY_HOME_ASSISTANT,
        CONF_AUTOMATIONS_MAY_OVERRIDE: True,
        CONF_PLUG_IN_DELAY: True,
        CONF_STRICT: False,
        CONF_PRIORITY: 50,
        CONF_DSR_ENTITIES: (),
        CONF_DSR_LIMIT_KW: 0.0,
        CONF_DSR_END_AFTER_MIN: 120,
        CONF_DSR_RESPONSE: False,
        CONF_TIMEZONE: TIMEZONE_OF_PROFILE,
        CONF_DAYS_OFF_ENTITIES: (),
    }
)

# The diagnostic inputs a wallbox device has in Loxone Config.
INPUT_ONLINE: Final = "online"
INPUT_CHARGING_ERROR: Final = "charging_error"
INPUT_FAULT_CURRENT: Final = "fault_current"
INPUT_TEMPERATURE: Final = "temperature"
INPUT_ERROR_CODE: Final = "error_code"
# No wallbox has these; an installer may wire contacts for them.
INPUT_OVER_TEMPERATURE: Final = "over_temperature"
INPUT_TAMPER: Final = "tamper"
DIAGNOSTIC_INPUTS: Final = (
    INPUT_ONLINE,
    INPUT_CHARGING_ERROR,
    INPUT_FAULT_CURRENT,
    INPUT_TEMPERATURE,
    INPUT_ERROR_CODE,
    INPUT_OVER_TEMPERATURE,
    INPUT_TAMPER,
)

# What says that a wallbox has a fault.
FAULT_INPUTS: Final = (
    INPUT_ERROR_CODE,
    INPUT_FAULT_CURRENT,
    INPUT_CHARGING_ERROR,
    INPUT_OVER_TEMPERATURE,
)
