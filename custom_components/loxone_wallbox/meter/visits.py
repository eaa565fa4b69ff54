"""What a meter measured of the cars' stays: energy, and how far to trust it.

Takes the account after each sample and when a car comes and goes, gives the energy of
the stay and what is wrong with the measuring (regulation 9). Plain data outlives a
restart; what is wrong with power and energy alike cannot be seen here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from .account import MeterAccount
from .accuracy import LEAST_WH, Bias, Comparison
from .findings import Finding
from .latch import SessionEnergy, Stage
from .plain import UNREADABLE, text_or_none


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterVisits:
    """The running or last stay and what the ones before it have shown.

    `key` tells stays apart where the Miniserver names them. `running` compares power
    and energy of the stay, `before` is that of the last stay that told something.
    """

    session: SessionEnergy | None = None
    key: str | None = None
    running: Comparison = field(default_factory=Comparison)
    before: Comparison = field(default_factory=Comparison)
    bias: Bias = field(default_factory=Bias)

    @property
    def is_open(self) -> bool:
        """Tell whether a stay is measured now."""
        return self.session is not None and self.session.stage is Stage.OPEN

    def begin(
        self,
        account: MeterAccount,
        key: str | None,
        empty_since: float | None,
        rested_wh: float | None = None,
    ) -> Self:
        """Begin a stay at the last reading before the contactor closed.

        `rested_wh` is where the counter stood when a car came of which nobody told
        then. Without it `empty_since` is from when on nobody can have charged, None
        where that is not known: then it begins with the first reading and says so.
        """
        if rested_wh is not None:
            session = SessionEnergy.begun(rested_wh)
        else:
            known = empty_since is not None
            session = SessionEnergy.begun(
                account.counted_wh if known else None, account.read_at, empty_since
            )
        return replace(
            self,
            session=session,
            key=key,
            running=Comparison(),
            before=self._judged,
        )

    def end(self, poll_s: float) -> Self:
        """End the stay, whose error counts for the bias; may come twice."""
        if self.session is None or not self.is_open:
            return self
        return replace(
            self,
            session=self.session.ended(),
            bias=self.bias.take(self.running.certain_pct(poll_s)),
        )

    def take(self, account: MeterAccount, at: float, refresh_s: float) -> Self:
        """Take the account after a sample; `refresh_s` is how far it may be behind."""
        if self.session is None:
            return self
        # What was read before is no start of a stay of which nothing was known.
        fresh = account.read_at == at or self.session.start_wh is not None
        total = account.counted_wh if fresh else None
        running = self.running
        if self.is_open and account.counter.total_wh is not None:
            running = running.take(account.counter.total_wh, account.integral)
        session = self.session.take(total, account.power_w, at, refresh_s)
        return replace(self, session=session, running=running)

    def interrupted(self) -> Self:
        """Leave out what is around now, as when a counter was exchanged."""
        return replace(self, running=self.running.interrupted())

    @property
    def error_pct(self) -> float | None:
        """Return by how much the power is too high, in %, None where not known."""
        return self._judged.error_pct

    def findings(self, poll_s: float) -> tuple[Finding, ...]:
        """Return what is wrong, until a later stay has shown that it is not."""
        found = (self._judged.finding(poll_s), self.bias.finding)
        return tuple(one for one in found if one is not None)

    @property
    def _judged(self) -> Comparison:
        """Return the comparison that tells something: the newest of the two."""
        tells = self.running.error_pct is not None
        stuck = self.running.waiting_wh >= LEAST_WH
        return self.running if tells or stuck else self.before

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "session": None if self.session is None else self.session.as_dict(),
            "key": self.key,
            "running": self.running.as_dict(),
            "before": self.before.as_dict(),
            "bias": self.bias.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data; what makes no sense begins anew.

        The integral began anew too, so nothing is compared across the restart.
        """
        try:
            session, key = data["session"], text_or_none(data["key"])
            running = Comparison.from_dict(data["running"])
            before = Comparison.from_dict(data["before"])
            bias = Bias.from_dict(data["bias"])
        except UNREADABLE:
            return cls()
        return cls(
            session=None if session is None else SessionEnergy.from_dict(session),
            key=key,
            running=(running or Comparison()).interrupted(),
            before=before or Comparison(),
            bias=bias or Bias(),
        )
