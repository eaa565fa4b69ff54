"""The register layouts of real meters, as their makers and users write them down.

Sources are named at each family. "Inferred" means that no document says it.
"""

from dataclasses import replace

from .maps_more import MORE
from .registers import (
    MeterMap,
    Register,
    Space,
    area,
    constant,
    each,
    number,
    space,
    text,
)


# Saia-Burgess ALE3 and ALD1, also sold by others. Source: datasheets of the two; the
# type text tells them apart. Signed power is inferred from their display.
def _sbc(type_text: str, count: int, *registers: Register) -> Space:
    """Return the registers that all of the family have, and the given ones."""
    return space(
        *(constant(0, "u16", 11), constant(1, "u16", count), text(6, 8, type_text)),
        *(number(15, "u32", "serial"), number(26, "u16", "direction")),
        *registers,
        areas=(area(0, count - 1),),
    )


def _sbc_phase(address: int, phase: int) -> tuple[Register, ...]:
    """Return voltage, current, power and power factor of a phase."""
    return (
        number(address, "u16", f"voltage_{phase}"),
        number(address + 1, "u16", f"current_{phase}", 0.1),
        number(address + 2, "i16", f"power_{phase}", 10),
        number(address + 4, "i16", f"pf_{phase}", 0.01),
    )


_ALE3_POWER = (
    *(*_sbc_phase(35, 1), *_sbc_phase(40, 2), *_sbc_phase(45, 3)),
    number(50, "i16", "power", 10),
)
_ALE3 = MeterMap(
    id="ale3",
    title="Saia-Burgess ALE3, bidirectional",
    phases=3,
    spaces={
        3: _sbc(
            "ALE3B5FD10C3A00",
            52,
            *(number(27, "u32", "import", 10), number(29, "u32", "partial", 10)),
            *(number(31, "u32", "export", 10), *_ALE3_POWER),
        )
    },
    max_registers=20,
    refresh_s=10.0,
    ready_s=30.0,
    resolution_wh=10,
    # Its display ends at 999 999.9 kWh; what the registers do there is inferred.
    modulus_wh=1e9,
)
_ALE3_ONE_WAY = replace(
    _ALE3,
    id="ale3_one_way",
    title="Saia-Burgess ALE3 with two tariffs and no export",
    spaces={
        3: _sbc(
            "ALE3D5FD10C3A00",
            52,
            *(number(27, "u32", "import_t1", 10), number(29, "u32", "partial", 10)),
            *(number(31, "u32", "import_t2", 10), *_ALE3_POWER),
        )
    },
)
_ALD1 = replace(
    _ALE3,
    id="ald1",
    title="Saia-Burgess ALD1, bidirectional",
    phases=1,
    spaces={
        3: _sbc(
            "ALD1B5FD00A3A00",
            40,
            *(number(27, "u32", "import", 10), number(29, "u32", "export", 10)),
            *_sbc_phase(35, 1),
        )
    },
)
_ALD1_ONE_WAY = replace(
    _ALD1,
    id="ald1_one_way",
    title="Saia-Burgess ALD1 without export",
    spaces={
        3: _sbc(
            "ALD1D5FD00A3A00",
            40,
            *(number(27, "u32", "import", 10), number(29, "u32", "partial", 10)),
            *_sbc_phase(35, 1),
        )
    },
)
# Built like the ALD1; what it says of itself is inferred from its order number.
_FINDER_7E23 = replace(
    _ALD1,
    id="finder_7e23",
    title="Finder 7E.23",
    spaces={
        3: _sbc(
            "7E2382300210",
            40,
            *(number(27, "u32", "import", 10), number(29, "u32", "export", 10)),
            *_sbc_phase(35, 1),
        )
    },
)


# Eastron. Source: protocol documents of SDM120, SDM230, SDM72D-M, SDM72D-M-V2, SDM630.
def _sdm(code: int, *registers: Register) -> dict[int, Space]:
    """Return the spaces of a meter with the given values and meter code."""
    return {
        4: space(
            *(number(0x48, "f32", "import", 1000), number(0x4A, "f32", "export", 1000)),
            *(
                number(0x156, "f32", "throughput", 1000),
                number(0x180, "f32", "partial", 1000),
            ),
            *registers,
            areas=(area(0, 0x187, step=2),),
            even=True,
        ),
        3: space(
            *(number(0xFC00, "u32", "serial"), constant(0xFC02, "u16", code)),
            areas=(area(0, 0x3F), area(0xFC00, 0xFC03)),
        ),
    }


