"""Numbers that occur, and those from a store, which may hold anything."""

from typing import Any

# Larger than any energy in Wh or instant in seconds; sums of such numbers stay finite.
MOST = 1e15
# What reading stored data may end in where it makes no sense.
UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


def sane(*numbers: float) -> bool:
    """Tell whether numbers are numbers that occur."""
    return all(-MOST <= number <= MOST for number in numbers)


def finite(value: Any) -> float:
    """Return a number. Raises ValueError or TypeError where it is none that occurs."""
    number = float(value)
    if not sane(number):
        raise ValueError("No energy and no instant")
    return number


def finite_or_none(value: Any) -> float | None:
    """Return a number, None for none. Raises as `finite` does."""
    return None if value is None else finite(value)


def text_or_none(value: Any) -> str | None:
    """Return a text, None for none."""
    return None if value is None else str(value)
