"""The car at the end of the cable."""

from dataclasses import dataclass
import math

# Below 6 A a phase no car charges (IEC 61851-1).
KW_PER_PHASE_MIN = 1.38
_TINY = 1e-9
_LEAST_SLOPE = 1e-6


@dataclass(kw_only=True)
class Car:
    """A car with a battery; its numbers change while it charges."""

    capacity_kwh: float = 77.0
    energy_kwh: float = 17.0
    max_kw: float = 11.0
    # None: as many phases as the wallbox has.
    phases: int | None = None
    # False: plugged in, and takes nothing.
    accepts: bool = True
    # From this share of the capacity on the power falls in a straight line down to
    # `taper_to` of the largest power at full; 1.0 does not taper.
    taper_from: float = 1.0
    taper_to: float = 0.1
    # After a pause of so many seconds the car sleeps and takes nothing until it is
    # plugged in again or charging is allowed again; None never sleeps.
    sleeps_after_s: float | None = None
    wakes_on_allow: bool = True
    asleep: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible cars."""
        if self.capacity_kwh <= 0 or self.max_kw < 0:
            raise ValueError("a car needs a capacity and no negative power")
        if not 0 <= self.energy_kwh <= self.capacity_kwh:
            raise ValueError("the energy of a car lies between 0 and its capacity")
        if not 0 < self.taper_from <= 1 or not 0 < self.taper_to <= 1:
            raise ValueError("taper_from and taper_to are shares above 0 and up to 1")
        if self.phases not in (None, 1, 2, 3):
            raise ValueError("a car has 1, 2 or 3 phases")

    @property
    def full(self) -> bool:
        """Return whether nothing more goes in."""
        return self.energy_kwh >= self.capacity_kwh - _TINY

    @property
    def soc(self) -> float:
        """Return the state of charge as a share."""
        return self.energy_kwh / self.capacity_kwh

    def willing_kw(self, offered_kw: float, box_phases: int) -> float:
        """Return the power drawn from an offer, before tapering (kW)."""
        if not self.accepts or self.asleep or self.full:
            return 0.0
        own = self.phases or box_phases
        used = min(own, box_phases)
        per_phase = min(offered_kw / box_phases, self.max_kw / own)
        return per_phase * used if per_phase >= KW_PER_PHASE_MIN - 1e-6 else 0.0

    def power_kw(self, offered_kw: float, box_phases: int) -> float:
        """Return the power drawn at this instant (kW)."""
        return min(self.willing_kw(offered_kw, box_phases), self._curve_kw())

    def charge(self, cap_kw: float, seconds: float) -> float:
        """Take energy for a while and return it (kWh); the integral is exact."""
        if cap_kw <= 0 or seconds <= 0 or self.full:
            return 0.0
        before = self.energy_kwh
        hours = seconds / 3600
        flat = self._flat_until(cap_kw) - self.energy_kwh
        if flat > 0:
            used = min(hours, flat / cap_kw)
            self.energy_kwh += cap_kw * used
            hours -= used
        if hours > _TINY and self._slope > 0:
            # dE/dt = P and dP/dE = -slope: the power decays exponentially.
            power = min(cap_kw, self._curve_kw())
            self.energy_kwh += power / self._slope * -math.expm1(-self._slope * hours)
        self.energy_kwh = min(self.energy_kwh, self.capacity_kwh)
        return self.energy_kwh - before

    def full_in_s(self, cap_kw: float) -> float:
        """Return the seconds until full at this cap, infinity if never."""
        if cap_kw <= 0:
            return math.inf
        flat = max(self._flat_until(cap_kw) - self.energy_kwh, 0.0)
        hours = flat / cap_kw
        if self._slope:
            start = self._curve_at(self.energy_kwh + flat)
            end = self._curve_at(self.capacity_kwh)
            hours += math.log(max(min(start, cap_kw) / min(end, cap_kw), 1)) / (
                self._slope
            )
        return hours * 3600

    @property
    def _taper_kwh(self) -> float:
        """Return the energy at which tapering begins."""
        return self.taper_from * self.capacity_kwh

    @property
    def _slope(self) -> float:
        """Return how fast the power falls with the energy (kW per kWh)."""
        span = self.capacity_kwh - self._taper_kwh
        slope = self.max_kw * (1 - self.taper_to) / span if span > _TINY else 0.0
        # A slope too small to matter would only cost precision.
        return slope if slope > _LEAST_SLOPE else 0.0

    def _curve_kw(self) -> float:
        """Return the most the battery takes now (kW)."""
        return self._curve_at(self.energy_kwh)

    def _curve_at(self, energy_kwh: float) -> float:
        """Return the most the battery takes at an energy (kW)."""
        return self.max_kw - self._slope * max(energy_kwh - self._taper_kwh, 0.0)

    def _flat_until(self, cap_kw: float) -> float:
        """Return the energy up to which the cap and not the battery decides."""
        if not self._slope:
            return self.capacity_kwh
        falls_at = self._taper_kwh + max(self.max_kw - cap_kw, 0.0) / self._slope
        return min(max(falls_at, 0.0), self.capacity_kwh)
