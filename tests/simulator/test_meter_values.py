"""Every meter shows the truth where its maker says, to pymodbus and to libmodbus.

The addresses stand here once more, so that a slip in the simulator's tables shows.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from .conftest import Start
from .meters import Master, charge, house, master, mbpoll
from simulator import Car, MeterConfig, Simulator
from simulator.meters.maps import MAPS
from simulator.meters.meter import SimulatedMeter


@dataclass(frozen=True, kw_only=True)
class Row:
    """A register; `scale` is what one count is in W, Wh, V, A or Hz."""

    quantity: str
    function: int
    address: int
    kind: str
    scale: float


def rows(function: int, *table: tuple[str, int, str, float]) -> list[Row]:
    """Return the rows of a table that one function reads."""
    return [
        Row(
            quantity=quantity,
            function=function,
            address=address,
            kind=kind,
            scale=scale,
        )
        for quantity, address, kind, scale in table
    ]


SBC = (("serial", 15, "UINT32", 1), ("import", 27, "UINT32", 10))
SBC_1 = (("voltage_1", 35, "UINT16", 1), ("power_1", 37, "INT16", 10))
SBC_3 = (*SBC_1, ("power_3", 47, "INT16", 10), ("power", 50, "INT16", 10))
SDM = (
    ("voltage_1", 0x00, "FLOAT32", 1),
    ("current_1", 0x06, "FLOAT32", 1),
    ("power_1", 0x0C, "FLOAT32", 1),
    ("frequency", 0x46, "FLOAT32", 1),
    ("import", 0x48, "FLOAT32", 1000),
    ("export", 0x4A, "FLOAT32", 1000),
)
SDM_3 = (*SDM, ("power", 0x34, "FLOAT32", 1), ("current_3", 0x0A, "FLOAT32", 1))
SDM_ID = (("serial", 0xFC00, "UINT32", 1),)
ABB = (
    ("import", 0x5000, "UINT64", 10),
    ("export", 0x5004, "UINT64", 10),
    ("voltage_1", 0x5B00, "UINT32", 0.1),
    ("current_1", 0x5B0C, "UINT32", 0.01),
    ("power", 0x5B14, "INT32", 0.01),
    ("frequency", 0x5B2C, "UINT16", 0.01),
    ("serial", 0x8900, "UINT32", 1),
)
ABB_3 = (*ABB, ("power_2", 0x5B18, "INT32", 0.01), ("import_3", 0x5468, "UINT64", 10))
CG_3 = (
    ("voltage_3", 0x04, "INT32", 0.1),
    ("current_2", 0x0E, "INT32", 0.001),
    ("power_1", 0x12, "INT32", 0.1),
    ("power", 0x28, "INT32", 0.1),
)
EM340 = (
    *CG_3,
    ("frequency", 0x33, "INT16", 0.1),
    ("import", 0x34, "INT32", 100),
    ("export", 0x4E, "INT32", 100),
    ("import_2", 0x42, "INT32", 100),
)
IEM = (
    ("current_2", 3001, "FLOAT32", 1),
    ("voltage_1", 3027, "FLOAT32", 1),
    ("power_3", 3057, "FLOAT32", 1000),
    ("power", 3059, "FLOAT32", 1000),
    ("frequency", 3109, "FLOAT32", 1),
    ("import", 3203, "INT64", 1),
    ("import", 45099, "FLOAT32", 1),
    ("serial", 129, "UINT32", 1),
)
FINDER = (
    ("voltage_1", 2500, "FLOAT32", 1),
    ("current_1", 2516, "FLOAT32", 1),
    ("power", 2536, "FLOAT32", 1),
    ("frequency", 2584, "FLOAT32", 1),
    ("import", 2752, "FLOAT32", 1),
    ("export", 2756, "FLOAT32", 1),
)
TABLES: dict[str, list[Row]] = {
    "ale3": rows(3, *SBC, *SBC_3, ("export", 31, "UINT32", 10)),
    "ale3_one_way": rows(3, SBC[0], *SBC_3, ("import_t2", 31, "UINT32", 10)),
    "ald1": rows(3, *SBC, *SBC_1, ("export", 29, "UINT32", 10)),
    "ald1_one_way": rows(3, *SBC, *SBC_1),
    "finder_7e23": rows(3, *SBC, *SBC_1),
    "sdm120": rows(4, *SDM) + rows(3, *SDM_ID),
    "sdm230": rows(4, *SDM) + rows(3, *SDM_ID),
    "sdm630": rows(4, *SDM_3) + rows(3, *SDM_ID),
    "sdm630_old": rows(4, *SDM_3) + rows(3, ("serial", 0x2A, "UINT32", 1)),
    "sdm72_v2": rows(4, *SDM_3) + rows(3, *SDM_ID),
    "sdm72": rows(
        4,
        ("power", 0x34, "FLOAT32", 1),
        ("import", 0x48, "FLOAT32", 1000),
        ("export", 0x4A, "FLOAT32", 1000),
    )
    + rows(3, *SDM_ID),
    "abb_b21": rows(3, *ABB),
    "abb_b23": rows(3, *ABB_3),
    "abb_b24": rows(3, *ABB_3),
    "em112": rows(
        4,
        ("voltage_1", 0x00, "INT32", 0.1),
        ("current_1", 0x02, "INT32", 0.001),
        ("power", 0x04, "INT32", 0.1),
        ("frequency", 0x0F, "INT16", 0.1),
        ("import", 0x10, "INT32", 100),
        ("export", 0x20, "INT32", 100),
    ),
    "em340": rows(3, *EM340),
    "em24_e1": rows(4, *EM340),
    "em24": rows(
        4,
        *CG_3,
        ("frequency", 0x37, "INT16", 0.1),
        ("import", 0x3E, "INT32", 100),
        ("export", 0x5C, "INT32", 100),
        ("import_1", 0x46, "INT32", 100),
    ),
    "or_we_504": rows(
        3,
        ("voltage_1", 0x00, "UINT16", 0.1),
        ("current_1", 0x01, "UINT16", 0.1),
        ("frequency", 0x02, "UINT16", 0.1),
        ("power", 0x03, "UINT16", 1),
        ("import", 0x07, "UINT32", 1),
    ),
    "or_we_514": rows(
        3,
        ("frequency", 0x130, "UINT16", 0.01),
        ("voltage_1", 0x131, "UINT16", 0.01),
        ("current_1", 0x139, "UINT32", 0.001),
        ("power", 0x140, "INT32", 1),
        ("import", 0xA000, "UINT32", 10),
    ),
    "or_we_516": rows(
        3,
        ("voltage_2", 0x10, "FLOAT32", 1),
        ("frequency", 0x14, "FLOAT32", 1),
        ("current_3", 0x1A, "FLOAT32", 1),
        ("power", 0x1C, "FLOAT32", 1000),
        ("power_1", 0x1E, "FLOAT32", 1000),
        ("import", 0x108, "FLOAT32", 1000),
        ("export", 0x110, "FLOAT32", 1000),
    ),
    "dvh4013": rows(
        3,
        ("power", 0x00, "UINT32", 0.1),
        ("voltage_3", 0x08, "UINT32", 0.01),
        ("current_1", 0x0A, "UINT32", 0.001),
        ("frequency", 0x12, "UINT32", 0.001),
        ("import", 0x4000, "UINT32", 1),
        ("import_2", 0x4040, "UINT32", 1),
        ("export", 0x4100, "UINT32", 1),
    ),
    "iem3150": rows(3, *IEM),
    "iem3155": rows(3, *IEM, ("export", 3207, "INT64", 1)),
    "pac2200": rows(
        3,
        ("voltage_2", 3, "FLOAT32", 1),
        ("current_1", 13, "FLOAT32", 1),
        ("power_3", 29, "FLOAT32", 1),
        ("power", 65, "FLOAT32", 1),
        ("import", 801, "FLOAT64", 1),
        ("export", 809, "FLOAT64", 1),
    ),
    "finder_7m24": rows(4, *FINDER),
    "finder_7m38": rows(4, *FINDER, ("power_2", 2532, "FLOAT32", 1)),
}
# By model, function, address and count of registers.
SAYINGS: dict[tuple[str, int, int, int], str | int] = {
    ("ale3", 3, 6, 8): "ALE3B5FD10C3A00",
    ("ald1", 3, 6, 8): "ALD1B5FD00A3A00",
    ("abb_b23", 3, 0x8960, 2): "B23 ",
    ("abb_b21", 3, 0x8960, 2): "B21 ",
    ("em112", 4, 0x5000, 7): "19283746",
    ("em340", 3, 0x5000, 7): "19283746",
    ("em24", 4, 0x1300, 7): "19283746",
    ("iem3155", 3, 49, 20): "iEM3155",
    ("iem3155", 3, 69, 20): "Schneider Electric",
    ("sdm120", 3, 0xFC02, 1): 0x0020,
    ("sdm630", 3, 0xFC02, 1): 0x0070,
    ("sdm630_old", 3, 0xFC02, 1): 0,
    ("sdm72", 3, 0xFC02, 1): 0x0084,
    ("sdm72_v2", 3, 0xFC02, 1): 0x0089,
    ("em112", 4, 0x0B, 1): 104,
    ("em340", 4, 0x0B, 1): 341,
    ("em24", 4, 0x0B, 1): 71,
    ("em24_e1", 4, 0x0B, 1): 1648,
    ("ale3", 3, 1, 1): 52,
    ("ald1", 3, 1, 1): 40,
    ("or_we_514", 3, 0x0B, 1): 0xA2,
}
LOW_WORD_FIRST = {"em112", "em340", "em24", "em24_e1"}
MBPOLL_FORMS = {"FLOAT32": ":float", "UINT32": ":int", "INT32": ":int"}


def a_meter(profile: str, name: str = "", **changes: Any) -> MeterConfig:
    """Return a meter of a model that shows its power without any wandering."""
    return MeterConfig(
        profile=profile,
        name=name,
        wallbox="Garage" if MAPS[profile].phases == 3 else "Carport",
        serial="19283746",
        energy_kwh=12345.678,
        export_kwh=77.77,
        pause_s=0.0,
        wobble=0.0,
        **changes,
    )


def expected(meter: SimulatedMeter, row: Row, *, digits: float = 0.0) -> Any:
    """Return what a register has to show after an hour of charging, in SI units.

    Taken from the wallbox and not from the meter. `digits` is the share that a client
    does not print.
    """
    box = meter.box
    phases = box.config.facts.phases
    power = box.power_kw * 1000
    charged = (box.total_kwh - 100) * 1000
    step = max(row.scale, meter.map.resolution_wh)
    energies = {
        "import": 12_345_678 + charged,
        "import_t2": 0.0,
        "export": 77_770.0,
        **{f"import_{phase}": charged / phases for phase in (1, 2, 3)},
    }
    if row.quantity in energies:
        true = energies[row.quantity]
        # A counter shows whole steps; a float rounds the last digit to even.
        return pytest.approx(true - step / 2, abs=step / 2 + (1e-6 + digits) * true)
    if row.quantity == "serial":
        return 19283746
    if row.quantity.startswith("voltage"):
        return pytest.approx(230, abs=1.5 + row.scale)
    if row.quantity.startswith("current"):
        return pytest.approx(power / phases / 230, rel=0.02, abs=row.scale)
    if row.quantity == "frequency":
        return pytest.approx(50, abs=0.02 + row.scale)
    share = 1 if row.quantity == "power" else phases
    return pytest.approx(power / share, abs=row.scale / 2 + 0.01 + digits * power)


def test_every_model_is_here() -> None:
    """No model goes unread."""
    assert set(TABLES) == set(MAPS)
    for profile, table in TABLES.items():
        assert {"power", "power_1"} & {row.quantity for row in table}, profile


async def all_models(start: Start, link: Any) -> Simulator:
    """Return a unit with a meter of every model, all of them on one line."""
    meters = [
        a_meter(profile, link=link, line="all", unit=unit)
        for unit, profile in enumerate(TABLES, 1)
    ]
    sim = await house(start, *meters)
    charge(sim)
    assert [box.power_kw for box in sim.wallboxes] == pytest.approx([11, 7.4])
    assert len({meter.address for meter in sim.meters}) == 1
    return sim


@pytest.mark.parametrize("link", ["tcp", "rtu_tcp"])
async def test_pymodbus(start: Start, subtests: pytest.Subtests, link: str) -> None:
    """Each register holds what it should, on both kinds of frames."""
    sim = await all_models(start, link)
    async with master(sim.meters[0]) as reads:
        for meter in sim.meters:
            with subtests.test(profile=meter.config.profile):
                for row in TABLES[meter.config.profile]:
                    assert await seen(reads, meter, row) == expected(meter, row), row
                assert set(meter.outcomes) == {"answered"}


async def seen(reads: Master, meter: SimulatedMeter, row: Row) -> float:
    """Return what pymodbus sees in a register, in SI units."""
    number = await reads.value(
        row.function,
        row.address,
        row.kind,
        low_word_first=meter.config.profile in LOW_WORD_FIRST,
        unit=meter.config.unit_id,
    )
    return row.scale * float(number)


async def test_libmodbus(start: Start, subtests: pytest.Subtests) -> None:
    """A client of another family reads the same power, energy and serial number."""
    sim = await all_models(start, "tcp")
    wanted = ("power", "power_1", "import", "serial")
    for meter in sim.meters:
        # mbpoll knows no doubles.
        table = [
            row
            for row in TABLES[meter.config.profile]
            if row.quantity in wanted and row.kind != "FLOAT64"
        ]
        with subtests.test(profile=meter.config.profile):
            for row in table:
                shown = row.scale * await by_mbpoll(meter, row)
                # It prints six digits of a float.
                digits = 1e-5 if row.kind == "FLOAT32" else 0.0
                assert shown == expected(meter, row, digits=digits), row
            assert len(table) > 1 or meter.config.profile == "pac2200"


async def by_mbpoll(meter: SimulatedMeter, row: Row) -> float:
    """Return the number that libmodbus sees in a register."""
    if form := MBPOLL_FORMS.get(row.kind):
        order = () if meter.config.profile in LOW_WORD_FIRST else ("-B",)
        (text,) = await mbpoll(meter, row.function, row.address, *order, form)
        return float(text)
    words = 4 if row.kind.endswith("64") else 1
    texts = await mbpoll(meter, row.function, row.address, count=words)
    assert len(texts) == words
    return sum(int(text) << 16 * place for place, text in enumerate(reversed(texts)))


async def test_what_they_say_of_themselves(
    start: Start, subtests: pytest.Subtests
) -> None:
    """What a meter is stands in numbers, or in texts that are filled up with NUL."""
    sim = await all_models(start, "tcp")
    async with master(sim.meters[0]) as reads:
        for (profile, function, address, words), said in SAYINGS.items():
            with subtests.test(profile=profile, address=address):
                unit = sim.meters.find(profile).config.unit_id
                found = await reads.read(function, address, words, unit)
                assert isinstance(found, list)
                if isinstance(said, int):
                    assert found == [said]
                    continue
                raw = b"".join(word.to_bytes(2) for word in found)
                assert raw.rstrip(b"\0").decode() == said


def test_addresses_as_delivered() -> None:
    """A meter comes with an address; that of a DZG is in its serial number."""
    units = {profile: MeterConfig(profile=profile).unit_id for profile in MAPS}
    assert (units["pac2200"], units["finder_7m38"], units["sdm630"]) == (126, 33, 1)
    dzg = MeterConfig(profile="dvh4013", serial="44001378")
    assert dzg.unit_id == 0x79


async def test_a_code_that_speaks_only_alone(start: Start) -> None:
    """A Carlo Gavazzi tells its model only to who asks for nothing else."""
    sim = await house(start, a_meter("em340"))
    async with master(sim.meters[0]) as reads:
        words = await reads.read(4, 0x0A, 2)
    assert words == [0, 0]


async def test_one_phase_of_three(start: Start) -> None:
    """A car on one phase loads one; a box with one phase leaves the others dead."""
    sim = await house(
        start,
        a_meter("sdm630", name="three"),
        replace(a_meter("sdm630", name="one"), wallbox="Carport"),
    )
    sim.wallboxes[0].plug(Car(phases=1))
    charge(sim)
    for meter, power, live in zip(
        sim.meters, (11_000 / 3, 7_400), ((1, 1, 1), (1, 0, 0)), strict=True
    ):
        async with master(meter) as reads:
            powers = [await reads.value(4, at, "FLOAT32") for at in (0x0C, 0x0E, 0x10)]
            volts = [await reads.value(4, at, "FLOAT32") for at in (0, 2, 4)]
        assert powers == [pytest.approx(power), 0, 0]
        assert volts == [pytest.approx(230 * on, abs=1.5 * on) for on in live]
