"""What a single reading of a running session moves.

Takes instants, powers and a counter's rise, gives charging time and when the energy
flowed. It is small, because a reading comes each second.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import math
from typing import Self

from .cutting import Flow, Tail

# Energy that a counter shows so long after charging is still of that charging.
BEHIND = timedelta(seconds=60)
# Far above any counter in Wh and any charger in W.
MOST = 1e13
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a meter or the wallbox told at an instant, None for what it did not tell.

    `wh` is a counter in Wh. Its own readings or a total that never falls will do: a
    total needs no meter breaks. `charging` is the wallbox's own word, which counts
    where there is no power. It is `blind` where a meter that measures says nothing.
    """

    at: datetime
    wh: float | None = None
    power_w: float | None = None
    charging: bool | None = None
    blind: bool = False

    @property
    def counted_wh(self) -> int | None:
        """Return the counter in whole Wh."""
        sane = self.wh is not None and 0 <= self.wh <= MOST
        return round(self.wh) if sane and self.wh is not None else None

    @property
    def sane_power_w(self) -> float | None:
        """Return a power that can be."""
        known = self.power_w is not None and math.isfinite(self.power_w)
        return self.power_w if known and abs(self.power_w or 0.0) <= MOST else None

    def flows(self, charging_w: float) -> bool | None:
        """Tell whether a car charges, None where nobody says so."""
        power = self.sane_power_w
        return self.charging if power is None else power > charging_w


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What every reading moves.

    `flow_from` and `flow_to` are where energy may have flowed that the counter has not
    shown yet, `unsure` how much of that nobody watched; `stretch_wh` is what the power
    says of it. `unseen` is how much of it no meter measured, `unseen_wh` what it is at
    the last power. `segment_time` is the charging time of the open segment, `gaps` the time
    of charging, known or not, that was not measured.
    """

    at: datetime
    wh: int | None = None
    tail: Tail = field(default_factory=Tail)
    power_w: float | None = None
    flows: bool | None = False
    blind: bool = False
    flow_from: datetime | None = None
    flow_to: datetime | None = None
    unsure: timedelta = timedelta()
    unseen: timedelta = timedelta()
    unseen_wh: float = 0.0
    segment_time: timedelta = timedelta()
    gaps: timedelta = timedelta()
    max_w: float = 0.0
    stretch_wh: float = 0.0
    integral_wh: float = 0.0
    covered_wh: int = 0

    def taken(
        self,
        at: datetime,
        flows: bool | None,
        power_w: float | None,
        *,
        blind: bool = False,
    ) -> Self:
        """Let time pass with what was known to flow, and take what flows now."""
        power = self.power_w if power_w is None else power_w
        most = self.max_w if power_w is None else max(self.max_w, power_w)
        if self.flows is False:
            behind = self.flow_to is not None and at - self.flow_to > BEHIND
            gone = behind and not self.unseen
            return replace(
                self,
                at=at,
                flows=flows,
                blind=blind,
                power_w=power,
                max_w=most,
                flow_from=None if gone else self.flow_from,
                flow_to=None if gone else self.flow_to,
            )
        step = at - self.at
        known, hours = self.flows is True, step.total_seconds() / SECONDS_AN_HOUR
        measured = known and not self.blind
        assumed_wh = (self.power_w or 0.0) * hours
        return replace(
            self,
            at=at,
            flows=flows,
            blind=blind,
            power_w=power,
            max_w=most,
            flow_from=self.at if self.flow_from is None else self.flow_from,
            flow_to=at,
            unsure=self.unsure if known else self.unsure + step,
            unseen=self.unseen if measured else self.unseen + step,
            unseen_wh=self.unseen_wh + (0.0 if measured else assumed_wh),
            gaps=self.gaps if measured else self.gaps + step,
            segment_time=self.segment_time + step if known else self.segment_time,
            stretch_wh=self.stretch_wh + assumed_wh * measured,
        )

    def flow(self, wh: int, before: datetime, *, starts: bool) -> Flow:
        """Return when energy flowed that the counter shows now.

        While something flowed or nobody watched: evenly. Where it was idle until now:
        just now if charging starts, otherwise when it was last looked at.
        """
        if starts and not self.unseen:
            return Flow(wh=wh, start=self.at, end=self.at)
        if self.flow_from is None or self.flow_to is None:
            return Flow(wh=wh, start=before, end=before)
        unseen = bool(self.unseen)
        return Flow(wh=wh, start=self.flow_from, end=self.flow_to, estimated=unseen)

    def settled(self, wh: int, risen: int, tail: Tail) -> Self:
        """Return it with the counter's reading, nothing left that may have flowed."""
        watched = not self.unseen
        return replace(
            self,
            wh=wh,
            tail=tail,
            flow_from=None,
            flow_to=None,
            unsure=timedelta(),
            unseen=timedelta(),
            unseen_wh=0.0,
            stretch_wh=0.0,
            integral_wh=self.integral_wh + (self.stretch_wh if watched else 0.0),
            covered_wh=self.covered_wh + (risen if watched else 0),
        )
