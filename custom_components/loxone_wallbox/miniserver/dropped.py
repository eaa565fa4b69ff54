"""Count what a Miniserver tells that nobody can believe.

Takes each value or text that was dropped, with its control and the name of its state;
gives how many there were, and tells of the first at once, then once an hour for as long
as more come. A value that stays is one, however often it is looked at. For what is
believed nothing is done here: that comes each second.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial

from .listener import ClientListener
from .wallbox import Drop

# What goes on is told of so often.
TOLD_EVERY_S = 3600.0


class Dropped:
    """What was dropped of one Miniserver's states, also before a lost link."""

    def __init__(
        self,
        now: Callable[[], float],
        tell: Callable[[Callable[[ClientListener], None]], None],
    ) -> None:
        """Take what gives seconds UTC, and what tells the listener."""
        self._now = now
        self._tell = tell
        self._drops: dict[str, Drop] = {}
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._last: dict[tuple[str, str], float] = {}
        # When a state was told of last, and how many there were by then.
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def of(self, control_id: str) -> Drop:
        """Return what takes note of a state of one control."""
        drop = self._drops.get(control_id)
        if drop is None:
            drop = self._drops[control_id] = partial(self._take, control_id)
        return drop

    def counts(self, control_id: str) -> dict[str, int]:
        """Return how many were dropped of a control, by the names of its states."""
        return dict(self._counts.get(control_id, {}))

    def _take(self, control_id: str, state: str, value: object) -> None:
        """Take note of a value; a text is read once, when it arrives."""
        key = (control_id, state)
        if isinstance(value, float):
            # One that came anew is another object.
            if self._last.get(key) is value:
                return
            self._last[key] = value
        count = self._counts[control_id][state] + 1
        self._counts[control_id][state] = count
        now, (told_at, told) = self._now(), self._told.get(key, (0.0, 0))
        # A clock that was set back must not keep it quiet.
        if told and 0 <= now - told_at < TOLD_EVERY_S:
            return
        self._told[key] = (now, count)
        self._tell(
            lambda listener: listener.value_dropped(control_id, state, count - told)
        )
