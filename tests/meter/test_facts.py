"""What is known of every model beside its registers: one table, each number held.

None is "no document tells", which has to be said as well: a number that somebody puts
there wants a source.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import pytest

from custom_components.loxone_wallbox.meter.dedicated import DEDICATED_TIMEOUT_S
from custom_components.loxone_wallbox.meter.late import LATE_S
from custom_components.loxone_wallbox.meter.link import SHARED_TIMEOUT_S
from custom_components.loxone_wallbox.meter.model import Kind, Measured
from custom_components.loxone_wallbox.meter.profiles import PROFILES, MeterProfile

each_meter = pytest.mark.parametrize("meter", sorted(PROFILES))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A model: its phases, its line, what it stands, how it measures and counts."""

    phases: int
    baudrate: int | None = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: int = 1
    unit_id: int | None = 1
    tcp_port: int | None = None
    most: int
    fallback: int | None = None
    spacing_s: float = 0.1
    answer_s: float | None = None
    refresh_s: float | None = None
    ready_s: float | None = None
    resolution_wh: int
    rollover_kwh: int | None = None
    # What power, import and export are held in, "-" where there is none, and the W or
    # Wh of their last digit.
    power: str
    energy: str
    export: str
    proven: bool = True


# Saia-Burgess: finds the baud rate out itself, renews its registers every ten seconds.
SAIA = Facts(
    phases=3,
    baudrate=None,
    parity="E",
    unit_id=None,
    most=20,
    answer_s=0.06,
    refresh_s=10,
    ready_s=30,
    resolution_wh=10,
    rollover_kwh=10**6,
    power="int16 10",
    energy="uint32 10",
    export="uint32 10",
)
ALD1 = replace(SAIA, phases=1, proven=False)
# Eastron: single values to units that refuse more, whatever their document says.
SDM = Facts(
    phases=3,
    most=60,
    fallback=6,
    resolution_wh=10,
    rollover_kwh=10**6,
    power="float32 1",
    energy="float32 1000",
    export="float32 1000",
)
ABB = Facts(
    phases=3,
    most=125,
    resolution_wh=10,
    power="int32 0.01",
    energy="uint64 10",
    export="uint64 10",
)
# Carlo Gavazzi: the slowest answer that any document states.
CG = Facts(
    phases=3,
    most=50,
    answer_s=0.5,
    refresh_s=1,
    resolution_wh=100,
    rollover_kwh=10**7,
    power="int32 0.1",
    energy="int32 100",
    export="int32 100",
)
ORNO = Facts(
    phases=1,
    parity="E",
    most=11,
    fallback=2,
    resolution_wh=1,
    power="uint16 1",
    energy="uint32 1",
    export="-",
    proven=False,
)
SCHNEIDER = Facts(
    phases=3,
    baudrate=19200,
    parity="E",
    most=34,
    fallback=20,
    resolution_wh=1,
    power="float32 1000",
    energy="int64 1",
    export="int64 1",
)
FINDER = Facts(
    phases=3,
    baudrate=19200,
    stopbits=2,
    unit_id=33,
    most=40,
    fallback=10,
    resolution_wh=1,
    power="float32 1",
    energy="float32 1",
    export="float32 1",
    proven=False,
)
FACTS = {
    "saia_ale3": SAIA,
    "saia_ale3_one_way": replace(SAIA, energy="uint32 10 + uint32 10", export="-"),
    "saia_ald1": ALD1,
    "saia_ald1_one_way": replace(ALD1, export="-"),
    "finder_7e23": ALD1,
    "eastron_sdm120": replace(SDM, phases=1, baudrate=2400, most=14),
    # 2400 baud by other sources; no document has its meter code.
    "eastron_sdm230": replace(SDM, phases=1, proven=False),
    "eastron_sdm72": replace(SDM, spacing_s=0.5),
    "eastron_sdm72_v2": SDM,
    "eastron_sdm630": replace(SDM, most=80, spacing_s=0.06),
    "abb_b21": replace(ABB, phases=1),
    "abb_b23": ABB,
    "abb_b24": ABB,
    "gavazzi_em112": replace(CG, phases=1),
    "gavazzi_em340": CG,
    "gavazzi_em24": replace(CG, most=11, refresh_s=0.75),
    "gavazzi_em24_e1": replace(
        CG, tcp_port=502, fallback=11, answer_s=None, refresh_s=None
    ),
    "orno_we504": ORNO,
    "orno_we514": replace(
        ORNO,
        most=18,
        resolution_wh=10,
        rollover_kwh=10**6,
        power="int32 1",
        energy="uint32 10",
    ),
    "orno_we516": replace(
        ORNO,
        phases=3,
        most=60,
        fallback=10,
        spacing_s=0.3,
        resolution_wh=10,
        power="float32 1000",
        energy="float32 1000",
        export="float32 1000",
    ),
    "dzg_dvh4013": Facts(
        phases=3,
        parity="E",
        unit_id=None,
        most=20,
        fallback=4,
        resolution_wh=1,
        power="uint32 0.1 + uint32 -0.1",
        energy="uint32 1",
        export="uint32 1",
        proven=False,
    ),
    "schneider_iem3150": replace(SCHNEIDER, export="-"),
    "schneider_iem3155": SCHNEIDER,
    "siemens_pac2200": Facts(
        phases=3,
        baudrate=19200,
        stopbits=2,
        unit_id=126,
        tcp_port=502,
        most=125,
        resolution_wh=1,
        power="float32 1",
        energy="float64 1 + float64 1",
        export="float64 1 + float64 1",
    ),
    "finder_7m24": replace(FINDER, phases=1),
    "finder_7m38": FINDER,
}
# What a model says it is, by the register it says it in.
MODELS: dict[str, tuple[int, set[int | str]]] = {
    "saia_ale3": (6, {"ALE3B5"}),
    "saia_ale3_one_way": (6, {"ALE3D5"}),
    "saia_ald1": (6, {"ALD1B5"}),
    "saia_ald1_one_way": (6, {"ALD1D5"}),
    "finder_7e23": (6, {"7E23"}),
    "eastron_sdm120": (0xFC02, {0x20}),
    "eastron_sdm72": (0xFC02, {0x84}),
    "eastron_sdm72_v2": (0xFC02, {0x89}),
    "eastron_sdm630": (0xFC02, {0x70}),
    "abb_b21": (0x8960, {"B21"}),
    "abb_b23": (0x8960, {"B23"}),
    "abb_b24": (0x8960, {"B24"}),
    "gavazzi_em112": (0x0B, {102, 104, 120, 121}),
    "gavazzi_em340": (0x0B, {341, 345, 346}),
    "gavazzi_em24": (0x0B, {71, 72, 73}),
    "gavazzi_em24_e1": (0x0B, {1648, 1649, 1650, 1651, 1652, 1653}),
    "orno_we514": (0x0B, {0xA2}),
    "schneider_iem3150": (49, {"iEM3150"}),
    "schneider_iem3155": (49, {"iEM3155"}),
    "siemens_pac2200": (64001, {42}),
}
# Where the serial number stands, the most significant register first.
SERIALS = {
    **dict.fromkeys(
        ("saia_ale3", "saia_ale3_one_way", "saia_ald1", "saia_ald1_one_way"), (17, 15)
    ),
    "finder_7e23": (17, 15),
    **dict.fromkeys((name for name in FACTS if "eastron" in name), (0xFC00,)),
    **dict.fromkeys((name for name in FACTS if "abb" in name), (0x8900,)),
    **dict.fromkeys((name for name in FACTS if "gavazzi" in name), (0x5000,)),
    "gavazzi_em24": (0x1300,),
    **dict.fromkeys((name for name in FACTS if "schneider" in name), (129,)),
    "siemens_pac2200": (64012,),
}


