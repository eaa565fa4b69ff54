"""A car's stay at the wallbox, as far as the status needs it.

Takes states in the order of their times, gives energy since plug-in and idle time.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self

from .status import CHARGING_W, FINISHED_AFTER_S


class Readings(Protocol):
    """What a visit looks at; kW and kWh, None is unknown."""

    @property
    def power_kw(self) -> float | None:
        """Return the charging power."""

    @property
    def energy_kwh(self) -> float | None:
        """Return the meter reading."""

    @property
    def connected(self) -> bool | None:
        """Tell whether a car is plugged in."""

    @property
    def charging(self) -> bool | None:
        """Tell whether the wallbox itself says that it charges."""


def is_charging(readings: Readings, *, measured: bool) -> bool:
    """Tell whether a car charges; without a power measurement the wallbox's word counts."""
    if measured and readings.power_kw is not None:
        return readings.power_kw * 1000 > CHARGING_W
    return bool(readings.charging)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One stay; times in seconds UTC, None where nothing happened yet."""

    start_kwh: float | None = None
    now_kwh: float | None = None
    connected: bool = False
    stopped_at: float | None = None
    charging: bool = False
    # Of before we looked, Wh.
    before_wh: float = 0.0

    @property
    def energy_wh(self) -> float:
        """Return the energy since plug-in."""
        if self.start_kwh is None or self.now_kwh is None:
            return self.before_wh
        return self.before_wh + max(self.now_kwh - self.start_kwh, 0.0) * 1000

    @property
    def has_stopped(self) -> bool:
        """Tell whether the car has charged and does not any more."""
        return self.connected and not self.charging and self.stopped_at is not None

    def is_full(self, now: float) -> bool:
        """Tell whether the car has stopped for so long that it wants no more."""
        return self.has_stopped and self.idle_s(now) >= FINISHED_AFTER_S

    def idle_s(self, now: float) -> float:
        """Return the time since the car last charged, 0 while it charges."""
        if self.charging or self.stopped_at is None:
            return 0.0
        return max(now - self.stopped_at, 0.0)

    def recalled(self, stopped: datetime | None, before_wh: float) -> Self:
        """Return the visit with what its session knows of the time before a restart."""
        if not self.connected or self.charging or self.stopped_at is not None:
            return self
        if stopped is None:
            return self
        return replace(self, stopped_at=stopped.timestamp(), before_wh=before_wh)

    def step(self, readings: Readings, *, charging: bool, now: float) -> Self:
        """Return the visit after new readings."""
        if not readings.connected:
            return type(self)()
        energy = self.now_kwh if readings.energy_kwh is None else readings.energy_kwh
        if not self.connected:
            return type(self)(
                start_kwh=energy, now_kwh=energy, connected=True, charging=charging
            )
        stopped_at = self.stopped_at
        if self.charging and not charging:
            stopped_at = now
        return replace(
            self,
            start_kwh=energy if self.start_kwh is None else self.start_kwh,
            now_kwh=energy,
            charging=charging,
            stopped_at=None if charging else stopped_at,
        )
