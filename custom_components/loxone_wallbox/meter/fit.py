"""What a single unit of a model stands, and what to ask it therefore.

Takes in a profile; gives the reads of every pace with the values they hold. A `Fit` is
plain data: whoever sets a meter up keeps it, so that no start has to be refused again.
`probe` finds it out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from . import decode
from .model import Measured, MeterProfile, Pace, Quantity, Read, Register, Words
from .plan import plan_reads

if TYPE_CHECKING:
    from modbus_connection.model import RegisterSpace

# So many lengths are enough: by then the answer to the first one is long through.
MOST_PROOFS = 16

type Quantities = Mapping[Measured, Quantity]
type Answers = Sequence[tuple[Read, Sequence[int]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """How to read a unit: by `cautious` plans or not, `without` what it lacks."""

    cautious: bool = False
    without: frozenset[Measured] = frozenset()

    def reads(self, profile: MeterProfile, pace: Pace) -> tuple[Read, ...]:
        """Return the reads of a pace."""
        try:
            return plan_reads(
                profile, pace, cautious=self.cautious, without=self.without
            )
        except ValueError:
            # What is left out can be what made the lengths differ.
            return plan_reads(profile, pace, cautious=True, without=self.without)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"cautious": self.cautious, "without": sorted(self.without)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data; raises ValueError or TypeError for what makes no sense."""
        without = frozenset(Measured(name) for name in data.get("without", ()))
        return cls(cautious=bool(data.get("cautious")), without=without)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """What to read and what is in it.

    `fast` is for each second, of `slow` one read at a time, `identity` for each
    connection. `slow_values` has what each slow read adds to the values of the fast ones.
    """

    fast: tuple[Read, ...]
    slow: tuple[Read, ...]
    identity: tuple[Read, ...]
    fast_values: Quantities
    slow_values: tuple[Quantities, ...]

    @classmethod
    def of(cls, profile: MeterProfile, fit: Fit) -> Schedule:
        """Return the schedule of a unit."""
        fast = fit.reads(profile, Pace.FAST)
        slow = fit.reads(profile, Pace.SLOW)
        wanted = {
            measured: quantity
            for measured, quantity in profile.quantities.items()
            if measured not in fit.without
        }
        fast_values = _held(wanted, fast)
        rest = {
            measured: quantity
            for measured, quantity in wanted.items()
            if measured not in fast_values
        }
        return cls(
            fast=fast,
            slow=slow,
            identity=fit.reads(profile, Pace.IDENTITY),
            fast_values=fast_values,
            slow_values=tuple(_held(rest, (*fast, read)) for read in slow),
        )


def proofs(profile: MeterProfile) -> tuple[Read, ...]:
    """Return reads of different lengths, each of which can prove the order of answers.

    Those of the plan come first, then the cautious ones, then whatever else the runs
    hold: a meter that is read in two or three lengths would soon have none left of which
    no answer is awaited.
    """
    found: dict[int, Read] = {}
    for fit in (Fit(), Fit(cautious=True)):
        for pace in (Pace.IDENTITY, Pace.SLOW, Pace.FAST):
            for read in fit.reads(profile, pace):
                found.setdefault(read.count, read)
    for run in profile.limits.runs:
        most = min(profile.limits.max_registers, run.last - run.first + 1)
        for count in range(run.step, most + 1, run.step):
            other = Read(space=run.space, start=run.first, count=count)
            if len(found) < MOST_PROOFS:
                found.setdefault(count, other)
    return tuple(found.values())


def holds(read: Read, register: Register) -> bool:
    """Tell whether a read holds a register."""
    inside = read.start <= register.address and register.last <= read.last
    return inside and read.space == register.space


def words_of(answers: Answers) -> Words:
    """Return the words of several reads as if it had been one."""
    whole: dict[RegisterSpace, dict[int, int]] = {}
    for read, words in answers:
        for space, part in decode.words_of(read, words).items():
            whole.setdefault(space, {}).update(part)
    return whole


def values_of(quantities: Quantities, answers: Answers) -> dict[Measured, float]:
    """Return the values in answers, in their units, without those there are not."""
    words = words_of(answers)
    found = {
        measured: decode.value(measured, quantity, words)
        for measured, quantity in quantities.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _held(quantities: Quantities, reads: Iterable[Read]) -> Quantities:
    """Return the quantities of which every register is in one of the reads."""
    asked = tuple(reads)
    return {
        measured: quantity
        for measured, quantity in quantities.items()
        if all(
            any(holds(read, register) for read in asked)
            for register in quantity.registers
        )
    }
