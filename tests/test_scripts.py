"""What stands behind the commands: counting, config flow answers, the shared clock."""

from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import sys
from typing import Any

import pytest

from scripts.clock.clockctl import Clock
from scripts.demo_lib.flow import fill_in, options_of
from scripts.demo_lib.progress import DemoError
from scripts.test_lib import again, card, parts
from scripts.test_lib.again import with_second_try
from scripts.test_lib.parts import (
    Part,
    judge_coverage,
    judge_pytest,
    run_pytest,
    summary,
)

JUNIT = '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'


def test_counts_come_from_the_report(tmp_path: Path) -> None:
    """Errors count as failures, and what remains has passed."""
    report = tmp_path / "junit.xml"
    report.write_text(JUNIT)
    part = judge_pytest("2026.11.0", 1, report, 3.0)
    assert (part.passed, part.failed, part.skipped, part.ok) == (5, 2, 2, False)


def test_a_crash_is_a_failure(tmp_path: Path) -> None:
    """Without a report there is still something that failed."""
    part = judge_pytest("2026.11.0", 3, tmp_path / "none.xml", 3.0)
    assert not part.ok
    assert part.failed == 1


@pytest.mark.parametrize(
    ("report", "ok", "counts"),
    [
        ('<testsuite tests="9"/>', True, (9, 0, True)),
        ('<testsuite tests="9" failures="2"/>', False, (7, 2, False)),
        # The types or the committed module were wrong.
        ('<testsuite tests="9"/>', False, (9, 1, False)),
        ("", True, (0, 0, False)),
        ("", False, (0, 1, False)),
    ],
)
def test_the_card_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    report: str,
    ok: bool,
    counts: tuple[int, int, bool],
) -> None:
    """The tests of the card count, and its other steps fail the part as well."""
    monkeypatch.setattr(card, "REPORT", tmp_path / "junit.xml")
    if report:
        card.REPORT.write_text(f"<testsuites>{report}</testsuites>")
    part = card.judged(Part(name="frontend", ok=ok, seconds=1))
    assert (part.passed, part.failed, part.ok) == counts


def test_no_test_is_no_success(tmp_path: Path) -> None:
    """Nothing selected is not a green run."""
    part = judge_pytest("2026.11.0", 5, tmp_path / "none.xml", 3.0)
    assert not part.ok
    assert part.note == "no test ran"


def test_last_line_adds_up() -> None:
    """The last line holds the sum of the releases."""
    parts = [
        Part(name="mypy", ok=True, seconds=2),
        Part(name="tests on 2026.10.4", ok=True, seconds=5, passed=7),
        Part(name="tests on 2026.11.0", ok=False, seconds=5, passed=6, failed=1),
    ]
    assert summary(parts)[-1] == "13 passed, 1 failed"
    parts.append(Part(name="more", ok=True, seconds=1, skipped=2))
    assert summary(parts)[-1] == "13 passed, 1 failed, 2 skipped"


UNSTEADY = """
from pathlib import Path
import sys

def test_unsteady():
    seen = Path(__file__).with_name("seen")
    tries = len(seen.read_text()) if seen.exists() else 0
    seen.write_text("x" * (tries + 1))
    assert tries

def test_fine():
    pass
"""


@pytest.mark.parametrize(
    ("more", "counts", "note"),
    [
        ("", (2, 0), "passed only alone: test_it::test_unsteady"),
        (
            "def test_wrong():\n    assert False\n",
            (2, 1),
            "passed only alone: test_it::test_unsteady",
        ),
        ("".join(f"def test_{i}():\n    assert False\n" for i in range(5)), (1, 6), ""),
    ],
)
def test_few_failures_get_a_second_try(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    counts: tuple[int, int],
    note: str,
) -> None:
    """What passes alone is named, what fails twice has failed, many are not tried."""
    (tmp_path / "test_it.py").write_text(UNSTEADY + more)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for room in (parts, again):
        monkeypatch.setattr(room, "OUTPUT", tmp_path / "output")
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    monkeypatch.setattr(parts, "RELEASES", {"2026.11.0": Path(sys.prefix)})
    first = run_pytest("2026.11.0", ["-q"], coverage=False)
    part = with_second_try(first, "2026.11.0", switches=[])
    assert ((part.passed, part.failed), part.note) == (counts, note)
    assert part.ok is (counts[1] == 0)


@pytest.mark.parametrize(
    ("total", "flow", "ok"),
    [(95.0, 100.0, True), (94.9, 100.0, False), (99.0, 99.9, False)],
)
def test_coverage_floors(tmp_path: Path, total: float, flow: float, ok: bool) -> None:
    """The package and the config flow have floors of their own."""
    report = tmp_path / "coverage.json"
    name = "custom_components/loxone_wallbox/config_flow.py"
    report.write_text(
        json.dumps(
            {
                "totals": {"percent_covered": total},
                "files": {name: {"summary": {"percent_covered": flow}}},
            }
        )
    )
    assert judge_coverage(report).ok is ok


def test_a_form_is_filled_in() -> None:
    """Answers go before suggestions, suggestions before defaults."""
    schema: list[dict[str, Any]] = [
        {"name": "host", "required": True},
        {"name": "port", "default": 80},
        {"name": "name", "description": {"suggested_value": "Garage"}, "default": "x"},
        {"name": "note", "optional": True},
        {
            "name": "more",
            "type": "expandable",
            "schema": [{"name": "tls", "default": 1}],
        },
        {"name": "boxes", "selector": {"select": {"options": [{"value": "a"}, "b"]}}},
    ]
    assert fill_in(schema, {"host": "127.0.0.1", "boxes": options_of}) == {
        "host": "127.0.0.1",
        "port": 80,
        "name": "Garage",
        "more": {"tls": 1},
        "boxes": ["a", "b"],
    }


def test_a_question_without_an_answer() -> None:
    """A required field nobody thought of is named."""
    with pytest.raises(DemoError, match="serial"):
        fill_in([{"name": "serial", "required": True}], {})


def test_the_clock_bends_without_a_jump(tmp_path: Path) -> None:
    """A new rate goes on from where the old one was."""
    start = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)
    clock = Clock.create(tmp_path / "clock", start, rate=1000)
    before = clock.now()
    clock.set_rate(1)
    after = clock.now()
    assert start <= before <= after < start + timedelta(minutes=10)
    assert Clock(tmp_path / "clock").rate == 1
    with pytest.raises(ValueError, match="rate"):
        clock.set_rate(0)


def test_the_clock_hurries_to_an_instant(tmp_path: Path) -> None:
    """It arrives, and then keeps real time."""
    start = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)
    clock = Clock.create(tmp_path / "clock", start)
    clock.run_to(start + timedelta(minutes=2), rate=1000)
    assert start + timedelta(minutes=2) <= clock.now() < start + timedelta(minutes=10)
    assert clock.rate == 1
