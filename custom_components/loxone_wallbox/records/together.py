"""The ledger and the state of one wallbox, written so that they tell the same.

Takes the records that are to be written and the state after them; blocking, called in
the executor. The state goes first and has those records in it: whoever was cut off
between the two writes them from there. A record alone does not tell whether its counter
still owes something, so that a ledger which is ahead of its state would lose that. Raises
nothing; what the disk does not take is returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..charging.session import SessionError, SessionRecord
from .journal import JournalError
from .ledger import Ledger, LedgerError
from .state import StateKeeper

# Where the state has the records that the ledger may lack.
UNWRITTEN = "unwritten"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A record and at which change it is written."""

    record: SessionRecord
    transition: str


def keep(
    ledger: Ledger,
    keeper: StateKeeper,
    lines: Sequence[Line],
    state: Mapping[str, Any] | None,
) -> tuple[int, Exception | None]:
    """Write a state, None for no other one, and then records.

    Returns how many of them the ledger has, and what went wrong. Records are also tried
    where the state does not get to the disk: they matter more.
    """
    failed: Exception | None = None
    if state is not None:
        last = {line.record.id: line for line in lines}
        unwritten = [
            {"at": line.transition, "record": line.record.as_dict()}
            for line in last.values()
        ]
        try:
            keeper.save({**state, UNWRITTEN: unwritten} if unwritten else state)
        except JournalError as err:
            failed = err
    done = 0
    try:
        for line in lines:
            ledger.write(line.record, line.transition)
            done += 1
    except (JournalError, LedgerError) as err:
        failed = err
    return done, failed


def unwritten(state: Mapping[str, Any]) -> list[Line]:
    """Return the records in a state that the ledger may lack; nonsense is left out."""
    found = []
    kept = state.get(UNWRITTEN)
    for one in kept if isinstance(kept, list) else ():
        try:
            record = SessionRecord.from_dict(one["record"])
            found.append(Line(record=record, transition=str(one["at"])))
        except SessionError, KeyError, TypeError:
            continue
    return found


def make_good(ledger: Ledger, state: Mapping[str, Any]) -> list[Line]:
    """Write what a crash kept from the ledger; returns what it still does not take.

    What was deleted, has expired or is there already stays as it is.
    """
    lines = unwritten(state)
    if not lines:
        return []
    try:
        ledger.absorb(line.record for line in lines)
    except JournalError, LedgerError:
        return lines
    return []
