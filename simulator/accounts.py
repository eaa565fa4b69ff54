"""Users, one-time keys, tokens and the lock-out after wrong credentials.

Source: Communicating with the Miniserver, "Tokens" and "Securing".
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
import hashlib
import hmac
import json
import math
import secrets

from .clock import Clock
from .config import Right, SimulatorConfig, User
from .crypto import hashed, keyed_hash, one_time_key, same_hash
from .identifiers import make_uuid

# Loxone counts seconds from 2009-01-01 00:00 UTC.
EPOCH_2009 = 1_230_768_000
_WEB_TOKEN_S = 86_400.0
_APP_TOKEN_S = 28 * 86_400.0
_WEAK_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class OneTimeKey:
    """A key that a client hashes with; `until` is on the monotonic clock."""

    key: str
    until: float


@dataclass(kw_only=True)
class Token:
    """A token of a client."""

    text: str
    user: User
    rights: int
    valid_until: float
    client: str
    info: str


@dataclass(kw_only=True)
class _Offender:
    """An address with wrong credentials."""

    failures: int = 0
    blocks: int = 0
    until: float = 0.0


@dataclass(kw_only=True)
class Accounts:
    """Who may come in."""

    config: SimulatorConfig
    clock: Clock
    users: dict[str, User] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    _offenders: dict[str, _Offender] = field(default_factory=dict)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        """Take the users of the configuration."""
        self.users = {user.name: user for user in self.config.users}

    def uuid_of(self, user: User) -> str:
        """Return the identifier of a user."""
        return user.uuid or make_uuid(self.config.serial, "user", user.name)

    def salt_of(self, name: str) -> str:
        """Return the salt of a user; an unknown user gets one as well."""
        text = f"{self.config.serial}/{name}/salt"
        return hashlib.sha256(text.encode()).hexdigest()[:32].upper()

    def new_key(self, user: User | None = None) -> OneTimeKey:
        """Return a key that is valid for a short while."""
        until = self.clock.monotonic() + self.config.key_lifetime_s
        return OneTimeKey(
            key=one_time_key(user.hash_alg if user else None), until=until
        )

    def check_password(self, name: str, given: str, keys: Iterable[OneTimeKey]) -> bool:
        """Return whether a hash proves that the client knows the password."""
        user = self.users.get(name)
        if user is None:
            return False
        secret = hashed(user.hash_alg, f"{user.password}:{self.salt_of(name)}")
        return any(
            same_hash(given, keyed_hash(user.hash_alg, key.key, f"{name}:{secret}"))
            for key in self._living(keys)
        )

    def check_visu(self, user: User, given: str, keys: Iterable[OneTimeKey]) -> bool:
        """Return whether a hash proves the visualisation password."""
        if user.visu_password is None:
            return False
        secret = hashed(
            user.hash_alg, f"{user.visu_password}:{self.salt_of(user.name)}"
        )
        return any(
            same_hash(given, keyed_hash(user.hash_alg, key.key, secret))
            for key in self._living(keys)
        )

    def find_token(
        self, name: str, given: str, keys: Iterable[OneTimeKey], *, plain: bool
    ) -> Token | None:
        """Return the valid token that a hash, or the token itself, stands for.

        Clients hash with SHA1 or SHA256 whatever the user's own algorithm is, so both
        are accepted.
        """
        living = list(self._living(keys))
        for token in self.tokens:
            if token.user.name != name or token.valid_until <= self.clock.time():
                continue
            if plain and hmac.compare_digest(token.text.encode(), given.encode()):
                return token
            for key in living:
                for algorithm in ("SHA256", "SHA1"):
                    expected = keyed_hash(algorithm, key.key, token.text)
                    if same_hash(given, expected):
                        return token
        return None

    def issue(self, user: User, permission: int, client: str, info: str) -> Token:
        """Return a new token; the rights are what was asked for and may be had."""
        rights = permission & user.rights
        token = Token(
            text="",
            user=user,
            rights=rights,
            valid_until=self.clock.time() + self._lifetime(rights),
            client=client,
            info=info,
        )
        token.text = self._jwt(token)
        self.tokens = [
            other for other in self.tokens if other.valid_until > self.clock.time()
        ]
        self.tokens.append(token)
        return token

    def refresh(self, token: Token, *, same_text: bool) -> Token:
        """Return the token that replaces another one."""
        if same_text:
            token.valid_until = self.clock.time() + self._lifetime(token.rights)
            return token
        fresh = self.issue(token.user, token.rights, token.client, token.info)
        if not self.config.refresh_keeps_old:
            self.kill(token)
        return fresh

    def kill(self, token: Token) -> None:
        """Delete a token."""
        self.tokens = [other for other in self.tokens if other is not token]

    def expire_all(self) -> None:
        """Let every token end now."""
        for token in self.tokens:
            token.valid_until = self.clock.time()

    def unsecure(self, user: User) -> bool:
        """Return whether the unit calls the password weak."""
        password = user.password
        return len(password) < _WEAK_LENGTH or password.lower() in (user.name, "admin")

    def remaining_block(self, address: str) -> int:
        """Return how many seconds an address stays blocked, 0 if it is not."""
        offender = self._offenders.get(address)
        if offender is None:
            return 0
        remaining = offender.until - self.clock.monotonic()
        return max(math.ceil(remaining), 0)

    def failed(self, address: str) -> bool:
        """Count a failed login and return whether the address is blocked now."""
        offender = self._offenders.setdefault(address, _Offender())
        offender.failures += 1
        if offender.failures < self.config.lockout_after:
            return False
        length = self.config.lockout_s * self.config.lockout_growth**offender.blocks
        self.block(address, length)
        return True

    def block(self, address: str, seconds: float) -> None:
        """Block an address."""
        offender = self._offenders.setdefault(address, _Offender())
        offender.failures = 0
        offender.blocks += 1
        offender.until = self.clock.monotonic() + seconds

    def succeeded(self, address: str) -> None:
        """Forget the failed logins of an address."""
        self._offenders.pop(address, None)

    def unblock(self) -> None:
        """Forget all failed logins."""
        self._offenders.clear()

    def _living(self, keys: Iterable[OneTimeKey]) -> Iterable[OneTimeKey]:
        """Return the keys that may still be used."""
        now = self.clock.monotonic()
        return (key for key in keys if key.until > now)

    def _lifetime(self, rights: int) -> float:
        """Return how long a token lives (seconds)."""
        if self.config.token_lifetime_s is not None:
            return self.config.token_lifetime_s
        return _APP_TOKEN_S if rights & Right.APP else _WEB_TOKEN_S

    def _jwt(self, token: Token) -> str:
        """Return a JSON Web Token; the signature makes each one different."""
        head = {"typ": "JWT", "alg": "HS256"}
        body = {
            "user": token.user.name,
            "uuid": self.uuid_of(token.user),
            "tokenRights": token.rights,
            "iat": int(self.clock.time()),
            "exp": int(token.valid_until),
            "jti": secrets.token_hex(8),
        }
        signed = ".".join(
            _base64url(json.dumps(part).encode()) for part in (head, body)
        )
        signature = hmac.digest(self._secret, signed.encode(), "sha256")
        return f"{signed}.{_base64url(signature)}"


def _base64url(raw: bytes) -> str:
    """Return the text form of bytes in a web token."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