_SDM_ONE_PHASE = (
    *(number(0x00, "f32", "voltage_1"), number(0x06, "f32", "current_1")),
    *(number(0x0C, "f32", "power_1"), number(0x1E, "f32", "pf_1")),
    *(number(0x46, "f32", "frequency"), number(0x54, "f32", "demand")),
)
_SDM_THREE_PHASES = (
    *each((0x00, 0x02, 0x04), "f32", "voltage"),
    *each((0x06, 0x08, 0x0A), "f32", "current"),
    *each((0x0C, 0x0E, 0x10), "f32", "power"),
    *each((0x1E, 0x20, 0x22), "f32", "pf"),
    *(
        number(0x34, "f32", "power"),
        number(0x3E, "f32", "pf"),
        number(0x46, "f32", "frequency"),
    ),
    number(0x54, "f32", "demand"),
)
_SDM120 = MeterMap(
    id="sdm120",
    title="Eastron SDM120",
    phases=1,
    spaces=_sdm(0x0020, *_SDM_ONE_PHASE),
    # The display ends at 999 999.9 kWh; what the registers do there is inferred.
    modulus_wh=1e9,
)
_SDM230 = replace(
    _SDM120,
    id="sdm230",
    title="Eastron SDM230",
    spaces=_sdm(0x002B, *_SDM_ONE_PHASE),
    max_registers=60,
)
_SDM630 = MeterMap(
    id="sdm630",
    title="Eastron SDM630",
    phases=3,
    spaces=_sdm(0x0070, *_SDM_THREE_PHASES),
    max_registers=80,
    pause_s=0.06,
    modulus_wh=1e9,
)
_SDM630_OLD = replace(
    _SDM630,
    id="sdm630_old",
    title="Eastron SDM630 of the first years",
    spaces={
        4: _SDM630.spaces[4],
        3: space(
            *(number(0x2A, "u32", "serial"), constant(0xFC02, "u16", 0)),
            areas=(area(0, 0x3F), area(0xFC00, 0xFC03)),
        ),
    },
)
_SDM72 = MeterMap(
    id="sdm72",
    title="Eastron SDM72D-M",
    phases=3,
    spaces=_sdm(0x0084, number(0x34, "f32", "power")),
    # Units in the field: some give ten registers at most, and not across unused ones;
    # polled without pauses they start anew.
    max_registers=10,
    strict=True,
    pause_s=0.5,
    reboots_when_hurried=True,
    modulus_wh=1e9,
)
_SDM72_V2 = replace(
    _SDM630,
    id="sdm72_v2",
    title="Eastron SDM72D-M V2",
    spaces=_sdm(0x0089, *_SDM_THREE_PHASES),
    max_registers=60,
    pause_s=0.0,
)


# ABB. Source: manuals of the B21, B23 and B24.
def _abb(type_text: str, *registers: Register) -> dict[int, Space]:
    """Return the space of a meter with the given values of its phases."""
    return {
        3: space(
            *(number(0x5000, "u64", "import", 10), number(0x5004, "u64", "export", 10)),
            *(
                number(0x5B14, "i32", "power", 0.01),
                number(0x5B2C, "u16", "frequency", 0.01),
            ),
            *(number(0x5B3A, "i16", "pf", 0.001), number(0x8900, "u32", "serial")),
            *(text(0x8908, 8, "B1.12.0"), text(0x8960, 6, type_text)),
            *registers,
            areas=(area(0x1000, 0x8EFF, filler=0xFFFF),),
        )
    }


_ABB_THREE_PHASES = (
    *each((0x5B00, 0x5B02, 0x5B04), "u32", "voltage", 0.1),
    *each((0x5B0C, 0x5B0E, 0x5B10), "u32", "current", 0.01),
    *each((0x5B16, 0x5B18, 0x5B1A), "i32", "power", 0.01),
    *each((0x5460, 0x5464, 0x5468), "u64", "import", 10),
)
_ABB_B23 = MeterMap(
    id="abb_b23",
    title="ABB B23",
    phases=3,
    spaces=_abb("B23 112-100", *_ABB_THREE_PHASES),
    resolution_wh=10,
)
_ABB_B24 = replace(
    _ABB_B23,
    id="abb_b24",
    title="ABB B24",
    spaces=_abb("B24 112-100", *_ABB_THREE_PHASES),
)
_ABB_B21 = replace(
    _ABB_B23,
    id="abb_b21",
    title="ABB B21",
    phases=1,
    spaces=_abb(
        "B21 112-100",
        *(
            number(0x5B00, "u32", "voltage_1", 0.1),
            number(0x5B0C, "u32", "current_1", 0.01),
        ),
        *(number(address, "i32", "absent") for address in (0x5B16, 0x5B18, 0x5B1A)),
    ),
)


