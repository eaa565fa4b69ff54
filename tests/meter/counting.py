"""Counters of meters that are not always read rightly."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
import json
import math

from custom_components.loxone_wallbox.meter.counter import (
    Counter,
    CounterRules,
    Reading,
)
from custom_components.loxone_wallbox.meter.findings import Finding, FindingKind

STEP_WH = 10.0
MOST_W = 12_000.0
RULES = CounterRules(reject_w=15_000.0, rollover_wh=10**9)
START = 1_800_000_000.0


@dataclass
class Log:
    """A counter with what it has told, and its total after each reading."""

    counter: Counter = field(default_factory=Counter)
    rules: CounterRules = RULES
    findings: list[Finding] = field(default_factory=list)
    totals: list[float | None] = field(default_factory=list)

    def take(self, wh: float, at: float, serial: str | None = "A1") -> None:
        """Take a reading at an instant after the start."""
        reading = Reading(wh=wh, at=START + at, step_wh=STEP_WH, serial=serial)
        self.counter, finding = self.counter.take(reading, self.rules)
        self.totals.append(self.counter.total_wh)
        if finding is not None:
            self.findings.append(finding)

    def takes(self, *readings: tuple[float, float], serial: str | None = "A1") -> None:
        """Take readings and their instants."""
        for wh, at in readings:
            self.take(wh, at, serial)

    @property
    def kinds(self) -> list[FindingKind]:
        """Return the kinds of what was told."""
        return [finding.kind for finding in self.findings]


def begun(wh: float = 5_000_000.0, rules: CounterRules = RULES) -> Log:
    """Return a counter that has been read twice, the second time at 0."""
    log = Log(rules=rules)
    log.takes((wh, -1), (wh, 0))
    return log


def each_second(
    wh: float, start: float, seconds: int, watts: float = 0.0
) -> Iterable[tuple[float, float]]:
    """Yield the readings of a counter that begins at a reading."""
    for second in range(seconds):
        flowed = watts * second / 3600
        yield wh + math.floor(flowed / STEP_WH) * STEP_WH, start + second


def stored(counter: Counter) -> Counter:
    """Return a counter after a restart."""
    text = json.dumps(counter.as_dict(), allow_nan=False)
    back = Counter.from_dict(json.loads(text))
    assert back == counter
    return back


@dataclass
class TrueMeter:
    """A meter whose energy is known; `wh` is its register without end and steps."""

    serial: str
    wh: float
    modulus_wh: float | None = None

    @property
    def register_wh(self) -> float:
        """Return what it shows."""
        shown = math.floor(self.wh / STEP_WH) * STEP_WH
        return shown if self.modulus_wh is None else shown % self.modulus_wh

    def reading(self, at: float) -> Reading:
        """Return its reading."""
        return Reading(wh=self.register_wh, at=at, step_wh=STEP_WH, serial=self.serial)


def unread(reading: Reading) -> Reading:
    """Return a reading whose serial number could not be read."""
    return replace(reading, serial="0")
