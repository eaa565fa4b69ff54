"""What to believe of a meter's sample.

Takes samples in the order they were read, gives what may be used of each (the rest is
unknown, never zero) and what has been wrong for some time. Whether an energy can follow
the one before is judged by `counter`.

A sample with a value that cannot be is unknown as a whole: then the answer was garbage.
A power beyond what the wallbox can draw, or against its direction, is unknown alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from .findings import Data, Finding, FindingKind
from .model import Measured
from .plain import UNREADABLE, finite, sane
from .sample import MeterSample

VOLTS = (Measured.VOLTAGE_L1, Measured.VOLTAGE_L2, Measured.VOLTAGE_L3)
AMPERES = (Measured.CURRENT_L1, Measured.CURRENT_L2, Measured.CURRENT_L3)
WATTS = (Measured.POWER_L1, Measured.POWER_L2, Measured.POWER_L3)

LOW_V, HIGH_V = 180.0, 270.0
LOW_HZ, HIGH_HZ = 47.0, 53.0
# One, and the noise of a float.
MOST_FACTOR = 1.001
# More than a quarter above its rated current no wallbox draws for long.
CURRENT_MARGIN = 1.25
# Together with that it makes 10 kW of a phase of 32 A, 15 kW of three of 16 A.
REJECT_V = 250.0
# A phase that carries less may be open and show any voltage.
USED_A = 0.5
# The highest voltage a grid should have (EN 50160), and a tenth above the current.
WARN_V = 253.0
WARN_MARGIN = 1.1
# Less than this against the direction of charging is noise; as much proves it right.
NOISE_W = 50.0
# The sum of the phases may be off by so much, or by this part of the power.
PHASES_W = 30.0
PHASES_PART = 0.03
# So may the power from voltage times current, where nearly all of that is power.
APPARENT_VA = 50.0
APPARENT_PART = 0.15
LOADED_FACTOR = 0.9
# Only under load does an agreement prove something.
LOAD_W = 1000.0
# Meters do not measure everything at the same instant: a start of charging may look
# wrong for some seconds.
LASTING_S = 10.0
SIGHTINGS = 3
# What is not seen again for so long was something else.
FORGET_S = 30.0

# What a sample says of a kind of finding: its data where it is there, None where it
# proves the contrary. What a sample says nothing of is left out.
type Signs = Mapping[FindingKind, Data | None]
type Values = Mapping[Measured, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """What the wallbox hangs on: phases, rated current, whether cars may feed back."""

    phases: int
    rated_a: float
    feeds_back: bool = False

    @property
    def most_a(self) -> float:
        """Return the current that cannot be exceeded."""
        return self.rated_a * CURRENT_MARGIN

    @property
    def reject_w(self) -> float:
        """Return the power that cannot be exceeded."""
        return self.phases * self.most_a * REJECT_V

    @property
    def warn_w(self) -> float:
        """Return the power that should not be exceeded."""
        return self.phases * self.rated_a * WARN_MARGIN * WARN_V


class Reason(StrEnum):
    """Why something of a sample is not believed."""

    NOT_A_NUMBER = "not_a_number"
    ALL_ZERO = "all_zero"
    VOLTAGE = "voltage"
    FREQUENCY = "frequency"
    CURRENT = "current"
    POWER_FACTOR = "power_factor"
    POWER = "power"
    BACKWARDS = "backwards"
    # An energy that no power makes of the one before, see `counter`.
    ENERGY = "energy"


# These leave the energy as it is.
POWER_ONLY = frozenset({Reason.POWER, Reason.BACKWARDS})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A value that cannot be; `value` is None where it is no number."""

    reason: Reason
    measured: Measured
    value: float | None

    @property
    def data(self) -> Data:
        """Return what a text on it mentions."""
        value = "" if self.value is None else self.value
        return {"reason": self.reason, "measured": self.measured, "value": value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What may be used of a sample, None is unknown, and what has been wrong lately."""

    power_w: float | None
    import_wh: float | None
    export_wh: float | None
    fault: Fault | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lasting:
    """Something wrong since an instant, last seen at another; `found` once it lasts."""

    kind: FindingKind
    data: Data
    since: float
    seen: float
    sightings: int = 1
    found: bool = False

    def again(self, data: Data, at: float) -> Self:
        """Return it after one more sighting."""
        times = self.sightings + 1
        lasts = times >= SIGHTINGS and at - self.since >= LASTING_S
        return replace(
            self,
            data=data,
            since=min(self.since, at),
            seen=at,
            sightings=times,
            found=self.found or lasts,
        )

    def outlives(self, at: float) -> bool:
        """Tell whether it is still believed when nothing speaks of it."""
        return self.found or at - self.seen < FORGET_S

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises one of `plain.UNREADABLE` where it makes no sense."""
        return cls(
            kind=FindingKind(data["kind"]),
            data={
                str(name): value if isinstance(value, str) else finite(value)
                for name, value in data["data"].items()
            },
            since=finite(data["since"]),
            seen=finite(data["seen"]),
            sightings=int(data["sightings"]),
            found=bool(data["found"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Checks:
    """What must outlive a restart: what is wrong, and since when."""

    lasting: tuple[Lasting, ...] = ()

    def take(
        self,
        sample: MeterSample,
        circuit: Circuit,
        at: float,
        counted_wh: float | None,
    ) -> tuple[Self, Verdict]:
        """Judge a sample.

        `at` is in seconds as in `quarantine`, `counted_wh` the last reading of the
        import counter that was believed.
        """
        values = _values(sample)
        fault = next(_faults(values, circuit, counted_wh), None)
        garbage = fault is not None and fault.reason not in POWER_ONLY
        signs = self._rejection(values, fault)
        if fault is None or fault.reason is Reason.BACKWARDS:
            comparisons = _comparisons(sample, values, circuit)
            signs = {**signs, **_signs(values, circuit), **comparisons}
        checks = replace(self, lasting=tuple(self._after(signs, at)))
        return checks, Verdict(
            power_w=sample.power_w if fault is None else None,
            import_wh=None if garbage else sample.import_wh,
            export_wh=None if garbage else sample.export_wh,
            fault=fault,
            findings=checks.findings,
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what has been wrong for some time."""
        found = (one for one in self.lasting if one.found)
        return tuple(Finding(kind=one.kind, data=one.data) for one in found)

    def _rejection(self, values: Values, fault: Fault | None) -> Signs:
        """Return what a sample says of samples being rejected.

        Only a value of the kind that was wrong can prove that it is right again.
        """
        kind = FindingKind.SAMPLES_REJECTED
        if fault is not None:
            # Inverted wiring has a finding of its own.
            return {} if fault.reason is Reason.BACKWARDS else {kind: fault.data}
        ours = [one for one in self.lasting if one.kind is kind]
        wrong = {one.data.get("measured") for one in ours}
        return {kind: None} if wrong & set(values) else {}

    def _after(self, signs: Signs, at: float) -> Iterator[Lasting]:
        """Yield what is wrong from now on or still."""
        before = {one.kind: one for one in self.lasting}
        for kind in sorted({*before, *signs}):
            old = before.get(kind)
            data = signs.get(kind)
            if old is not None and not old.outlives(at):
                old = None
            if data is not None and old is not None:
                yield old.again(data, at)
            elif data is not None:
                yield Lasting(kind=kind, data=data, since=at, seen=at)
            elif old is not None and kind not in signs:
                yield old

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"lasting": [asdict(one) for one in self.lasting]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            return cls(lasting=tuple(map(Lasting.from_dict, data["lasting"])))
        except UNREADABLE:
            return None


def _values(sample: MeterSample) -> Values:
    """Return all that a sample holds."""
    main = {
        Measured.POWER: sample.power_w,
        Measured.IMPORT: sample.import_wh,
        Measured.EXPORT: sample.export_wh,
    }
    given = {name: value for name, value in main.items() if value is not None}
    return {**sample.values, **given}


def _faults(
    values: Values, circuit: Circuit, counted_wh: float | None
) -> Iterator[Fault]:
    """Yield what cannot be, the surest evidence first."""
    for name, value in values.items():
        if not sane(value):
            yield Fault(reason=Reason.NOT_A_NUMBER, measured=name, value=None)
            # Nothing can be said of the others.
            return
    if counted_wh and values.get(Measured.IMPORT) == 0 and not any(values.values()):
        yield Fault(reason=Reason.ALL_ZERO, measured=Measured.IMPORT, value=0.0)
    for reason, name in _out_of_range(values, circuit):
        yield Fault(reason=reason, measured=name, value=values[name])
    for name in (Measured.POWER, *WATTS):
        if abs(values.get(name, 0.0)) > circuit.reject_w:
            yield Fault(reason=Reason.POWER, measured=name, value=values[name])
    power = values.get(Measured.POWER, 0.0)
    if power < -NOISE_W and not circuit.feeds_back:
        yield Fault(reason=Reason.BACKWARDS, measured=Measured.POWER, value=power)


def _out_of_range(
    values: Values, circuit: Circuit
) -> Iterator[tuple[Reason, Measured]]:
    """Yield what no grid and no wallbox has."""
    for phase, (volt, ampere) in enumerate(zip(VOLTS, AMPERES, strict=True)):
        current = abs(values.get(ampere, 0.0))
        # The first phase feeds the meter, so it is there; an open one shows anything.
        used = phase == 0 or (phase < circuit.phases and current > USED_A)
        low = LOW_V if used else 0.0
        if volt in values and not low <= values[volt] <= HIGH_V:
            yield Reason.VOLTAGE, volt
        if current > circuit.most_a:
            yield Reason.CURRENT, ampere
    hertz = Measured.FREQUENCY
    if hertz in values and not LOW_HZ <= values[hertz] <= HIGH_HZ:
        yield Reason.FREQUENCY, hertz
    if abs(values.get(Measured.POWER_FACTOR, 0.0)) > MOST_FACTOR:
        yield Reason.POWER_FACTOR, Measured.POWER_FACTOR


def _signs(values: Values, circuit: Circuit) -> Signs:
    """Return what a sample of possible values says of each kind of finding."""
    power = values.get(Measured.POWER)
    if power is None:
        return {}
    signs: dict[FindingKind, Data | None] = {}
    if power < -NOISE_W and not circuit.feeds_back:
        signs[FindingKind.WIRING_INVERTED] = {"power_w": power}
    elif power > NOISE_W:
        signs[FindingKind.WIRING_INVERTED] = None
    if power > circuit.warn_w:
        data = {"power_w": power, "limit_w": round(circuit.warn_w)}
        signs[FindingKind.POWER_HIGH] = data
    elif power > LOAD_W:
        signs[FindingKind.POWER_HIGH] = None
    return signs


def _comparisons(sample: MeterSample, values: Values, circuit: Circuit) -> Signs:
    """Return whether a sample's power is that of its phases, and volts times amperes.

    Where those were read after the sample before, the power has moved since: they must
    lie between that of then and that of now, and agree with both to prove anything.
    """
    signs: dict[FindingKind, Data | None] = {}
    power = values.get(Measured.POWER)
    if power is None:
        return signs
    phases, apparent = _sum_of_phases(values), _apparent(values, circuit)
    if phases is not None and (powers := _powers(sample, power, WATTS)):
        wrong = [
            abs(one - phases) > max(PHASES_W, PHASES_PART * abs(one)) for one in powers
        ]
        off = all(wrong) and not min(powers) < phases < max(powers)
        if off or not any(wrong):
            signs |= _sign(FindingKind.PHASES_DISAGREE, power, phases, off=off)
    others = (*VOLTS, *AMPERES, Measured.POWER_FACTOR)
    if apparent is not None and (powers := _powers(sample, power, others)):
        most = APPARENT_PART * apparent + APPARENT_VA
        loaded = abs(values.get(Measured.POWER_FACTOR, 0.0)) > LOADED_FACTOR
        high = [abs(one) - apparent > most for one in powers]
        # Less power than that is no contradiction unless the factor says so.
        low = [loaded and apparent - abs(one) > most for one in powers]
        off = all(high) or all(low)
        if off or not any(high + low):
            kind = FindingKind.APPARENT_POWER_DISAGREES
            signs |= _sign(kind, power, apparent, off=off)
    return signs


def _sign(kind: FindingKind, power: float, expected: float, *, off: bool) -> Signs:
    """Return what a comparison says; an agreement without load says nothing."""
    if off:
        return {kind: {"power_w": power, "expected": round(expected)}}
    return {kind: None} if abs(power) > LOAD_W else {}


def _powers(
    sample: MeterSample, power: float, names: Iterable[Measured]
) -> tuple[float, ...]:
    """Return the powers in W that were read before and after some values.

    That of their own second alone if they came with it, none where one is not known.
    """
    if sample.earlier.isdisjoint(names):
        return (power,)
    return () if sample.before_w is None else (sample.before_w, power)


def _sum_of_phases(values: Values) -> float | None:
    """Return the sum of the phases' powers in W, None unless all were read."""
    powers = [values[name] for name in WATTS if name in values]
    return sum(powers) if len(powers) == len(WATTS) else None


def _apparent(values: Values, circuit: Circuit) -> float | None:
    """Return voltage times current in VA, None unless read on all phases."""
    pairs = zip(VOLTS, AMPERES, strict=True)
    products = [
        values[volt] * abs(values[ampere])
        for volt, ampere in pairs
        if volt in values and ampere in values
    ]
    return sum(products) if len(products) >= circuit.phases else None
