"""What a meter's samples add up to: power to believe, energy that never falls.

Takes samples in the order they were read, gives the state after each and what is to be
told of it. Plain data outlives a restart, so that nothing is counted twice or lost;
what a restart cannot know is the integral, which begins anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from .checks import Checks, Circuit, Fault, Reason
from .counter import Answer, Counter, CounterRules
from .decode import energy_step_wh
from .errors import Missing
from .findings import Finding
from .integral import FineTotal, Integral
from .model import Measured, MeterProfile
from .quarantine import Reading
from .sample import MeterSample


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterFacts:
    """What does not change while a meter is read; `inverted` counts import as export.

    `kept_at` is when it was read last before that, see `CounterRules`.
    """

    profile: MeterProfile
    circuit: Circuit
    inverted: bool = False
    kept_at: float | None = None

    @property
    def rules(self) -> CounterRules:
        """Return what its counter can do."""
        return CounterRules.of(self.profile, self.circuit.reject_w, self.kept_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterAccount:
    """A meter's account after a sample; energies in Wh, power in W, None is unknown.

    `base_wh` is what the owner's energy total stood at beyond the counter's, `rejected`
    what of the last sample cannot be.
    """

    checks: Checks = field(default_factory=Checks)
    counter: Counter = field(default_factory=Counter)
    integral: Integral = field(default_factory=Integral)
    fine: FineTotal | None = None
    base_wh: float | None = None
    power_w: float | None = None
    findings: tuple[Finding, ...] = ()
    rejected: Fault | None = None

    @property
    def total_wh(self) -> float | None:
        """Return the energy total, None before the first reading."""
        if self.counter.total_wh is None:
            return None
        return self.counter.total_wh + (self.base_wh or 0.0)

    @property
    def fine_wh(self) -> float | None:
        """Return the total with what flowed since the counter's last step."""
        if self.fine is None:
            return self.total_wh
        return self.fine.wh + (self.base_wh or 0.0)

    @property
    def counted_wh(self) -> float | None:
        """Return the counter's total with what flowed since its last step.

        It knows nothing of the owner's energy total, so it never moves but by what is
        counted: what sessions are measured by.
        """
        return self.counter.total_wh if self.fine is None else self.fine.wh

    @property
    def read_at(self) -> float | None:
        """Return when the counter was last read and believed."""
        return None if self.counter.segment is None else self.counter.segment.at

    def take(
        self, sample: MeterSample, facts: MeterFacts, at: float
    ) -> tuple[Self, Finding | None]:
        """Take a sample; `at` is seconds on a clock that does not step.

        Returns the account after it and what happened to the counter, if anything did.
        """
        # A meter without a power may have a counter all the same.
        if sample.missing not in {None, Missing.NO_VALUE}:
            integral = self.integral.take(None, at)
            gap = replace(self, power_w=None, integral=integral, rejected=None)
            return gap, None
        sample = _turned(sample) if facts.inverted else sample
        checks, verdict = self.checks.take(
            sample, facts.circuit, at, self.counter.reading_wh
        )
        integral = self.integral.take(verdict.power_w, at, 2.5 * facts.profile.poll_s)
        account = replace(
            self,
            checks=checks,
            integral=integral,
            power_w=verdict.power_w,
            findings=verdict.findings,
            rejected=verdict.fault,
        )
        if verdict.import_wh is None:
            return account._refined(facts), None  # noqa: SLF001
        step = energy_step_wh(facts.profile, verdict.import_wh)
        reading = Reading(
            wh=verdict.import_wh, at=at, step_wh=step, serial=sample.serial
        )
        counter, finding = self.counter.take(reading, facts.rules)
        account = replace(account, counter=counter)
        if account.rejected is None and counter.doubts(reading, facts.rules):
            account = replace(account, rejected=_energy(reading.wh))
        return account._refined(facts), finding  # noqa: SLF001

    def _refined(self, facts: MeterFacts) -> Self:
        """Return it with the total to the watt-hour."""
        total = self.counter.total_wh
        if total is None:
            return self
        fine = self.fine or FineTotal.begun(total, self.integral.wh)
        step = energy_step_wh(facts.profile, self.counter.reading_wh or total)
        return replace(self, fine=fine.take(total, self.integral.wh, step))

    def based(self, total_wh: float | None) -> Self:
        """Let the owner's energy total go on where it stood when the meter came.

        Without one it is the meter's own.
        """
        counted = self.counter.total_wh
        if self.base_wh is not None or counted is None:
            return self
        return replace(self, base_wh=0.0 if total_wh is None else total_wh - counted)

    def answer(self, answer: Answer) -> Self:
        """Take the owner's word for what a break of the counter was."""
        return replace(self, counter=self.counter.answer(answer))

    def reconsidered(self, at: float, facts: MeterFacts) -> Self:
        """Judge a jump anew, when the clock turns out to have been behind until now."""
        return replace(self, counter=self.counter.reconsidered(at, facts.rules))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "checks": self.checks.as_dict(),
            "counter": self.counter.as_dict(),
            "base_wh": self.base_wh,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data; what makes no sense begins anew."""
        checks, counter = data.get("checks"), data.get("counter")
        base = data.get("base_wh")
        return cls(
            checks=(checks and Checks.from_dict(checks)) or Checks(),
            counter=(counter and Counter.from_dict(counter)) or Counter(),
            base_wh=float(base) if isinstance(base, int | float) else None,
        )


def _energy(reading_wh: float) -> Fault:
    """Return that an energy cannot be."""
    return Fault(reason=Reason.ENERGY, measured=Measured.IMPORT, value=reading_wh)


def _turned(sample: MeterSample) -> MeterSample:
    """Return the sample of a meter that is wired the other way round."""
    values = {
        name: -value if name in _SIGNED else value
        for name, value in sample.values.items()
    }
    values.pop(Measured.IMPORT, None)
    values.pop(Measured.EXPORT, None)
    return replace(
        sample,
        power_w=None if sample.power_w is None else -sample.power_w,
        before_w=None if sample.before_w is None else -sample.before_w,
        import_wh=sample.export_wh,
        export_wh=sample.import_wh,
        values=values,
    )


_SIGNED = frozenset(
    {
        Measured.POWER,
        Measured.POWER_L1,
        Measured.POWER_L2,
        Measured.POWER_L3,
        Measured.CURRENT_L1,
        Measured.CURRENT_L2,
        Measured.CURRENT_L3,
        Measured.POWER_FACTOR,
    }
)
