"""The quality scale says what is true, as far as a test can tell."""

import ast
from collections.abc import Callable, Iterator
import json
from pathlib import Path
import re
from typing import Any

import probatio
import pytest
import yaml

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .pages import DOCS, ROOT, headings, section
from .test_translations import ENGLISH, MODULES
from custom_components.loxone_wallbox.const import DOMAIN
from scripts.test_lib.parts import COVERAGE_FLOOR, COVERAGE_FLOORS

PACKAGE = ROOT / "custom_components" / "loxone_wallbox"
SCALE: dict[str, Any] = yaml.safe_load(
    (PACKAGE / "quality_scale.yaml").read_text(encoding="utf-8")
)["rules"]
MANIFEST = json.loads((PACKAGE / "manifest.json").read_text(encoding="utf-8"))
ICONS = json.loads((PACKAGE / "icons.json").read_text(encoding="utf-8"))
PLATFORMS = [one for one in Platform if PACKAGE / f"{one}.py" in MODULES]

# The rules of Home Assistant's scale, by tier.
BRONZE = (
    *("action-setup", "appropriate-polling", "brands", "common-modules"),
    *("config-flow", "config-flow-test-coverage", "dependency-transparency"),
    *("docs-actions", "docs-conditions", "docs-high-level-description"),
    *("docs-installation-instructions", "docs-removal-instructions"),
    *("docs-triggers", "entity-event-setup", "entity-unique-id"),
    *("has-entity-name", "runtime-data", "test-before-configure"),
    *("test-before-setup", "unique-config-entry"),
)
SILVER = (
    *("action-exceptions", "config-entry-unloading"),
    *("docs-configuration-parameters", "docs-installation-parameters"),
    *("entity-unavailable", "integration-owner", "log-when-unavailable"),
    *("parallel-updates", "reauthentication-flow", "test-coverage"),
)
GOLD = (
    *("devices", "diagnostics", "discovery", "discovery-update-info"),
    *("docs-data-update", "docs-examples", "docs-known-limitations"),
    *("docs-supported-devices", "docs-supported-functions"),
    *("docs-troubleshooting", "docs-use-cases", "dynamic-devices"),
    *("entity-category", "entity-device-class", "entity-disabled-by-default"),
    *("entity-translations", "exception-translations", "icon-translations"),
    *("reconfiguration-flow", "repair-issues", "stale-devices"),
)
PLATINUM = ("async-dependency", "inject-websession", "strict-typing")


def status(rule: str) -> str:
    """Return how a rule stands."""
    one = SCALE[rule]
    return one if isinstance(one, str) else str(one["status"])


def test_every_rule() -> None:
    """All rules are there, in the order of the scale, and no other."""
    assert list(SCALE) == [*BRONZE, *SILVER, *GOLD, *PLATINUM]


@pytest.mark.parametrize("rule", sorted(SCALE))
def test_status(rule: str) -> None:
    """A rule is done, or it is said why it does not apply."""
    if status(rule) != "done":
        assert status(rule) == "exempt"
        assert len(SCALE[rule]["comment"]) > 30


