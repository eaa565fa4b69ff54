"""Read the clock of a Miniserver, and tell a wrong clock from another time zone.

Takes the answers to `jdev/sys/date` and `jdev/sys/time`: the wall clock where the
Miniserver stands, without its offset to UTC. Clients in the field use both commands, but
Loxone documents neither, so a refusal or silence is to be expected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Protocol

from .answers import Answer
from .errors import ClockUnknownError

# Two clocks that are further apart than this do not agree.
MOST_APART = timedelta(seconds=60)
# Time zones are whole or half hours apart, apart from a few with a quarter.
ZONE_STEP = timedelta(minutes=30)
# From the last place on Earth where a day begins to the first.
ZONES_APART = timedelta(hours=26)
# So long before and after a clock change one clock may have changed and not the other.
AROUND_CHANGE = timedelta(hours=1)
NOON = 12


class Verdict(StrEnum):
    """How a Miniserver's clock compares."""

    RIGHT = "right"
    OFF = "off"
    OTHER_ZONE = "other_zone"
    # Within an hour of a clock change: the next look will tell.
    UNSURE = "unsure"


class Asked(Protocol):
    """Who can be asked, such as a link."""

    async def command(self, text: str, *, name: str) -> Answer:
        """Send a command; raise what its code means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MiniserverClock:
    """What the clock showed: wall-clock time `local` at the instant `at` by ours."""

    local: datetime
    at: datetime

    def ahead(self, zone: tzinfo) -> timedelta:
        """Return how much it is ahead of a clock in a time zone; less than 0: behind.

        The zone's offset of that instant counts, so that the hour that comes twice in
        autumn is no different from any other.
        """
        return self.local - _shown(self.at, self.at, zone)

    def verdict(self, zone: tzinfo) -> Verdict:
        """Tell whether it agrees with a clock in a time zone."""
        ahead = self.ahead(zone)
        if abs(ahead) <= MOST_APART:
            return Verdict.RIGHT
        for near in (self.at - AROUND_CHANGE, self.at + AROUND_CHANGE):
            if abs(self.local - _shown(self.at, near, zone)) <= MOST_APART:
                return Verdict.UNSURE
        step = round(ahead / ZONE_STEP) * ZONE_STEP
        if abs(ahead - step) <= MOST_APART and abs(step) <= ZONES_APART:
            return Verdict.OTHER_ZONE
        return Verdict.OFF


async def read_clock(link: Asked, now: Callable[[], datetime]) -> MiniserverClock:
    """Return what the clock shows, and when by our own, which `now` tells in UTC.

    Raises `MiniserverError` where the Miniserver refuses, says nothing or nothing that
    can be read.
    """
    before = _read(date, await link.command("jdev/sys/date", name="date"))
    asked = now()
    shown = _read(time, await link.command("jdev/sys/time", name="time"))
    answered = now()
    after = _read(date, await link.command("jdev/sys/date", name="date"))
    # At midnight the time is of the one day or of the other.
    day = before if shown.hour >= NOON else after
    local = datetime.combine(day, shown.replace(tzinfo=None))
    return MiniserverClock(local=local, at=asked + (answered - asked) / 2)


def _read[ReadT: (date, time)](kind: type[ReadT], answer: Answer) -> ReadT:
    """Read a date or a time of day."""
    value: Any = answer.value
    try:
        return kind.fromisoformat(str(value).strip())
    except ValueError as err:
        raise ClockUnknownError(f"{value!r} is no {kind.__name__}") from err


def _shown(at: datetime, offset_of: datetime, zone: tzinfo) -> datetime:
    """Return what a clock in a zone shows, with the zone's offset of an instant."""
    offset = offset_of.astimezone(zone).utcoffset() or timedelta(0)
    return at.replace(tzinfo=None) + offset
