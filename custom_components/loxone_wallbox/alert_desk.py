"""Where the alerts of one wallbox are handed in and passed on.

Takes what its rooms have to tell, gives it to whoever decides what the owner hears, and
that to whoever shows it. What is to be heard before anybody shows it waits for the first
who does; where nobody ever does, all else goes on the same.
"""

from collections.abc import Callable
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

# More than can be new in a start.
MOST_UNTOLD = 20

type Teller = Callable[[str, dict[str, Any]], None]


class AlertDesk:
    """Passes alerts on: from the rooms to who decides, from there to who shows them."""

    def __init__(self) -> None:
        """Begin with nobody there."""
        self._decide: Teller | None = None
        self._leave: CALLBACK_TYPE | None = None
        self._tellers: list[Teller] = []
        self._untold: list[tuple[str, dict[str, Any]]] = []

    @callback
    def staff(self, decide: Teller, leave: CALLBACK_TYPE) -> None:
        """Have somebody decide until the desk is closed, who is told by `leave`."""
        self._decide, self._leave = decide, leave

    @callback
    def close(self) -> None:
        """Take nothing any more; may come twice."""
        leave, self._decide, self._leave = self._leave, None, None
        if leave is not None:
            leave()

    @callback
    def give(self, kind: str, details: dict[str, Any]) -> None:
        """Take what a room has to tell."""
        if self._decide is not None:
            self._decide(kind, details)

    @callback
    def tell(self, kind: str, details: dict[str, Any]) -> None:
        """Pass on what the owner is to hear, later if nobody shows it yet."""
        for teller in tuple(self._tellers):
            teller(kind, details)
        if not self._tellers:
            self._untold = [*self._untold, (kind, details)][-MOST_UNTOLD:]

    @callback
    def listen(self, teller: Teller) -> CALLBACK_TYPE:
        """Have alerts shown; returns what ends that."""
        self._tellers.append(teller)
        untold, self._untold = self._untold, []
        for kind, details in untold:
            teller(kind, details)
        return lambda: self._tellers.remove(teller)
