"""What the security log is told of a contact with a Miniserver that failed.

Takes the client's errors, gives events for the log; a Miniserver that is only away is
none. What it tells and nobody can believe is one, too. No text of an error goes into the log that may hold more than our own words.
"""

from .miniserver.errors import (
    AuthenticationError,
    CertificateError,
    IdentityError,
    LockedOutError,
    MiniserverError,
    NotAMiniserverError,
    ProtocolError,
    StructureError,
    UserDisabledError,
)
from .rights import SecurityEvent

FAILED = "attempt_failed"
MINISERVER = "miniserver"
NETWORK = "network"

# The first that fits counts, so a class stands above those it is derived from.
_SIMPLE: tuple[tuple[type[MiniserverError], str, str, str], ...] = (
    (UserDisabledError, "auth_failed", MINISERVER, "user_disabled"),
    (AuthenticationError, "auth_failed", MINISERVER, "login_refused"),
    (CertificateError, "tls_changed", NETWORK, "certificate_refused"),
    (NotAMiniserverError, "invalid_input", NETWORK, "not_a_miniserver"),
    (ProtocolError, "invalid_input", MINISERVER, "protocol_broken"),
    (StructureError, "invalid_input", MINISERVER, "structure_unreadable"),
)


def dropped_event(state: str, count: int) -> SecurityEvent:
    """Return what the log is told of values of a state that nobody can believe."""
    return SecurityEvent(
        kind="invalid_input",
        outcome=FAILED,
        source=MINISERVER,
        detail={"what": "state", "state": state, "count": count},
    )


def event_of(error: MiniserverError) -> SecurityEvent | None:
    """Return what the log is told of an error, None for one that is nobody's attempt."""
    if isinstance(error, LockedOutError):
        remaining = None if error.remaining is None else round(error.remaining)
        return SecurityEvent(
            kind="auth_locked",
            outcome=FAILED,
            source=MINISERVER,
            detail={"locked_s": remaining},
        )
    if isinstance(error, IdentityError):
        return SecurityEvent(
            kind="identity_changed",
            outcome=FAILED,
            source=NETWORK,
            detail={"changed": "serial", "from": error.expected, "to": error.found},
        )
    for kind_of_error, kind, source, reason in _SIMPLE:
        if isinstance(error, kind_of_error):
            return SecurityEvent(
                kind=kind, outcome=FAILED, source=source, detail={"reason": reason}
            )
    return None
