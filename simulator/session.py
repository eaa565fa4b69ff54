"""Charging sessions and their history.

Source: Structure File, "Wallbox2": a session lasts from plug-in to unplug.
"""

from dataclasses import dataclass
import json
from typing import Any

NO_PRICE = -1337.0


@dataclass(kw_only=True)
class Session:
    """The running or the last session; instants are unix seconds."""

    connect: int
    start: int = 0
    disconnect: int = 0
    energy: float = 0.0
    power: float = 0.0
    user: str = ""
    # None: no price is set.
    price: float | None = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the session as the state and the history show it."""
        price = NO_PRICE if self.price is None else round(self.price, 4)
        return {
            "connect": self.connect,
            "disconnect": self.disconnect,
            "start": self.start,
            "energy": round(self.energy, 3),
            "power": round(self.power, 3),
            "user": self.user,
            "price": price,
        }


class Tracker:
    """The history: records with a bar between them, as many as the block keeps."""

    def __init__(self, entries: int, *, newest_first: bool) -> None:
        """Start empty."""
        self._entries = entries
        self._newest_first = newest_first
        self.records: list[dict[str, Any]] = []
        # Entries that are none, as a firmware may write them; between the others.
        self.broken: tuple[str, ...] = ()

    def add(self, record: dict[str, Any]) -> None:
        """Keep one more record and forget the oldest ones."""
        self.records = [*self.records, record][-self._entries :]

    @property
    def text(self) -> str:
        """Return the text of the state `entries`."""
        records = reversed(self.records) if self._newest_first else self.records
        texts = [json.dumps(record, ensure_ascii=False) for record in records]
        for number, line in enumerate(self.broken):
            texts.insert(2 * number, line)
        return "|".join(texts)
