"""Whether power and energy of a meter agree: +-10 % (regulation 9), and no bias.

Takes the integral of the power and the total of the counter, gives the error of a
session and what the errors of the last sessions have in common. What is wrong with both
alike, such as a current transformer's ratio, cannot be seen here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
import math
from statistics import fmean, stdev
from typing import Any, Self

from .findings import Finding, FindingKind
from .integral import Integral
from .plain import UNREADABLE, finite, sane

# What the regulation allows.
LIMIT = 0.10
# From there on a session's record says so.
FLAG = 0.02
FLAG_STEPS = 2
# Below it a meter's resolution counts for more than its error.
LOAD_W = 100.0
# A start of charging, which no meter shows at once, counts for less than a hundredth.
LEAST_WH = 500.0
# A session whose error is known to a hundredth tells something of a bias.
CERTAIN = 0.01
SESSIONS = 20
BIAS_PCT = 3.0
ONE_SIGN = 0.8
STANDARD_ERRORS = 4.0
# A ratio this near to a power of ten is a wrong unit.
NEAR_DECADE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """Where total, integral and gaps stood when the counter last rose.

    It was not `timely` if a gap came before it: it may have risen in there. Nor is the
    first look at a counter.
    """

    total_wh: float
    integral_wh: float
    gaps: int
    at: float
    timely: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Counted and integrated energy of a session, from tick to tick of the counter.

    Only what has no gap in it is compared, so an outage is no error. `joined` says that
    what was compared last goes on; `runs` is how many stretches there are: at either end
    of each a tick came somewhere between two samples. `waiting_wh` is what has been
    integrated since the last tick.
    """

    counted_wh: float = 0.0
    integrated_wh: float = 0.0
    runs: int = 0
    most_w: float = 0.0
    tick: Tick | None = None
    joined: bool = False
    waiting_wh: float = 0.0

    def take(self, total_wh: float, integral: Integral) -> Self:
        """Take what counter (`Counter.total_wh`) and integral stand at now."""
        at = integral.at
        if at is None or not sane(total_wh):
            return self
        old = self.tick
        now = Tick(
            total_wh=total_wh,
            integral_wh=integral.wh,
            gaps=integral.gaps,
            at=at,
            timely=old is not None and old.gaps == integral.gaps,
        )
        if old is None:
            return replace(self, tick=now)
        integrated = now.integral_wh - old.integral_wh
        if total_wh <= old.total_wh:
            return replace(self, waiting_wh=integrated)
        counted = total_wh - old.total_wh
        seconds = now.at - old.at
        whole = old.timely and now.timely and seconds > 0 and integrated >= 0
        mean_w = max(counted, integrated) / seconds * 3600 if whole else 0.0
        if mean_w < LOAD_W or not sane(mean_w):
            return replace(self, tick=now, joined=False, waiting_wh=0.0)
        return replace(
            self,
            counted_wh=self.counted_wh + counted,
            integrated_wh=self.integrated_wh + integrated,
            runs=self.runs + (not self.joined),
            most_w=max(self.most_w, mean_w),
            tick=now,
            joined=True,
            waiting_wh=0.0,
        )

    def interrupted(self) -> Self:
        """Leave out what is around now, as when a counter was exchanged."""
        return replace(self, tick=None, joined=False, waiting_wh=0.0)

    def slack_wh(self, poll_s: float) -> float:
        """Return by how much it may be off, the meter being read each `poll_s`."""
        return 2 * self.runs * self.most_w * poll_s / 3600

    @property
    def error_pct(self) -> float | None:
        """Return by how much the power is too high, in % of the counted energy.

        None where too little was compared.
        """
        if self.counted_wh < LEAST_WH:
            return None
        return (self.integrated_wh / self.counted_wh - 1) * 100

    def certain_pct(self, poll_s: float) -> float | None:
        """Return the error where it is known to a hundredth."""
        known = self.slack_wh(poll_s) <= CERTAIN * self.counted_wh
        return self.error_pct if known else None

    def flagged(self, step_wh: float) -> bool:
        """Tell whether a session's record is to say that both do not agree well."""
        off = abs(self.integrated_wh - self.counted_wh)
        return off > max(FLAG_STEPS * step_wh, FLAG * self.counted_wh)

    def finding(self, poll_s: float) -> Finding | None:
        """Return that the error is beyond what is allowed, also while it goes on.

        `factor` is the power of ten that the power is too large by, 1 for none. A
        counter that does not rise at all has no error to tell, so it is another finding.
        """
        if self.waiting_wh >= LEAST_WH:
            data = {"integrated_kwh": round(self.waiting_wh / 1000, 3)}
            return Finding(kind=FindingKind.COUNTER_STUCK, data=data)
        error_pct = self.error_pct
        off = abs(self.integrated_wh - self.counted_wh)
        if error_pct is None or off <= LIMIT * self.counted_wh + self.slack_wh(poll_s):
            return None
        data = {
            "error_pct": round(error_pct, 1),
            "counted_kwh": round(self.counted_wh / 1000, 3),
            "integrated_kwh": round(self.integrated_wh / 1000, 3),
            "factor": self._factor(),
        }
        return Finding(kind=FindingKind.INACCURATE, data=data)

    def _factor(self) -> float:
        """Return the power of ten that the power is too large by."""
        if self.integrated_wh <= 0:
            return 1.0
        decade = math.log10(self.integrated_wh / self.counted_wh)
        nearest = round(decade)
        return 10.0**nearest if abs(decade - nearest) < NEAR_DECADE else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            tick = data["tick"]
            return cls(
                counted_wh=finite(data["counted_wh"]),
                integrated_wh=finite(data["integrated_wh"]),
                runs=int(data["runs"]),
                most_w=finite(data["most_w"]),
                tick=None if tick is None else _tick(tick),
                joined=bool(data["joined"]),
                waiting_wh=finite(data["waiting_wh"]),
            )
        except UNREADABLE:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bias:
    """The signed errors of the last sessions in %, the newest last."""

    errors_pct: tuple[float, ...] = ()

    def take(self, error_pct: float | None) -> Self:
        """Take the error of a finished session (`Comparison.certain_pct`)."""
        if error_pct is None or not sane(error_pct):
            return self
        return replace(self, errors_pct=(*self.errors_pct, error_pct)[-SESSIONS:])

    @property
    def mean_pct(self) -> float | None:
        """Return the mean error in %."""
        return fmean(self.errors_pct) if self.errors_pct else None

    @property
    def finding(self) -> Finding | None:
        """Return that the errors are systematic (regulation 9).

        They are where their mean is large, most have its sign, and chance does not
        explain it. A handful of sessions proves nothing.
        """
        mean = self.mean_pct
        if mean is None or len(self.errors_pct) < SESSIONS:
            return None
        agreeing = sum(error * mean > 0 for error in self.errors_pct)
        chance = stdev(self.errors_pct) / math.sqrt(SESSIONS)
        if (
            abs(mean) <= BIAS_PCT
            or agreeing < ONE_SIGN * SESSIONS
            or abs(mean) <= STANDARD_ERRORS * chance
        ):
            return None
        data = {"error_pct": round(mean, 1), "sessions": SESSIONS}
        return Finding(kind=FindingKind.BIASED, data=data)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"errors_pct": list(self.errors_pct)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            errors = tuple(map(finite, data["errors_pct"]))
        except UNREADABLE:
            return None
        return cls(errors_pct=errors[-SESSIONS:])


def _tick(data: Mapping[str, Any]) -> Tick:
    """Read a tick."""
    return Tick(
        total_wh=finite(data["total_wh"]),
        integral_wh=finite(data["integral_wh"]),
        gaps=int(data["gaps"]),
        at=finite(data["at"]),
        timely=bool(data["timely"]),
    )
