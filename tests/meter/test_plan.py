"""No read goes beyond what a meter stands, and there are no more than needed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from modbus_connection.mock import MockModbusConnection
from modbus_connection.model import ManualComponent, RawField
import pytest

from .tables import vector, words_in
from custom_components.loxone_wallbox.meter.profiles import (
    PROFILES,
    Kind,
    Limits,
    Measured,
    MeterProfile,
    Pace,
    Read,
    Register,
    Run,
    identify,
    plan_reads,
    values,
    words_of,
)

each_meter = pytest.mark.parametrize("meter", sorted(PROFILES))


def all_reads(profile: MeterProfile, **options: Any) -> list[Read]:
    """Return the reads of all paces."""
    return [read for pace in Pace for read in plan_reads(profile, pace, **options)]


def quantity_registers(
    profile: MeterProfile, names: Iterable[Measured] | None = None
) -> list[Register]:
    """Return the registers of some or all quantities."""
    wanted = profile.quantities if names is None else names
    return [r for name in wanted for r in profile.quantities[name].registers]


def identity_registers(profile: MeterProfile) -> list[Register]:
    """Return the registers of the identity."""
    model = profile.identity.model
    return [*([model] if model else []), *profile.identity.serial]


def covers(read: Read, register: Register) -> bool:
    """Tell whether a read brings a whole register."""
    return (
        read.space == register.space
        and read.start <= register.address
        and register.last <= read.last
    )


def run_of(profile: MeterProfile, read: Read) -> Run | None:
    """Return the run a read stays in."""
    for run in profile.limits.runs:
        if (
            run.space == read.space
            and run.first <= read.start
            and read.last <= run.last
        ):
            return run
    return None


@each_meter
def test_reads_keep_to_the_limits(meter: str) -> None:
    """No read is too long, crosses a forbidden gap or cuts a value."""
    profile = PROFILES[meter]
    for read in all_reads(profile):
        assert 1 <= read.count <= profile.limits.max_registers
        run = run_of(profile, read)
        assert run is not None, read
        assert (read.start - run.first) % run.step == 0
        assert read.count % run.step == 0


@each_meter
def test_registers_that_are_read_alone(meter: str) -> None:
    """A register that means something else in company has none."""
    profile = PROFILES[meter]
    alone = [register for register in identity_registers(profile) if register.alone]
    assert bool(alone) is meter.startswith("gavazzi")
    reads = plan_reads(profile, Pace.IDENTITY)
    for register in alone:
        own = Read(space=register.space, start=register.address, count=register.count)
        assert own in reads


def test_alone_even_beside_another() -> None:
    """No neighbour is read along, however near."""
    profile = PROFILES["gavazzi_em340"]
    serial = Register(address=0x0C, kind=Kind.TEXT, text_words=7, space="input")
    near = replace(profile.identity, serial=(serial,))
    reads = plan_reads(replace(profile, identity=near), Pace.IDENTITY)
    assert Read(space="input", start=0x0B, count=1) in reads
    assert len(reads) == 2


@each_meter
def test_everything_is_read(meter: str) -> None:
    """Power and counter are fast, the power comes first, nothing is left out."""
    profile = PROFILES[meter]
    fast = plan_reads(profile, Pace.FAST)
    slow = plan_reads(profile, Pace.SLOW)
    identity = plan_reads(profile, Pace.IDENTITY)
    for register in quantity_registers(profile, [Measured.POWER]):
        assert covers(fast[0], register)
    for register in quantity_registers(profile, [Measured.IMPORT]):
        assert any(covers(read, register) for read in fast)
    for register in quantity_registers(profile):
        assert any(covers(read, register) for read in fast + slow)
    for register in identity_registers(profile):
        assert any(covers(read, register) for read in identity)


@each_meter
def test_a_late_answer_cannot_pass_for_a_fast_one(meter: str) -> None:
    """No other read is as long as one that brings power or energy."""
    profile = PROFILES[meter]
    lengths = [read.count for read in all_reads(profile)]
    for read in plan_reads(profile, Pace.FAST):
        assert lengths.count(read.count) == 1


def test_all_reads_differ_where_the_map_lets_them() -> None:
    """Only a Schneider meter has two short reads that cannot be longer."""
    alike = set()
    for profile in PROFILES.values():
        lengths = [read.count for read in all_reads(profile)]
        if len(set(lengths)) < len(lengths):
            alike.add(profile.id)
    assert alike == {"schneider_iem3150", "schneider_iem3155"}


@each_meter
def test_a_second_is_long_enough(meter: str) -> None:
    """The fast reads and the silence they need fit between two seconds."""
    profile = PROFILES[meter]
    fast = plan_reads(profile, Pace.FAST)
    assert len(fast) <= 2
    assert len(fast) * profile.limits.spacing_s < 1


async def reads_of_the_library(
    profile: MeterProfile, registers: Iterable[Register]
) -> list[Read]:
    """Return how the library reads registers that it may read within runs."""
    unit = MockModbusConnection().for_unit(1)
    runs: dict[str, tuple[tuple[int, int], ...]] = {"holding": (), "input": ()}
    for run in profile.limits.runs:
        runs[run.space] = (*runs[run.space], (run.first, run.last))
    component = ManualComponent(
        unit,
        max_span=profile.limits.max_registers,
        holding_ranges=runs["holding"],
        input_ranges=runs["input"],
    )
    for register in registers:
        target = RawField(register.address, count=register.count)
        component.add(f"{register.address}", target, space=register.space)
    await component.async_read_raw()
    return [
        Read(space=event.register_type, start=event.address, count=event.count)
        for event in unit.read_events
        if event.register_type in ("holding", "input")
    ]


@each_meter
async def test_no_more_reads_than_the_library_needs(meter: str) -> None:
    """Its planner, told the same limits, needs as many for what is fast, or more."""
    profile = PROFILES[meter]
    names = (Measured.POWER, Measured.IMPORT)
    theirs = await reads_of_the_library(profile, quantity_registers(profile, names))
    fast = plan_reads(profile, Pace.FAST)
    assert len(fast) == len(theirs)
    all_theirs = await reads_of_the_library(profile, quantity_registers(profile))
    # Its own split may put power and energy together with what is slow.
    slow = plan_reads(profile, Pace.SLOW)
    assert len(fast) + len(slow) <= len(all_theirs) + 1


@each_meter
async def test_reads_bring_the_values(meter: str) -> None:
    """Asked for in the planned reads, a unit gives what the vector says."""
    profile = PROFILES[meter]
    content = vector(meter)
    sample = content["samples"][0]
    unit = MockModbusConnection().for_unit(1)
    rows = sample["rows"] + content["identity"]["rows"]
    raw: Any = words_in(rows)
    unit.load_raw(raw)
    found: dict[Measured, float | None] = {}
    for pace in (Pace.FAST, Pace.SLOW):
        for read in plan_reads(profile, pace):
            found |= values(profile, words_of(read, await words(unit, read)))
    # A sum over two reads would be in neither of them.
    assert {str(k): v for k, v in found.items()} == pytest.approx(sample["values"])
    together: dict[Any, dict[int, int]] = {"holding": {}, "input": {}}
    for read in plan_reads(profile, Pace.IDENTITY):
        for space, by_address in words_of(read, await words(unit, read)).items():
            together[space] |= by_address
    answer = identify(profile, together)
    assert answer.matches is content["identity"]["matches"]
    assert answer.serial == content["identity"]["serial"]


async def words(unit: Any, read: Read) -> list[int]:
    """Read from a unit of the library's mock."""
    reader = {
        "holding": unit.read_holding_registers,
        "input": unit.read_input_registers,
    }[read.space]
    got: list[int] = await reader(read.start, read.count)
    return got


