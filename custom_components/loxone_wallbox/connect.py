"""Build a client from a config entry's data, to stay connected or to log out.

Also says in words, with what to do next, why a client that is to stay cannot connect.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientConnectorError

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryError,
    ConfigEntryNotReady,
    IntegrationError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import get_default_context

from .const import (
    CONF_CLIENT_ID,
    CONF_SERIAL,
    CONF_TLS,
    CONF_TLS_PORT,
    CONF_VERIFY_SSL,
    DOMAIN,
    LOGGER,
)
from .miniserver import (
    Address,
    ClientListener,
    Credentials,
    MiniserverClient,
    Token,
    end_token,
)
from .miniserver.errors import (
    AuthenticationError,
    CertificateError,
    FirmwareTooOldError,
    IdentityError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    MissingRightError,
    NoSlotError,
    NotAMiniserverError,
    ProtocolError,
    StructureError,
    UserDisabledError,
)

# What Home Assistant does about an error, and the text for the owner. The first that
# fits counts, so a class stands above those it is derived from.
_SETUP_ERRORS: tuple[tuple[type[MiniserverError], type[IntegrationError], str], ...] = (
    (UserDisabledError, ConfigEntryAuthFailed, "user_disabled"),
    (AuthenticationError, ConfigEntryAuthFailed, "login_refused"),
    (FirmwareTooOldError, ConfigEntryError, "firmware_too_old"),
    (IdentityError, ConfigEntryNotReady, "other_miniserver"),
    (NotAMiniserverError, ConfigEntryNotReady, "not_a_miniserver"),
    (CertificateError, ConfigEntryNotReady, "certificate_invalid"),
    (NoSlotError, ConfigEntryNotReady, "no_slot"),
    (MiniserverStartingError, ConfigEntryNotReady, "starting"),
    (StructureError, ConfigEntryNotReady, "structure_invalid"),
    (MissingRightError, ConfigEntryNotReady, "app_right_missing"),
    (ProtocolError, ConfigEntryNotReady, "unexpected_answer"),
    (MiniserverConnectionError, ConfigEntryNotReady, "cannot_connect"),
    (MiniserverError, ConfigEntryNotReady, "unexpected_answer"),
)


def address_of(data: Mapping[str, Any]) -> Address:
    """Return where stored or entered data say the Miniserver is."""
    return Address(
        host=data[CONF_HOST],
        port=data[CONF_PORT],
        tls=data[CONF_TLS],
        tls_port=data[CONF_TLS_PORT],
        verify=data[CONF_VERIFY_SSL],
    )


def build_client(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    *,
    listener: ClientListener | None = None,
) -> MiniserverClient:
    """Return a client for stored or entered data; nothing is sent yet."""
    return MiniserverClient(
        async_get_clientsession(hass),
        address_of(data),
        _credentials(hass, data),
        listener=listener,
        expected_serial=data.get(CONF_SERIAL),
        certificate=get_default_context(),
    )


def _credentials(hass: HomeAssistant, data: Mapping[str, Any]) -> Credentials:
    """Return the login of stored or entered data."""
    return Credentials(
        username=data[CONF_USERNAME],
        client_id=data[CONF_CLIENT_ID],
        client_name=f"Home Assistant {hass.config.location_name}",
        password=data.get(CONF_PASSWORD),
        token=_token(data),
    )


def says_restart(error: MiniserverError) -> bool:
    """Tell whether a first contact failed as it does while a Miniserver restarts.

    That is 503, or a connection that is refused before its web server listens.
    """
    cause = error.__cause__
    return isinstance(error, MiniserverStartingError) or (
        isinstance(cause, ClientConnectorError)
        and isinstance(cause.os_error, ConnectionRefusedError)
    )


def setup_error(error: MiniserverError) -> IntegrationError:
    """Return the error of a setup that failed, for Home Assistant to raise.

    A block is not among them: it says itself when to try again.
    """
    placeholders = {"error": str(error)}
    match error:
        case FirmwareTooOldError(version=version, minimum=minimum):
            placeholders = {"version": version, "minimum": minimum}
        case IdentityError(expected=expected, found=found):
            placeholders = {"expected": expected, "found": found}
    raised, key = next(
        (raised, key) for kind, raised, key in _SETUP_ERRORS if isinstance(error, kind)
    )
    return raised(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


async def revoke_token(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """End the token on the Miniserver, so that nothing of ours is left there."""
    try:
        await end_token(
            async_get_clientsession(hass),
            address_of(data),
            _credentials(hass, data),
            expected_serial=data.get(CONF_SERIAL),
            certificate=get_default_context(),
        )
    except AuthenticationError as err:
        LOGGER.debug("The token is of no use any more: %s", err)
    except MiniserverError as err:
        LOGGER.warning(
            "The token could not be revoked on the Miniserver (%s); it ends by itself "
            "within weeks, or remove it in Loxone's app",
            err,
        )


async def revoke_replaced_token(
    hass: HomeAssistant, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """End the token of an entry's data that others took the place of."""
    if not before.get(CONF_TOKEN) or before[CONF_TOKEN] == after.get(CONF_TOKEN):
        return
    login = {name: before[name] for name in (CONF_USERNAME, CONF_TOKEN)}
    await revoke_token(hass, {**after, **login})


def _token(data: Mapping[str, Any]) -> Token | None:
    """Return the stored token, None where there is none that can be read."""
    stored = data.get(CONF_TOKEN)
    if not isinstance(stored, Mapping):
        return None
    try:
        return Token.from_dict(stored)
    except ProtocolError:
        return None
