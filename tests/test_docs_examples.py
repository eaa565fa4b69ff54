"""The examples of the documentation are what Home Assistant takes, and do what is said."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .actions import device_of
from .conftest import StartSimulator, make_entry, set_up
from .pages import DOCS, ROOT, examples, read
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Simulator, WallboxConfig

PLACEHOLDER = "0123456789abcdef0123456789abcdef"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]
FOUND = [(path.name, one) for path in PAGES for one in examples(path.read_text())]


def calls(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the calls of actions in an example, wherever they stand."""
    if isinstance(node, dict):
        if "action" in node and not isinstance(node.get("target"), str):
            yield node
        for one in node.values():
            yield from calls(one)
    elif isinstance(node, list):
        for one in node:
            yield from calls(one)


OURS = [
    (page, call)
    for page, one in FOUND
    for call in calls(one)
    if str(call["action"]).startswith(f"{DOMAIN}.")
]
AUTOMATIONS = [(page, one) for page, one in FOUND if "triggers" in one]


def test_there_are_some() -> None:
    """Every action has an example, and there are automations."""
    assert {call["action"] for _, call in OURS} >= {
        line.removeprefix("### `").removesuffix("`")
        for line in read("actions.md").splitlines()
        if line.startswith("### `")
    }
    assert len(AUTOMATIONS) > 3


@pytest.mark.parametrize(("page", "call"), OURS)
async def test_action(hass: HomeAssistant, page: str, call: dict[str, Any]) -> None:
    """The data of each call is what the action takes."""
    assert await async_setup_component(hass, DOMAIN, {})
    service = hass.services.async_services()[DOMAIN][call["action"].split(".")[1]]
    # What is a template is only known when it is filled in.
    data = {
        name: value
        for name, value in call["data"].items()
        if "{{" not in str(value) or name == "path"
    }
    assert service.schema is not None
    service.schema(data)


@pytest.mark.parametrize(("page", "automation"), AUTOMATIONS)
async def test_automation(
    hass: HomeAssistant, page: str, automation: dict[str, Any]
) -> None:
    """Home Assistant takes each automation."""
    assert await async_setup_component(hass, "automation", {})
    whole = {"alias": "Example", "actions": [], **automation}
    config = await async_validate_config_item(hass, "example", whole)
    assert config is not None
    assert config.validation_error is None


@pytest.fixture(name="garage")
async def garage_fixture(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> Simulator:
    """Return a home with the wallbox that the examples are about."""
    simulator = await start_simulator(
        wallboxes=(WallboxConfig(name="Garage", room="", self_test_s=0.1),)
    )
    await set_up(hass, make_entry(simulator))
    return simulator


@pytest.fixture(autouse=True)
async def _unload(unload_all: None) -> None:
    """Unload what is set up, while the simulators still run."""


async def test_monthly_file(
    hass: HomeAssistant, garage: Simulator, tmp_path: Path
) -> None:
    """The example for each month writes the file of the month before."""
    [example] = [one for _, one in AUTOMATIONS if "export_sessions" in str(one)]
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    text = yaml.safe_dump(example).replace(PLACEHOLDER, device_of(hass, garage))
    whole = {
        "alias": "Example",
        **yaml.safe_load(text.replace("/media", str(tmp_path))),
    }
    assert await async_setup_component(hass, "automation", {"automation": [whole]})
    await hass.services.async_call(
        "automation", "trigger", {"entity_id": "automation.example"}, blocking=True
    )
    await hass.async_block_till_done()
    files = await hass.async_add_executor_job(lambda: list(tmp_path.glob("*.csv")))
    assert len(files) == 1
    assert re.fullmatch(r"charging-\d{4}-\d\d\.csv", files[0].name)
    text = await hass.async_add_executor_job(files[0].read_text)
    assert text.startswith("id,wallbox,")
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.example"}, blocking=True
    )


async def test_evcc(
    hass: HomeAssistant,
    entity_registry_enabled_by_default: None,
    garage: Simulator,
) -> None:
    """The entities that evcc is given are there, and in the table."""
    [charger] = examples(read("evcc.md"))
    [settings] = charger["chargers"]
    for field in ("status", "enabled", "enable", "setMaxCurrent", "power", "energy"):
        assert hass.states.get(settings[field]) is not None, field
        assert f"`{settings[field]}`" in read("evcc.md")
