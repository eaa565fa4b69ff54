"""What the client tells of a Miniserver, and to whom."""

from typing import Protocol

from .auth import Token
from .errors import AuthenticationError, MiniserverError
from .structure import Structure


class ClientListener(Protocol):
    """Who wants to know what happens; called in the event loop."""

    def connection_made(self) -> None:
        """Note that all states are up to date."""

    def connection_lost(self, error: MiniserverError) -> None:
        """Note that the states are out of date; a new attempt will follow."""

    def structure_changed(self, structure: Structure) -> None:
        """Take the new structure file."""

    def states_changed(self, control_ids: frozenset[str]) -> None:
        """Look at these wallboxes or diagnostic controls anew."""

    def value_dropped(self, control_id: str, state: str, count: int) -> None:
        """Note that so many values of a state could not be believed."""

    def token_changed(self, token: Token) -> None:
        """Store the renewed token."""

    def attempt_failed(self, error: MiniserverError) -> None:
        """Note why there is no link, each time that one is missed."""

    def credentials_refused(self, error: AuthenticationError) -> None:
        """Ask the owner for credentials; nothing more will be tried."""
