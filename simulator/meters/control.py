"""What the control port can do to meters; control_api.py says how."""

from collections.abc import Awaitable, Callable
from typing import Any

from ..control_input import known, number, which
from .faults import METER_FAULTS
from .installation import Meters
from .meter import NEW_METER_KWH, SimulatedMeter

type Action = Callable[[dict[str, Any]], Awaitable[None]]


class MeterControl:
    """One action per path."""

    def __init__(self, meters: Meters) -> None:
        """Take the meters."""
        self._meters = meters
        self.actions: dict[str, Action] = {
            "meter/fault": self._fault,
            "meter/clear": self._clear,
            "meter/replace": self._replace,
            "meter/reset": self._reset,
            "meter/energy": self._energy,
            "meter/reboot": self._reboot,
            "meter/tariff": self._tariff,
        }

    def state(self) -> list[dict[str, Any]]:
        """Return the truth of every meter."""
        return self._meters.snapshot()

    def faults(self) -> dict[str, Any]:
        """Return every fault with its options."""
        return {
            name: {"summary": kind.summary, "options": dict(kind.options)}
            for name, kind in METER_FAULTS.items()
        }

    async def _fault(self, data: dict[str, Any]) -> None:
        """Inject a fault."""
        options = dict(data)
        options.pop("meter", None)
        self._meter(data, *options).fault(options.pop("name"), **options)

    async def _clear(self, data: dict[str, Any]) -> None:
        """End one fault or all."""
        self._meter(data, "name").clear(data.get("name"))

    async def _replace(self, data: dict[str, Any]) -> None:
        """Put another meter in its place."""
        meter = self._meter(data, "serial", "energy_kwh")
        serial = str(data["serial"]) if "serial" in data else None
        meter.replace(serial, number(data, "energy_kwh", NEW_METER_KWH))

    async def _reset(self, data: dict[str, Any]) -> None:
        """Set its counters to zero."""
        self._meter(data).reset()

    async def _energy(self, data: dict[str, Any]) -> None:
        """Set its counter."""
        self._meter(data, "energy_kwh").set_energy(number(data, "energy_kwh"))

    async def _reboot(self, data: dict[str, Any]) -> None:
        """Let it start anew."""
        meter = self._meter(data, "seconds")
        meter.reboot(number(data, "seconds") if "seconds" in data else None)

    async def _tariff(self, data: dict[str, Any]) -> None:
        """Let it count on another tariff."""
        self._meter(data, "tariff").set_tariff(int(number(data, "tariff")))

    def _meter(self, data: dict[str, Any], *others: str) -> SimulatedMeter:
        """Return the meter that is meant; the first one if none is named."""
        known(data, {"meter", *others})
        return self._meters.find(which(data, "meter"))
