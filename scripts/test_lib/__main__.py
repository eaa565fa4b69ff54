"""Run the parts that were asked for and sum them up."""

import argparse
from collections.abc import Sequence
import os
import sys

from scripts.test_lib.again import with_second_try
from scripts.test_lib.card import run_card
from scripts.test_lib.parts import (
    COVERED_RELEASE,
    RELEASES,
    ROOT,
    Part,
    coverage_report,
    judge_coverage,
    run_pytest,
    run_quietly,
    summary,
)

TOOLS = ROOT / ".venv" / "bin"
LINT = (
    ("ruff check", ("ruff", "check")),
    ("ruff format", ("ruff", "format", "--check")),
    ("mypy", ("mypy",)),
)
# Half of the time a test waits for a socket or a timer, so there are more workers than
# cores on a small machine; a selection is usually too small to be worth their start.
WORKERS = ("-q", "-n", "4", "--dist", "loadgroup")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split our own switches from what belongs to pytest."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--campaign", action="store_true")
    parser.add_argument("--cov", action="store_true")
    parser.add_argument("--release", choices=RELEASES)
    return parser.parse_known_args(arguments)


def switches(
    options: argparse.Namespace, release: str, chosen: Sequence[str]
) -> list[str]:
    """Return what pytest is asked beside the tests that were chosen.

    A whole run plays what knows no Home Assistant on one release only. The slow tests
    that CI adds by itself run there as well; who asks for them gets them on both.
    """
    beside = release != COVERED_RELEASE and not chosen and not options.release
    in_ci = os.environ.get("CI") == "true"
    found = ["--slow"] if options.slow or (in_ci and not beside) else []
    found += ["--campaign"] if options.campaign else []
    return [*found, *(["--home-assistant-only"] if beside else [])]


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of the run."""
    options, chosen = parse(arguments)
    in_ci = os.environ.get("CI") == "true"
    releases = [options.release] if options.release else list(RELEASES)

    parts: list[Part] = []
    if not chosen:
        parts += [
            run_quietly(name, [str(TOOLS / tool), *rest])
            for name, (tool, *rest) in LINT
        ]
        parts.append(run_card())
    for release in releases:
        coverage = release == COVERED_RELEASE and (
            options.cov or (in_ci and not chosen)
        )
        pytest_arguments = [*(chosen or WORKERS), *switches(options, release, chosen)]
        part = run_pytest(release, pytest_arguments, coverage=coverage)
        if not chosen:
            part = with_second_try(
                part, release, switches=switches(options, release, chosen)
            )
        parts.append(part)
        if coverage and not chosen:
            parts.append(judge_coverage(coverage_report(release)))

    if not chosen:
        print("\nLeft out here: the card and the flow in a browser (scripts/e2e).")
    print("\nSummary")
    print("\n".join(summary(parts)), flush=True)
    ran = any(part.passed or part.failed for part in parts)
    return 0 if ran and all(part.ok for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
