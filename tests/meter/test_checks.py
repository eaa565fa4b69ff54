"""What of a sample is believed, and what is told of it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.loxone_wallbox.meter.checks import (
    Checks,
    Circuit,
    Reason,
    Verdict,
)
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.model import Measured
from custom_components.loxone_wallbox.meter.sample import MeterSample

M = Measured
UTC_START = datetime(2027, 1, 13, 22, tzinfo=UTC)
THREE = Circuit(phases=3, rated_a=16)
ONE = Circuit(phases=1, rated_a=32)
COUNTED = 5_000_000.0
RESTING = {M.VOLTAGE_L1: 231.0, M.VOLTAGE_L2: 229.0, M.VOLTAGE_L3: 230.0}
LOADED = {
    **RESTING,
    M.CURRENT_L1: 16.0,
    M.CURRENT_L2: 16.0,
    M.CURRENT_L3: 16.0,
    M.POWER_L1: 3650.0,
    M.POWER_L2: 3650.0,
    M.POWER_L3: 3650.0,
    M.FREQUENCY: 50.01,
    M.POWER_FACTOR: 0.99,
}


def sample(
    power_w: float | None = 10_950.0,
    values: Mapping[M, float] | None = None,
    import_wh: float | None = COUNTED,
    export_wh: float | None = 70.0,
) -> MeterSample:
    """Return a sample as the reader gives it."""
    return MeterSample(
        monotonic=0,
        utc=UTC_START,
        power_w=power_w,
        import_wh=import_wh,
        export_wh=export_wh,
        values=LOADED if values is None else values,
    )


def judged(
    one: MeterSample, circuit: Circuit = THREE, counted_wh: float | None = COUNTED
) -> Verdict:
    """Return what is thought of a single sample."""
    return Checks().take(one, circuit, 0, counted_wh)[1]


def kinds(
    *samples: MeterSample, circuit: Circuit = THREE, every_s: float = 1.0
) -> list[list[FindingKind]]:
    """Return what is told after each sample."""
    checks, told = Checks(), []
    for index, one in enumerate(samples):
        checks, verdict = checks.take(one, circuit, index * every_s, COUNTED)
        told.append([finding.kind for finding in verdict.findings])
    return told


def test_a_sample_like_any_other() -> None:
    """What is plausible is passed on as it is."""
    verdict = judged(sample())
    assert verdict == Verdict(
        power_w=10_950, import_wh=COUNTED, export_wh=70, fault=None, findings=()
    )


@pytest.mark.parametrize(
    ("circuit", "reject", "warn"), [(ONE, 10_000, 8_906), (THREE, 15_000, 13_358)]
)
def test_limits(circuit: Circuit, reject: float, warn: float) -> None:
    """The limits follow from phases and current."""
    assert circuit.reject_w == pytest.approx(reject)
    assert circuit.warn_w == pytest.approx(warn, abs=1)
    assert judged(sample(reject, {}), circuit).fault is None
    assert judged(sample(-reject, {}), circuit).fault is not None
    assert judged(sample(math.nextafter(reject, 1e9), {}), circuit).fault is not None


@pytest.mark.parametrize(
    ("values", "reason", "measured"),
    [
        ({M.VOLTAGE_L1: math.nan}, Reason.NOT_A_NUMBER, M.VOLTAGE_L1),
        ({M.CURRENT_L2: math.inf}, Reason.NOT_A_NUMBER, M.CURRENT_L2),
        ({M.VOLTAGE_L1: 0.0}, Reason.VOLTAGE, M.VOLTAGE_L1),
        ({M.VOLTAGE_L1: 179.9}, Reason.VOLTAGE, M.VOLTAGE_L1),
        ({M.VOLTAGE_L1: 270.1}, Reason.VOLTAGE, M.VOLTAGE_L1),
        ({M.VOLTAGE_L1: 100.0, M.CURRENT_L1: 0.0}, Reason.VOLTAGE, M.VOLTAGE_L1),
        ({M.VOLTAGE_L3: 0.0}, Reason.VOLTAGE, M.VOLTAGE_L3),
        ({M.VOLTAGE_L3: 90.0, M.CURRENT_L3: 0.51}, Reason.VOLTAGE, M.VOLTAGE_L3),
        ({M.VOLTAGE_L2: 400.0}, Reason.VOLTAGE, M.VOLTAGE_L2),
        ({M.FREQUENCY: 0.0}, Reason.FREQUENCY, M.FREQUENCY),
        ({M.FREQUENCY: 46.9}, Reason.FREQUENCY, M.FREQUENCY),
        ({M.FREQUENCY: 53.1}, Reason.FREQUENCY, M.FREQUENCY),
        ({M.CURRENT_L3: 20.1}, Reason.CURRENT, M.CURRENT_L3),
        ({M.CURRENT_L3: -20.1}, Reason.CURRENT, M.CURRENT_L3),
        ({M.POWER_FACTOR: 1.01}, Reason.POWER_FACTOR, M.POWER_FACTOR),
        ({M.POWER_FACTOR: -1.01}, Reason.POWER_FACTOR, M.POWER_FACTOR),
    ],
)
def test_garbage_makes_all_of_a_sample_unknown(
    values: dict[M, float], reason: Reason, measured: M
) -> None:
    """Where one value cannot be the others came in the same answer."""
    verdict = judged(sample(values={**LOADED, **values}))
    assert (verdict.power_w, verdict.import_wh, verdict.export_wh) == (None,) * 3
    assert verdict.fault is not None
    assert (verdict.fault.reason, verdict.fault.measured) == (reason, measured)
    # A word of the text says which value, not that there was none.
    found = values[measured]
    assert verdict.fault.data["value"] == (found if math.isfinite(found) else "")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {M.VOLTAGE_L1: 180.0},
        {M.VOLTAGE_L1: 270.0},
        {M.FREQUENCY: 47.0},
        {M.FREQUENCY: 53.0},
        {M.CURRENT_L1: 20.0},
        {M.POWER_FACTOR: 1.0000001},
        {M.POWER_FACTOR: -1.0},
        # Open phases show what they catch from the others.
        {**RESTING, M.VOLTAGE_L2: 0.0, M.VOLTAGE_L3: 0.0},
        {**RESTING, M.VOLTAGE_L2: 40.0, M.VOLTAGE_L3: 130.0, M.CURRENT_L3: 0.4},
    ],
)
def test_what_can_be(values: dict[M, float]) -> None:
    """Values at the edge of what a grid has are believed."""
    assert judged(sample(3_000, values)).fault is None


def test_phases_that_the_wallbox_has_not() -> None:
    """A three-phase meter may stand before a single-phase wallbox."""
    values = {**LOADED, M.VOLTAGE_L2: 90.0, M.VOLTAGE_L3: 0.0}
    assert judged(sample(3_000, values), ONE).fault is None


@pytest.mark.parametrize("field", ["power_w", "import_wh", "export_wh"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number(field: str, number: float) -> None:
    """What is no number does not get past here."""
    change: dict[str, Any] = {field: number}
    verdict = judged(replace(sample(), **change))
    assert (verdict.power_w, verdict.import_wh, verdict.export_wh) == (None,) * 3
    assert verdict.fault is not None
    assert verdict.fault.value is None


def test_all_zero() -> None:
    """A counter that stood at something is not zero together with all else."""
    zeros = sample(0.0, {M.POWER: 0.0, M.IMPORT: 0.0}, 0.0, None)
    verdict = judged(zeros)
    assert verdict.fault is not None
    assert verdict.fault.reason is Reason.ALL_ZERO
    assert (verdict.power_w, verdict.import_wh) == (None, None)
    # A new meter that nothing has flowed through, and one that is not read in full.
    assert judged(zeros, counted_wh=0.0).power_w == 0
    assert judged(zeros, counted_wh=None).import_wh == 0
    assert judged(sample(0.0, {}, None, None)).power_w == 0
    assert judged(sample(0.0, RESTING, 0.0, 0.0)).power_w == 0


def test_a_sample_that_is_missing() -> None:
    """Nothing read is nothing known."""
    verdict = judged(MeterSample(monotonic=0, utc=UTC_START))
    assert verdict == Verdict(
        power_w=None, import_wh=None, export_wh=None, fault=None, findings=()
    )


@pytest.mark.parametrize(
    ("power", "circuit", "reason"),
    [
        (15_001, THREE, Reason.POWER),
        (10_001, ONE, Reason.POWER),
        (655_350, ONE, Reason.POWER),
        (-51, THREE, Reason.BACKWARDS),
        (-50, THREE, None),
        (-11_000, Circuit(phases=3, rated_a=16, feeds_back=True), None),
    ],
)
def test_power(power: float, circuit: Circuit, reason: Reason | None) -> None:
    """A power that cannot be leaves the energy as it is."""
    verdict = judged(sample(power, RESTING), circuit)
    assert (verdict.import_wh, verdict.export_wh) == (COUNTED, 70)
    assert verdict.power_w == (None if reason else power)
    assert (verdict.fault and verdict.fault.reason) is reason


def test_power_of_a_phase() -> None:
    """A phase has no more power than all of them can have."""
    fault = judged(sample(values={**LOADED, M.POWER_L2: 15_001.0})).fault
    assert fault is not None
    assert (fault.reason, fault.measured) == (Reason.POWER, M.POWER_L2)


INVERTED = sample(-7_000, RESTING)
RIGHT = sample(7_000, RESTING)
IDLE = sample(0.0, RESTING)
WIRING = FindingKind.WIRING_INVERTED


def test_inverted_wiring() -> None:
    """It is told after ten seconds and until power flows the right way."""
    told = kinds(*[INVERTED] * 11, *[IDLE] * 90, RIGHT, IDLE, INVERTED)
    assert told == [[]] * 10 + [[WIRING]] * 91 + [[]] * 3
    back = Circuit(phases=3, rated_a=16, feeds_back=True)
    assert not any(kinds(*[INVERTED] * 30, circuit=back))


@pytest.mark.parametrize(
    "samples",
    [
        [INVERTED] * 9 + [RIGHT] + [INVERTED] * 9,
        [INVERTED, *[IDLE] * 40, INVERTED, *[IDLE] * 9, INVERTED],
        [INVERTED, *[IDLE] * 20, INVERTED],
        [sample(-50, RESTING)] * 60,
    ],
)
def test_no_inverted_wiring(samples: list[MeterSample]) -> None:
    """What comes and goes is something else."""
    assert not any(kinds(*samples))


OFF = {**LOADED, M.POWER_L2: 4_000.0}
WEAK = {**RESTING, M.CURRENT_L1: 8.0, M.CURRENT_L2: 8.0, M.CURRENT_L3: 8.0}


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        (sample(values=OFF), sample(), FindingKind.PHASES_DISAGREE),
        (sample(13_500), sample(), FindingKind.POWER_HIGH),
        (
            sample(11_000, WEAK),
            sample(5_500, WEAK),
            FindingKind.APPARENT_POWER_DISAGREES,
        ),
        (
            sample(2_700, {**WEAK, M.POWER_FACTOR: 0.95}),
            sample(5_300, {**WEAK, M.POWER_FACTOR: 0.95}),
            FindingKind.APPARENT_POWER_DISAGREES,
        ),
        (
            sample(values={**LOADED, M.VOLTAGE_L1: 290.0}),
            sample(),
            FindingKind.SAMPLES_REJECTED,
        ),
        (sample(20_000, {}), sample(5_000, {}), FindingKind.SAMPLES_REJECTED),
    ],
)
def test_what_lasts_is_told(
    wrong: MeterSample, right: MeterSample, kind: FindingKind
) -> None:
    """Ten seconds of it are told, also where it is seen every fifth second only.

    A start of charging, which looks wrong for some seconds, is not.
    """
    assert kind not in kinds(*[wrong] * 10)[-1]
    assert kind in kinds(*[wrong] * 11)[-1]
    silent = sample(0.0, {}) if wrong.values else sample(None, {})
    seldom = kinds(*[wrong, *[silent] * 4] * 3)
    assert kind in seldom[-1]
    assert kind not in seldom[9]
    assert kind not in kinds(*[wrong] * 11, right)[-1]
    assert kind not in kinds(*[*[wrong] * 5, right] * 4)[-1]


@pytest.mark.parametrize(
    "one",
    [
        sample(10_950, {**LOADED, M.POWER_L2: 3_650.0 + 328}),
        sample(0.0, {M.POWER_L1: 10.0, M.POWER_L2: 10.0, M.POWER_L3: 10.0}),
        sample(10_950, {M.POWER_L1: 9.0}),
        # Half of the current is no power, as the factor says; or nobody says.
        sample(2_700, {**WEAK, M.POWER_FACTOR: 0.5}),
        sample(2_700, WEAK),
        sample(6_397, {**WEAK, M.POWER_FACTOR: 1.0}),
        # Only some of the phases were read.
        sample(11_000, {M.VOLTAGE_L1: 230.0, M.CURRENT_L1: 1.0}),
    ],
)
def test_what_agrees_well_enough(one: MeterSample) -> None:
    """Rounding, reactive power and half a reading are nothing to tell."""
    assert not any(kinds(*[one] * 30))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (
            sample(500, {M.POWER_L1: 531.0, M.POWER_L2: 0.0, M.POWER_L3: 0.0}),
            FindingKind.PHASES_DISAGREE,
        ),
        (sample(6_399, WEAK), FindingKind.APPARENT_POWER_DISAGREES),
        (sample(13_359, {}), FindingKind.POWER_HIGH),
    ],
)
def test_what_does_not_agree_well_enough(wrong: MeterSample, kind: FindingKind) -> None:
    """A watt more than is allowed is told."""
    assert kinds(*[wrong] * 11)[-1] == [kind]


def test_what_is_seen_seldom_was_something_else() -> None:
    """Half a minute without it and it begins anew; found, it stays until disproved."""
    wrong = sample(values=OFF)
    assert any(kinds(*[wrong] * 9, every_s=29))
    assert not any(kinds(*[wrong] * 9, every_s=31))
    phases = {M.POWER_L1: 300.0, M.POWER_L2: 300.0, M.POWER_L3: 300.0}
    rest = sample(900, phases)
    load = sample(1_010, {**phases, M.POWER_L1: 410.0})
    told = kinds(*[wrong] * 11, *[rest] * 50, load)
    assert told[-2:] == [[FindingKind.PHASES_DISAGREE], []]


def test_data_of_findings() -> None:
    """What a text needs is there, and can be stored."""
    checks = Checks()
    for second in range(11):
        one = sample(14_000, OFF)
        checks, verdict = checks.take(one, THREE, second, COUNTED)
    found = {finding.kind: finding.data for finding in verdict.findings}
    assert found[FindingKind.POWER_HIGH] == {"power_w": 14_000, "limit_w": 13_358}
    assert found[FindingKind.PHASES_DISAGREE]["expected"] == 11_300
    checks, verdict = checks.take(sample(2e6), THREE, 11, COUNTED)
    assert verdict.fault is not None
    assert verdict.fault.data == {"reason": "power", "measured": "power", "value": 2e6}


numbers = st.floats() | st.sampled_from([0.0, 50.0, 230.0, 16.0, -7_000.0, 11_000.0])
samples = st.builds(
    MeterSample,
    monotonic=st.just(0.0),
    utc=st.just(UTC_START),
    power_w=st.none() | numbers,
    import_wh=st.none() | numbers,
    export_wh=st.none() | numbers,
    values=st.dictionaries(st.sampled_from(M), numbers, max_size=8),
)


@settings(deadline=None)
@given(st.lists(st.tuples(samples, st.floats(-20, 40)), max_size=30))
def test_whatever_comes(steps: list[tuple[MeterSample, float]]) -> None:
    """Nothing raises, no nonsense passes, a restart changes nothing."""
    checks, now = Checks(), 1.8e9
    for one, wait in steps:
        now += wait
        text = json.dumps(checks.as_dict(), allow_nan=False)
        restarted = Checks.from_dict(json.loads(text))
        assert restarted == checks
        counted = one.import_wh
        after = checks.take(one, THREE, now, counted)
        assert restarted.take(one, THREE, now, counted) == after
        checks, verdict = after
        json.dumps(asdict(verdict), allow_nan=False)
        if verdict.power_w is not None:
            assert -50 <= verdict.power_w <= THREE.reject_w
        if one.power_w is None:
            assert verdict.power_w is None


@given(st.recursive(st.none() | st.floats() | st.text(), st.lists), st.data())
def test_damaged_memory_is_no_memory(junk: Any, data: st.DataObject) -> None:
    """A damaged store starts anew instead of failing."""
    checks = Checks()
    for second in range(2):
        checks, _ = checks.take(INVERTED, THREE, second, COUNTED)
    plain = checks.as_dict()
    key = data.draw(st.sampled_from(sorted(plain["lasting"][0])))
    plain["lasting"][0][key] = junk
    read = Checks.from_dict(plain)
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    del plain["lasting"][0][key]
    assert Checks.from_dict(plain) is None
    assert Checks.from_dict({"lasting": junk}) in {None, Checks()}
