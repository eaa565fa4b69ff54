"""The energy of a session: where it begins, and when its end is known.

Takes the total of a counter that never falls (`Counter.total_wh` or `FineTotal.wh`, in
Wh) and the power in W, gives the energy since the session began. A total says nothing
of the meter behind it: a session goes on when that is exchanged or rolls over.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from .plain import UNREADABLE, finite_or_none, sane

# Below it nothing flows into a car.
IDLE_W = 20.0
# The counter may be so many polls of a second behind, beside what its refresh takes.
POLLS = 2
# What a counter adds so long after that is still the session's.
RELATCH_S = 60.0


class Stage(StrEnum):
    """How final the energy is.

    SETTLING: the session has ended, its counter may be behind. LATCHED: the energy may
    be told, and told again if it still rises. FINAL: it does not change any more.
    """

    OPEN = "open"
    SETTLING = "settling"
    LATCHED = "latched"
    FINAL = "final"


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEnergy:
    """What must outlive a restart; instants in seconds as in `quarantine`.

    `start_estimated`: nothing was known when the session began, so it begins with the
    first reading. `stop_estimated`: it ended before the counter could be read again.
    `idle_since` is when nothing flowed for the first time and `idle_polls` how many
    samples have said so since.
    """

    start_wh: float | None = None
    now_wh: float | None = None
    start_estimated: bool = False
    stop_estimated: bool = False
    stage: Stage = Stage.OPEN
    idle_since: float | None = None
    idle_polls: int = 0
    latched_at: float | None = None

    @classmethod
    def begun(
        cls,
        total_wh: float | None,
        read_at: float | None = None,
        empty_since: float | None = None,
    ) -> Self:
        """Begin a session at the last total before the contactor closed.

        `read_at` is when that was read. `empty_since` is from when on nobody can have
        charged: an older total does not count, what flowed since is of other visits.
        Leave it out where nobody can have charged since the total was read.
        """
        known = total_wh is not None and sane(total_wh)
        if empty_since is not None and (read_at is None or read_at < empty_since):
            known = False
        start = total_wh if known else None
        return cls(start_wh=start, now_wh=start, start_estimated=not known)

    @property
    def energy_wh(self) -> float | None:
        """Return the energy since the start, None as long as that is not known."""
        if self.start_wh is None or self.now_wh is None:
            return None
        return self.now_wh - self.start_wh

    @property
    def stop_wh(self) -> float | None:
        """Return the total at the end, None as long as that is not known."""
        done = self.stage in {Stage.LATCHED, Stage.FINAL}
        return self.now_wh if done else None

    def take(
        self,
        total_wh: float | None,
        power_w: float | None,
        at: float,
        refresh_s: float = 1.0,
    ) -> Self:
        """Take a sample, None for what it does not tell.

        `refresh_s` is how far the meter's counter may be behind.
        """
        if self.stage is Stage.FINAL or not sane(at):
            return self
        flows = power_w is not None and power_w >= IDLE_W
        if self.stage is Stage.LATCHED and (flows or not self._relatches(at)):
            # What flows now is the next session's.
            return replace(self, stage=Stage.FINAL)
        energy = self._counted(total_wh)
        if power_w is None or not sane(power_w):
            return energy
        if flows:
            return replace(energy, idle_since=None, idle_polls=0)
        since = at if self.idle_since is None else min(self.idle_since, at)
        idle = replace(energy, idle_since=since, idle_polls=self.idle_polls + 1)
        settled = at - since >= refresh_s + POLLS and idle.idle_polls > POLLS
        if self.stage is Stage.SETTLING and settled:
            return replace(idle, stage=Stage.LATCHED, latched_at=at)
        return idle

    def ended(self) -> Self:
        """End the session: the car is unplugged."""
        if self.stage is not Stage.OPEN:
            return self
        return replace(self, stage=Stage.SETTLING)

    def overtaken(self) -> Self:
        """Let the energy be final: another session begins, or nothing more comes."""
        waiting = self.stage in {Stage.OPEN, Stage.SETTLING}
        estimated = self.stop_estimated or waiting
        return replace(self, stage=Stage.FINAL, stop_estimated=estimated)

    def _relatches(self, at: float) -> bool:
        """Tell whether what the counter adds is still the session's."""
        return self.latched_at is None or 0 <= at - self.latched_at <= RELATCH_S

    def _counted(self, total_wh: float | None) -> Self:
        """Go on to a total; the first one is the start where there is none."""
        if total_wh is None or not sane(total_wh):
            return self
        now = total_wh if self.now_wh is None else max(self.now_wh, total_wh)
        start = total_wh if self.start_wh is None else self.start_wh
        return replace(self, start_wh=start, now_wh=now)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            return cls(
                start_wh=finite_or_none(data["start_wh"]),
                now_wh=finite_or_none(data["now_wh"]),
                start_estimated=bool(data["start_estimated"]),
                stop_estimated=bool(data["stop_estimated"]),
                stage=Stage(data["stage"]),
                idle_since=finite_or_none(data["idle_since"]),
                idle_polls=int(data["idle_polls"]),
                latched_at=finite_or_none(data["latched_at"]),
            )
        except UNREADABLE:
            return None
