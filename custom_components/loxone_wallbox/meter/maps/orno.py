"""Orno meters: three families with nothing in common but the name."""

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


def _word(address: int, scale: float = 1.0) -> Register:
    """Return an unsigned number of one register."""
    return Register(address=address, kind=Kind.UINT16, scale=scale)


def _float(address: int) -> Register:
    """Return a float in the unit it is wanted in."""
    return Register(address=address, kind=Kind.FLOAT32)


def _kilo(address: int) -> Register:
    """Return a float in kW or kWh."""
    return Register(address=address, kind=Kind.FLOAT32, scale=1000)


def _factor(address: int) -> Register:
    """Return a power factor of 0.001."""
    return Register(address=address, kind=Kind.INT16, scale=0.001)


WE504 = MeterProfile(
    id="orno_we504",
    maker="Orno",
    model="OR-WE-504",
    phases=1,
    quantities={
        Measured.POWER: one(_word(0x03)),
        Measured.IMPORT: one(Register(address=0x07, kind=Kind.UINT32)),
        Measured.VOLTAGE_L1: one(_word(0x00, 0.1)),
        Measured.CURRENT_L1: one(_word(0x01, 0.1)),
        Measured.FREQUENCY: one(_word(0x02, 0.1)),
        Measured.POWER_FACTOR: one(_factor(0x06)),
    },
    limits=Limits(
        max_registers=11,
        runs=(Run(first=0x00, last=0x0A),),
        spacing_s=0.1,
        fallback_registers=2,
    ),
    # The maker's list says no parity, those who have one even.
    line=Line(parity="E"),
    identity=Identity(),
    resolution_wh=1,
    source="MBMD, orno1p504; not a billing meter",
    proven=False,
)
WE514 = MeterProfile(
    id="orno_we514",
    maker="Orno",
    model="OR-WE-514/515",
    phases=1,
    quantities={
        Measured.POWER: one(Register(address=0x140, kind=Kind.INT32)),
        Measured.IMPORT: one(Register(address=0xA000, kind=Kind.UINT32, scale=10)),
        Measured.VOLTAGE_L1: one(_word(0x131, 0.01)),
        Measured.CURRENT_L1: one(
            Register(address=0x139, kind=Kind.UINT32, scale=0.001)
        ),
        Measured.FREQUENCY: one(_word(0x130, 0.01)),
        Measured.POWER_FACTOR: one(_factor(0x158)),
    },
    limits=Limits(
        max_registers=18,
        runs=(
            Run(first=0x0B, last=0x0B),
            # That it bridges the gaps between its values is likely, not documented.
            Run(first=0x130, last=0x141),
            Run(first=0x158, last=0x15B),
            Run(first=0xA000, last=0xA005),
        ),
        spacing_s=0.1,
        fallback_registers=2,
    ),
    # The maker's list says no parity, those who have one even.
    line=Line(parity="E"),
    identity=Identity(
        model=Register(address=0x0B, kind=Kind.UINT16), models=frozenset({0xA2})
    ),
    resolution_wh=10,
    source="Orno register description OR-WE-514 & OR-WE-515",
    rollover_wh=10**9,
    # Some read its power without a sign.
    proven=False,
)
WE516 = replace(
    WE514,
    id="orno_we516",
    model="OR-WE-516/517",
    phases=3,
    quantities={
        Measured.POWER: one(_kilo(0x1C)),
        # 0x100 is the sum of both directions.
        Measured.IMPORT: one(_kilo(0x108)),
        Measured.EXPORT: one(_kilo(0x110)),
        **phases(VOLTAGES, (0x0E, 0x10, 0x12), _float),
        **phases(CURRENTS, (0x16, 0x18, 0x1A), _float),
        **phases(POWERS, (0x1E, 0x20, 0x22), _kilo),
        Measured.FREQUENCY: one(_float(0x14)),
        Measured.POWER_FACTOR: one(_float(0x34)),
    },
    limits=Limits(
        max_registers=60,
        runs=(
            Run(first=0x0E, last=0x3B, step=2),
            Run(first=0x100, last=0x12F, step=2),
        ),
        # Those who have one go easy on it.
        spacing_s=0.3,
        fallback_registers=10,
    ),
    identity=Identity(),
    source="MBMD, orno3p",
    rollover_wh=None,
)

PROFILES = (WE504, WE514, WE516)
