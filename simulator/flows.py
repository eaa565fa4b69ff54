"""Since when how much flows through a wallbox, as a meter beside it would note.

Takes a power whenever the world settles, keeps its changes with their instants.
"""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

# A change of power below this is none worth noting (kW).
_SAME_KW = 0.001
_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What flows from an instant (UTC seconds) on, and the meter's reading then."""

    time: float
    power_kw: float
    total_kwh: float


class Flows:
    """The changes of power, the oldest forgotten."""

    def __init__(self) -> None:
        """Start empty."""
        self._flows: deque[Flow] = deque(maxlen=_MOST)

    def note(self, time: float, power_kw: float, total_kwh: float) -> None:
        """Take the power that flows now."""
        if self._flows and abs(power_kw - self._flows[-1].power_kw) < _SAME_KW:
            return
        total_kwh = round(total_kwh, 6)
        self._flows.append(Flow(time=time, power_kw=power_kw, total_kwh=total_kwh))

    def as_list(self) -> list[dict[str, Any]]:
        """Return the changes in their order."""
        return [asdict(flow) for flow in self._flows]