@each_meter
def test_cautious_reads(meter: str) -> None:
    """A unit that refuses reads gets the same in short ones, with nothing between.

    At most one has more than it was asked for, to differ from another one.
    """
    profile = PROFILES[meter]
    limits = profile.limits
    wanted = quantity_registers(profile) + identity_registers(profile)
    most = limits.fallback_registers or limits.max_registers
    reads = all_reads(profile, cautious=True)
    for register in wanted:
        assert any(covers(read, register) for read in reads)
    longer = []
    for read in reads:
        inside = sum(register.count for register in wanted if covers(read, register))
        # Siemens gives the description of its meter as a whole or not at all.
        whole = read.start == 64001 and read.count == 27
        longer += [] if inside == read.count or whole else [read]
        longest = max(register.count for register in wanted if covers(read, register))
        assert read.count <= max(most, longest) or whole
    lengthened = {"finder_7m24", "gavazzi_em24", "saia_ale3_one_way"}
    assert len(longer) == (meter in lengthened)
    first = plan_reads(profile, Pace.FAST, cautious=True)[0]
    for register in quantity_registers(profile, [Measured.POWER]):
        assert covers(first, register)


@each_meter
def test_cautious_fast_reads_differ(meter: str) -> None:
    """No answer of a second can be taken for another one of it, nor when it repeats.

    A read that is as long as one before it needs another in between, so there is one.
    """
    profile = PROFILES[meter]
    fast = plan_reads(profile, Pace.FAST, cautious=True)
    assert len({read.count for read in fast}) == len(fast)
    assert len({read.count for read in all_reads(profile, cautious=True)}) > 1


