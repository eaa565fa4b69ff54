"""Every requirement has code that meets it and tests that show it, and says which."""

import ast
from pathlib import Path
import re

import pytest

from .records.test_compliance import PERFECT
from custom_components.loxone_wallbox.records.compliance_rows import report_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "custom_components" / "loxone_wallbox"
IDS = [one.id for one in report_of(PERFECT).rows]


def mapped(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return code and tests of each requirement in the table."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"[RS]\d+[a-d]?", cells[0]):
            code, tests = (re.findall(r"`([^`]+)`", cell) for cell in cells[2:])
            found[cells[0]] = (code, tests)
    return found


MAP = mapped((ROOT / "docs" / "compliance.md").read_text(encoding="utf-8"))


def test_nothing_else_is_mapped() -> None:
    """The table has the requirements of a report, in their order."""
    assert list(MAP) == IDS


@pytest.mark.parametrize("name", IDS)
def test_code_and_tests(name: str) -> None:
    """Each has both, and what it names is there."""
    code, tests = MAP[name]
    assert code
    assert tests
    for file in code:
        assert (PACKAGE / file).is_file(), file
    for test in tests:
        file, _, function = test.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        names = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert function in names, test
