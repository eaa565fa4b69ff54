"""What can go wrong between us and a Miniserver.

Every failure of this package is a `MiniserverError`; nothing else leaves it. The
classes are what a caller can act on: wait, ask the owner, give up.
"""


class MiniserverError(Exception):
    """Any failure of the Miniserver client."""


class MiniserverConnectionError(MiniserverError):
    """The Miniserver cannot be reached, or the link broke."""


class MiniserverTimeoutError(MiniserverConnectionError):
    """An answer did not come in time."""


class MiniserverStartingError(MiniserverConnectionError):
    """The Miniserver restarts or updates its firmware; it will be back."""


class NoSlotError(MiniserverConnectionError):
    """All event slots of the Miniserver are taken (close 4008, code 901)."""


class CertificateError(MiniserverConnectionError):
    """The Miniserver's TLS certificate is not the one it should have."""


class NotAMiniserverError(MiniserverError):
    """Something answers at the address, but it is no Miniserver."""


class IdentityError(MiniserverError):
    """Another Miniserver than the expected one answers at the address."""

    def __init__(self, *, expected: str, found: str) -> None:
        """Keep both serial numbers (12 hexadecimal digits, upper case)."""
        super().__init__(f"Expected Miniserver {expected}, found {found}")
        self.expected = expected
        self.found = found


class FirmwareTooOldError(MiniserverError):
    """The firmware lacks what the client or a wallbox needs."""

    def __init__(self, *, version: str, minimum: str) -> None:
        """Keep the version found and the lowest that works."""
        super().__init__(f"Firmware {version} is older than {minimum}")
        self.version = version
        self.minimum = minimum


class ProtocolError(MiniserverConnectionError):
    """The Miniserver sent something that breaks its own protocol.

    The link is of no more use: whatever follows could be misread.
    """


class StructureError(MiniserverError):
    """The structure file cannot be read."""


class ClockUnknownError(MiniserverError):
    """What the Miniserver says of its clock cannot be read."""


class AuthenticationError(MiniserverError):
    """User, password or token is refused (code 401). Never retried."""


class UserDisabledError(AuthenticationError):
    """The user exists but may not log in (code 423, close 4006)."""


class LockedOutError(MiniserverError):
    """The Miniserver blocks this address after failed logins (4003, HTTP 403).

    `remaining` is in seconds; None where the Miniserver does not say.
    """

    def __init__(self, remaining: float | None) -> None:
        """Keep the time until the address is free again."""
        super().__init__(f"Address blocked, {remaining} s remaining")
        self.remaining = remaining


class CommandError(MiniserverError):
    """The Miniserver refused a command."""

    def __init__(self, code: int, command: str) -> None:
        """Keep the code and the command's name; a command never holds a secret."""
        super().__init__(f"{command} was answered with code {code}")
        self.code = code
        self.command = command


class MissingRightError(CommandError):
    """The user lacks the right for a command (code 403)."""


class VisualisationPasswordError(CommandError):
    """The visualisation password of a protected control is wrong (code 500)."""


class NotConnectedError(MiniserverConnectionError):
    """A command was given while there is no link."""


class InvalidCommandError(MiniserverError):
    """The caller's command has a value that no Miniserver accepts."""
