"""Makers with a meter or two: DZG, Schneider Electric, Siemens, Finder."""

from dataclasses import replace

from ..model import (
    Identity,
    Kind,
    Limits,
    Line,
    Measured,
    MeterProfile,
    Register,
    Run,
)
from .table import CURRENTS, POWERS, VOLTAGES, one, phases


def _float(address: int) -> Register:
    """Return a float in the unit it is wanted in."""
    return Register(address=address, kind=Kind.FLOAT32)


def _kilowatt(address: int) -> Register:
    """Return a float in kW."""
    return Register(address=address, kind=Kind.FLOAT32, scale=1000)


def _input(address: int) -> Register:
    """Return a float in input registers."""
    return Register(address=address, kind=Kind.FLOAT32, space="input")


def _wh(address: int) -> Register:
    """Return a counter of 64 bits in Wh."""
    return Register(address=address, kind=Kind.INT64)


def _tariff(address: int) -> Register:
    """Return a float of 64 bits in Wh."""
    return Register(address=address, kind=Kind.FLOAT64)


def _dzg(address: int, scale: float) -> Register:
    """Return an unsigned number of two registers."""
    return Register(address=address, kind=Kind.UINT32, scale=scale)


DVH4013 = MeterProfile(
    id="dzg_dvh4013",
    maker="DZG",
    model="DVH4013",
    phases=3,
    quantities={
        # It gives both directions, each from zero.
        Measured.POWER: one(_dzg(0x00, 0.1), _dzg(0x02, -0.1)),
        Measured.IMPORT: one(_dzg(0x4000, 1)),
        Measured.EXPORT: one(_dzg(0x4100, 1)),
        **phases(VOLTAGES, (0x04, 0x06, 0x08), lambda a: _dzg(a, 0.01)),
        **phases(CURRENTS, (0x0A, 0x0C, 0x0E), lambda a: _dzg(a, 0.001)),
        Measured.FREQUENCY: one(_dzg(0x12, 0.001)),
    },
    limits=Limits(
        max_registers=20,
        runs=(
            # Asked for 0x14 it answers with an error.
            Run(first=0x00, last=0x13, step=2),
            Run(first=0x4000, last=0x4001, step=2),
            # Longer than needed, to differ in length from the other counter.
            Run(first=0x4100, last=0x4103, step=2),
        ),
        spacing_s=0.1,
        fallback_registers=4,
    ),
    # The address is made of the serial number's last two digits.
    line=Line(parity="E", unit_id=None),
    identity=Identity(),
    resolution_wh=1,
    source="MBMD, dzg; DZG Modbus communication protocol WH4013",
    proven=False,
)

IEM3150 = MeterProfile(
    id="schneider_iem3150",
    maker="Schneider Electric",
    model="iEM3150",
    phases=3,
    quantities={
        Measured.POWER: one(_kilowatt(3059)),
        Measured.IMPORT: one(_wh(3203)),
        **phases(VOLTAGES, (3027, 3029, 3031), _float),
        **phases(CURRENTS, (2999, 3001, 3003), _float),
        **phases(POWERS, (3053, 3055, 3057), _kilowatt),
        Measured.FREQUENCY: one(_float(3109)),
    },
    limits=Limits(
        # No document states it; it is the longest of the reads below.
        max_registers=34,
        runs=(
            Run(first=2999, last=3032, step=2),
            Run(first=3053, last=3060, step=2),
            Run(first=3109, last=3110, step=2),
            Run(first=3203, last=3210, step=4),
            Run(first=49, last=68),
            Run(first=129, last=130),
        ),
        spacing_s=0.1,
        fallback_registers=20,
    ),
    # Set on its display.
    line=Line(baudrate=19200, parity="E"),
    identity=Identity(
        model=Register(address=49, kind=Kind.TEXT, text_words=20),
        models=frozenset({"iEM3150"}),
        serial=(Register(address=129, kind=Kind.UINT32),),
    ),
    resolution_wh=1,
    source="Schneider Electric iEM3100 series user manual DOCA0005, register list",
)
IEM3155 = replace(
    IEM3150,
    id="schneider_iem3155",
    model="iEM3155",
    quantities={**IEM3150.quantities, Measured.EXPORT: one(_wh(3207))},
    identity=replace(IEM3150.identity, models=frozenset({"iEM3155"})),
)

PAC2200 = MeterProfile(
    id="siemens_pac2200",
    maker="Siemens",
    model="PAC2200",
    phases=3,
    quantities={
        Measured.POWER: one(_float(65)),
        # Both tariffs; with one only, the second stays at zero.
        Measured.IMPORT: one(_tariff(801), _tariff(805)),
        Measured.EXPORT: one(_tariff(809), _tariff(813)),
        **phases(VOLTAGES, (1, 3, 5), _float),
        **phases(CURRENTS, (13, 15, 17), _float),
        **phases(POWERS, (25, 27, 29), _float),
        Measured.POWER_FACTOR: one(_float(69)),
        # Two documents disagree about where the frequency stands.
    },
    limits=Limits(
        max_registers=125,
        runs=(
            Run(first=1, last=70, step=2),
            Run(first=801, last=816, step=4),
            # Given as a whole or not at all.
            Run(first=64001, last=64027, step=27),
        ),
        spacing_s=0.1,
    ),
    line=Line(baudrate=19200, stopbits=2, unit_id=126, tcp_port=502),
    # The number Siemens has as a maker; the models behind it share the layout.
    identity=Identity(
        model=Register(address=64001, kind=Kind.UINT16),
        models=frozenset({42}),
        serial=(Register(address=64012, kind=Kind.TEXT, text_words=8),),
    ),
    resolution_wh=1,
    source="Siemens 7KM PAC2200 equipment manual L1V30415167B, appendix A.1",
)

FINDER_7M24 = MeterProfile(
    id="finder_7m24",
    maker="Finder",
    model="7M.24",
    phases=1,
    quantities={
        Measured.POWER: one(_input(2536)),
        # The owner chooses what these count; as delivered import and export.
        Measured.IMPORT: one(_input(2752)),
        Measured.EXPORT: one(_input(2756)),
        Measured.VOLTAGE_L1: one(_input(2500)),
        Measured.CURRENT_L1: one(_input(2516)),
        Measured.FREQUENCY: one(_input(2584)),
        Measured.POWER_FACTOR: one(_input(2560)),
    },
    limits=Limits(
        # No document states it.
        max_registers=40,
        runs=(
            Run(first=2500, last=2599, space="input", step=2),
            # Beside the energies stand the reactive ones.
            Run(first=2752, last=2759, space="input", step=2, filled=True),
        ),
        spacing_s=0.1,
        fallback_registers=10,
    ),
    line=Line(baudrate=19200, stopbits=2, unit_id=33),
    identity=Identity(),
    resolution_wh=1,
    source="Finder Modbus protocol 7M.24/7M.38 v2 (30.06.2021)",
    proven=False,
)
FINDER_7M38 = replace(
    FINDER_7M24,
    id="finder_7m38",
    model="7M.38",
    phases=3,
    quantities={
        **FINDER_7M24.quantities,
        **phases(VOLTAGES, (2500, 2502, 2504), _input),
        **phases(CURRENTS, (2516, 2518, 2520), _input),
        **phases(POWERS, (2530, 2532, 2534), _input),
    },
)

PROFILES = (DVH4013, IEM3150, IEM3155, PAC2200, FINDER_7M24, FINDER_7M38)
