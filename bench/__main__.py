"""Measure the named figures, or all of them."""

from collections.abc import Callable
import sys

from .commands import command_latency
from .decode import decode_values_ns
from .report import Figure, conditions
from .setup import set_up_seconds
from .year import year_seconds

FIGURES: dict[str, Callable[[], Figure]] = {
    "P1": decode_values_ns,
    "P2": set_up_seconds,
    "P3": command_latency,
    "P7": year_seconds,
}


def main(wanted: list[str]) -> int:
    """Print each figure; 1 if one is short, 2 if one is unknown."""
    if unknown := [name for name in wanted if name not in FIGURES]:
        known = ", ".join(FIGURES)
        print(f"No figure {', '.join(unknown)}; there are {known}.", file=sys.stderr)
        return 2
    short = 0
    for name in wanted or FIGURES:
        figure = FIGURES[name]()
        print("\n".join(figure.lines()), flush=True)
        short += not figure.ok
    print(conditions())
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
