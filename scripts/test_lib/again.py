"""The few tests that failed, once more and alone.

More workers than cores and servers beside them: a test that waits for a real clock may
lose against its neighbours. What passes alone was unsteady, not wrong: it is named in
the summary, so that somebody looks at it. What fails twice has failed, and more than a
handful of failures are no accident.
"""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from scripts.test_lib.parts import OUTPUT, Part, run_pytest

MOST_AGAIN = 5


def failed_names(report: Path) -> list[str]:
    """Return the tests of a JUnit file that failed or could not be set up."""
    if not report.is_file():
        return []
    # The file is pytest's own, written a moment ago.
    cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314
    return sorted(
        {
            f"{case.get('classname')}::{case.get('name')}"
            for case in cases
            if case.find("failure") is not None or case.find("error") is not None
        }
    )


def with_second_try(part: Part, release: str, *, switches: list[str]) -> Part:
    """Return the part with what its failed tests did alone; the rest as it was.

    A run that pytest itself could not finish has no failed tests to repeat.
    """
    first = failed_names(OUTPUT / f"junit-{release}.xml")
    if part.ok or not first or len(first) > MOST_AGAIN or part.note:
        return part
    print(f"\n{len(first)} failed, once more and alone …", flush=True)
    second = run_pytest(
        release,
        ["-q", "--last-failed", "--last-failed-no-failures=none", *switches],
        coverage=False,
        report=OUTPUT / f"junit-{release}-again.xml",
    )
    still = failed_names(OUTPUT / f"junit-{release}-again.xml")
    unsteady = [name for name in first if name not in still]
    if second.passed + second.failed < len(first) or not unsteady:
        return part
    return replace(
        part,
        ok=second.ok,
        seconds=part.seconds + second.seconds,
        passed=part.passed + len(unsteady),
        failed=len(still),
        note="passed only alone: " + ", ".join(unsteady),
    )