def test_documentation() -> None:
    """Each rule of the documentation has its part, by name, and something in it."""
    texts = [path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")]
    for rule in SCALE:
        name = rule.removeprefix("docs-").replace("-", " ").capitalize()
        if not rule.startswith("docs-") or status(rule) != "done":
            continue
        title = "High-level description" if name == "High level description" else name
        found = [text for text in texts if title in headings(text)]
        assert len(found) == 1, title
        assert len(section(found[0], title)) > 300, title


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Yield the calls of functions by name, and where they stand."""
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                if called in names:
                    yield path, node


def code(name: str) -> str:
    """Return the code of a module."""
    return (PACKAGE / name).read_text(encoding="utf-8")


async def test_actions_are_there_before_any_entry(hass: HomeAssistant) -> None:
    """Actions are registered with the integration, so that automations find them."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert not hass.config_entries.async_entries(DOMAIN)
    actions = yaml.safe_load(code("services.yaml"))
    assert set(hass.services.async_services_for_domain(DOMAIN)) == set(actions)
    for name, action in actions.items():
        schema = hass.services.async_services_for_domain(DOMAIN)[name].schema
        assert isinstance(schema, probatio.Schema)
        assert {str(one) for one in schema.schema} == set(action["fields"]), name


def test_refusals_are_translated() -> None:
    """Whatever an action or an entity raises has a text in every language."""
    found = [
        *calls("HomeAssistantError", "ServiceValidationError", "UpdateFailed"),
        *calls("ConfigEntryNotReady", "ConfigEntryAuthFailed", "ConfigEntryError"),
    ]
    assert found
    for path, node in found:
        keys = {keyword.arg for keyword in node.keywords}
        assert keys >= {"translation_domain", "translation_key"} or None in keys, (
            f"{path.name}:{node.lineno}"
        )


def test_parallel_updates() -> None:
    """Each platform says how many updates it takes at once."""
    assert set(PLATFORMS) == set(ENGLISH["entity"])
    for platform in PLATFORMS:
        text = code(f"{platform}.py")
        assert re.search(r"^PARALLEL_UPDATES = \d$", text, re.MULTILINE), platform


def described() -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Yield the descriptions of entities: key and what is said of each."""
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                "Description"
            ):
                said = {one.arg: one.value for one in node.keywords if one.arg}
                yield str(ast.literal_eval(said["key"])), said


def test_icons() -> None:
    """Each entity has an icon of its own, or that of its device class."""
    classes = {key for key, said in described() if "device_class" in said}
    for platform, entities in ENGLISH["entity"].items():
        for key in entities:
            own = key in ICONS["entity"].get(platform, {})
            assert own or key in classes, f"{platform}.{key}"
    assert set(ICONS["services"]) == set(ENGLISH["services"])


def test_device_classes() -> None:
    """What has a unit is of a class, so that Home Assistant knows what it is."""
    for key, said in described():
        unit = said.get("native_unit_of_measurement")
        if unit is not None and ast.unparse(unit) != "PERCENTAGE":
            assert "device_class" in said, key


def test_categories() -> None:
    """What is a setting or tells of the works stands apart from what one uses."""
    found: dict[str, set[str]] = {}
    for key, said in described():
        category = said.get("entity_category")
        name = "" if category is None else ast.unparse(category).rpartition(".")[2]
        found.setdefault(name, set()).add(key)
    assert {"end_delay", "handover", "max_random_delay"} <= found["CONFIG"]
    assert {"miniserver_connection", "power_age"} <= found["DIAGNOSTIC"]
    assert {"status", "charge_now", "target_power", "energy_total"} <= found[""]


def test_disabled_at_first() -> None:
    """What few people need is there for those who enable it."""
    off = {
        key for key, said in described() if "entity_registry_enabled_default" in said
    }
    assert off == {"iec_status", "max_current"}


def test_names_and_ids() -> None:
    """Names are those of the entity, ids are of the Miniserver and never of a host."""
    for name in ("entity.py", "update.py"):
        assert "_attr_has_entity_name = True" in code(name)
        [unique_id] = re.findall(r'_attr_unique_id = f"(.+)"', code(name))
        assert "serial" in unique_id
        assert "host" not in unique_id


def test_flow() -> None:
    """The flow has its steps, and a step for each way to be noticed."""
    steps = ["user", "reauth", "reauth_confirm", "reconfigure"]
    steps += [way for way in ("dhcp", "ssdp", "zeroconf") if way in MANIFEST]
    for step in steps:
        assert f"async def async_step_{step}(" in code("config_flow.py"), step
    assert {"registered_devices": True} in MANIFEST["dhcp"]


def test_floors_of_coverage() -> None:
    """The suite fails below what the scale asks for."""
    assert COVERAGE_FLOOR >= 95
    assert COVERAGE_FLOORS["config_flow.py"] == 100


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("entity.py", lambda text: "async def async_added_to_hass" in text),
        ("diagnostics.py", lambda text: "async_redact_data" in text),
        ("repairs.py", lambda text: "RepairsFlow" in text),
        ("connect.py", lambda text: "async_get_clientsession(hass)" in text),
        ("coordinator.py", lambda text: "via_device_id=" in text),
        ("__init__.py", lambda text: "entry.runtime_data = " in text),
    ],
)
def test_modules(name: str, says: Callable[[str], bool]) -> None:
    """What the rules ask for stands in the module where it is looked for."""
    assert says(code(name))


def test_strict_typing() -> None:
    """Types are checked strictly, in all of the integration."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = project.partition("[tool.mypy]")[2]
    assert "\nstrict = true\n" in settings
    assert '"custom_components"' in settings
    assert MANIFEST["codeowners"]
