"""The documentation names all there is, and no more, and its links lead somewhere."""

import json
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from .pages import DOCS, ROOT, anchors, code, links, read, rows, section
from .test_repository import own_files
from custom_components.loxone_wallbox.charging.variants import FACTS
from custom_components.loxone_wallbox.meter.profiles import PROFILES

PACKAGE = ROOT / "custom_components" / "loxone_wallbox"
ENGLISH: dict[str, Any] = json.loads(
    (PACKAGE / "translations" / "en.json").read_text(encoding="utf-8")
)
ENTITIES = ENGLISH["entity"]
ACTIONS: dict[str, Any] = yaml.safe_load(
    (PACKAGE / "services.yaml").read_text(encoding="utf-8")
)
PLATFORMS = {
    "binary_sensor": "Binary sensors",
    "button": "Buttons",
    "calendar": "Calendars",
    "event": "Events",
    "number": "Numbers",
    "select": "Selects",
    "sensor": "Sensors",
    "switch": "Switches",
    "update": "Update",
}
PAGES = sorted(path for path in own_files() if path.suffix == ".md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(path: Path) -> None:
    """Every link into the repository leads to a file, and to a title in it."""
    for target, anchor in links(path.read_text(encoding="utf-8")):
        file = (path.parent / target).resolve() if target else path
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target + anchor


def test_every_page_is_on_the_first() -> None:
    """Whoever begins at the first page finds all others."""
    linked = {target for target, _ in links(read("index.md"))}
    pages = {path.name for path in DOCS.glob("*") if path.suffix in (".md", ".yaml")}
    assert pages - linked - {"index.md"} == set()


def test_a_page_for_every_platform() -> None:
    """No kind of entity is left out."""
    assert set(PLATFORMS) == set(ENTITIES)


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_entities(platform: str) -> None:
    """Every entity has a row, by its English name and its key."""
    table = rows(section(read("entities.md"), PLATFORMS[platform]))
    named = {code(row[1]): row[0] for row in table}
    assert named == {key: one["name"] for key, one in ENTITIES[platform].items()}
    assert all(row[2] for row in table)


def test_status() -> None:
    """Every state of the status is explained, in the order in which they apply."""
    table = rows(section(read("entities.md"), "The status in words"))
    states = ENTITIES["sensor"]["status"]["state"]
    assert [(code(row[1]), row[0]) for row in table] == list(states.items())


def test_what_holds_a_car_back() -> None:
    """Whatever keeps a car from charging is in the table of what to do."""
    text = section(read("troubleshooting.md"), "The car does not charge")
    states = ENTITIES["sensor"]["status"]["state"]
    fine = {"charging", "disconnected", "phase_switching"}
    assert {row[0] for row in rows(text)} == {
        name for key, name in states.items() if key not in fine
    }


def test_faults() -> None:
    """Every fault is explained."""
    table = rows(section(read("troubleshooting.md"), "A fault in words"))
    faults = ENTITIES["binary_sensor"]["problem"]["state_attributes"]["fault"]["state"]
    assert {row[0] for row in table} == set(faults.values())


@pytest.mark.parametrize("key", ["session", "alert", "security"])
def test_events(key: str) -> None:
    """Every kind of event is named."""
    table = rows(section(read("events.md"), key.capitalize()))
    kinds = ENTITIES["event"][key]["state_attributes"]["event_type"]["state"]
    assert [(code(row[1]), row[0]) for row in table] == list(kinds.items())


def test_all_actions() -> None:
    """Every action has a part of its own."""
    titles = [
        line.removeprefix("### `loxone_wallbox.").removesuffix("`")
        for line in read("actions.md").splitlines()
        if line.startswith("### `loxone_wallbox.")
    ]
    assert sorted(titles) == sorted(ACTIONS)
    assert set(ENGLISH["services"]) == set(ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_texts_of_an_action(name: str) -> None:
    """The form of an action has a name and a description for each field."""
    texts = ENGLISH["services"][name]
    assert texts["name"]
    assert texts["description"]
    assert set(texts["fields"]) == set(ACTIONS[name]["fields"])
    assert all(one["name"] and one["description"] for one in texts["fields"].values())


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_action(name: str) -> None:
    """Every field has a row, which says whether it is needed; errors are told."""
    text = section(read("actions.md"), f"`loxone_wallbox.{name}`")
    assert "**Refused** when " in text
    table = rows(text)
    fields = ACTIONS[name]["fields"]
    assert [code(row[0]) for row in table] == list(fields)
    assert {code(row[0]) for row in table if row[1] == "yes"} == {
        field for field, content in fields.items() if content.get("required")
    }


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_choices_of_an_action(name: str) -> None:
    """What can be chosen for a field is said."""
    text = section(read("actions.md"), f"`loxone_wallbox.{name}`")
    if name == "dsr_update":
        # As they stand for the one that starts an event.
        text = section(read("actions.md"), "`loxone_wallbox.dsr_start`")
    if name == "get_security_log":
        text += section(read("events.md"), "Security")
    for field in ACTIONS[name]["fields"].values():
        for option in (field.get("selector", {}).get("select") or {}).get(
            "options", ()
        ):
            assert f"`{option}`" in text or f": {option}`" in text, option


def test_settings() -> None:
    """Every field of a wallbox's settings is explained."""
    text = read("install.md")
    steps = ENGLISH["config"]["step"], ENGLISH["options"]["step"]
    wallbox, connection = steps[0]["wallbox"], steps[0]["connection"]
    forms = [wallbox, connection, *wallbox["sections"].values()]
    forms += [*connection["sections"].values(), *steps[1].values()]
    for form in forms:
        for label in form.get("data", {}).values():
            assert label in text, label
    for label in steps[1]["init"]["menu_options"].values():
        assert label.partition(":")[0] in text, label


def test_meters() -> None:
    """Every meter is in the list, those of a single source with an asterisk."""
    listed = rows(section(read("hardware.md"), "The meters that are known"))
    assert sorted(listed) == sorted(
        [one.maker, one.model + ("" if one.proven else " *"), str(one.phases)]
        for one in PROFILES.values()
    )


def test_wallboxes() -> None:
    """The list of wallboxes says what the code knows of them."""
    phases = {1: "one", 3: "three"}
    assert rows(section(read("hardware.md"), "Supported devices")) == [
        [
            one.model,
            one.article,
            f"{one.min_kw:g} to {one.max_kw:g} kW",
            phases[one.phases],
        ]
        for one in FACTS.values()
    ]


def test_messages() -> None:
    """The page of all messages is made of the texts as they are."""
    done = subprocess.run(
        [sys.executable, "scripts/lib/messages.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_picture_of_the_house() -> None:
    """Every room in the picture is one of the house."""
    picture = (DOCS / "images" / "house.svg").read_text(encoding="utf-8")
    names = re.findall(r">(\w+\.py)<", picture)
    assert len(names) > 30
    known = {path.name for path in PACKAGE.rglob("*.py")}
    assert set(names) - known == set()


def test_no_claim() -> None:
    """No page says of the integration that it is compliant."""
    for path in PAGES:
        assert " compliant" not in path.read_text(encoding="utf-8").lower(), path
