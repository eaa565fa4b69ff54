"""What is shown and told of a wallbox's meter, and the figures as they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .meter.findings import Finding
from .meter_settings import MeterSettings
from .rights import SecuritySink


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterShown:
    """What is shown of a meter; W, kWh, s, None is unknown, `coverage` 0 to 1.

    `error_pct` is by how much the power is too high, compared with the energy.
    `stale_since` is when the energy was last read, where that is not just now.
    """

    connected: bool = False
    power_w: float | None = None
    energy_kwh: float | None = None
    stale_since: datetime | None = None
    age_s: float | None = None
    coverage: float | None = None
    latency_s: float | None = None
    error_pct: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterListener:
    """Who is told of what.

    `show` of something worth showing, `tell` of a counter that broke, `measured` of the
    power of each second (seconds UTC, W, None where unknown), `learned` of settings
    that say more of the meter than those before, `security` of what the security log
    keeps.
    """

    show: Callable[[], None]
    tell: Callable[[Finding], None]
    measured: Callable[[float, float | None], None]
    learned: Callable[[MeterSettings], None]
    security: SecuritySink


def kwh(energy_wh: float | None) -> float | None:
    """Return an energy in kWh, to the watt-hour."""
    return None if energy_wh is None else round(energy_wh / 1000, 3)


def percent(share: float | None) -> float | None:
    """Return a percentage to a tenth."""
    return None if share is None else round(share, 1)
