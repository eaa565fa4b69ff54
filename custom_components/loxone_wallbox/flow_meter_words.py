"""What was found of a meter, judged and put into what the texts of the flow mention."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .flow_connection import FlowError
from .meter.fit import Fit
from .meter.model import Measured, MeterProfile
from .meter.refresh import RefreshResult
from .meter_settings import MeterSettings, Transport

UNKNOWN = "-"
VOLTS = (Measured.VOLTAGE_L1, Measured.VOLTAGE_L2, Measured.VOLTAGE_L3)
AMPERES = (Measured.CURRENT_L1, Measured.CURRENT_L2, Measured.CURRENT_L3)
# Power against the direction of charging; less is noise.
BACKWARDS_W = -50.0
# Under less load power and current say little of each other.
LOADED_VA = 1000.0
# Between these a car's power lies, as a part of voltage times current.
LEAST_FACTOR, MOST_FACTOR = 0.5, 1.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A meter that answered: its settings, how to read it, what it shows.

    Power in W and energy in Wh are those to the car, also where the wiring is inverted.
    """

    settings: MeterSettings
    fit: Fit
    values: Mapping[Measured, float]
    power_w: float
    energy_wh: float

    @property
    def complaint(self) -> FlowError | None:
        """Return what does not fit together."""
        power = self.power_w
        if power < BACKWARDS_W:
            return FlowError("meter_backwards")
        apparent = self._apparent_va
        if apparent < LOADED_VA or LEAST_FACTOR < power / apparent < MOST_FACTOR:
            return None
        shown = {"power": f"{power:.0f}", "expected": f"{apparent:.0f}"}
        return FlowError("meter_power_off", "base", shown)

    @property
    def _apparent_va(self) -> float:
        """Return voltage times current over the phases that are read."""
        return sum(
            self.values.get(volt, 0.0) * abs(self.values.get(ampere, 0.0))
            for volt, ampere in zip(VOLTS, AMPERES, strict=True)
        )


def in_words(found: Found) -> dict[str, str]:
    """Return what a meter shows, in numbers with their units."""
    return {
        "power": _number(found.power_w, "W", 0),
        "energy": _number(found.energy_wh / 1000, "kWh", 2),
        "voltages": _numbers(found.values, VOLTS, "V"),
        "currents": _numbers(found.values, AMPERES, "A"),
        "serial": found.settings.serial or UNKNOWN,
        "place": describe(found.settings),
        "unit": str(found.settings.unit_id),
    }


def result_in_words(result: RefreshResult, profile: MeterProfile) -> dict[str, str]:
    """Return what a test has shown; where it proved nothing, what the maker says."""
    refresh_s = profile.refresh_s if result.not_proven else result.refresh_s
    return {
        "refresh": _number(refresh_s, "s", 1),
        "changes": str(result.changes),
        "watched": _number(result.seconds, "s", 0),
    }


def name_of(profile: MeterProfile) -> str:
    """Return maker and model of a meter."""
    return f"{profile.maker} {profile.model}"


def describe(settings: MeterSettings) -> str:
    """Return where a meter is, in signs that need no translation."""
    if settings.transport is not Transport.SERIAL:
        return f"{settings.host}:{settings.port}"
    line = f"{settings.baudrate} 8{settings.parity}{settings.stopbits}"
    return f"{settings.device} ({line})"


def _numbers(
    values: Mapping[Measured, float], names: Iterable[Measured], unit: str
) -> str:
    """Return the numbers of the phases that are read."""
    found = [f"{values[name]:.1f}" for name in names if name in values]
    return f"{' / '.join(found)} {unit}" if found else UNKNOWN


def _number(value: float | None, unit: str, digits: int) -> str:
    """Return a number with its unit."""
    return UNKNOWN if value is None else f"{value:.{digits}f} {unit}"
