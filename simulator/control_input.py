"""Checks what comes in over the control port; what makes no sense is a sentence."""

from typing import Any


def known(data: Any, names: set[str]) -> None:
    """Refuse what nobody would read."""
    if not isinstance(data, dict):
        raise TypeError("an object was expected")
    if unknown := sorted(set(data) - names):
        expected = ", ".join(sorted(names)) or "nothing"
        raise ValueError(f"{', '.join(unknown)} is not known here, only {expected}")


def switch(data: dict[str, Any], name: str, *, usual: bool) -> bool:
    """Return true or false from the input."""
    value = data.get(name, usual)
    if not isinstance(value, bool):
        raise TypeError(f"{name} is true or false")
    return value


def number(data: dict[str, Any], name: str, usual: float | None = None) -> float:
    """Return a number from the input; without a usual one it has to be there."""
    value = data[name] if usual is None else data.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} is a number")
    return value


def which(data: dict[str, Any], name: str) -> int | str:
    """Return a position, a name or an identifier; the first one if none is named."""
    value = data.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{name} is a position, a name or an identifier")
    return value
