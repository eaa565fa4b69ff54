"""The repository keeps to the rules of Home Assistant, the Marketplace and itself."""

import ast
from collections.abc import Iterator
import json
import os
from pathlib import Path
import re
import struct
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "custom_components" / "loxone_wallbox"
FLOOR = "2026.10.4"

# About 400 and 50 are the house rule; a little more is not worth a split.
MOST_LINES_OF_A_FILE = 440
MOST_LINES_OF_A_FUNCTION = 60
SKIPPED_FOLDERS = {"node_modules", "__pycache__", "snapshots"}
HIDDEN_FOLDERS = {".ci", ".devcontainer", ".github"}
CODE_FOLDERS = ("bench", "custom_components", "scripts", "simulator", "tests")
MANIFEST_REQUIRED = {
    *("codeowners", "config_flow", "documentation", "domain", "integration_type"),
    *("iot_class", "issue_tracker", "name", "version"),
}
MANIFEST_OPTIONAL = {
    *("after_dependencies", "dependencies", "dhcp", "loggers", "requirements"),
    *("ssdp", "zeroconf"),
}
# Rooms that know nothing of Home Assistant.
PURE = ("charging", "meter", "miniserver")


def load_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def own_files() -> Iterator[Path]:
    """Yield every file that belongs to the repository, not what tools left behind."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED_FOLDERS
            and (not name.startswith(".") or name in HIDDEN_FOLDERS)
        ]
        for name in names:
            # A work tree's .git is a file, and not ours either.
            if name not in (".git", "uv.lock") and not name.startswith(".coverage"):
                yield Path(folder) / name


def python_files(*folders: str) -> list[Path]:
    """Return the Python files of top-level folders."""
    return [
        path
        for path in own_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


@pytest.fixture(name="manifest")
def manifest_fixture() -> dict[str, Any]:
    """Return the integration's manifest."""
    content: dict[str, Any] = load_json(PACKAGE / "manifest.json")
    return content


@pytest.fixture(name="project")
def project_fixture() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_manifest_has_what_is_required(manifest: dict[str, Any]) -> None:
    """The keys that hassfest, the loader and the Marketplace ask for."""
    assert manifest["domain"] == PACKAGE.name
    assert manifest["name"] == "Loxone Wallbox"
    assert manifest["config_flow"] is True
    assert (PACKAGE / "config_flow.py").is_file()
    assert manifest["integration_type"] == "hub"
    assert manifest["iot_class"] == "local_push"
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    for key in ("documentation", "issue_tracker"):
        assert manifest[key].startswith("https://")
        assert "home-assistant.io" not in manifest[key]


def test_manifest_has_no_other_keys(manifest: dict[str, Any]) -> None:
    """What is required is there, and nothing that the loader does not know."""
    assert set(manifest) - MANIFEST_OPTIONAL == MANIFEST_REQUIRED
    for matcher in manifest["dhcp"]:
        assert set(matcher) <= {"hostname", "macaddress", "registered_devices"}


def test_manifest_order(manifest: dict[str, Any]) -> None:
    """Domain and name first, then everything in the order of the alphabet."""
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


def test_manifest_dependencies(manifest: dict[str, Any]) -> None:
    """The charger stays controllable without database, frontend and Modbus."""
    assert not {"frontend", "recorder", "modbus"} & set(
        manifest.get("dependencies", ())
    )
    for requirement in manifest.get("requirements", ()):
        assert " " not in requirement
        name = re.split(r"[\[<>=~!]", requirement)[0].lower()
        assert name not in {"aiohttp", "cryptography", "sqlalchemy", "orjson"}


def test_manifest_matchers(manifest: dict[str, Any]) -> None:
    """Host names are matched in lower case, hardware addresses in upper case."""
    for matcher in manifest.get("dhcp", ()):
        assert matcher.get("hostname", "") == matcher.get("hostname", "").lower()
        assert matcher.get("macaddress", "") == matcher.get("macaddress", "").upper()


