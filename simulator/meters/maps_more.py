"""More register layouts, of meters that are rarer beside a wallbox.

Sources are named at each family. "Inferred" means that no document says it.
"""

from dataclasses import replace

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

# Orno. Source: register list of the OR-WE-514/515, open drivers for the others.
_OR_WE_504 = MeterMap(
    id="or_we_504",
    title="Orno OR-WE-504",
    phases=1,
    spaces={
        3: space(
            *(number(0, "u16", "voltage_1", 0.1), number(1, "u16", "current_1", 0.1)),
            *(number(2, "u16", "frequency", 0.1), number(3, "u16", "power_1")),
            number(7, "u32", "import"),
            areas=(area(0, 0x0F),),
        )
    },
    modulus_wh=2.0**32,
)
_OR_WE_514 = MeterMap(
    id="or_we_514",
    title="Orno OR-WE-514",
    phases=1,
    spaces={
        3: space(
            *(
                constant(0x0B, "u16", 0xA2),
                constant(0x110, "u16", 1),
                constant(0x111, "u16", 4),
            ),
            *(
                number(0x130, "u16", "frequency", 0.01),
                number(0x131, "u16", "voltage_1", 0.01),
            ),
            *(
                number(0x139, "u32", "current_1", 0.001),
                number(0x140, "i32", "power_1"),
            ),
            *(number(0x158, "u16", "pf_1", 0.001), number(0xA000, "u32", "import", 10)),
            areas=(area(0x0B, 0x0B), area(0x110, 0x15F), area(0xA000, 0xA01F)),
        )
    },
    resolution_wh=10,
    modulus_wh=1e9,
)
_OR_WE_516 = MeterMap(
    id="or_we_516",
    title="Orno OR-WE-516",
    phases=3,
    spaces={
        3: space(
            *each((0x0E, 0x10, 0x12), "f32", "voltage"),
            *each((0x16, 0x18, 0x1A), "f32", "current"),
            *each((0x1E, 0x20, 0x22), "f32", "power", 1000),
            *(number(0x14, "f32", "frequency"), number(0x1C, "f32", "power", 1000)),
            *(
                number(0x100, "f32", "throughput", 1000),
                number(0x108, "f32", "import", 1000),
            ),
            number(0x110, "f32", "export", 1000),
            areas=(area(0, 0x51), area(0x100, 0x12F)),
        )
    },
    resolution_wh=10,
)

# DZG. Source: open driver; the maker has published no list.
_DVH4013 = MeterMap(
    id="dvh4013",
    title="DZG DVH4013",
    phases=3,
    spaces={
        3: space(
            *(
                number(0x00, "u32", "power_import", 0.1),
                number(0x02, "u32", "power_export", 0.1),
            ),
            *each((0x04, 0x06, 0x08), "u32", "voltage", 0.01),
            *each((0x0A, 0x0C, 0x0E), "u32", "current", 0.001),
            *(number(0x12, "u32", "frequency", 0.001), number(0x4000, "u32", "import")),
            *each((0x4020, 0x4040, 0x4060), "u32", "import"),
            *(number(0x4100, "u32", "export"), constant(0x8000, "u32", 110_000)),
            areas=(area(0, 0x13), area(0x4000, 0x41FF), area(0x8000, 0x800F)),
        )
    },
    modulus_wh=2.0**32,
)


# Schneider Electric. Source: user manual of the iEM3000 series, register number - 1.
def _iem(model: str, *registers: Register) -> dict[int, Space]:
    """Return the space of a model with the given values."""
    return {
        3: space(
            *(text(29, 20, "Wallbox meter"), text(49, 20, model)),
            *(text(69, 20, "Schneider Electric"), number(129, "u32", "serial")),
            *each((2999, 3001, 3003), "f32", "current"),
            *each((3027, 3029, 3031), "f32", "voltage"),
            *each((3053, 3055, 3057), "f32", "power", 1000),
            *(number(3059, "f32", "power", 1000), number(3109, "f32", "frequency")),
            *(number(3203, "i64", "import"), number(45099, "f32", "import")),
            *registers,
            areas=(
                *(area(29, 88), area(129, 132), area(2999, 3110)),
                *(area(3203, 3234), area(45099, 45102)),
            ),
        )
    }


_IEM3155 = MeterMap(
    id="iem3155",
    title="Schneider Electric iEM3155",
    phases=3,
    spaces=_iem(
        "iEM3155", number(3207, "i64", "export"), number(45101, "f32", "export")
    ),
)
_IEM3150 = replace(
    _IEM3155,
    id="iem3150",
    title="Schneider Electric iEM3150",
    spaces=_iem("iEM3150"),
)

# Siemens. Source: manual of the _PAC2200; a read starts and ends on values. The block of
# identification follows I&M0 of PROFIBUS, which is inferred from its length.
_PAC2200_SPACE = space(
    *each((1, 3, 5), "f32", "voltage"),
    *each((13, 15, 17), "f32", "current"),
    *each((25, 27, 29), "f32", "power"),
    *(number(65, "f32", "power"), number(69, "f32", "pf")),
    *(number(801, "f64", "import_t1"), number(805, "f64", "import_t2")),
    *(number(809, "f64", "export_t1"), number(813, "f64", "export_t2")),
    *(
        constant(64001, "u16", 42),
        text(64002, 10, "7KM2200-2EA30-1EA1"),
        text(64012, 8),
    ),
    areas=(area(1, 70, step=2), area(801, 816, step=4), area(64001, 64027, step=27)),
)
_PAC2200 = MeterMap(
    id="pac2200",
    title="Siemens PAC2200",
    phases=3,
    spaces={3: _PAC2200_SPACE, 4: _PAC2200_SPACE},
    unit_id=126,
)


# Finder. Source: register list of the 7M series; counters as delivered.
def _7m(*registers: Register) -> dict[int, Space]:
    """Return the space of a meter with the given values of its phases."""
    return {
        4: space(
            *(number(2536, "f32", "power"), number(2584, "f32", "frequency")),
            *(number(2752, "f32", "import"), number(2756, "f32", "export")),
            # Reactive energy, which it measures and nobody here asks for.
            *(constant(2754, "f32", 0.0), constant(2758, "f32", 0.0)),
            *registers,
            areas=(area(2500, 2599), area(2752, 2759)),
        )
    }


_FINDER_7M38 = MeterMap(
    id="finder_7m38",
    title="Finder 7M.38",
    phases=3,
    spaces=_7m(
        *each((2500, 2502, 2504), "f32", "voltage"),
        *each((2516, 2518, 2520), "f32", "current"),
        *each((2530, 2532, 2534), "f32", "power"),
    ),
    unit_id=33,
)
_FINDER_7M24 = replace(
    _FINDER_7M38,
    id="finder_7m24",
    title="Finder 7M.24",
    phases=1,
    spaces=_7m(number(2500, "f32", "voltage_1"), number(2516, "f32", "current_1")),
)

MORE = (
    *(_OR_WE_504, _OR_WE_514, _OR_WE_516, _DVH4013),
    *(_IEM3150, _IEM3155, _PAC2200, _FINDER_7M24, _FINDER_7M38),
)
