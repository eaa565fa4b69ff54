"""Run the parts that were asked for and sum them up."""

import argparse
from collections.abc import Sequence
import os
import sys

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
# The suite on two workers; a selection is usually too small to be worth their start.
WORKERS = ("-q", "-n", "2", "--dist", "loadgroup")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split our own switches from what belongs to pytest."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--campaign", action="store_true")
    parser.add_argument("--cov", action="store_true")
    parser.add_argument("--release", choices=RELEASES)
    return parser.parse_known_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of the run."""
    options, chosen = parse(arguments)
    in_ci = os.environ.get("CI") == "true"
    pytest_arguments = list(chosen or WORKERS)
    if options.slow or in_ci:
        pytest_arguments.append("--slow")
    if options.campaign:
        pytest_arguments.append("--campaign")
    releases = [options.release] if options.release else list(RELEASES)

    parts: list[Part] = []
    if not chosen:
        parts += [
            run_quietly(name, [str(TOOLS / tool), *rest])
            for name, (tool, *rest) in LINT
        ]
    for release in releases:
        coverage = release == COVERED_RELEASE and (
            options.cov or (in_ci and not chosen)
        )
        parts.append(run_pytest(release, pytest_arguments, coverage=coverage))
        if coverage and not chosen:
            parts.append(judge_coverage(coverage_report(release)))

    print("\nSummary")
    print("\n".join(summary(parts)), flush=True)
    ran = any(part.passed or part.failed for part in parts)
    return 0 if ran and all(part.ok for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
