"""Which requirement of a smart charge point is met by a wallbox, and what proves it.

Takes facts as plain data, gives a row for each requirement of regulations 5 to 14 and
Schedule 1 of The Electric Vehicles (Smart Charge Points) Regulations 2021 (SI
2021/1467). A row says what is seen, what is missing and what nobody here can see. No row
and no report is a certificate: the duties are those of whoever sells a charge point.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .compliance_facts import Facts

# The profile whose text the rows follow.
PROFILE = "gb_2021"
# The regulation that only points to Schedule 1, and how the rows of that begin.
POINTER = "R12"
SCHEDULE = "S"


class State(StrEnum):
    """How a requirement stands."""

    OK = "ok"
    ATTENTION = "attention"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A sentence: the key of its text and what is filled in, instants with a zone."""

    key: str
    values: Mapping[str, str | int | float | datetime] = field(default_factory=dict)


def line(key: str, **values: str | float | datetime) -> Line:
    """Return a sentence."""
    return Line(key=key, values=values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One requirement: what proves it, what is missing, what cannot be seen from here."""

    id: str
    state: State
    proof: tuple[Line, ...] = ()
    gaps: tuple[Line, ...] = ()
    limits: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What came of looking at all requirements."""

    facts: Facts
    rows: tuple[Row, ...]

    @property
    def state(self) -> State:
        """Return how the wallbox stands as a whole."""
        if self.facts.profile != PROFILE:
            return State.NOT_APPLICABLE
        return State.ATTENTION if self.failing else State.OK

    @property
    def failing(self) -> tuple[str, ...]:
        """Return the requirements that need attention."""
        return tuple(one.id for one in self.rows if one.state is State.ATTENTION)

    def failing_but(self, others: frozenset[str]) -> tuple[str, ...]:
        """Return the same without some, nor the regulation that pointed to them alone."""
        left = [one for one in self.failing if one not in others]
        pointed = any(one.startswith(SCHEDULE) for one in left)
        return tuple(one for one in left if one != POINTER or pointed)


def row(
    name: str,
    proof: Iterable[Line] = (),
    gaps: Iterable[Line | None] = (),
    limits: Iterable[Line] = (),
) -> Row:
    """Return a row that is met where there are no gaps."""
    found = tuple(one for one in gaps if one is not None)
    return Row(
        id=name,
        state=State.ATTENTION if found else State.OK,
        proof=tuple(proof),
        gaps=found,
        limits=tuple(limits),
    )


def elsewhere(name: str, *limits: Line) -> Row:
    """Return a row of what is not a matter of this software."""
    return Row(id=name, state=State.NOT_APPLICABLE, limits=limits)


def when(wrong: object, key: str, **values: str | float | datetime) -> Line | None:
    """Return a gap where something is wrong, None where it is not."""
    return line(key, **values) if wrong else None


def without_profile(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows for a wallbox that the regulations do not hold for."""
    return tuple(
        Row(id=one.id, state=State.NOT_APPLICABLE, proof=one.proof, limits=one.limits)
        for one in rows
    )


def summed_up(name: str, rows: Iterable[Row]) -> Row:
    """Return the row of a regulation that only points to others."""
    failing = [one.id for one in rows if one.state is State.ATTENTION]
    ids = ", ".join(failing)
    return row(
        name,
        proof=[line("schedule_1_rows")],
        gaps=[when(failing, "schedule_1_gaps", requirements=ids)],
    )
