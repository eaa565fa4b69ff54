"""What happens to a session, and what it is called.

Takes a wallbox and an instant, gives the name a session keeps for good.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import hashlib

from .session import SessionRecord


class TransitionKind(StrEnum):
    """What happened to a session; a correction only changes its record."""

    SESSION_STARTED = "session_started"
    CHARGING_STARTED = "charging_started"
    CHARGING_PAUSED = "charging_paused"
    SESSION_FINISHED = "session_finished"
    SESSION_CORRECTED = "session_corrected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """A change to be told and written, with the record as it stands after it."""

    kind: TransitionKind
    at: datetime
    record: SessionRecord


def session_id(wallbox: str, connected: datetime, seq: int) -> str:
    """Return what names a session for good; names sort by the plug-in in UTC."""
    text = f"{wallbox}|{connected.isoformat()}|{seq}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{connected:%Y%m%dT%H%M%SZ}-{digest}"
