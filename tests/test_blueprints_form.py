"""Every blueprint of the repository: its form, its button, and that a test runs it."""

import ast
from pathlib import Path
import re
from urllib.parse import quote

import pytest

from .blueprint_helpers import FOLDER, blueprints, load_blueprint

ROOT = FOLDER.parent
REPOSITORY = "https://github.com/loxone-wallbox/loxone-wallbox"
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
BADGE = "https://my.home-assistant.io/badges/blueprint_import.svg"
GUIDE = ROOT / "docs" / "blueprints.md"
# What the 2026.11 release added; the oldest one that is supported does not know it.
TOO_NEW = {"visible"}

ALL = pytest.mark.parametrize(
    "path", blueprints(), ids=lambda path: str(path.relative_to(FOLDER))
)


@ALL
def test_form(path: Path) -> None:
    """It loads on this release and says what it is for."""
    blueprint = load_blueprint(path)
    assert blueprint.validate() is None
    about = blueprint.metadata
    assert about["name"].startswith("Loxone Wallbox: ")
    assert len(about["description"]) > 100
    assert "**You need**" in about["description"]
    assert about["homeassistant"]["min_version"] == "2026.10.0"
    assert about["source_url"] == f"{REPOSITORY}/blob/main/{path.relative_to(ROOT)}"
    for section in about["input"].values():
        assert section["name"]
        assert section["description"]
        for name, field in section["input"].items():
            assert field["name"], name
            assert field["description"], name
            assert field["selector"], name
            assert not TOO_NEW & set(field), name
            assert "default" in field or not section.get("collapsed"), name


@ALL
def test_selectors(path: Path) -> None:
    """Entities and devices are chosen from those that fit, in the present form."""
    for section in load_blueprint(path).metadata["input"].values():
        for name, field in section["input"].items():
            for kind in {"entity", "device"} & set(field["selector"]):
                chosen = field["selector"][kind] or {}
                assert not {"integration", "domain", "device_class"} & set(chosen), name
                # Any reader of tags will do.
                assert chosen.get("filter") or name == "readers", name


@ALL
def test_guide(path: Path) -> None:
    """The guide has a heading, a button that imports it, and what it needs."""
    about = load_blueprint(path).metadata
    url = f"{IMPORT}{quote(about['source_url'], safe='')}"
    guide = GUIDE.read_text(encoding="utf-8")
    parts = [part for part in guide.split("\n## ")[1:] if url in part]
    assert len(parts) == 1
    [part] = parts
    assert f"[![Import this blueprint]({BADGE})]({url})" in part
    assert f"(../{path.relative_to(ROOT)})" in part
    assert "**Needs:**" in part
    title = about["name"].removeprefix("Loxone Wallbox: ")
    assert part.partition("\n")[0].casefold() == title.casefold()


def test_guide_has_no_others() -> None:
    """Every link of the guide leads to a blueprint that is there."""
    guide = GUIDE.read_text(encoding="utf-8")
    named = re.findall(r"\(\.\./(blueprints/[^)]+)\)", guide)
    assert sorted(named) == sorted(str(path.relative_to(ROOT)) for path in blueprints())
    assert guide.count(IMPORT) == len(named)
    assert "docs/blueprints.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_names() -> None:
    """A file's name is the user's name of it, so no two are the same."""
    names = [path.stem for path in blueprints()]
    assert len(names) == len(set(names))
    assert {"peak_plug_in", "dsr_from_calendar", "monthly_report"} <= set(names)


def test_each_is_run() -> None:
    """Every blueprint is used by a test that makes an automation or a script of it."""
    used: set[str] = set()
    for file in Path(__file__).parent.glob("test_blueprints*.py"):
        if file == Path(__file__):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            used |= {
                one.value
                for one in call.args
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    assert {path.stem for path in blueprints()} <= used
