"""Log in with tokens, as Loxone's "Communicating with the Miniserver" describes.

Takes a link that can send commands, gives a `Token`; raises `AuthenticationError` when
the Miniserver refuses, which is never tried again: a few refusals block the address.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import logging
import secrets
from typing import Any, Protocol, Self
from urllib.parse import quote

from .answers import Answer, number_field, text_field, value_object
from .crypto import HashAlgorithm, hash_algorithm, keyed_hash, password_hash
from .errors import (
    AuthenticationError,
    MissingRightError,
    ProtocolError,
    UserDisabledError,
)

_LOGGER = logging.getLogger(__name__)

# Seconds from the Unix epoch to the Miniserver's, 2009-01-01 00:00 UTC.
LOXONE_EPOCH = 1_230_768_000
# Permissions of a token: for an app (lives for weeks) or a web page (hours).
PERMISSION_APP = 4
PERMISSION_WEB = 2
# A token with less time left is not worth a login.
MIN_TOKEN_LIFE_S = 300
# Refreshed at half of what is left, but at least daily.
MAX_REFRESH_INTERVAL_S = 86_400.0
MIN_REFRESH_INTERVAL_S = 30.0


class CommandLink(Protocol):
    """A connection that takes commands."""

    async def command(
        self, text: str, *, name: str, secret_answer: bool = False
    ) -> Answer:
        """Send a command and return its answer; raises for a code other than 200."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token and what belongs to it; `valid_until` in seconds UTC."""

    value: str = field(repr=False)
    valid_until: float
    hash_algorithm: HashAlgorithm
    rights: int
    unsecure_password: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for storing."""
        return {
            "value": self.value,
            "valid_until": self.valid_until,
            "hash_algorithm": self.hash_algorithm,
            "rights": self.rights,
            "unsecure_password": self.unsecure_password,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read stored data; raises `ProtocolError` where it makes no sense."""
        return cls(
            value=text_field(data, "value"),
            valid_until=number_field(data, "valid_until", 0.0),
            hash_algorithm=hash_algorithm(data.get("hash_algorithm")),
            rights=int(number_field(data, "rights", 0)),
            unsecure_password=bool(data.get("unsecure_password")),
        )

    def refresh_in(self, now: float) -> float:
        """Return the seconds until the token should be refreshed."""
        half = (self.valid_until - now) / 2
        return min(max(half, MIN_REFRESH_INTERVAL_S), MAX_REFRESH_INTERVAL_S)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who logs in; a password, a token, or both.

    `client_id` is drawn once an installation: the Miniserver keeps tokens apart by it.
    """

    username: str
    client_id: str
    client_name: str
    password: str | None = field(default=None, repr=False)
    token: Token | None = None


def new_client_id() -> str:
    """Draw an id in Loxone's form."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:]}"


def is_default_password(username: str, password: str) -> bool:
    """Tell whether a password is one that anybody would try first."""
    return not password.strip() or password.lower() in {
        "admin",
        "password",
        username.lower(),
    }


async def log_in(
    link: CommandLink, credentials: Credentials, now: Callable[[], float]
) -> Token:
    """Log in with the token where there is one, else with the password.

    A refused token is followed by one try with the password, where it is known.
    """
    token = credentials.token
    if token is not None and token.valid_until - now() > MIN_TOKEN_LIFE_S:
        try:
            return await _use_token(link, credentials.username, token)
        except UserDisabledError:
            raise
        except AuthenticationError:
            if credentials.password is None:
                raise
            _LOGGER.debug("The token is refused; trying the password once")
    if credentials.password is None:
        raise AuthenticationError("The token has expired and no password is kept")
    return await _acquire_token(link, credentials, credentials.password)


async def _acquire_token(
    link: CommandLink, credentials: Credentials, password: str
) -> Token:
    """Ask for a token for weeks; a user without that right gets one for hours."""
    try:
        return await _get_jwt(link, credentials, password, PERMISSION_APP)
    except MissingRightError:
        _LOGGER.debug("The user may not have an app token; asking for a web token")
        return await _get_jwt(link, credentials, password, PERMISSION_WEB)


