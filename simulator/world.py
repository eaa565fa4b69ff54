"""The world behind the Miniserver: wallboxes and cars, and the time that passes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .clock import Clock
from .config import SimulatorConfig, WallboxConfig
from .faults import Faults
from .manager import Manager
from .publishing import Publisher
from .states import StateTable
from .wallbox import Wallbox

_TINY = 1e-9
_MONDAY = 0


class World:
    """Moves everything from event to event, so that no energy is lost or invented."""

    def __init__(
        self,
        config: SimulatorConfig,
        clock: Clock,
        states: StateTable,
        faults: Faults,
        log: Callable[[str], None],
    ) -> None:
        """Build the wallboxes of the configuration."""
        self._log = log
        self._config = config
        self._clock = clock
        self._states = states
        self._faults = faults
        self._zone = ZoneInfo(config.timezone)
        self.now = clock.monotonic()
        self._offset = clock.time() - self.now
        self._depth = 0
        self._publishers: dict[str, Publisher] = {}
        self.wallboxes: list[Wallbox] = []
        self.manager: Manager | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._next_midnight = self._midnight_after(self.utc)
        for wallbox in config.wallboxes:
            self.add(wallbox)

    @property
    def utc(self) -> float:
        """Return the instant up to which the world has come (UTC seconds)."""
        return self.now + self._offset

    @property
    def unix(self) -> int:
        """Return the instant as whole seconds; sums of steps are a hair too small."""
        return int(self.utc + 0.001)

    def local(self, utc: float | None = None) -> datetime:
        """Return an instant as the unit's own local time."""
        return datetime.fromtimestamp(self.utc if utc is None else utc, self._zone)

    @contextmanager
    def change(self, note: str) -> Iterator[None]:
        """Bring the world up to date, let something happen, and tell everybody."""
        if self._depth == 0:
            self.advance()
        self._depth += 1
        try:
            yield
            self._log(note)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._settle()
                self.publish()

    def advance(self) -> None:
        """Let the world catch up with the clock, from event to event."""
        until = self._clock.monotonic()
        self._offset = self._clock.time() - until
        if self._next_midnight - self.utc > 2 * 86400:
            # The wall clock was set back.
            self._next_midnight = self._midnight_after(self.utc)
        while self.now < until - _TINY:
            instants = [box.point.horizon(self.now) for box in self.wallboxes]
            step_to = min(until, self._next_midnight - self._offset, *instants)
            step_to = max(step_to, self.now)
            for box in self.wallboxes:
                box.integrate(self.now, step_to - self.now)
            self.now = step_to
            if self.utc >= self._next_midnight - _TINY * 1e3:
                self._begin_day()
            self._settle()

    def tick(self) -> None:
        """Catch up with the clock and publish what changed."""
        self.advance()
        self.publish()

    def publish(self) -> None:
        """Set the states to what is the case and tell that they may have changed."""
        for box in self.wallboxes:
            publisher = self._publishers[box.uuid]
            values = publisher.values(self.now)
            for name, uuid in box.state_uuids.items():
                self._states.set(uuid, values[name])
            self._states.set(box.uuid, box.tracker.text)
            if box.config.diagnostics:
                found = publisher.diagnostics()
                for title, uuid in box.diagnostic_states.items():
                    self._states.set(uuid, found[title])
        if self.manager:
            for name, value in self.manager.values().items():
                self._states.set(self.manager.state_uuids[name], value)
        self.on_change()

    def add(self, config: WallboxConfig) -> Wallbox:
        """Install a wallbox."""
        if any(box.name == config.name for box in self.wallboxes):
            raise ValueError(f"there is a wallbox named {config.name} already")
        box = Wallbox(config, self._config.serial, self._config.version, self)
        self.wallboxes.append(box)
        self._publishers[box.uuid] = Publisher(
            box,
            faults=self._faults,
            version=self._config.version,
            power_every_s=self._config.power_every_s,
            energy_every_s=self._config.energy_every_s,
        )
        values = self._publishers[box.uuid].values(self.now)
        for name, uuid in box.state_uuids.items():
            self._states.declare(uuid, values[name], box.uuid)
        # The history travels under the identifier of the control itself.
        self._states.declare(box.uuid, "", box.uuid)
        if config.diagnostics:
            for title, control in box.diagnostic_uuids.items():
                self._states.declare(box.diagnostic_states[title], 0.0, control)
        self._manage()
        return box

    def remove(self, box: Wallbox) -> None:
        """Uninstall a wallbox."""
        self.wallboxes.remove(box)
        self._states.forget(box.uuid)
        for control in box.diagnostic_uuids.values():
            self._states.forget(control)
        self._manage()

    def find(self, which: int | str) -> Wallbox:
        """Return a wallbox by position, name or identifier."""
        for index, box in enumerate(self.wallboxes):
            if which in (index, box.name, box.uuid) and which is not True:
                return box
        if isinstance(which, str) and which.isdigit():
            return self.find(int(which))
        names = ", ".join(box.name for box in self.wallboxes)
        raise ValueError(f"there is no wallbox {which!r}, only {names}")

    def _manage(self) -> None:
        """Put the managed wallboxes under a manager, if there is one."""
        if self._config.manager:
            if self.manager:
                self._states.forget(self.manager.uuid)
            managed = [box for box in self.wallboxes if box.config.managed]
            self.manager = Manager(self._config, managed)
            for name, value in self.manager.values().items():
                uuid = self.manager.state_uuids[name]
                self._states.declare(uuid, value, self.manager.uuid)
        self._settle()

    def _settle(self) -> None:
        """Let the blocks decide and the boxes obey."""
        if self.manager:
            self.manager.assign()
        for box in self.wallboxes:
            box.settle(self.now)
            box.flows.note(self.utc, box.power_kw, box.total_kwh)

    def _midnight_after(self, utc: float) -> float:
        """Return the next local midnight (UTC seconds)."""
        tomorrow = self.local(utc).date() + timedelta(days=1)
        start = datetime.combine(tomorrow, datetime.min.time(), self._zone)
        return start.timestamp()

    def _begin_day(self) -> None:
        """Start the counters of periods that begin at this midnight."""
        today = self.local(self._next_midnight)
        periods = ["totalDay"]
        if today.weekday() == _MONDAY:
            periods.append("totalWeek")
        if today.day == 1:
            periods.append("totalMonth")
            if today.month == 1:
                periods.append("totalYear")
        for box in self.wallboxes:
            box.begin_periods(tuple(periods))
        self._next_midnight = self._midnight_after(self._next_midnight)