def held_in(profile: MeterProfile, measured: Measured) -> str:
    """Return what a quantity is held in."""
    quantity = profile.quantities.get(measured)
    if quantity is None:
        return "-"
    return " + ".join(f"{one.kind} {one.scale:g}" for one in quantity.registers)


def facts_of(profile: MeterProfile) -> Facts:
    """Return what a profile says."""
    line, limits, rollover = profile.line, profile.limits, profile.rollover_wh
    return Facts(
        phases=profile.phases,
        baudrate=line.baudrate,
        parity=line.parity,
        stopbits=line.stopbits,
        unit_id=line.unit_id,
        tcp_port=line.tcp_port,
        most=limits.max_registers,
        fallback=limits.fallback_registers,
        spacing_s=limits.spacing_s,
        answer_s=limits.answer_s,
        refresh_s=profile.refresh_s,
        ready_s=profile.ready_s,
        resolution_wh=int(profile.resolution_wh),
        rollover_kwh=None if rollover is None else rollover // 1000,
        power=held_in(profile, Measured.POWER),
        energy=held_in(profile, Measured.IMPORT),
        export=held_in(profile, Measured.EXPORT),
        proven=profile.proven,
    )


def test_every_model_is_in_the_table() -> None:
    """None is left out."""
    assert set(FACTS) == set(PROFILES)


@each_meter
def test_facts(meter: str) -> None:
    """A profile says what the table says, and nothing that the table does not know."""
    assert asdict(facts_of(PROFILES[meter])) == asdict(FACTS[meter])


@each_meter
def test_identity(meter: str) -> None:
    """A model is known by these contents of this register, or says nothing of itself."""
    identity = PROFILES[meter].identity
    model = identity.model
    found: Any = None if model is None else (model.address, set(identity.models))
    assert found == MODELS.get(meter)
    assert identity.silent == ({0} if meter == "eastron_sdm630" else set())
    serials = tuple(register.address for register in identity.serial)
    assert serials == SERIALS.get(meter, ())
    words = meter.startswith("gavazzi") or meter == "siemens_pac2200"
    kinds = {register.kind for register in identity.serial}
    assert (Kind.TEXT in kinds) is words


def test_no_answer_that_is_documented_comes_late() -> None:
    """Each link waits longer than the slowest meter needs, and far longer for strays."""
    slowest = max(facts.answer_s or 0.0 for facts in FACTS.values())
    assert slowest < DEDICATED_TIMEOUT_S < SHARED_TIMEOUT_S
    assert 6 * slowest <= LATE_S


def test_rollover_is_one_step_beyond_the_registers() -> None:
    """A counter that begins at zero again had a last step that its register holds."""
    for name, profile in PROFILES.items():
        if profile.rollover_wh is None:
            continue
        assert profile.rollover_wh % profile.resolution_wh == 0, name
        for register in profile.quantities[Measured.IMPORT].registers:
            if register.kind in (Kind.UINT32, Kind.INT32):
                assert profile.rollover_wh / register.scale < 2**31, name
