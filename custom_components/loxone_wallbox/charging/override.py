"""What the owner wants now, against what the schedule says.

Takes a wish and its end, gives an `Override` that knows whether it holds.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

# Regulation 10 gives the owner an override, not a way to switch the rule off.
MAX_LENGTH = timedelta(hours=24)
# The source of an override that no person asked for.
AUTOMATION = "automation"


class OverrideError(ValueError):
    """An override that cannot be; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class OverrideMode(StrEnum):
    """What is overridden with."""

    CHARGE = "charge"
    PAUSE = "pause"


class Until(StrEnum):
    """What ends an override."""

    UNPLUG = "unplug"
    BOUNDARY = "boundary"
    TIME = "time"
    DURATION = "duration"


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """An override; without an `end` it holds until the car is unplugged.

    `ended_source` is what kind of word ended it before its time, None where none did.
    """

    mode: OverrideMode
    start: datetime
    end: datetime | None = None
    by: str | None = None
    source: str = "user"
    ended_by: str | None = None
    ended_source: str | None = None

    def is_active(self, at: datetime) -> bool:
        """Tell whether it holds at an instant; unplugging ends it elsewhere."""
        return self.start <= at and (self.end is None or at < self.end)

    def ended(
        self, at: datetime, *, by: str | None = None, source: str = "user"
    ) -> Self:
        """Return the override with an end at an instant, unless it was over before."""
        if self.end is not None and self.end <= at:
            return self
        return replace(self, end=at, ended_by=by, ended_source=source)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "mode": self.mode.value,
            "start": self.start.isoformat(),
            "end": None if self.end is None else self.end.isoformat(),
            "by": self.by,
            "source": self.source,
            "ended_by": self.ended_by,
            "ended_source": self.ended_source,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read plain data."""
        return cls(
            mode=OverrideMode(data["mode"]),
            start=datetime.fromisoformat(data["start"]),
            end=datetime.fromisoformat(data["end"]) if data["end"] else None,
            by=data["by"],
            source=data["source"],
            # Older files do not say who ended it.
            ended_by=data.get("ended_by"),
            ended_source=data.get("ended_source"),
        )


def boundary_end(next_boundary: datetime | None, now: datetime) -> datetime:
    """Return when an override until the next boundary ends: after a day at the latest.

    Without a boundary ahead the longest override is what is meant.
    """
    longest = now + MAX_LENGTH
    return longest if next_boundary is None else min(next_boundary, longest)


def make_override(
    mode: OverrideMode,
    until: Until,
    now: datetime,
    *,
    next_boundary: datetime | None = None,
    end: datetime | None = None,
    duration: timedelta | None = None,
    by: str | None = None,
    source: str = "user",
) -> Override:
    """Make an override that starts now; raises `OverrideError` for a wrong end."""
    match until:
        case Until.UNPLUG:
            ends = None
        case Until.BOUNDARY:
            ends = boundary_end(next_boundary, now)
        case Until.TIME:
            if end is None:
                raise OverrideError("override_end_missing")
            if end.tzinfo is None:
                raise OverrideError("override_end_naive")
            ends = end
        case Until.DURATION:
            if duration is None:
                raise OverrideError("override_duration_missing")
            if duration > MAX_LENGTH:
                raise OverrideError("override_too_long")
            if duration <= timedelta(0):
                raise OverrideError("override_is_over")
            ends = now + duration
    if ends is not None and ends <= now:
        raise OverrideError("override_is_over")
    if ends is not None and ends - now > MAX_LENGTH:
        raise OverrideError("override_too_long")
    return Override(mode=mode, start=now, end=ends, by=by, source=source)
