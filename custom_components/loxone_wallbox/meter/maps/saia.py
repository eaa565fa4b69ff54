"""Saia-Burgess (Honeywell) meters; the three-phase one is what Loxone sold as 200157.

Registers count from 1 in the makers' tables, from 0 here. The partial counters can be
reset by anyone on the bus and are not read. There is no frequency.
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


def _energy(address: int) -> Register:
    """Return a counter of 10 Wh."""
    return Register(address=address, kind=Kind.UINT32, scale=10)


def _volt(address: int) -> Register:
    """Return a voltage in whole volts."""
    return Register(address=address, kind=Kind.UINT16)


def _ampere(address: int) -> Register:
    """Return a current of 0.1 A."""
    return Register(address=address, kind=Kind.UINT16, scale=0.1)


def _watt(address: int) -> Register:
    """Return a power of 10 W; feeding back is negative."""
    return Register(address=address, kind=Kind.INT16, scale=10)


def _factor(address: int) -> Register:
    """Return a power factor of 0.01."""
    return Register(address=address, kind=Kind.INT16, scale=0.01)


def _limits(registers: int) -> Limits:
    """Return the limits of a meter with so many registers."""
    return Limits(
        max_registers=20,
        runs=(Run(first=0, last=registers - 1),),
        spacing_s=0.1,
        answer_s=0.06,
    )


def _identity(*types: str) -> Identity:
    """Return what the first letters of the type say; the serial number has 48 bits."""
    return Identity(
        model=Register(address=6, kind=Kind.TEXT, text_words=len(types[0]) // 2),
        models=frozenset(types),
        serial=(
            Register(address=17, kind=Kind.UINT16),
            Register(address=15, kind=Kind.UINT32),
        ),
    )


THREE_PHASES: Table = {
    Measured.POWER: one(_watt(50)),
    **phases(VOLTAGES, (35, 40, 45), _volt),
    **phases(CURRENTS, (36, 41, 46), _ampere),
    **phases(POWERS, (37, 42, 47), _watt),
}
SINGLE_PHASE: Table = {
    Measured.POWER: one(_watt(37)),
    Measured.IMPORT: one(_energy(27)),
    Measured.VOLTAGE_L1: one(_volt(35)),
    Measured.CURRENT_L1: one(_ampere(36)),
    Measured.POWER_FACTOR: one(_factor(39)),
}
# Finds the baud rate out itself; also 8O1 and 8N2.
LINE = Line(baudrate=None, parity="E", unit_id=None)

ALE3 = MeterProfile(
    id="saia_ale3",
    maker="Saia-Burgess",
    model="ALE3 two-way (Loxone 200157)",
    phases=3,
    quantities={
        **THREE_PHASES,
        Measured.IMPORT: one(_energy(27)),
        Measured.EXPORT: one(_energy(31)),
    },
    limits=_limits(52),
    line=LINE,
    identity=_identity("ALE3B5"),
    resolution_wh=10,
    source="Saia-Burgess data sheet 26-545, Modbus and register pages",
    refresh_s=10,
    ready_s=30,
    # The display ends at 999 999.9 kWh; that the register does too is likely.
    rollover_wh=10**9,
)
# Counts two tariffs, of which a wire from outside chooses one.
ALE3_ONE_WAY = replace(
    ALE3,
    id="saia_ale3_one_way",
    model="ALE3 one-way",
    quantities={**THREE_PHASES, Measured.IMPORT: one(_energy(27), _energy(31))},
    identity=_identity("ALE3D5"),
)
ALD1_ONE_WAY = replace(
    ALE3,
    id="saia_ald1_one_way",
    model="ALD1 one-way",
    phases=1,
    quantities=SINGLE_PHASE,
    limits=_limits(40),
    identity=_identity("ALD1D5"),
    source="Saia-Burgess data sheet 26-530 ALD1, register page",
    proven=False,
)
ALD1 = replace(
    ALD1_ONE_WAY,
    id="saia_ald1",
    model="ALD1 two-way",
    quantities={**SINGLE_PHASE, Measured.EXPORT: one(_energy(29))},
    identity=_identity("ALD1B5"),
)
# The same meter under another name.
FINDER_7E23 = replace(
    ALD1,
    id="finder_7e23",
    maker="Finder",
    model="7E.23 Modbus",
    identity=_identity("7E23"),
    source="Finder 7E.23 user manual, Modbus and register pages",
)

PROFILES = (ALE3, ALE3_ONE_WAY, ALD1, ALD1_ONE_WAY, FINDER_7E23)
