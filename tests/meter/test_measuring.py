"""From samples to a session: the rules one after the other, as a wallbox uses them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import math

import pytest

from custom_components.loxone_wallbox.meter.accuracy import Comparison
from custom_components.loxone_wallbox.meter.checks import Checks, Circuit
from custom_components.loxone_wallbox.meter.counter import (
    Answer,
    Counter,
    CounterRules,
    Reading,
)
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.integral import FineTotal, Gap, Integral
from custom_components.loxone_wallbox.meter.latch import SessionEnergy, Stage
from custom_components.loxone_wallbox.meter.model import Measured
from custom_components.loxone_wallbox.meter.profiles import PROFILES, energy_step_wh
from custom_components.loxone_wallbox.meter.sample import MeterSample

CIRCUIT = Circuit(phases=3, rated_a=16)
EVENING = datetime(2027, 1, 13, 22, 35, tzinfo=UTC)


@dataclass
class Wallbox:
    """A wallbox with a meter, read each second; `at` is seconds after the evening."""

    profile: str = "abb_b23"
    serial: str = "A1"
    wh: float = 5_000_004.0
    at: float = 0.0
    checks: Checks = field(default_factory=Checks)
    counter: Counter = field(default_factory=Counter)
    integral: Integral = field(default_factory=Integral)
    fine: FineTotal | None = None
    session: SessionEnergy | None = None
    compared: Comparison = field(default_factory=Comparison)
    told: list[FindingKind] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)

    def run(self, seconds: int, watts: float, *, read: bool = True) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.at += 1
            self.wh += watts / 3600
            if read:
                self.take(self.sample(watts))

    def sample(self, watts: float) -> MeterSample:
        """Return what the meter says."""
        step = PROFILES[self.profile].resolution_wh
        return MeterSample(
            monotonic=self.at,
            utc=EVENING + timedelta(seconds=self.at),
            power_w=watts,
            import_wh=math.floor(self.wh / step) * step,
            values={Measured.VOLTAGE_L1: 230.0},
            serial=self.serial,
        )

    def take(self, sample: MeterSample) -> None:
        """Take a sample through all the rules."""
        at = EVENING.timestamp() + sample.monotonic
        profile = PROFILES[self.profile]
        self.checks, verdict = self.checks.take(
            sample, CIRCUIT, at, self.counter.reading_wh
        )
        self.integral = self.integral.take(verdict.power_w, at)
        if self.integral.gap is not None:
            self.gaps.append(self.integral.gap)
        if verdict.import_wh is None:
            return
        step_wh = energy_step_wh(profile, verdict.import_wh)
        self.counter, finding = self.counter.take(
            Reading(wh=verdict.import_wh, at=at, step_wh=step_wh, serial=sample.serial),
            CounterRules.of(profile, CIRCUIT.reject_w),
        )
        if finding is not None:
            self.told.append(finding.kind)
        total_wh = self.counter.total_wh
        if total_wh is None:
            return
        fine = self.fine or FineTotal.begun(total_wh, self.integral.wh)
        self.fine = fine.take(total_wh, self.integral.wh, step_wh)
        self.compared = self.compared.take(total_wh, self.integral)
        self.totals.append(total_wh)
        if self.session is not None:
            self.session = self.session.take(self.fine.wh, verdict.power_w, at)
            self.shown.append(self.session.energy_wh or 0.0)

    def plug_in(self) -> None:
        """Begin a session."""
        assert self.fine is not None
        self.session = SessionEnergy.begun(self.fine.wh, self.at)
        self.compared = Comparison()
        self.shown.clear()

    def unplug(self) -> SessionEnergy:
        """End the session and wait until its energy is known."""
        assert self.session is not None
        self.session = self.session.ended()
        self.run(5, 0)
        assert self.session.stage is Stage.LATCHED
        assert self.shown == sorted(self.shown)
        assert self.totals == sorted(self.totals)
        return self.session


def test_silence_of_twenty_minutes() -> None:
    """Energy is complete, the power has one marked hole, accuracy is no matter."""
    box = Wallbox()
    box.run(30, 0)
    box.plug_in()
    box.run(453 - 30, 0)
    box.run(1047, 11_000)
    assert box.session is not None
    assert box.session.energy_wh == pytest.approx(3_200, abs=10)
    silent = EVENING.timestamp() + box.at
    box.run(1200, 11_000, read=False)
    box.run(3, 11_000)
    assert box.session.energy_wh == pytest.approx(6_870, abs=15)
    assert box.gaps == [Gap(start=silent, end=silent + 1201)]
    box.run(600, 11_000)
    assert box.unplug().energy_wh == pytest.approx(8_708, abs=10)
    assert box.integral.coverage == pytest.approx(1 - 1201 / 2850, abs=0.001)
    assert box.compared.error_pct == pytest.approx(0, abs=1)
    assert box.told == []


@pytest.mark.parametrize("answer", [None, *Answer])
@pytest.mark.parametrize("serial", ["B2", "A1"])
def test_a_new_meter(answer: Answer | None, serial: str) -> None:
    """The total never falls and the next session is right whatever is answered."""
    box = Wallbox()
    box.run(20, 0)
    box.run(900, 0, read=False)
    box.serial, box.wh = serial, 300.0
    box.run(10, 0)
    assert box.told == []
    box.run(1, 0)
    replaced = serial == "B2"
    kind = FindingKind.METER_REPLACED if replaced else FindingKind.METER_RESET
    assert box.told == [kind]
    box.plug_in()
    box.run(300, 11_000)
    if answer is not None:
        box.counter = box.counter.answer(answer)
    box.run(300, 11_000)
    assert box.unplug().energy_wh == pytest.approx(1_833, abs=12)
    box.plug_in()
    box.run(600, 7_400)
    assert box.unplug().energy_wh == pytest.approx(1_233, abs=12)
    assert box.told == [kind]


@pytest.mark.parametrize("step", ["abb_b23", "gavazzi_em340"])
def test_garbage_in_the_middle_of_a_session(step: str) -> None:
    """Answers that cannot be leave neither a trace in the energy nor a zero."""
    box = Wallbox(profile=step)
    box.run(20, 0)
    box.run(120, 11_000)
    box.plug_in()
    for _ in range(30):
        box.run(20, 11_000)
        for power, wh, volt in [
            (0.0, 0.0, 0.0),
            (11_000.0, 0.0, 230.0),
            (65_535.0, 9e9, 230.0),
            (math.nan, math.nan, math.nan),
        ]:
            box.at += 1
            box.wh += 11_000 / 3600
            box.take(
                MeterSample(
                    monotonic=box.at,
                    utc=EVENING,
                    power_w=power,
                    import_wh=wh,
                    values={Measured.VOLTAGE_L1: volt},
                )
            )
            box.run(1, 11_000)
    assert box.unplug().energy_wh == pytest.approx(30 * 28 * 11_000 / 3600, abs=12)
    assert box.gaps == []
    assert box.told == []
    assert box.checks.findings == ()
