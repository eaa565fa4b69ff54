"""The energy meters there are, as register maps.

Takes in the model of a meter and the words of its registers. Gives out which registers
to ask for at a time (`plan_reads`), the values in them (`values`: W, Wh, V, A, Hz) and
what the meter says of itself (`identify`). Reads nothing itself.

What may go wrong: a meter holds no number where one is expected (None, never zero);
a wrong model is chosen (`identify` contradicts, or nothing fits the display); a unit
refuses a read (`plan_reads`, cautious) or lacks a register (`plan_reads` without it); a late answer is taken for the next one (see `plan`); numbers
that are well formed and nonsense all the same, which is for whoever takes them to judge.
"""

from collections.abc import Mapping
from types import MappingProxyType

from .decode import energy_step_wh, identify, value, values, words_of
from .maps import abb, eastron, gavazzi, orno, others, saia
from .model import (
    Identification,
    Identity,
    Kind,
    Limits,
    Line,
    Measured,
    MeterProfile,
    Pace,
    Quantity,
    Read,
    Register,
    Run,
    Words,
)
from .plan import plan_reads

__all__ = [
    "PROFILES",
    "Identification",
    "Identity",
    "Kind",
    "Limits",
    "Line",
    "Measured",
    "MeterProfile",
    "Pace",
    "Quantity",
    "Read",
    "Register",
    "Run",
    "Words",
    "energy_step_wh",
    "identify",
    "plan_reads",
    "value",
    "values",
    "words_of",
]

PROFILES: Mapping[str, MeterProfile] = MappingProxyType(
    {
        profile.id: profile
        for maker in (saia, eastron, abb, gavazzi, orno, others)
        for profile in maker.PROFILES
    }
)
