"""What can go wrong with a meter, by name; several faults can hold at the same time.

Each fault of answers has `times`, after which it ends, and `match`, which restricts it to
requests that contain the text; a request reads like "4 52+24": function, first address
and count of registers.
"""

from typing import Any

from ..faults import FaultKind, Faults, UnknownFaultError


def _answers(summary: str, **options: Any) -> FaultKind:
    """Return a fault of answers."""
    return FaultKind(summary=summary, options={"times": None, "match": None, **options})


def _values(summary: str, **options: Any) -> FaultKind:
    """Return a fault of what the meter measures, which holds until it is cleared."""
    return FaultKind(summary=summary, options=options)


METER_FAULTS: dict[str, FaultKind] = {
    "silent": _answers("no answer"),
    "storm": _answers("answers only now and then", silent=5, answered=1),
    "slow": _answers("late answers", seconds=2.0),
    "duplicate": _answers("answers that come twice", after_s=0.0),
    "echo": _answers("an RS-485 adapter that sends each request back"),
    "truncated": _answers("answers without their end", missing=3),
    "short": _answers("sound answers with fewer registers", by=1),
    "wrong_crc": _answers("answers with a wrong checksum"),
    "wrong_transaction": _answers("answers to another transaction"),
    "other_unit": _answers("answers of another unit", by=1),
    "garbage": _answers("noise on the line", size=8, instead=False),
    "exception": _answers("exceptions instead of values, 6 is busy", code=6),
    "closed": _answers("the connection ends instead of an answer", halfway=False),
    "invalid": _answers("markers of invalid values and NaN", quantity=""),
    "glitch": _answers("a counter that jumps for a moment", by_kwh=-1.0, to_kwh=None),
    "no_serial": _answers("a serial number that reads as nothing"),
    "tenfold_frequency": _answers("a frequency ten times too high"),
    "frozen": _values("registers that are no longer renewed"),
    "swapped": _values("current transformers the wrong way round, 0 is all", phase=0),
    "bias": _values("measures this much too high", percent=12.0, of="both"),
    "noise": _values("a power that jumps around its mean", percent=8.0),
}
METER_FAULT_TYPES: dict[str, tuple[type, ...]] = {
    "times": (int,),
    "match": (str,),
    "to_kwh": (int, float),
}
_ONLY_RTU = {"echo", "wrong_crc"}
_ONLY_TCP = {"wrong_transaction"}
_BIASED = ("both", "power", "energy")
_PHASES = 3


def meter_faults() -> Faults:
    """Return a meter's faults, of which none holds yet."""
    return Faults(METER_FAULTS, METER_FAULT_TYPES)


def check_fault(name: str, options: dict[str, Any], *, rtu: bool) -> None:
    """Refuse a fault that this meter's link cannot have, or options out of range."""
    meter_faults().add(name, options)
    if name in (_ONLY_TCP if rtu else _ONLY_RTU):
        link = "an RTU line" if rtu else "Modbus TCP"
        raise UnknownFaultError(f"{name} does not happen on {link}")
    if options.get("of", "both") not in _BIASED:
        raise UnknownFaultError(f"of is one of {', '.join(_BIASED)}")
    if not 0 <= options.get("phase", 0) <= _PHASES:
        raise UnknownFaultError("phase is 1, 2, 3, or 0 for all of them")
