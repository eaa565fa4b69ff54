"""What Home Assistant itself knows of the internet; nothing is asked for it."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError


@callback
def internet_of(hass: HomeAssistant) -> bool | None:
    """Tell whether the internet is there, None where nobody here knows.

    The Supervisor looks for itself every few minutes. It is imported only where it is
    loaded already: it need not be there for a wallbox.
    """
    if "hassio" not in hass.config.components:
        return None
    from homeassistant.components import hassio  # noqa: PLC0415

    try:
        found = hassio.get_network_info(hass).get("host_internet")
    except HomeAssistantError:
        # It has not looked yet.
        return None
    return found if isinstance(found, bool) else None
