"""Build a client from a config entry's data, to stay connected or to log out."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import get_default_context

from .const import (
    CONF_CLIENT_ID,
    CONF_SERIAL,
    CONF_TLS,
    CONF_TLS_PORT,
    CONF_VERIFY_SSL,
    LOGGER,
)
from .miniserver import Address, ClientListener, Credentials, MiniserverClient, Token
from .miniserver.errors import MiniserverError, ProtocolError


def build_client(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    *,
    listener: ClientListener | None = None,
) -> MiniserverClient:
    """Return a client for stored or entered data; nothing is sent yet."""
    return MiniserverClient(
        async_get_clientsession(hass),
        Address(
            host=data[CONF_HOST],
            port=data[CONF_PORT],
            tls=data[CONF_TLS],
            tls_port=data[CONF_TLS_PORT],
            verify=data[CONF_VERIFY_SSL],
        ),
        Credentials(
            username=data[CONF_USERNAME],
            client_id=data[CONF_CLIENT_ID],
            client_name=f"Home Assistant {hass.config.location_name}",
            password=data.get(CONF_PASSWORD),
            token=_token(data),
        ),
        listener=listener,
        expected_serial=data.get(CONF_SERIAL),
        certificate=get_default_context(),
    )


async def revoke_token(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """End the token on the Miniserver, so that nothing of ours is left there."""
    client = build_client(hass, data)
    try:
        await client.connect()
        await client.revoke_token()
    except MiniserverError as err:
        LOGGER.warning(
            "The token could not be revoked on the Miniserver (%s); it ends by itself "
            "within weeks, or remove it in Loxone's app",
            err,
        )
    finally:
        await client.close()


def _token(data: Mapping[str, Any]) -> Token | None:
    """Return the stored token, None where there is none that can be read."""
    stored = data.get(CONF_TOKEN)
    if not isinstance(stored, Mapping):
        return None
    try:
        return Token.from_dict(stored)
    except ProtocolError:
        return None