# Carlo Gavazzi. Source: communication protocols of EM112, EM340 and EM24, and open
# drivers for the EM24 with Ethernet.
_CG_THREE_PHASES = (
    *each((0x00, 0x02, 0x04), "i32", "voltage", 0.1),
    *each((0x0C, 0x0E, 0x10), "i32", "current", 0.001),
    *each((0x12, 0x14, 0x16), "i32", "power", 0.1),
    number(0x28, "i32", "power", 0.1),
)


def _cg(
    *registers: Register, last: int, serial_at: int, functions: tuple[int, ...] = (3, 4)
) -> dict[int, Space]:
    """Return the space of a meter up to an address, the same for all functions."""
    registers_and_serial = space(
        *registers,
        text(serial_at, 7),
        areas=(area(0, last), area(serial_at, serial_at + 6)),
    )
    return dict.fromkeys(functions, registers_and_serial)


_EM340 = MeterMap(
    id="em340",
    title="Carlo Gavazzi EM340",
    phases=3,
    spaces=_cg(
        *_CG_THREE_PHASES,
        *each((0x2E, 0x2F, 0x30), "i16", "pf", 0.001),
        *(number(0x31, "i16", "pf", 0.001), number(0x33, "i16", "frequency", 0.1)),
        number(0x34, "i32", "import", 100),
        *each((0x40, 0x42, 0x44), "i32", "import", 100),
        *(number(0x38, "i32", "partial", 100), number(0x4E, "i32", "export", 100)),
        last=0x5F,
        serial_at=0x5000,
    ),
    low_word_first=True,
    max_registers=50,
    alone=(constant(0x0B, "u16", 341),),
    resolution_wh=100,
    modulus_wh=1e10,
)
_EM112 = replace(
    _EM340,
    id="em112",
    title="Carlo Gavazzi EM112",
    phases=1,
    spaces=_cg(
        *(
            number(0x00, "i32", "voltage_1", 0.1),
            number(0x02, "i32", "current_1", 0.001),
        ),
        *(number(0x04, "i32", "power_1", 0.1), number(0x0E, "i16", "pf_1", 0.001)),
        *(number(0x0F, "i16", "frequency", 0.1), number(0x10, "i32", "import", 100)),
        *(number(0x14, "i32", "partial", 100), number(0x20, "i32", "export", 100)),
        last=0x37,
        serial_at=0x5000,
    ),
    alone=(constant(0x0B, "u16", 104),),
)
_EM24 = replace(
    _EM340,
    id="em24",
    title="Carlo Gavazzi EM24-DIN with RS-485",
    spaces=_cg(
        *_CG_THREE_PHASES,
        *(number(0x35, "i16", "pf", 0.001), number(0x37, "i16", "frequency", 0.1)),
        number(0x3E, "i32", "import", 100),
        *each((0x46, 0x48, 0x4A), "i32", "import", 100),
        *(number(0x42, "i32", "partial", 100), number(0x5C, "i32", "export", 100)),
        last=0x6F,
        serial_at=0x1300,
    ),
    max_registers=11,
    alone=(constant(0x0B, "u16", 71),),
    refresh_s=0.75,
)
_EM24_E1 = replace(
    _EM340,
    id="em24_e1",
    title="Carlo Gavazzi EM24 with Ethernet",
    spaces=_cg(
        *_CG_THREE_PHASES,
        *each((0x2E, 0x2F, 0x30), "i16", "pf", 0.001),
        *(number(0x31, "i16", "pf", 0.001), number(0x33, "i16", "frequency", 0.1)),
        number(0x34, "i32", "import", 100),
        *each((0x40, 0x42, 0x44), "i32", "import", 100),
        *(number(0x38, "i32", "partial", 100), number(0x4E, "i32", "export", 100)),
        last=0x5F,
        serial_at=0x5000,
        functions=(4,),
    ),
    # No document states a limit.
    max_registers=125,
    alone=(constant(0x0B, "u16", 1648),),
)

MAPS: dict[str, MeterMap] = {
    meter.id: meter
    for meter in (
        *(_ALE3, _ALE3_ONE_WAY, _ALD1, _ALD1_ONE_WAY, _FINDER_7E23),
        *(_SDM120, _SDM230, _SDM630, _SDM630_OLD, _SDM72, _SDM72_V2),
        *(_ABB_B21, _ABB_B23, _ABB_B24),
        *(_EM112, _EM340, _EM24, _EM24_E1),
        *MORE,
    )
}