async def _get_jwt(
    link: CommandLink, credentials: Credentials, password: str, permission: int
) -> Token:
    """Prove that the password is known and take the token."""
    user = quote(credentials.username, safe="")
    answer = await link.command(
        f"jdev/sys/getkey2/{user}", name="getkey2", secret_answer=True
    )
    fields = value_object(answer)
    algorithm = hash_algorithm(fields.get("hashAlg"))
    hashed = password_hash(password, text_field(fields, "salt"), algorithm)
    # The key lives for seconds only, so it is used at once.
    proof = keyed_hash(
        f"{credentials.username}:{hashed}", text_field(fields, "key"), algorithm
    )
    info = quote(credentials.client_name.replace("/", " "), safe="")
    answer = await link.command(
        f"jdev/sys/getjwt/{proof}/{user}/{permission}/{credentials.client_id}/{info}",
        name="getjwt",
        secret_answer=True,
    )
    return _token(value_object(answer), algorithm)


async def _use_token(link: CommandLink, username: str, token: Token) -> Token:
    """Log in with a token; only its end and rights come back."""
    proof = await _token_hash(link, token)
    user = quote(username, safe="")
    answer = await link.command(
        f"authwithtoken/{proof}/{user}", name="authwithtoken", secret_answer=True
    )
    return _token(value_object(answer), token.hash_algorithm, token)


async def refresh_token(link: CommandLink, username: str, token: Token) -> Token:
    """Exchange a token for one that lives longer."""
    proof = await _token_hash(link, token)
    user = quote(username, safe="")
    answer = await link.command(
        f"jdev/sys/refreshjwt/{proof}/{user}", name="refreshjwt", secret_answer=True
    )
    return _token(value_object(answer), token.hash_algorithm, token)


async def kill_token(link: CommandLink, username: str, token: Token) -> None:
    """End a token; some firmware answers that with a refusal."""
    proof = await _token_hash(link, token)
    user = quote(username, safe="")
    try:
        await link.command(f"jdev/sys/killtoken/{proof}/{user}", name="killtoken")
    except AuthenticationError:
        _LOGGER.debug(
            "The end of the token was answered with 401, as some firmware does"
        )


async def visualisation_hash(link: CommandLink, username: str, password: str) -> str:
    """Return the proof of the visualisation password for one protected command."""
    user = quote(username, safe="")
    answer = await link.command(
        f"jdev/sys/getvisusalt/{user}", name="getvisusalt", secret_answer=True
    )
    fields = value_object(answer)
    algorithm = hash_algorithm(fields.get("hashAlg"))
    hashed = password_hash(password, text_field(fields, "salt"), algorithm)
    return keyed_hash(hashed, text_field(fields, "key"), algorithm)


async def _token_hash(link: CommandLink, token: Token) -> str:
    """Hash a token with a fresh one-time key."""
    answer = await link.command("jdev/sys/getkey", name="getkey", secret_answer=True)
    if not isinstance(answer.value, str) or not answer.value:
        raise ProtocolError("The Miniserver gives no one-time key")
    return keyed_hash(token.value, answer.value, token.hash_algorithm)


def _token(
    fields: Mapping[str, Any],
    algorithm: HashAlgorithm,
    old: Token | None = None,
) -> Token:
    """Make a token of an answer; what is missing stays as it was."""
    valid_until = number_field(fields, "validUntil", 0.0)
    if valid_until <= 0:
        raise ProtocolError("A token has no end")
    if old is not None and not fields.get("token"):
        value = old.value
    else:
        value = text_field(fields, "token")
    return Token(
        value=value,
        valid_until=valid_until + LOXONE_EPOCH,
        hash_algorithm=algorithm,
        rights=int(number_field(fields, "tokenRights", old.rights if old else 0)),
        unsecure_password=bool(fields.get("unsecurePass", False)),
    )
