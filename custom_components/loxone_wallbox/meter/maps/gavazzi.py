"""Carlo Gavazzi meters: 32 bits with the low word first, 0.1 kWh steps.

In their "easy connection" mode power and counters ignore the direction. The model code
is read alone: in a longer read its address is half of a voltage.
"""

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


def _double(address: int, scale: float) -> Register:
    """Return a signed number of two registers."""
    return Register(
        address=address,
        kind=Kind.INT32,
        space="input",
        word_order="little",
        scale=scale,
    )


def _tenth(address: int) -> Register:
    """Return a voltage of 0.1 V or a power of 0.1 W."""
    return _double(address, 0.1)


def _milliampere(address: int) -> Register:
    """Return a current of 0.001 A."""
    return _double(address, 0.001)


def _energy(address: int) -> Register:
    """Return a counter of 0.1 kWh."""
    return _double(address, 100)


def _single(address: int, scale: float) -> Register:
    """Return a signed number of one register."""
    return Register(address=address, kind=Kind.INT16, space="input", scale=scale)


def _identity(serial: int, *codes: int) -> Identity:
    """Return the codes of a model and where its serial number stands."""
    return Identity(
        model=Register(address=0x0B, kind=Kind.UINT16, space="input", alone=True),
        models=frozenset(codes),
        serial=(Register(address=serial, kind=Kind.TEXT, text_words=7, space="input"),),
    )


def _limits(most: int, *runs: tuple[int, int], fallback: int | None = None) -> Limits:
    """Return the limits of a model with these stretches of registers."""
    return Limits(
        max_registers=most,
        runs=tuple(Run(first=a, last=b, space="input") for a, b in runs),
        spacing_s=0.1,
        fallback_registers=fallback,
        answer_s=0.5,
    )


PHASES: Table = {
    Measured.POWER: one(_tenth(0x28)),
    **phases(VOLTAGES, (0x00, 0x02, 0x04), _tenth),
    **phases(CURRENTS, (0x0C, 0x0E, 0x10), _milliampere),
    **phases(POWERS, (0x12, 0x14, 0x16), _tenth),
}

EM112 = MeterProfile(
    id="gavazzi_em112",
    maker="Carlo Gavazzi",
    model="EM112/ET112",
    phases=1,
    quantities={
        Measured.POWER: one(_tenth(0x04)),
        Measured.IMPORT: one(_energy(0x10)),
        Measured.EXPORT: one(_energy(0x20)),
        Measured.VOLTAGE_L1: one(_tenth(0x00)),
        Measured.CURRENT_L1: one(_milliampere(0x02)),
        Measured.FREQUENCY: one(_single(0x0F, 0.1)),
    },
    limits=_limits(50, (0x00, 0x21), (0x5000, 0x5006)),
    line=Line(),
    identity=_identity(0x5000, 102, 104, 120, 121),
    resolution_wh=100,
    source="Carlo Gavazzi EM111/EM112/ET112 communication protocol",
    refresh_s=1,
    # The display ends at 9 999 999 kWh; that the register does too is likely.
    rollover_wh=10**10,
)
EM340 = replace(
    EM112,
    id="gavazzi_em340",
    model="EM340/EM341/ET340",
    phases=3,
    quantities={
        **PHASES,
        Measured.IMPORT: one(_energy(0x34)),
        Measured.EXPORT: one(_energy(0x4E)),
        Measured.FREQUENCY: one(_single(0x33, 0.1)),
        Measured.POWER_FACTOR: one(_single(0x31, 0.001)),
    },
    limits=_limits(50, (0x00, 0x4F), (0x5000, 0x5006)),
    identity=_identity(0x5000, 341, 345, 346),
    source="Carlo Gavazzi EM330/EM340/ET330/ET340 communication protocol",
)
EM24 = replace(
    EM340,
    id="gavazzi_em24",
    model="EM24-DIN (RS-485)",
    quantities={
        **PHASES,
        # 0x42 is the partial counter.
        Measured.IMPORT: one(_energy(0x3E)),
        # Not in every unit.
        Measured.EXPORT: one(_energy(0x5C)),
        Measured.FREQUENCY: one(_single(0x37, 0.1)),
        Measured.POWER_FACTOR: one(_single(0x35, 0.001)),
    },
    limits=_limits(11, (0x00, 0x5D), (0x1300, 0x1306)),
    identity=_identity(0x1300, 71, 72, 73),
    source="Carlo Gavazzi EM24-DIN communication protocol V4R0",
    refresh_s=0.75,
)
EM24_E1 = replace(
    EM340,
    id="gavazzi_em24_e1",
    model="EM24 E1 (Ethernet)",
    # The document states no limit; the sister with the same map has 50.
    limits=replace(
        _limits(50, (0x00, 0x4F), (0x5000, 0x5006), fallback=11), answer_s=None
    ),
    line=Line(tcp_port=502),
    identity=_identity(0x5000, *range(1648, 1654)),
    source="Carlo Gavazzi EM24 Ethernet communication protocol",
    refresh_s=None,
)

PROFILES = (EM112, EM340, EM24, EM24_E1)
