"""The parts of a test run and their outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import subprocess
import time
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / ".cache" / "test"
RELEASES = {"2026.10.4": ROOT / ".venv-2026.10", "2026.11.0": ROOT / ".venv"}
COVERED_RELEASE = "2026.11.0"
PYTEST_INTERRUPTED = 2
PYTEST_NO_TESTS = 5
# A suite that hangs is ended, so that what it found until then is seen.
MOST_S = 40 * 60

COVERAGE_FLOOR = 95.0
COVERAGE_FLOORS = {"config_flow.py": 100.0}
PACKAGE = "custom_components/loxone_wallbox/"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the run and what came of it."""

    name: str
    ok: bool
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""


def run_quietly(name: str, command: Sequence[str]) -> Part:
    """Run a command that only speaks when it finds something."""
    print(f"{name} … ", end="", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    ok = done.returncode == 0
    print(f"{'ok' if ok else 'failed'} ({seconds:.0f} s)", flush=True)
    if not ok:
        print(done.stdout, flush=True)
    return Part(name=name, ok=ok, seconds=seconds)


def run_pytest(
    release: str,
    arguments: Sequence[str],
    *,
    coverage: bool,
    report: Path | None = None,
) -> Part:
    """Run pytest on one release; its output goes straight to the reader."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    report = report or OUTPUT / f"junit-{release}.xml"
    report.unlink(missing_ok=True)
    command = [str(RELEASES[release] / "bin" / "python"), "-m", "pytest"]
    command += [f"--junit-xml={report}", *arguments]
    if coverage:
        coverage_report(release).unlink(missing_ok=True)
        command += [
            "--cov",
            f"--cov-report=json:{coverage_report(release)}",
            "--cov-report=term",
        ]
    print(f"\ntests on Home Assistant {release} …", flush=True)
    began = time.monotonic()
    endless = "--campaign" in arguments or "--pdb" in arguments
    try:
        code = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "COVERAGE_FILE": str(OUTPUT / f"coverage-{release}")},
            stdin=None if "--pdb" in arguments else subprocess.DEVNULL,
            timeout=None if endless else MOST_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"\nNot done after {MOST_S // 60} minutes: ended.", flush=True)
        code = PYTEST_INTERRUPTED
    return judge_pytest(release, code, report, time.monotonic() - began)


def judge_pytest(release: str, code: int, report: Path, seconds: float) -> Part:
    """Turn pytest's exit code and its report into a part."""
    passed, failed, skipped = read_counts(report)
    note = ""
    if code == PYTEST_NO_TESTS:
        note = "no test ran"
    elif code != 0 and failed == 0:
        # A crash or a usage error has no failed test to show for it.
        failed = 1
        note = f"pytest ended with exit code {code}"
    return Part(
        name=f"tests on {release}",
        ok=code == 0 and failed == 0,
        seconds=seconds,
        passed=passed,
        failed=failed,
        skipped=skipped,
        note=note,
    )


def read_counts(report: Path) -> tuple[int, int, int]:
    """Return passed, failed and skipped of a JUnit file; zeros where there is none."""
    if not report.is_file():
        return 0, 0, 0
    total = failed = skipped = 0
    # The file is pytest's own, written a moment ago.
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314
        total += int(suite.get("tests", "0"))
        failed += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        skipped += int(suite.get("skipped", "0"))
    return max(total - failed - skipped, 0), failed, skipped


def coverage_report(release: str) -> Path:
    """Return where the coverage figures of a release are written."""
    return OUTPUT / f"coverage-{release}.json"


def judge_coverage(report: Path) -> Part:
    """Hold the coverage figures against the floors."""
    if not report.is_file():
        return Part(name="coverage", ok=False, seconds=0, note="no figures")
    data = json.loads(report.read_text(encoding="utf-8"))
    total = float(data["totals"]["percent_covered"])
    short = [] if total >= COVERAGE_FLOOR else [f"below {COVERAGE_FLOOR:g} %"]
    for name, floor in COVERAGE_FLOORS.items():
        figures = data["files"].get(f"{PACKAGE}{name}")
        share = float(figures["summary"]["percent_covered"]) if figures else 0.0
        if share < floor:
            short.append(f"{name} {share:.1f} %, wanted {floor:g} %")
    note = "; ".join([f"{total:.1f} %", *short])
    return Part(name="coverage", ok=not short, seconds=0, note=note)


def summary(parts: Sequence[Part]) -> list[str]:
    """Return one line a part, then the line that adds the tests up."""
    width = max(len(part.name) for part in parts)
    lines = []
    for part in parts:
        facts = [f"{part.seconds:.0f} s"] if part.seconds else []
        if part.passed or part.failed or part.skipped:
            facts.insert(0, f"{part.passed} passed, {part.failed} failed")
            facts[0] += f", {part.skipped} skipped" if part.skipped else ""
        facts += [part.note] if part.note else []
        word = "ok    " if part.ok else "FAILED"
        lines.append(f"  {part.name:<{width}}  {word}  {'; '.join(facts)}")
    passed, failed, skipped = (
        sum(getattr(part, field) for part in parts)
        for field in ("passed", "failed", "skipped")
    )
    last = f"{passed} passed, {failed} failed"
    return [*lines, "", last + (f", {skipped} skipped" if skipped else "")]
