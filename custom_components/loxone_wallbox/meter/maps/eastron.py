"""Eastron SDM meters: floats in input registers, whose addresses and counts are even.

Only the lifetime counters are read: 0x180 to 0x186 can be reset, 0x156 means another
thing in each model, 0x54 is a mean of minutes. Power is signed.
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

# Some units of every model refuse more, whatever their document says.
FALLBACK = 6
# Serial number and meter code; the even numbers are asked of input registers only.
NAMEPLATE = (
    Run(first=0xFC00, last=0xFC01, step=2),
    Run(first=0xFC02, last=0xFC02),
)


def _plain(address: int) -> Register:
    """Return a float in the unit it is wanted in."""
    return Register(address=address, kind=Kind.FLOAT32, space="input")


def _kwh(address: int) -> Register:
    """Return a counter in kWh."""
    return replace(_plain(address), scale=1000)


def _identity(*codes: int, silent: int | None = None) -> Identity:
    """Return the meter codes of a model, none where its document has none."""
    return Identity(
        model=Register(address=0xFC02, kind=Kind.UINT16) if codes else None,
        models=frozenset(codes),
        silent=frozenset() if silent is None else frozenset({silent}),
        serial=(Register(address=0xFC00, kind=Kind.UINT32),),
    )


def _limits(
    most: int, *runs: tuple[int, int], spacing_s: float = 0.1, fallback: int = FALLBACK
) -> Limits:
    """Return the limits of a model with these stretches of input registers."""
    return Limits(
        max_registers=most,
        runs=(
            *(Run(first=a, last=b, space="input", step=2) for a, b in runs),
            *NAMEPLATE,
        ),
        spacing_s=spacing_s,
        fallback_registers=fallback,
    )


COUNTERS: Table = {
    Measured.IMPORT: one(_kwh(0x48)),
    Measured.EXPORT: one(_kwh(0x4A)),
}
SINGLE_PHASE: Table = {
    Measured.POWER: one(_plain(0x0C)),
    **COUNTERS,
    Measured.VOLTAGE_L1: one(_plain(0x00)),
    Measured.CURRENT_L1: one(_plain(0x06)),
    Measured.FREQUENCY: one(_plain(0x46)),
    Measured.POWER_FACTOR: one(_plain(0x1E)),
}
THREE_PHASES: Table = {
    Measured.POWER: one(_plain(0x34)),
    **COUNTERS,
    **phases(VOLTAGES, (0x00, 0x02, 0x04), _plain),
    **phases(CURRENTS, (0x06, 0x08, 0x0A), _plain),
    **phases(POWERS, (0x0C, 0x0E, 0x10), _plain),
    Measured.FREQUENCY: one(_plain(0x46)),
    Measured.POWER_FACTOR: one(_plain(0x3E)),
}

SDM120 = MeterProfile(
    id="eastron_sdm120",
    maker="Eastron",
    model="SDM120 Modbus",
    phases=1,
    quantities=SINGLE_PHASE,
    # The document states no limit; longer reads are not known to work.
    limits=_limits(14, (0x00, 0x25), (0x46, 0x4F)),
    # The newest manual says 9600.
    line=Line(baudrate=2400),
    identity=_identity(0x0020),
    # No document gives the step; the displays have two decimals.
    resolution_wh=10,
    source="Eastron SDM120 Modbus protocol 2.5",
    # The display ends at 999 999.9 kWh; that the register does too is likely.
    rollover_wh=10**9,
)
SDM230 = replace(
    SDM120,
    id="eastron_sdm230",
    model="SDM230 Modbus",
    limits=_limits(60, (0x00, 0x25), (0x46, 0x4F)),
    # Other sources say 2400.
    line=Line(),
    identity=_identity(),
    source="Eastron SDM230 Modbus protocol 1.1",
    proven=False,
)
SDM72_V1 = replace(
    SDM120,
    id="eastron_sdm72",
    model="SDM72D-M",
    phases=3,
    quantities={Measured.POWER: one(_plain(0x34)), **COUNTERS},
    # Restarts when it is asked without pauses.
    limits=_limits(60, (0x34, 0x4B), spacing_s=0.5),
    line=Line(),
    identity=_identity(0x0084),
    source="Eastron SDM72D-M user manual 1.5, part 3",
)
SDM72_V2 = replace(
    SDM72_V1,
    id="eastron_sdm72_v2",
    model="SDM72D-M-2 (V2)",
    quantities=THREE_PHASES,
    limits=_limits(60, (0x00, 0x4B)),
    identity=_identity(0x0089),
    source="Eastron SDM72D-M-2 Modbus protocol 1.1",
)
SDM630 = replace(
    SDM72_V2,
    id="eastron_sdm630",
    model="SDM630 Modbus",
    limits=_limits(80, (0x00, 0x4F), spacing_s=0.06),
    # The first ones give no code.
    identity=_identity(0x0070, silent=0),
    source="Eastron SDM630 Modbus protocol 2.0",
)

PROFILES = (SDM120, SDM230, SDM72_V1, SDM72_V2, SDM630)
