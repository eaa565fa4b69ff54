"""Reach a Miniserver and log in, for the config flow.

Takes what the owner typed, gives the entry's data and the structure; raises a
`FlowError` with the sentence to show. State is kept nowhere: a failed try changes
nothing but the Miniserver's own count of failed logins.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
import math
from typing import Any

import probatio
from yarl import URL

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .connect import address_of, build_client, revoke_token
from .const import (
    CONF_CLIENT_ID,
    CONF_ENCRYPTION,
    CONF_SERIAL,
    CONF_STORE_PASSWORD,
    CONF_TLS,
    CONF_TLS_PORT,
    CONF_VERIFY_SSL,
    LOGGER,
)
from .miniserver import (
    Address,
    Identity,
    MiniserverClient,
    Structure,
    identify,
    is_default_password,
)
from .miniserver.errors import (
    AuthenticationError,
    CertificateError,
    CommandError,
    FirmwareTooOldError,
    IdentityError,
    LockedOutError,
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
from .miniserver.http import TLS_LOGIN_FIRMWARE

SECTION_ADVANCED = "advanced"
ENCRYPTION_AUTO = "auto"
ENCRYPTION_TLS = "tls"
ENCRYPTION_TLS_UNVERIFIED = "tls_unverified"
ENCRYPTION_COMMANDS = "commands"
ENCRYPTIONS = [
    ENCRYPTION_AUTO,
    ENCRYPTION_TLS,
    ENCRYPTION_TLS_UNVERIFIED,
    ENCRYPTION_COMMANDS,
]
DEFAULT_PORT = 80
DEFAULT_TLS_PORT = 443
# A Miniserver is up within two minutes, after a firmware update in four.
BOOT_QUESTIONS = 17
BOOT_PAUSE_S = 15.0
# The wallbox block as we know it exists since this firmware.
WALLBOX_FIRMWARE = (14, 1)

# The first that fits counts, so a class stands above those it is derived from.
_ERRORS: tuple[tuple[type[MiniserverError], str, str], ...] = (
    (UserDisabledError, CONF_USERNAME, "user_disabled"),
    (AuthenticationError, CONF_PASSWORD, "invalid_auth"),
    (NotAMiniserverError, CONF_HOST, "not_a_miniserver"),
    (CertificateError, "base", "certificate_invalid"),
    (NoSlotError, "base", "no_slot"),
    (MiniserverStartingError, "base", "starting"),
    (StructureError, "base", "structure_invalid"),
    (MissingRightError, CONF_USERNAME, "right_missing"),
    (ProtocolError, "base", "unexpected_answer"),
    (CommandError, "base", "unexpected_answer"),
    (MiniserverConnectionError, CONF_HOST, "cannot_connect"),
)


class FlowError(Exception):
    """A translated error of a form and the field it belongs to."""

    def __init__(
        self, key: str, on: str = "base", placeholders: dict[str, str] | None = None
    ) -> None:
        """Keep what the form shows."""
        super().__init__(key)
        self.errors = {on: key}
        self.placeholders = placeholders or {}


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login that worked: the entry's data and what the user may see."""

    serial: str
    data: dict[str, Any] = field(repr=False)
    structure: Structure


def explain(error: MiniserverError) -> FlowError:
    """Return the sentence for an error of the client."""
    match error:
        case LockedOutError(remaining=remaining):
            minutes = math.ceil((remaining or 300) / 60)
            return FlowError("locked_out", "base", {"minutes": str(minutes)})
        case FirmwareTooOldError(version=version, minimum=minimum):
            return FlowError(
                "firmware_too_old", CONF_HOST, {"version": version, "minimum": minimum}
            )
        case IdentityError(expected=expected, found=found):
            return FlowError(
                "other_miniserver", CONF_HOST, {"expected": expected, "found": found}
            )
    for kind, on, key in _ERRORS:
        if isinstance(error, kind):
            return FlowError(key, on, {"error": str(error)})
    # The text for it sends the owner to the log.
    LOGGER.error("The Miniserver's client failed unexpectedly", exc_info=error)
    return FlowError("unknown")


def connection_schema(defaults: Mapping[str, Any]) -> probatio.Schema:
    """Return the form for address and login."""
    return probatio.Schema(
        {
            probatio.Required(
                CONF_HOST, default=defaults.get(CONF_HOST, probatio.UNDEFINED)
            ): TextSelector(TextSelectorConfig(autocomplete="off")),
            probatio.Required(
                CONF_PORT, default=defaults.get(CONF_PORT, DEFAULT_PORT)
            ): cv.port,
            **login_fields(defaults),
            probatio.Optional(SECTION_ADVANCED): section(
                probatio.Schema(
                    {
                        probatio.Required(
                            CONF_ENCRYPTION,
                            default=defaults.get(CONF_ENCRYPTION, ENCRYPTION_AUTO),
                        ): SelectSelector(
                            SelectSelectorConfig(
                                options=ENCRYPTIONS, translation_key=CONF_ENCRYPTION
                            )
                        ),
                        probatio.Required(
                            CONF_TLS_PORT,
                            default=defaults.get(CONF_TLS_PORT, DEFAULT_TLS_PORT),
                        ): cv.port,
                        probatio.Required(
                            CONF_STORE_PASSWORD,
                            default=defaults.get(CONF_STORE_PASSWORD, False),
                        ): BooleanSelector(),
                    }
                ),
                {"collapsed": True},
            ),
        }
    )


