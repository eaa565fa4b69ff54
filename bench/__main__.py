"""Measure the named figures, or all of them."""

import argparse
from collections.abc import Callable
import sys

from .card import card
from .commands import command_latency
from .decode import decode_values_ns
from .history import history_cost
from .meter import meter_reading
from .recorder_growth import recorder_growth
from .report import Figure, conditions
from .setup import set_up_seconds
from .year import year_seconds

FIGURES: dict[str, Callable[[], Figure | tuple[Figure, ...]]] = {
    "P1": decode_values_ns,
    "P2": set_up_seconds,
    "P3": command_latency,
    "P7": year_seconds,
    "P8": card,
}
# These take real or played time, which can be shortened, and have several lines.
LONG_FIGURES: dict[str, Callable[[int | None], tuple[Figure, ...]]] = {
    "P4": meter_reading,
    "P5": history_cost,
    "P6": recorder_growth,
}
NAMES = sorted({*FIGURES, *LONG_FIGURES})


def main(arguments: list[str]) -> int:
    """Print each figure; 1 if one is short, 2 if one is unknown."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("figures", nargs="*", metavar="FIGURE")
    parser.add_argument("--seconds", type=int, help="shortens the figures that wait")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.figures if name not in NAMES]:
        known = ", ".join(NAMES)
        print(f"No figure {', '.join(unknown)}; there are {known}.", file=sys.stderr)
        return 2
    short = 0
    for name in given.figures or NAMES:
        for figure in _measured(name, given.seconds):
            print("\n".join(figure.lines()), flush=True)
            short += not figure.ok
    print(conditions())
    return 1 if short else 0


def _measured(name: str, seconds: int | None) -> tuple[Figure, ...]:
    """Return the lines of a figure."""
    if name in LONG_FIGURES:
        return LONG_FIGURES[name](seconds)
    measured = FIGURES[name]()
    return measured if isinstance(measured, tuple) else (measured,)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
