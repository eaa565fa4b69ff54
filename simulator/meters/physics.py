"""What flows through a meter, in V, A, W, Hz and Wh, before any register shows it."""

from dataclasses import dataclass, field
import math
import random

NOMINAL_V = 230.0
NOMINAL_HZ = 50.0
_POWER_FACTOR = 0.998
# A measurement wanders around its mean with these two periods (seconds), which have no
# common multiple that an observer would meet.
_PERIODS = (7.3, 31.7)
# Largest deviations; that of the power is given by the configuration.
_WOBBLE_V = 1.5
_WOBBLE_HZ = 0.02


@dataclass(kw_only=True)
class Counters:
    """What a meter has counted (Wh), without end and without rounding."""

    # By tariff.
    imported: list[float] = field(default_factory=lambda: [0.0, 0.0])
    exported: list[float] = field(default_factory=lambda: [0.0, 0.0])
    # Import of each phase.
    phases: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    # What the resettable counter leaves out.
    before_partial: float = 0.0

    def add(self, phases_wh: list[float], tariff: int) -> None:
        """Count what went through each phase; all phases are netted."""
        net = sum(phases_wh)
        side = self.imported if net >= 0 else self.exported
        side[tariff - 1] += abs(net)
        for phase, energy in enumerate(phases_wh):
            self.phases[phase] += max(energy, 0.0)

    def values(
        self, resolution_wh: float, modulus_wh: float | None
    ) -> dict[str, float]:
        """Return what the meter's own counters show (Wh)."""
        imported, exported = sum(self.imported), sum(self.exported)
        counted = {
            "import": imported,
            "export": exported,
            "throughput": imported + exported,
            "partial": max(imported - self.before_partial, 0.0),
        }
        for number in (1, 2):
            counted[f"import_t{number}"] = self.imported[number - 1]
            counted[f"export_t{number}"] = self.exported[number - 1]
        for number, energy in enumerate(self.phases, 1):
            counted[f"import_{number}"] = energy
        return {
            name: _shown(energy, resolution_wh, modulus_wh)
            for name, energy in counted.items()
        }


def _shown(energy: float, resolution_wh: float, modulus_wh: float | None) -> float:
    """Return a counter as a meter shows it: whole steps, and from zero again."""
    # A hair is added, because sums of small steps end a hair too low.
    steps = math.floor(energy / resolution_wh + 1e-6)
    shown = steps * resolution_wh
    return shown % modulus_wh if modulus_wh else shown


def wander(now: float, seed: int) -> float:
    """Return a number between -1 and 1 that changes smoothly and has the mean 0."""
    return math.fsum(
        0.5 * math.sin(2 * math.pi * (now / period + 0.37 * seed * (place + 1)))
        for place, period in enumerate(_PERIODS)
    )


def noise(label: str) -> float:
    """Return a number between -1 and 1, always the same for the same label."""
    return random.Random(label).uniform(-1.0, 1.0)  # noqa: S311  (no secret)


def electrical(
    now: float, powers_w: list[float], *, wired: int, wobble: float
) -> dict[str, float]:
    """Return what a meter measures of so many wired phases.

    `powers_w` are signed; each wanders by the share `wobble` around its mean.
    """
    values: dict[str, float] = {}
    measured: list[float] = []
    for phase, mean in enumerate(powers_w, 1):
        live = phase <= wired
        volts = NOMINAL_V + _WOBBLE_V * wander(now, phase) if live else 0.0
        power = mean * (1 + wobble * wander(now, phase + 3)) if live else 0.0
        factor = math.copysign(_POWER_FACTOR, power) if power else 1.0
        measured.append(power)
        values[f"voltage_{phase}"] = volts
        values[f"power_{phase}"] = power
        values[f"pf_{phase}"] = factor
        values[f"current_{phase}"] = abs(power) / volts / _POWER_FACTOR if volts else 0
    total = math.fsum(measured)
    return {
        **values,
        "power": total,
        "power_import": max(total, 0.0),
        "power_export": max(-total, 0.0),
        "pf": math.copysign(_POWER_FACTOR, total) if total else 1.0,
        "direction": 4.0 if total < 0 else 0.0,
        # A mean over a quarter of an hour is not the power; it only looks like it.
        "demand": 0.8 * total,
        "frequency": NOMINAL_HZ + _WOBBLE_HZ * wander(now, 9),
    }