def login_fields(defaults: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields for user and password; a password is never shown again."""
    return {
        probatio.Required(
            CONF_USERNAME, default=defaults.get(CONF_USERNAME, probatio.UNDEFINED)
        ): TextSelector(TextSelectorConfig(autocomplete="username")),
        probatio.Required(probatio.Secret(CONF_PASSWORD)): TextSelector(
            TextSelectorConfig(
                type=TextSelectorType.PASSWORD, autocomplete="current-password"
            )
        ),
    }


def reauth_schema(defaults: Mapping[str, Any]) -> probatio.Schema:
    """Return the form for a new login at the known address."""
    return probatio.Schema(
        {
            **login_fields(defaults),
            probatio.Required(
                CONF_STORE_PASSWORD, default=defaults[CONF_STORE_PASSWORD]
            ): BooleanSelector(),
        }
    )


def flatten(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a form without its sections."""
    answers = dict(user_input)
    answers.update(answers.pop(SECTION_ADVANCED, {}))
    return answers


def split_host(text: str, port: int) -> tuple[str, int]:
    """Return host and port of what was typed, also where it is a whole address."""
    text = text.strip()
    try:
        return str(ip_address(text)), port
    except ValueError:
        url = URL(text if "://" in text else f"//{text}")
    if not url.host or " " in url.host:
        raise ValueError("no host")
    return url.host.lower(), url.explicit_port or port


async def who_is_there(hass: HomeAssistant, host: str, port: int) -> Identity:
    """Ask an address who it is."""
    try:
        return await identify(
            async_get_clientsession(hass), Address(host=host, port=port)
        )
    except MiniserverError as err:
        raise explain(err) from err


async def who_moved_there(
    hass: HomeAssistant, host: str, data: Mapping[str, Any]
) -> Identity:
    """Ask a new address who it is, in the way an entry's Miniserver is asked.

    A Miniserver asks for its address before it answers anybody, and Home Assistant
    tells of an address only once: so nobody there is asked again for some minutes.
    """
    session = async_get_clientsession(hass)
    address = address_of({**data, CONF_HOST: host})
    try:
        for _ in range(BOOT_QUESTIONS - 1):
            # The certificate is looked at when the entry connects: its name needs the
            # serial number that is asked for here.
            with suppress(MiniserverConnectionError):
                return await identify(session, address, certificate=False)
            await asyncio.sleep(BOOT_PAUSE_S)
        return await identify(session, address, certificate=False)
    except MiniserverError as err:
        raise explain(err) from err


async def check_login(
    hass: HomeAssistant,
    answers: Mapping[str, Any],
    *,
    client_id: str,
    expected_serial: str | None = None,
) -> Login:
    """Log in with the owner's answers and read the structure."""
    username, password = answers[CONF_USERNAME].strip(), answers[CONF_PASSWORD]
    if is_default_password(username, password):
        raise FlowError("default_password", CONF_PASSWORD)
    address, identity = await _choose_address(hass, answers)
    data: dict[str, Any] = {
        CONF_HOST: address.host,
        CONF_PORT: address.port,
        CONF_TLS: address.tls,
        CONF_TLS_PORT: address.tls_port,
        CONF_VERIFY_SSL: address.verify,
        CONF_USERNAME: username,
        CONF_PASSWORD: password,
        CONF_CLIENT_ID: client_id,
        CONF_SERIAL: expected_serial or identity.serial,
    }
    client = build_client(hass, data)
    try:
        structure = await _read_structure(client, username)
    except FlowError:
        if client.token is not None:
            # Nobody is going to use it.
            unused = {**data, CONF_TOKEN: client.token.as_dict()}
            hass.async_create_task(revoke_token(hass, unused))
        raise
    finally:
        await client.close()
    data[CONF_TOKEN] = client.token and client.token.as_dict()
    if not answers.get(CONF_STORE_PASSWORD):
        del data[CONF_PASSWORD]
    return Login(serial=identity.serial, data=data, structure=structure)


async def _read_structure(client: MiniserverClient, username: str) -> Structure:
    """Log in and return what the user may see, at least one wallbox."""
    try:
        await client.connect()
    except MiniserverError as err:
        raise explain(err) from err
    if not client.structure.wallboxes:
        raise FlowError("no_wallbox", CONF_USERNAME, {"username": username})
    return client.structure


async def _choose_address(
    hass: HomeAssistant, answers: Mapping[str, Any]
) -> tuple[Address, Identity]:
    """Find out how to talk to the Miniserver.

    Left to itself this takes TLS where the Miniserver says its certificate is valid.
    """
    try:
        host, port = split_host(answers[CONF_HOST], answers[CONF_PORT])
    except ValueError as err:
        raise FlowError("invalid_host", CONF_HOST) from err
    choice = answers.get(CONF_ENCRYPTION, ENCRYPTION_AUTO)
    identity = await who_is_there(hass, host, port)
    if identity.version < WALLBOX_FIRMWARE:
        raise FlowError(
            "firmware_too_old",
            CONF_HOST,
            {
                "version": identity.firmware,
                "minimum": ".".join(map(str, WALLBOX_FIRMWARE)),
            },
        )
    usable = identity.tls_usable and identity.version >= TLS_LOGIN_FIRMWARE
    return (
        Address(
            host=host,
            port=port,
            tls=usable if choice == ENCRYPTION_AUTO else choice != ENCRYPTION_COMMANDS,
            tls_port=answers.get(CONF_TLS_PORT, DEFAULT_TLS_PORT),
            verify=choice != ENCRYPTION_TLS_UNVERIFIED,
        ),
        identity,
    )


def encryption_of(data: Mapping[str, Any]) -> str:
    """Return the choice that leads to an entry's data."""
    if not data[CONF_TLS]:
        return ENCRYPTION_COMMANDS
    return ENCRYPTION_TLS if data[CONF_VERIFY_SSL] else ENCRYPTION_TLS_UNVERIFIED
