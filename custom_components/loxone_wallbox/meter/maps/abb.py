"""ABB B meters. Currents have no sign; the direction is that of the power."""

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
from .table import CURRENTS, POWERS, VOLTAGES, Table, one, phases


def _energy(address: int) -> Register:
    """Return a counter of 10 Wh; steel meters have none for export."""
    return Register(address=address, kind=Kind.UINT64, scale=10)


def _volt(address: int) -> Register:
    """Return a voltage of 0.1 V."""
    return Register(address=address, kind=Kind.UINT32, scale=0.1)


def _ampere(address: int) -> Register:
    """Return a current of 0.01 A."""
    return Register(address=address, kind=Kind.UINT32, scale=0.01)


def _watt(address: int) -> Register:
    """Return a power of 0.01 W."""
    return Register(address=address, kind=Kind.INT32, scale=0.01)


def _identity(model: str) -> Identity:
    """Return what a model calls itself."""
    return Identity(
        model=Register(address=0x8960, kind=Kind.TEXT, text_words=2),
        models=frozenset({model}),
        serial=(Register(address=0x8900, kind=Kind.UINT32),),
    )


# What it gives of a single phase is the same in all of them.
SINGLE_PHASE: Table = {
    Measured.POWER: one(_watt(0x5B14)),
    Measured.IMPORT: one(_energy(0x5000)),
    Measured.EXPORT: one(_energy(0x5004)),
    Measured.VOLTAGE_L1: one(_volt(0x5B00)),
    Measured.CURRENT_L1: one(_ampere(0x5B0C)),
    Measured.FREQUENCY: one(Register(address=0x5B2C, kind=Kind.UINT16, scale=0.01)),
    Measured.POWER_FACTOR: one(Register(address=0x5B3A, kind=Kind.INT16, scale=0.001)),
}

B21 = MeterProfile(
    id="abb_b21",
    maker="ABB",
    model="B21",
    phases=1,
    quantities=SINGLE_PHASE,
    limits=Limits(
        max_registers=125,
        runs=(Run(first=0x1000, last=0x8EFF),),
        spacing_s=0.1,
    ),
    line=Line(),
    identity=_identity("B21"),
    resolution_wh=10,
    source="ABB B21 user manual 2CMC485003, Modbus mapping",
)
B23 = replace(
    B21,
    id="abb_b23",
    model="B23",
    phases=3,
    quantities={
        **SINGLE_PHASE,
        **phases(VOLTAGES, (0x5B00, 0x5B02, 0x5B04), _volt),
        **phases(CURRENTS, (0x5B0C, 0x5B0E, 0x5B10), _ampere),
        **phases(POWERS, (0x5B16, 0x5B18, 0x5B1A), _watt),
    },
    identity=_identity("B23"),
    source="ABB B23/B24 user manual 2CMC485004, Modbus mapping",
)
B24 = replace(B23, id="abb_b24", model="B24", identity=_identity("B24"))

PROFILES = (B21, B23, B24)