@pytest.mark.parametrize(
    ("meter", "fast"),
    [
        ("gavazzi_em24", [(0x28, 2), (0x3E, 3)]),
        ("saia_ale3_one_way", [(50, 1), (27, 2), (31, 4)]),
        # Nothing longer than a value can be asked of it.
        ("orno_we514", [(0x140, 2)]),
        # Beside its counters stand others, beside its power there may be nothing.
        ("finder_7m24", [(2536, 2), (2752, 4)]),
    ],
)
def test_cautious_reads_of_equal_values(
    meter: str, fast: list[tuple[int, int]]
) -> None:
    """One is longer than its value, or the power alone is read each second."""
    reads = plan_reads(PROFILES[meter], Pace.FAST, cautious=True)
    assert [(read.start, read.count) for read in reads] == fast
    everything = all_reads(PROFILES[meter], cautious=True)
    for register in quantity_registers(PROFILES[meter]):
        assert any(covers(read, register) for read in everything)


def test_a_meter_that_needs_silence_gives_its_power_each_second() -> None:
    """With half a second between requests there is no second one in a second."""
    profile = PROFILES["eastron_sdm72"]
    fast = plan_reads(profile, Pace.FAST, cautious=True)
    slow = plan_reads(profile, Pace.SLOW, cautious=True)
    assert fast == (Read(space="input", start=0x34, count=2),)
    assert slow == (Read(space="input", start=0x48, count=4),)


def test_what_a_unit_lacks_is_not_asked_for() -> None:
    """Some EM24 answer the export counter with an error."""
    profile = PROFILES["gavazzi_em24"]
    (export,) = quantity_registers(profile, [Measured.EXPORT])
    assert any(covers(read, export) for read in all_reads(profile))
    without = all_reads(profile, without={Measured.EXPORT})
    assert not any(read.start <= export.last <= read.last for read in without)
    for register in quantity_registers(profile):
        if register != export:
            assert any(covers(read, register) for read in without)


def plan_of(meter: str) -> list[list[tuple[int, int]]]:
    """Return start and length of the fast and the slow reads of a meter."""
    return [
        [(read.start, read.count) for read in plan_reads(PROFILES[meter], pace)]
        for pace in (Pace.FAST, Pace.SLOW)
    ]


@pytest.mark.parametrize(
    ("meter", "fast", "slow"),
    [
        ("saia_ale3", [(45, 6), (27, 16)], []),
        ("saia_ald1", [(27, 13)], []),
        ("eastron_sdm120", [(0x00, 14), (0x46, 6)], [(0x1E, 4)]),
        ("eastron_sdm72", [(0x34, 24)], []),
        ("eastron_sdm72_v2", [(0x34, 24)], [(0x00, 18)]),
        ("eastron_sdm630", [(0x34, 24)], [(0x00, 18)]),
        ("gavazzi_em112", [(0x00, 34)], []),
        ("gavazzi_em340", [(0x28, 40)], [(0x00, 24)]),
        ("abb_b23", [(0x5B00, 59), (0x5000, 8)], []),
        ("orno_we504", [(0x00, 9)], []),
        # The single register is what it is known by.
        ("orno_we514", [(0x130, 18), (0xA000, 2)], [(0x158, 3)]),
        ("dzg_dvh4013", [(0x00, 20), (0x4000, 2)], [(0x4100, 4)]),
        ("siemens_pac2200", [(65, 6), (801, 16)], [(1, 30)]),
    ],
)
def test_known_plans(
    meter: str, fast: list[tuple[int, int]], slow: list[tuple[int, int]]
) -> None:
    """These are the reads one would write by hand."""
    assert plan_of(meter) == [fast, slow]


def impossible() -> Iterator[tuple[str, Limits]]:
    """Yield limits that no reads can keep to."""
    limits = PROFILES["orno_we514"].limits
    yield "no run", replace(limits, runs=limits.runs[:1])
    pair = (Run(first=0x140, last=0x141), Run(first=0xA000, last=0xA001))
    rest = (Run(first=0x130, last=0x13F), Run(first=0x158, last=0x158))
    yield "same length", replace(limits, runs=(*pair, *rest))
    yield "no time", replace(limits, spacing_s=1.0)


@pytest.mark.parametrize("limits", [pytest.param(y, id=x) for x, y in impossible()])
def test_limits_that_allow_no_plan(limits: Limits) -> None:
    """A map that cannot be read safely says so when it is planned."""
    profile = replace(PROFILES["orno_we514"], limits=limits)
    with pytest.raises(ValueError, match=r"limits|in no run"):
        plan_reads(profile, Pace.FAST)
