"""The part of a test run that lints, tests and builds the card."""

from dataclasses import replace

from scripts.test_lib.parts import OUTPUT, ROOT, Part, read_counts, run_quietly

REPORT = OUTPUT / "junit-frontend.xml"


def run_card() -> Part:
    """Run the card's own command, which holds the committed module against its sources.

    A report that it did not write counts no test, and then the part has failed.
    """
    REPORT.unlink(missing_ok=True)
    command = [str(ROOT / "scripts" / "frontend"), "--check"]
    part = run_quietly("frontend", command)
    return judged(part)


def judged(part: Part) -> Part:
    """Add the counts of its tests to the part."""
    passed, failed, skipped = read_counts(REPORT)
    if not part.ok and failed == 0:
        # A type error or an old module has no failed test to show for it.
        failed = 1
    ran = passed > 0
    return replace(
        part,
        ok=part.ok and failed == 0 and ran,
        passed=passed,
        failed=failed,
        skipped=skipped,
        note="" if ran else "no test ran",
    )
