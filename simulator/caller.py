"""Who is talking to the Miniserver, over a websocket or over HTTP."""

from dataclasses import dataclass, field

from .accounts import OneTimeKey, Token
from .config import User
from .crypto import SessionKey

_KEYS_KEPT = 20


@dataclass(kw_only=True)
class Caller:
    """What the unit remembers of one connection."""

    address: str
    tls: bool
    websocket: bool
    user: User | None = None
    token: Token | None = None
    keys: list[OneTimeKey] = field(default_factory=list)
    session_key: SessionKey | None = None
    salt: str | None = None
    # Began to log in, so that it gets more time for it.
    started: bool = False
    # Asked for events; they start after the answer.
    asked_for_events: bool = False
    wants_events: bool = False
    # The last login was refused.
    refused: bool = False
    # The command being handled came encrypted.
    encrypted: bool = False
    # Ends the connection after the answer.
    close: tuple[int, str] | None = None

    def remember(self, key: OneTimeKey) -> None:
        """Keep a key that was handed out, and not too many of them."""
        self.keys.append(key)
        del self.keys[:-_KEYS_KEPT]