def test_one_version(manifest: dict[str, Any], project: dict[str, Any]) -> None:
    """Manifest, project and changelog speak of the same version."""
    version = manifest["version"]
    assert project["project"]["version"] == version
    assert f"## [{version}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_release_check_refuses_another_version() -> None:
    """A tag that is not the repository's version is not released."""
    done = subprocess.run(
        [sys.executable, "scripts/lib/release_check.py", "v99.0.0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for name in ("manifest.json", "pyproject.toml", "CHANGELOG.md"):
        assert name in done.stderr


def test_hacs(project: dict[str, Any]) -> None:
    """The Marketplace's file has its closed set of keys; its floor is really tested."""
    assert load_json(ROOT / "hacs.json") == {
        "name": "Loxone Wallbox",
        "homeassistant": FLOOR,
        "hide_default_branch": True,
    }
    assert f"homeassistant=={FLOOR}" in project["dependency-groups"]["ha-2026-10"]
    integrations = [
        path.name
        for path in (ROOT / "custom_components").iterdir()
        if path.is_dir() and path.name not in SKIPPED_FOLDERS
    ]
    assert integrations == [PACKAGE.name]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("icon.png", 256),
        ("icon@2x.png", 512),
        ("dark_icon.png", 256),
        ("dark_icon@2x.png", 512),
    ],
)
def test_brand(name: str, size: int) -> None:
    """Icons are square, of the asked size, with transparency, and nowhere twice."""
    data = (PACKAGE / "brand" / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (width, height, depth) == (size, size, 8)
    rgb_with_alpha = 6
    assert colour == rgb_with_alpha
    assert not (ROOT / name).exists()


def test_licence(project: dict[str, Any]) -> None:
    """The licence is the whole text of the one that is named."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project["project"]["license"] == "Apache-2.0"


def test_readme() -> None:
    """The README says what it has to, and its pictures and links are there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for mention in (
        "scripts/demo",
        "scripts/test",
        "Marketplace",
        "HACS",
        FLOOR,
        "designed around the requirements of",
        "SI 2021/1467",
        "not a certificate",
    ):
        assert mention in " ".join(text.split()), mention
    assert "compliant" not in text.lower()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / target).is_file(), target


def test_nothing_of_the_workshop() -> None:
    """No file names a folder of somebody's machine or the host of a registry."""
    # Put together here, so that this file does not hold what it looks for.
    forbidden = re.compile(
        "|".join(
            re.escape(first + second)
            for first, second in (
                ("../", "shared"),
                ("/work", "/main"),
                ("/work", "/shared"),
                ("/ro", "ot/"),
                ("/ho", "me/"),
                ("pypi.", "org"),
                ("python", "hosted.org"),
                ("registry.", "npmjs"),
                ("deb.", "debian.org"),
                ("nodesource", ".com"),
            )
        )
    )
    found = []
    for path in own_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if match := forbidden.search(text):
            found.append(f"{path.relative_to(ROOT)}: {match[0]}")
    assert found == []


def test_yaml_and_json_parse() -> None:
    """Every YAML and JSON file of the repository can be read."""
    for path in own_files():
        if path.suffix in (".yml", ".yaml") and "blueprints" not in path.parts:
            assert yaml.safe_load(path.read_text(encoding="utf-8")), path
        elif path.suffix == ".json" and "fixtures" not in path.parts:
            load_json(path)


def test_workflows() -> None:
    """Workflows have few rights; CI runs what the README names; the validators run."""
    texts = []
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        texts.append(path.read_text(encoding="utf-8"))
        workflow = yaml.safe_load(texts[-1])
        # YAML 1.1 reads the key "on" as true.
        assert True in workflow, path
        assert "permissions" in workflow, path
        assert workflow["jobs"], path
    joined = "\n".join(texts)
    for needed in (".ci/run", "home-assistant/actions/hassfest@", "hacs/action@"):
        assert needed in joined
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "scripts/test" in ci
    assert "scripts/demo --check" in ci


@pytest.mark.parametrize(
    "name",
    [
        ".ci/run",
        *(f"scripts/{one}" for one in ("bench", "demo", "e2e", "frontend")),
        *(f"scripts/{one}" for one in ("recording", "test")),
    ],
)
def test_commands_can_be_run(name: str) -> None:
    """The commands are executable and find their shell."""
    path = ROOT / name
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")


def test_npm_lock_files_name_no_host() -> None:
    """Lock files pin by checksum and leave the address to whoever installs."""
    locks = [path for path in own_files() if path.name == "package-lock.json"]
    assert locks
    for path in locks:
        packages = load_json(path)["packages"]
        for name, package in packages.items():
            assert "resolved" not in package, f"{path}: {name}"
            assert not name or package["integrity"], f"{path}: {name}"


def test_pure_rooms_do_not_import_home_assistant() -> None:
    """The client, the meter, the rules and the simulator can be lifted out."""
    files = [*python_files("simulator")]
    for room in PURE:
        files += (PACKAGE / room).rglob("*.py")
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] != "homeassistant", path


def test_rooms_are_small() -> None:
    """No file and no function grows beyond what one can take in."""
    found = []
    for path in python_files(*CODE_FOLDERS):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if (lines := text.count("\n")) > MOST_LINES_OF_A_FILE and name.parts[
            0
        ] != "tests":
            found.append(f"{name}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{name}: {node.name} has {lines} lines")
    assert found == []
