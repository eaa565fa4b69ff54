"""A meter: what it has measured, what its registers show, and what is done to it."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

from ..wallbox import Wallbox
from ..world import World
from .config import MeterConfig
from .faults import check_fault, meter_faults
from .limits import alone_register
from .physics import Counters, electrical, noise
from .registers import Register, Value

_KEPT_REQUESTS = 5000
_SHOWN_REQUESTS = 20
_TINY = 1e-9
NEW_METER_KWH = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterRequest:
    """A request of a client and how it ended."""

    time: float
    function: int
    address: int
    count: int
    # "answered", "exception 2", or "silent" with the reason.
    outcome: str


class SimulatedMeter:
    """Measures the supply of a wallbox; its methods act as people and faults do."""

    def __init__(
        self,
        config: MeterConfig,
        world: World,
        log: Callable[[str], None],
    ) -> None:
        """Install the meter; it counts from now on."""
        self.config = config
        self.map = config.map
        self.box: Wallbox = world.find(config.wallbox)
        if self.map.phases < self.box.config.facts.phases:
            raise ValueError(
                f"{config.profile} has one phase, and {self.box.name} has three"
            )
        self.serial = config.serial
        self.faults = meter_faults()
        self.requests: deque[MeterRequest] = deque(maxlen=_KEPT_REQUESTS)
        self.outcomes: Counter[str] = Counter()
        # Where it can be reached, known when its line is open.
        self.address = ""
        self._world = world
        self._log = log
        self._storm_at = 0
        self._tariff = 1
        self._born = world.now
        self._dark_until = -math.inf
        self._passed = list(self.box.point.passed_kwh)
        start = self.box.total_kwh if config.energy_kwh is None else config.energy_kwh
        self._counters = Counters()
        self._counters.imported[0] = self._counters.before_partial = start * 1000
        self._counters.exported[0] = config.export_kwh * 1000
        self._shown: dict[str, Value] = {}
        self._renewal = -1
        self._renew()

    @property
    def name(self) -> str:
        """Return the name by which people call it."""
        return self.config.title

    @property
    def import_kwh(self) -> float:
        """Return what it has counted to the wallbox, without rounding (kWh)."""
        self.update()
        return sum(self._counters.imported) / 1000

    @property
    def export_kwh(self) -> float:
        """Return what it has counted from the wallbox, without rounding (kWh)."""
        self.update()
        return sum(self._counters.exported) / 1000

    def is_dark(self) -> bool:
        """Return whether it is starting and answers nothing."""
        self._world.advance()
        return self._world.now < self._dark_until - _TINY

    # What people and accidents do to it.

    def replace(
        self, serial: str | None = None, energy_kwh: float = NEW_METER_KWH
    ) -> None:
        """Put another meter of the same model in its place."""
        serial = serial or str(int(self.serial) + 1)
        if not serial.isdigit():
            raise ValueError("the serial number of a meter has only digits")
        self.update()
        self.serial = serial
        self._start_at(energy_kwh)
        self._log(f"meter {self.name}: replaced by {serial} at {energy_kwh:g} kWh")

    def reset(self) -> None:
        """Set the counters of the same meter to zero."""
        self.update()
        self._start_at(0.0)
        self._log(f"meter {self.name}: reset")

    def set_energy(self, energy_kwh: float) -> None:
        """Set the counter (kWh), for instance close to where it begins anew."""
        if energy_kwh < 0:
            raise ValueError("the energy of a meter is not negative")
        self.update()
        self._start_at(energy_kwh)
        self._log(f"meter {self.name}: counter at {energy_kwh:g} kWh")

    def reboot(self, seconds: float | None = None) -> None:
        """Start anew: it measures on and answers nothing for a while."""
        seconds = self.map.ready_s if seconds is None else seconds
        self._world.advance()
        self._dark_until = self._world.now + seconds
        self._log(f"meter {self.name}: starts, ready in {seconds:g} s")

    def set_tariff(self, tariff: int) -> None:
        """Count on tariff 1 or 2."""
        if tariff not in (1, 2):
            raise ValueError("a meter has tariff 1 and tariff 2")
        self.update()
        self._tariff = tariff

    def fault(self, name: str, **options: Any) -> None:
        """Inject a fault; an unknown name or option raises an UnknownFaultError."""
        check_fault(name, options, rtu=self.config.rtu)
        self.update()
        merged = self.faults.add(name, options)
        self._storm_at = 0
        self._log(f"meter {self.name}: fault {name} {merged}")

    def clear(self, name: str | None = None) -> None:
        """End one fault or all of them."""
        self.update()
        self.faults.clear(name)
        self._log(f"meter {self.name}: cleared {name or 'everything'}")

    # What it measures.

    def update(self) -> None:
        """Count what has passed, and renew the registers where it is time."""
        self._world.advance()
        passed = self.box.point.passed_kwh
        phases = [
            (now - before) * 1000 * sign * self._too_much("energy")
            for now, before, sign in zip(
                passed, self._passed, self._signs(), strict=True
            )
        ]
        self._passed = list(passed)
        self._counters.add(phases, self._tariff)
        frozen = self.faults.peek("frozen") is not None
        if self._due() != self._renewal and not frozen:
            self._renew()

    def words(self, function: int, address: int, count: int) -> list[int]:
        """Return the registers of a read that the limits allow."""
        self.update()
        request = request_text(function, address, count)
        space = self.map.spaces[function]
        if alone_register(self.config, address, count):
            return self.map.alone[0].encode(self._shown)
        found = space.within(address, count)
        values = self._spoiled(request, {register.quantity for register in found})
        area = space.area(address, count)
        words = dict.fromkeys(
            range(address, address + count), area.filler if area else 0
        )
        marked = self._marked(request, found)
        for register in found:
            held = register.invalid() if register in marked else register.encode(values)
            if register.kind != "text":
                held = self.map.words(held)
            for place, word in enumerate(held, register.address):
                if place in words:
                    words[place] = word
        return list(words.values())

    def storm_is_silent(self, request: str) -> bool:
        """Return whether a storm swallows this request."""
        storm = self.faults.take("storm", request)
        if storm is None:
            return False
        place = self._storm_at % max(storm["silent"] + storm["answered"], 1)
        self._storm_at += 1
        return bool(place < storm["silent"])

    def note(self, function: int, address: int, count: int, outcome: str) -> None:
        """Keep a record of a request."""
        self.outcomes[outcome] += 1
        self.requests.append(
            MeterRequest(
                time=self._world.utc,
                function=function,
                address=address,
                count=count,
                outcome=outcome,
            )
        )

    def truth(self) -> dict[str, Any]:
        """Return what is really the case, as JSON for a person."""
        self.update()
        powers = [power * 1000 for power in self._powers_kw()]
        shown = self._shown
        return {
            "name": self.name,
            "profile": self.config.profile,
            "title": self.map.title,
            "wallbox": self.box.name,
            "link": self.config.link,
            "address": self.address,
            "unit": self.config.unit_id,
            "serial": self.serial,
            "power_w": round(sum(powers), 3),
            "phase_power_w": [round(power, 3) for power in powers],
            "import_kwh": round(self.import_kwh, 6),
            "export_kwh": round(self.export_kwh, 6),
            "shown": {
                name: round(float(shown[name]), 3)
                for name in ("power", "import", "export", "frequency", "voltage_1")
            },
            "dark": self.is_dark(),
            "faults": self.faults.active,
            "requests": dict(self.outcomes),
            "last_requests": [
                f"{request_text(one.function, one.address, one.count)}: {one.outcome}"
                for one in list(self.requests)[-_SHOWN_REQUESTS:]
            ],
        }

    def _start_at(self, energy_kwh: float) -> None:
        """Start the counters at a reading."""
        self._counters = Counters()
        self._counters.imported[0] = self._counters.before_partial = energy_kwh * 1000
        self._renew()

    def _due(self) -> int:
        """Return the number of the renewal that the registers should show."""
        refresh = self.config.effective_refresh_s
        if not refresh:
            return self._renewal + 1
        return math.floor((self._world.now - self._born) / refresh + _TINY)

    def _renew(self) -> None:
        """Let the registers show what is the case."""
        self._renewal = self._due()
        powers = [
            power * 1000 * sign * self._too_much("power")
            for power, sign in zip(self._powers_kw(), self._signs(), strict=True)
        ]
        if fault := self.faults.peek("noise"):
            label = f"{self.serial} {self._renewal}"
            jump = 1 + fault["percent"] / 100 * noise(label)
            powers = [power * jump for power in powers]
        wired = min(self.box.config.facts.phases, self.map.phases)
        self._shown = {
            "serial": self.serial,
            **electrical(
                self._world.now, powers, wired=wired, wobble=self.config.wobble
            ),
            **self._counters.values(self.map.resolution_wh, self.map.modulus_wh),
        }

    def _powers_kw(self) -> tuple[float, float, float]:
        """Return what flows through the phases (kW); nothing without the wallbox."""
        if self.box not in self._world.wallboxes:
            return (0.0, 0.0, 0.0)
        return self.box.point.phase_powers_kw(self._world.now)

    def _signs(self) -> tuple[float, ...]:
        """Return how each phase is counted."""
        fault = self.faults.peek("swapped")
        return tuple(
            -1.0 if fault and fault["phase"] in (0, phase) else 1.0
            for phase in (1, 2, 3)
        )

    def _too_much(self, what: str) -> float:
        """Return the factor by which power or energy is measured wrong."""
        fault = self.faults.peek("bias")
        if fault is None or fault["of"] not in (what, "both"):
            return 1.0
        return 1 + float(fault["percent"]) / 100

    def _spoiled(self, request: str, asked: set[str]) -> dict[str, Value]:
        """Return what an answer shows, with what is wrong for the moment."""
        values = dict(self._shown)
        energies = {name for name in asked if name.startswith(("import", "export"))}
        if energies and (fault := self.faults.take("glitch", request)):
            for name in energies:
                moved = float(values[name]) + fault["by_kwh"] * 1000
                to = fault["to_kwh"]
                values[name] = max(moved, 0.0) if to is None else to * 1000
        if "serial" in asked and self.faults.take("no_serial", request):
            values["serial"] = "0"
        if "frequency" in asked and self.faults.take("tenfold_frequency", request):
            values["frequency"] = 10 * float(values["frequency"])
        return values

    def _marked(
        self, request: str, asked: tuple[Register, ...]
    ) -> tuple[Register, ...]:
        """Return the registers that an answer marks as invalid."""
        fault = self.faults.peek("invalid")
        if fault is None:
            return ()
        wanted = fault["quantity"]
        marked = tuple(
            register
            for register in asked
            if register.quantity and wanted in ("", register.quantity)
        )
        return marked if marked and self.faults.take("invalid", request) else ()


def request_text(function: int, address: int, count: int) -> str:
    """Return a request as people and faults name it."""
    return f"{function} {address}+{count}"
