"""The integration's register maps and the simulator's were written apart and agree.

Each model is read as the integration plans to read it and decoded with its profile; what
comes out is held against what the simulated meter really measures. So a wrong address,
order of words, scale or limit would have to be made twice to hide.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from ..meter.models import NAMES
from .conftest import Start
from .meters import Master, charge, house, master
from custom_components.loxone_wallbox.meter.profiles import (
    PROFILES,
    Identification,
    Measured,
    MeterProfile,
    Pace,
    Read,
    identify,
    plan_reads,
    values,
)
from simulator import MeterConfig, Simulator
from simulator.meters.maps import MAPS
from simulator.meters.meter import SimulatedMeter

# Another sign of the same model, of which only the simulator knows.
ONLY_HERE = {"sdm630_old"}
FUNCTIONS = {"holding": 3, "input": 4}
FALLBACK = {name for name, found in PROFILES.items() if found.limits.fallback_registers}
SERIAL = "19283746"
PER_PHASE = ("power", "voltage", "current")
type AllWords = dict[Any, dict[int, int]]


def a_meter(name: str, unit: int, **changes: Any) -> MeterConfig:
    """Return the simulator's meter of one of the integration's models."""
    profile = NAMES[name]
    return MeterConfig(
        profile=profile,
        name=name,
        wallbox=0 if MAPS[profile].phases == 3 else 1,
        line="all",
        unit=unit,
        serial=SERIAL,
        energy_kwh=12345.67,
        export_kwh=78.9,
        pause_s=0,
        **changes,
    )


async def all_meters(start: Start, **changes: Any) -> Simulator:
    """Return a unit with a meter of every model while cars are charging."""
    configs = [
        # As most units are: they give long reads and reads across gaps.
        a_meter(
            name, unit, strict=False, max_registers=PROFILES[name].limits.max_registers
        )
        for unit, name in enumerate(NAMES, 1)
    ]
    sim = await house(start, *configs, **changes)
    charge(sim)
    return sim


async def collect(
    reads: Master, meter: SimulatedMeter, plan: tuple[Read, ...]
) -> AllWords:
    """Return the words of planned reads; a read that is refused fails the test."""
    words: AllWords = {}
    for read in plan:
        found = await reads.read(
            FUNCTIONS[read.space], read.start, read.count, meter.config.unit_id
        )
        assert isinstance(found, list), f"{read} gets exception {found}"
        by_address = dict(enumerate(found, read.start))
        words.setdefault(read.space, {}).update(by_address)
    return words


def truth(meter: SimulatedMeter, measured: Measured) -> float | None:
    """Return what a meter measures of a quantity; None where its map has no such."""
    base, _, phase = measured.value.partition("_l")
    shows = {register.quantity for register in meter.map.registers}
    if base == "power_factor":
        name = "pf" if "pf" in shows else "pf_1"
        return float(meter._shown[name]) if name in shows else None
    name = f"{base}_{phase}" if phase else base
    return float(meter._shown[name])


def tolerance(profile: MeterProfile, measured: Measured, true: float) -> float:
    """Return how far a sound reading may be from the truth."""
    quantity = profile.quantities[measured]
    step = max(abs(register.scale) for register in quantity.registers)
    if measured in (Measured.IMPORT, Measured.EXPORT):
        # Two tariffs are cut off apart.
        return 2 * profile.resolution_wh + 1e-6 * abs(true)
    floats = all("float" in register.kind for register in quantity.registers)
    return (0 if floats else len(quantity.registers) * step / 2) + 1e-6 * abs(true)


def compare(name: str, meter: SimulatedMeter, words: AllWords) -> Iterator[str]:
    """Yield every quantity that the two maps do not agree about."""
    profile = PROFILES[name]
    found = values(profile, words)
    for measured in profile.quantities:
        true = truth(meter, measured)
        if true is None:
            continue
        value = found.get(measured)
        if value is None or abs(value - true) > tolerance(profile, measured, true):
            yield f"{measured}: {value} is not {true}"


def test_every_model_is_here() -> None:
    """No model of either side goes uncompared."""
    assert set(NAMES) == set(PROFILES)
    assert set(NAMES.values()) | ONLY_HERE == set(MAPS)


async def test_values(start: Start, subtests: pytest.Subtests) -> None:
    """What the integration makes of the registers is what the meter measures."""
    sim = await all_meters(start)
    async with master(sim.meters[0]) as reads:
        for name, profile in PROFILES.items():
            meter = sim.meters.find(name)
            plan = plan_reads(profile, Pace.FAST) + plan_reads(profile, Pace.SLOW)
            with subtests.test(profile=name):
                words = await collect(reads, meter, plan)
                assert list(compare(name, meter, words)) == []
                compared = [
                    m for m in profile.quantities if truth(meter, m) is not None
                ]
                assert {Measured.POWER, Measured.IMPORT} <= set(compared)


async def test_feeding_back(start: Start, subtests: pytest.Subtests) -> None:
    """Power the other way round is negative, or not told by meters with one way."""
    sim = await all_meters(start)
    for meter in sim.meters:
        meter.fault("swapped")
    sim.advance(3600, step_s=600)
    async with master(sim.meters[0]) as reads:
        for name, profile in PROFILES.items():
            if name == "orno_we504":
                # Its power has no sign.
                continue
            meter = sim.meters.find(name)
            plan = plan_reads(profile, Pace.FAST) + plan_reads(profile, Pace.SLOW)
            with subtests.test(profile=name):
                words = await collect(reads, meter, plan)
                assert list(compare(name, meter, words)) == []
                power = values(profile, words)[Measured.POWER]
                assert power == pytest.approx(-1000 * meter.box.power_kw, rel=0.01)


async def test_invalid_values(start: Start, subtests: pytest.Subtests) -> None:
    """What a meter marks as invalid is unknown to the integration, and never zero."""
    sim = await all_meters(start)
    for meter in sim.meters:
        meter.fault("invalid")
    async with master(sim.meters[0]) as reads:
        for name, profile in PROFILES.items():
            meter = sim.meters.find(name)
            with subtests.test(profile=name):
                words = await collect(reads, meter, plan_reads(profile, Pace.FAST))
                found = values(profile, words)
                assert found[Measured.POWER] is None
                assert found.get(Measured.IMPORT) is None


async def test_identity(start: Start, subtests: pytest.Subtests) -> None:
    """Every meter that can be known is known, and its serial number is read."""
    sim = await all_meters(start)
    async with master(sim.meters[0]) as reads:
        for name, profile in PROFILES.items():
            meter = sim.meters.find(name)
            with subtests.test(profile=name):
                plan = plan_reads(profile, Pace.IDENTITY)
                words = await collect(reads, meter, plan)
                known = identify(profile, words)
                has_serial = bool(profile.identity.serial)
                assert known == Identification(
                    matches=True if profile.identity.model else None,
                    serial=SERIAL if has_serial else None,
                )
                # The simulator shows a serial number where the integration reads one.
                shows = {register.quantity for register in meter.map.registers}
                assert has_serial is ("serial" in shows)


async def test_fallback(start: Start, subtests: pytest.Subtests) -> None:
    """Units that refuse long reads and gaps are read with the shorter plans."""
    configs = [
        a_meter(
            name,
            unit,
            strict=True,
            max_registers=PROFILES[name].limits.fallback_registers,
        )
        for unit, name in enumerate(sorted(FALLBACK), 1)
    ]
    sim = await house(start, *configs)
    charge(sim)
    async with master(sim.meters[0]) as reads:
        for name in sorted(FALLBACK):
            profile, meter = PROFILES[name], sim.meters.find(name)
            with subtests.test(profile=name):
                words = await collect(
                    reads, meter, plan_reads(profile, Pace.FAST, cautious=True)
                )
                found = values(profile, words)
                assert found[Measured.POWER] == pytest.approx(
                    1000 * meter.box.power_kw, rel=0.01
                )


@pytest.mark.parametrize("name", sorted(NAMES))
def test_facts(name: str) -> None:
    """What both say of a model's pace and limits is the same, or the stricter."""
    profile, there = PROFILES[name], MAPS[NAMES[name]]
    assert profile.phases == there.phases
    assert profile.rollover_wh in (None, there.modulus_wh)
    assert profile.limits.spacing_s >= there.pause_s
    if profile.line.unit_id is not None:
        assert profile.line.unit_id == there.unit_id
    if profile.refresh_s is not None:
        assert profile.refresh_s == there.refresh_s
    if profile.ready_s is not None:
        assert profile.ready_s == there.ready_s
    assert profile.resolution_wh >= there.resolution_wh
    most = profile.limits.fallback_registers or profile.limits.max_registers
    assert most <= there.max_registers
