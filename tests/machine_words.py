"""What waits, since when, and what is wrong: words of the machine's second telling."""

from dataclasses import dataclass
from datetime import datetime

from .machine_wish import Goal


@dataclass(frozen=True, kw_only=True)
class Waits:
    """A change that waits for its due instant; `before` is what held when it began."""

    since: datetime
    cause: str
    drawn_s: int
    due: datetime
    goal: Goal
    before: Goal


@dataclass(frozen=True)
class Since:
    """Since when something is wanted, and why."""

    at: datetime
    cause: str


class WrongError(AssertionError):
    """What the controller did is not what should have been."""
