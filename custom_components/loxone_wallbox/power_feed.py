"""The power of each second of one wallbox, and whoever listens to it.

Takes the readings of a meter, or the power that the Miniserver told last and that holds
until it tells another; gives series to ask for and points as they come. A lost link is a
hole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .meter.series import Point, VisitSeries

EVERY = timedelta(seconds=1)


class Ending(StrEnum):
    """Why a wallbox gives no power any more."""

    REMOVED = "removed"
    # Set up anew, or not loaded: it may be there again in a moment.
    UNLOADED = "unloaded"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PowerListener:
    """Who listens: told of points as they come, and once of the end."""

    points: Callable[[list[Point]], None]
    ended: Callable[[Ending], None]


class PowerFeed:
    """The power of one wallbox, second by second; instants are seconds UTC."""

    def __init__(
        self, hass: HomeAssistant, now: Callable[[], float], step_s: float = 1.0
    ) -> None:
        """Begin with nothing; `step_s` is how far apart readings are."""
        self._hass = hass
        self._now = now
        self.series = VisitSeries(step_s)
        self._held: float | None = None
        self._next = 0
        self._listeners: list[PowerListener] = []
        self._stop_ticking: CALLBACK_TYPE | None = None

    @callback
    def add(self, at: float, power_w: float | None) -> None:
        """Take the power a meter measured in a second, None for a gap."""
        self._tell(self.series.add(at, power_w))

    @callback
    def hold(self, power_w: float | None) -> None:
        """Take the power that holds from now on; None is unknown."""
        self.catch_up()
        now = self._now()
        if self._held is None:
            self._next = math.ceil(now)
        self._held = power_w
        if power_w is None:
            self.add(now, None)

    @callback
    def catch_up(self) -> None:
        """Give each second that has passed the power that was held in it."""
        held, now = self._held, self._now()
        if held is None:
            return
        added: list[Point] = []
        # What would be dropped at once is not made at all.
        self._next = max(self._next, math.floor(now) - self.series.running.most)
        while self._next <= now:
            added += self.series.add(self._next, held)
            self._next += 1
        self._tell(added)

    @callback
    def begin(self, at: float) -> None:
        """Begin a car's stay."""
        self.catch_up()
        self.series.begin(at)

    @callback
    def end(self, at: float) -> None:
        """End a car's stay."""
        self.catch_up()
        self.series.end(at)

    def between(self, start: float, end: float) -> list[Point]:
        """Return the points from an instant up to another, None for a hole."""
        self.catch_up()
        return self.series.between(start, end)

    def sliced(self, start: float, end: float) -> VisitSeries:
        """Return a copy of that time, of which a thread may make points."""
        self.catch_up()
        return self.series.sliced(start, end)

    @callback
    def listen(self, listener: PowerListener) -> CALLBACK_TYPE:
        """Have somebody told of each point; returns what ends that."""
        self.catch_up()
        self._listeners.append(listener)
        if self._stop_ticking is None:
            # What is held makes no events of its own.
            self._stop_ticking = async_track_time_interval(
                self._hass, self._tick, EVERY, cancel_on_shutdown=True
            )

        @callback
        def stop() -> None:
            """Listen no longer; may come twice."""
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners:
                self._rest()

        return stop

    @callback
    def close(self, why: Ending) -> None:
        """Tell everybody that nothing comes any more; may come twice."""
        listeners, self._listeners = self._listeners, []
        self._rest()
        for listener in listeners:
            listener.ended(why)

    @callback
    def _tick(self, _now: datetime) -> None:
        """Give a listener its second."""
        self.catch_up()

    def _rest(self) -> None:
        """Tick no longer."""
        if self._stop_ticking is not None:
            self._stop_ticking()
            self._stop_ticking = None

    def _tell(self, points: list[Point]) -> None:
        """Tell whoever listens of points."""
        if points:
            for listener in tuple(self._listeners):
                listener.points(points)
