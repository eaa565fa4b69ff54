"""The charge point itself: self-test, phases, link, errors and the energy it passes.

Source: Loxone's pages of the four wallboxes and IEC 61851-1.
"""

import math

from .car import Car
from .config import KW_MIN_SINGLE_PHASE, KW_MIN_THREE_PHASE, WallboxConfig

_NEVER = math.inf
_TINY = 1e-9
ERROR_CODES = {
    101: "fault current",
    102: "time-out of the residual-current device's start",
    103: "time-out of the residual-current device's test",
    201: "unexpected state",
    202: "residual-current device not ready",
    203: "digital communication",
    204: "ventilation required",
    300: "voltage dip",
}


class ChargePoint:
    """What happens in the box; instants are on the monotonic clock."""

    def __init__(self, config: WallboxConfig) -> None:
        """Start without a car."""
        self.config = config
        self.car: Car | None = None
        self.error_code = 0
        self.online = True
        self.phases = config.facts.phases
        self.ready_at = 0.0
        self.switching_until = 0.0
        # What went through each phase since the start (kWh), for meters in the supply.
        self.passed_kwh = [0.0, 0.0, 0.0]
        self._idle_since = 0.0
        self._target_kw = 0.0

    @property
    def temperature(self) -> float:
        """Return the temperature inside (degrees Celsius)."""
        return round(24.0 + 1.2 * self._target_kw * (self.car is not None), 1)

    def plug(self, car: Car, now: float) -> None:
        """Connect a car; its self-test keeps the contactor open for a while."""
        self.car = car
        car.asleep = False
        self.ready_at = now + self.config.self_test_s
        self._idle_since = now

    def unplug(self) -> Car | None:
        """Disconnect the car and return it."""
        car, self.car = self.car, None
        self.switching_until = 0.0
        return car

    def set_online(self, on: bool) -> None:
        """Cut or restore the Tree or Air link."""
        self.online = on
        if on:
            return
        match self.config.on_link_loss:
            case "continue":
                pass
            case "stop":
                self._target_kw = 0.0
            case power:
                self._target_kw = min(float(power), self.config.maximum_kw)

    def request(self, target_kw: float, now: float) -> None:
        """Take the power that the block wants (kW), if it can be heard."""
        if not self.online:
            return
        if target_kw > 0:
            self._choose_phases(target_kw, now)
        self._target_kw = target_kw

    def wake(self) -> None:
        """Let a sleeping car notice that charging is allowed again."""
        if self.car and self.car.wakes_on_allow:
            self.car.asleep = False

    def offered_kw(self, now: float) -> float:
        """Return the power that the pilot offers the car (kW)."""
        if self.car is None or self.error_code:
            return 0.0
        if now < self.ready_at - _TINY or now < self.switching_until - _TINY:
            return 0.0
        if self.phases < self.config.facts.phases:
            # On one phase the current and not the requested power is the limit.
            most = self.config.maximum_kw / self.config.facts.phases
            return min(self._target_kw, most)
        return self._target_kw

    def power_kw(self, now: float) -> float:
        """Return the power that flows (kW)."""
        if self.car is None:
            return 0.0
        return self.car.power_kw(self.offered_kw(now), self.phases)

    def phase_powers_kw(self, now: float) -> tuple[float, float, float]:
        """Return the power that flows through each phase (kW)."""
        used = self._used_phases
        each = self.power_kw(now) / used
        return (each, each * (used > 1), each * (used > 2))  # noqa: PLR2004

    def switching(self, now: float) -> bool:
        """Return whether charging pauses for a change of phases."""
        return self.car is not None and now < self.switching_until - _TINY

    def settle(self, now: float) -> None:
        """Note a pause, and let the car fall asleep when it was long enough."""
        if self.car is None:
            return
        if self.power_kw(now) > 0:
            self._idle_since = _NEVER
        elif self._idle_since == _NEVER:
            self._idle_since = now
        sleeps = self.car.sleeps_after_s
        if sleeps is not None and now >= self._idle_since + sleeps - _TINY:
            self.car.asleep = True

    def horizon(self, now: float) -> float:
        """Return the next instant at which something changes by itself."""
        if self.car is None:
            return _NEVER
        instants = [self.ready_at, self.switching_until]
        if self.car.sleeps_after_s is not None and not self.car.asleep:
            instants.append(self._idle_since + self.car.sleeps_after_s)
        cap = self.car.willing_kw(self.offered_kw(now), self.phases)
        if cap > 0:
            instants.append(now + max(self.car.full_in_s(cap), 1e-6))
        return min((instant for instant in instants if instant > now), default=_NEVER)

    def integrate(self, now: float, seconds: float) -> float:
        """Let the car charge for a while and return the energy (kWh)."""
        if self.car is None:
            return 0.0
        cap = self.car.willing_kw(self.offered_kw(now), self.phases)
        energy = self.car.charge(cap, seconds)
        for phase in range(self._used_phases):
            self.passed_kwh[phase] += energy / self._used_phases
        return energy

    @property
    def _used_phases(self) -> int:
        """Return on how many phases the car charges."""
        own = self.car.phases if self.car else None
        return min(own or self.phases, self.phases)

    def _choose_phases(self, target_kw: float, now: float) -> None:
        """Change between one and three phases where the installer allows it."""
        facts = self.config.facts
        if facts.phases == 1 or self.config.minimum_kw >= KW_MIN_THREE_PHASE - _TINY:
            return
        if target_kw < KW_MIN_SINGLE_PHASE - _TINY:
            return
        wanted = 3 if target_kw >= KW_MIN_THREE_PHASE - _TINY else 1
        if wanted != self.phases:
            if self.power_kw(now) > 0:
                self.switching_until = now + self.config.phase_switch_s
            self.phases = wanted
