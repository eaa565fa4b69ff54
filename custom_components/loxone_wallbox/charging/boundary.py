"""Tell whether somebody cut a link of a wallbox, or whether it is only away.

The boundary is the wallbox's link to the Miniserver (Tree or Air) and the meter's link
(regulation 12, Schedule 1, paragraphs 8 and 9). A link that falls silent is a breach
unless something else explains it: a power cut takes what hangs on it together, a
Miniserver that restarts takes its wallboxes along, a gateway all of its meters.

Takes what is seen at an instant, in seconds of a clock that nobody can set; gives what
is remembered after it. Nothing here waits: `wake_at` says when to look again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

# A silence that is shorter is a hiccup, and what falls silent within it fell together.
# A power cut takes meter and Miniserver at once, but the Miniserver is missed only after
# a keepalive and the patience for its answer: 42 s.
GRACE_S = 60.0
# Wallboxes, gateways and meters start again after the Miniserver has.
SETTLE_S = 300.0
# A wallbox on Air that lost its power is missed only minutes later: nobody waits on the
# radio for something that is silent most of the time. No source gives a number.
LATE_S = 300.0


class Breach(StrEnum):
    """Which link of the boundary was cut."""

    WALLBOX = "wallbox_link"
    METER = "meter_link"


class Outage(StrEnum):
    """What explains a silence, so that it is no breach."""

    POWER_CUT = "power_cut"
    MINISERVER_RESTART = "miniserver_restart"
    MINISERVER_LOST = "miniserver_lost"
    NETWORK_LOST = "network_lost"
    GATEWAY_LOST = "gateway_lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What is seen at an instant.

    `wallbox` and `meter` are whether the link is up, None where nothing tells.
    `restarting` is a Miniserver that says so. `branch_away` is since when all other
    wallboxes of the Miniserver are away, `gateway_away` since when all other meters
    behind the same gateway are silent; None while one is there, or there is none.
    `late` is a wallbox that is missed only long after it went.
    """

    miniserver: bool
    restarting: bool = False
    wallbox: bool | None = None
    meter: bool | None = None
    branch_away: float | None = None
    gateway_away: float | None = None
    internet: bool | None = None
    late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """One link: since when it is away, and when that becomes a breach.

    A link that was never seen cannot vanish. `excused` is what explains its silence
    now, `acknowledged` a breach that the owner has looked into.
    """

    seen: bool = False
    away: float | None = None
    due: float | None = None
    excused: bool = False
    breached: bool = False
    acknowledged: bool = False

    @property
    def alarms(self) -> bool:
        """Tell whether it is a breach that nobody has looked into."""
        return self.breached and not self.acknowledged

    @property
    def waits(self) -> bool:
        """Tell whether it is silent and no breach yet."""
        return self.away is not None and self.seen and not self.breached

    def step(
        self, present: bool | None, now: float, patience_s: float = GRACE_S
    ) -> Self:
        """Take note of whether the link is there; of a silence, since when."""
        if present is None:
            return type(self)()
        if present:
            return type(self)(seen=True)
        if self.away is not None:
            return self
        return replace(self, away=now, due=now + patience_s)

    def judged(
        self,
        now: float,
        *,
        excused: bool,
        settled: float | None,
        patience_s: float = GRACE_S,
    ) -> Self:
        """Return it with the verdict on its silence; what is over is forgotten.

        It has some time left after an excuse: not all comes back at once.
        """
        if self.away is None or not self.waits:
            return self
        due = max(self.away if self.due is None else self.due, settled or self.away)
        if self.excused and not excused:
            due = max(due, now + patience_s)
        breached = not excused and now >= due
        return replace(self, due=due, excused=excused, breached=breached)

    def as_dict(self) -> dict[str, bool]:
        """Return what has to outlive a restart."""
        return {
            "seen": self.seen,
            "breached": self.breached,
            "acknowledged": self.acknowledged,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], now: float) -> Self:
        """Return it after a restart: it is away until it is seen again."""
        if kept.get("seen") is not True:
            return cls()
        return cls(
            seen=True,
            away=now,
            due=now + SETTLE_S,
            breached=kept.get("breached") is True,
            acknowledged=kept.get("acknowledged") is True,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Boundary:
    """What is remembered of the links of one wallbox.

    `settled` is when what came back with the Miniserver has had its time, `restarted`
    whether it said that it restarts, `looked` when it was last looked.
    """

    wallbox: Watched = Watched()
    meter: Watched = Watched()
    miniserver_away: float | None = None
    restarted: bool = False
    settled: float | None = None
    looked: float = 0.0
    outage: Outage | None = None

    @property
    def breaches(self) -> frozenset[Breach]:
        """Return the links that are cut and that nobody has looked into."""
        links = ((self.wallbox, Breach.WALLBOX), (self.meter, Breach.METER))
        return frozenset(breach for link, breach in links if link.alarms)

    @property
    def wake_at(self) -> float | None:
        """Return when to look again though nothing changes, None for not at all."""
        if self.miniserver_away is not None:
            return None
        waiting = [
            # Those that excuse it may be back without a word to this wallbox.
            self.looked + GRACE_S if link.excused or link.due is None else link.due
            for link in (self.wallbox, self.meter)
            if link.waits
        ]
        return min(waiting, default=None)

    def step(self, sight: Sight, now: float) -> Self:
        """Return what is remembered after a look; `now` in seconds, never goes back."""
        # The wallbox beside a silent meter may turn out to have no power either.
        patience_s = LATE_S if sight.late and self.wallbox.seen else GRACE_S
        meter = self.meter.step(sight.meter, now, patience_s)
        if not sight.miniserver:
            # Nobody knows whether the wallbox is there, so nothing new is a breach.
            away = now if self.miniserver_away is None else self.miniserver_away
            return replace(
                self,
                meter=meter,
                miniserver_away=away,
                restarted=self.restarted or sight.restarting,
                looked=now,
                outage=_lost(sight, restarted=self.restarted or sight.restarting),
            )
        settled = self.settled
        if self.miniserver_away is not None:
            settled = now + SETTLE_S
        elif settled is not None and now >= settled:
            settled = None
        wallbox = self.wallbox.step(sight.wallbox, now)
        why_wallbox, why_meter = _excuses(sight, wallbox.away, meter.away)
        excused = sight.wallbox is False or why_meter is not None
        restarted = settled is not None and (self.restarted or sight.restarting)
        wallbox = wallbox.judged(
            now,
            excused=why_wallbox is not None,
            settled=settled,
            patience_s=LATE_S if sight.late else GRACE_S,
        )
        meter = meter.judged(now, excused=excused, settled=settled)
        outage = why_wallbox or why_meter
        if outage is None and restarted and (wallbox.waits or meter.waits):
            outage = Outage.MINISERVER_RESTART
        return replace(
            self,
            wallbox=wallbox,
            meter=meter,
            miniserver_away=None,
            restarted=restarted,
            settled=settled,
            looked=now,
            outage=outage,
        )

    def acknowledged(self) -> Self:
        """Return it with every breach there is looked into, until the links are back."""
        return replace(
            self,
            wallbox=replace(self.wallbox, acknowledged=self.wallbox.breached),
            meter=replace(self.meter, acknowledged=self.meter.breached),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what has to outlive a restart."""
        return {"wallbox": self.wallbox.as_dict(), "meter": self.meter.as_dict()}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], now: float) -> Self:
        """Return it after a restart; what makes no sense is as good as nothing."""
        wallbox, meter = (
            link if isinstance(link, Mapping) else {}
            for link in (kept.get("wallbox"), kept.get("meter"))
        )
        return cls(
            wallbox=Watched.from_dict(wallbox, now),
            meter=Watched.from_dict(meter, now),
            settled=now + SETTLE_S,
            looked=now,
        )


def _lost(sight: Sight, *, restarted: bool) -> Outage:
    """Return why there is no Miniserver, as far as anybody can tell from here."""
    if restarted:
        return Outage.MINISERVER_RESTART
    if sight.meter is False:
        # With the internet there the network of the house has power and works.
        return Outage.POWER_CUT if sight.internet else Outage.NETWORK_LOST
    return Outage.NETWORK_LOST if sight.internet is False else Outage.MINISERVER_LOST


def _excuses(
    sight: Sight, wallbox_away: float | None, meter_away: float | None
) -> tuple[Outage | None, Outage | None]:
    """Return what explains the silence of the wallbox, and that of the meter."""
    late = LATE_S if sight.late else GRACE_S
    cut = Outage.POWER_CUT if _together(wallbox_away, meter_away, late) else None
    branch = _together(wallbox_away, sight.branch_away)
    gateway = _together(meter_away, sight.gateway_away)
    return (
        cut or (Outage.POWER_CUT if branch else None),
        cut or (Outage.GATEWAY_LOST if gateway else None),
    )


def _together(one: float | None, other: float | None, late_s: float = GRACE_S) -> bool:
    """Tell whether two things fell silent at about the same time and still are.

    The one may be missed `late_s` after the other.
    """
    return one is not None and other is not None and -GRACE_S <= one - other <= late_s
