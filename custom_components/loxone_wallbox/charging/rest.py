"""Where the counter stood while no car was there.

Takes readings of a counter at a wallbox that nobody uses, and what the wallbox says of a
car that came unseen. Gives where the counter stood when that car came: never less than
it stood at rest, so what sessions took never adds up to more than the counter's rise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from .following import OpenSession
from .sharing import WORD_BEHIND_WH
from .slices import SessionRules
from .tally import Reading

HOUR = timedelta(hours=1)
# A rest that has moved is kept so often at most: the wallbox itself needs a little.
KEEP_EVERY = timedelta(minutes=5)
# The last step of the coarsest counter, of which a restart forgets what had flowed.
FORGOTTEN_WH = 100
# More does not flow before the word of a car that just came has arrived: 5 s at 22 kW.
WORD_LATE_WH = 30
# The wallbox's word of a running stay is so old at most: one a minute, and a Miniserver
# that has just started has read none yet. How long the stay lasts would be a closer
# bound, but that is told by another clock.
WORD_LATE = timedelta(minutes=3)
# So many stays are remembered by name; the log is looked at after each.
MOST_GONE = 8
# A word so much off is still about the same energy, as regulation allows for a meter.
WORD_OFF = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """The counter's last reading in whole Wh before anything flowed.

    `moved` is whether more has flowed since than a wallbox without a car needs: then it
    stays where it is until somebody says that no car is there. `kept` is what the disk
    has, None before it has any. `visit` is what the wallbox calls the last stay of which
    the counter has all, an instant up to which there was none, or None where it did not
    say. `between` is what others took that only the wallbox saw, before a car of which no
    reading tells where it began, in Wh. `still` is whether nothing has flowed since the
    last car left: who charges then is another one.
    """

    wh: int
    at: datetime
    moved: bool = False
    kept: tuple[int, datetime] | None = None
    visit: str | None = None
    between: int = 0
    still: bool = False

    def follows(self, reading: Reading, rules: SessionRules) -> Self:
        """Take a reading without a session: a car may have come that nobody tells of."""
        wh = reading.counted_wh
        if wh is None or wh < self.wh or self.moved:
            return self
        hours = max((reading.at - self.at) / HOUR, 0.0)
        most = self.wh + 1 + rules.charging_w * hours
        if reading.flows(rules.charging_w) or wh > most:
            return replace(self, moved=True)
        return replace(self, wh=wh, at=reading.at)

    def is_taken(self, reading: Reading, rules: SessionRules) -> bool:
        """Tell whether another car charges than the one that has just left."""
        return self.still and reading.flows(rules.charging_w) is True

    @classmethod
    def found(
        cls,
        reading: Reading,
        kept: tuple[int, datetime] | None = None,
        visit: str | None = None,
        *,
        still: bool = False,
    ) -> Self:
        """Return it of a reading with its counter, while no car is there.

        Of a step that it has not finished a restart knows nothing, and the disk does.
        """
        wh = reading.counted_wh or 0
        if kept is not None and 0 < kept[0] - wh <= FORGOTTEN_WH:
            wh = kept[0]
        return cls(wh=wh, at=reading.at, kept=kept, visit=visit, still=still)

    @classmethod
    def renewed(
        cls,
        before: Self | None,
        reading: Reading,
        rules: SessionRules,
        last: OpenSession | None,
        visit: str | None,
    ) -> Self:
        """Return it of a reading soon after the `last` car has left.

        `visit` is the last stay that is known, where that one has no name.
        """
        visit = visit if last is None else last.visit_id or visit
        still = reading.flows(rules.charging_w) is False
        if before is None:
            return cls.found(reading, visit=visit, still=still)
        still = still or before.still
        return cls.found(reading, before.kept, visit, still=still)

    @classmethod
    def after(cls, session: OpenSession, before: Self | None = None) -> Self | None:
        """Return where a session that has ended left the counter, None if unknown.

        Of one that never had a reading it is still to be told where it began: the rest
        `before` it counts on.
        """
        wh, at = session.tally.wh, session.ended
        if wh is None:
            return before
        if at is None or session.awaits:
            return None
        return cls(wh=wh, at=at - session.ahead, visit=session.visit_id).saved

    @property
    def due(self) -> bool:
        """Tell whether the disk should have it."""
        if self.kept is None:
            return True
        wh, at = self.kept
        return wh != self.wh and not timedelta() <= self.at - at < KEEP_EVERY

    @property
    def saved(self) -> Self:
        """Return it as the disk has it."""
        return replace(self, kept=(self.wh, self.at))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "wh": self.wh,
            "at": self.at.isoformat(),
            "visit": self.visit,
            "between": self.between,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self | None:
        """Read plain data. Raises what a wrong type or a missing field raises."""
        if data is None:
            return None
        found = cls(
            wh=int(data["wh"]),
            at=datetime.fromisoformat(data["at"]),
            visit=data.get("visit"),
            between=int(data.get("between", 0)),
        )
        return found.saved


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """A stay that was recorded: what the wallbox calls it, and when it was by our clock."""

    visit: str
    connected: datetime
    ended: datetime

    @classmethod
    def after(cls, before: tuple[Self, ...], session: OpenSession) -> tuple[Self, ...]:
        """Return the last stays with one that has just ended, if it has a name."""
        if session.visit_id is None or session.ended is None:
            return before
        stay = cls(
            visit=session.visit_id, connected=session.connected, ended=session.ended
        )
        return (*before, stay)[-MOST_GONE:]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises what a wrong type or a missing field raises."""
        return cls(
            visit=data["visit"],
            connected=datetime.fromisoformat(data["connected"]),
            ended=datetime.fromisoformat(data["ended"]),
        )


def remembered(
    reading: Reading, last: OpenSession | None, rest: Rest | None = None
) -> Reading:
    """Return a reading of a counter that forgets nothing of the last session, or a rest.

    Of a step that it has not finished a restart knows nothing.
    """
    known = None if last is None else last.tally.wh
    known, total = known if rest is None else rest.wh, reading.counted_wh
    if known is None or total is None or not 0 < known - total <= FORGOTTEN_WH:
        return reading
    return replace(reading, wh=known)


def begin_wh(
    least: int, total: int, taken: int | None, between: int = 0, late: float = 0.0
) -> int:
    """Return where the counter stood when a car came that finds it at `total` now.

    `least` is where it stood at rest, `taken` what the wallbox says that the car took,
    `between` what it says of whole stays after the rest and `late` what the car can have
    taken since that word; all in Wh. The word is coarser than the counter: it only tells
    whether others took something, too. Without a word all of it is this car's. A counter
    that shows less than before is another one, and only the word is left.
    """
    word = taken or 0
    before = max(total - word, 0)
    if total < least:
        return before
    risen = total - least
    slack = max(WORD_BEHIND_WH, WORD_OFF * word)
    alone, fits = (abs(risen - one) <= slack for one in (word, word + between))
    if between > risen or (alone and not fits):
        # Told of another time, or twice.
        between = 0
    more = before - least - between
    others = taken is not None and more > max(slack, late)
    return before if others else least + between
