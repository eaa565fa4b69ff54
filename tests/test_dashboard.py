"""The plain dashboard: cards of Home Assistant's own, about entities that are there."""

from collections.abc import Iterator
from typing import Any

import pytest

from homeassistant.components.lovelace.dashboard import LovelaceYAML
from homeassistant.core import HomeAssistant

from .conftest import StartSimulator, make_entry, set_up
from .pages import DOCS
from .stage import GB_NIGHT
from simulator import WallboxConfig

# Of what the frontend has built in; none of them has to be installed.
CARDS = {
    "calendar",
    "entities",
    "heading",
    "history-graph",
    "logbook",
    "statistics-graph",
    "tile",
}
FEATURES = {"numeric-input"}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a dashboard."""
    if isinstance(node, dict):
        yield node
        for one in node.values():
            yield from nodes(one)
    elif isinstance(node, list):
        for one in node:
            yield from nodes(one)


def named(dashboard: Any) -> set[str]:
    """Return the entities that a dashboard names, wherever that is."""
    found: set[str] = set()
    for node in nodes(dashboard):
        for key in ("entity", "entities", "entity_id"):
            value = node.get(key, [])
            for one in value if isinstance(value, list) else [value]:
                found.add(one if isinstance(one, str) else one["entity"])
    return found


@pytest.fixture(name="dashboard")
async def dashboard_fixture(
    hass: HomeAssistant, start_simulator: StartSimulator, unload_all: None
) -> dict[str, Any]:
    """Return the dashboard as Home Assistant loads it, in the home that it is for."""
    box = WallboxConfig(name="Garage", room="")
    simulator = await start_simulator(wallboxes=(box,))
    rules: dict[str, Any] = {**GB_NIGHT}
    await set_up(hass, make_entry(simulator, **rules))
    config = {"filename": str(DOCS / "dashboard.yaml")}
    return await LovelaceYAML(hass, None, config).async_load(force=False)


async def test_entities(hass: HomeAssistant, dashboard: dict[str, Any]) -> None:
    """Each entity that is named exists."""
    entities = named(dashboard)
    assert len(entities) > 30
    assert {one for one in entities if hass.states.get(one) is None} == set()


async def test_cards(dashboard: dict[str, Any]) -> None:
    """Each card is one of Home Assistant's, and each press is that of its button."""
    sections = [one for view in dashboard["views"] for one in view["sections"]]
    cards = [card for one in sections for card in one["cards"]]
    assert {one["type"] for one in sections} == {"grid"}
    assert {card["type"] for card in cards} <= CARDS
    assert {one["type"] for card in cards for one in card.get("features", ())} <= (
        FEATURES
    )
    buttons = [one for one in cards if one.get("entity", "").startswith("button.")]
    assert len(buttons) == 5
    for card in buttons:
        press = card["tap_action"]
        assert press["perform_action"] == "button.press"
        assert press["target"] == {"entity_id": card["entity"]}


async def test_statistics(hass: HomeAssistant, dashboard: dict[str, Any]) -> None:
    """What a graph of statistics shows has statistics."""
    graphs = [one for one in nodes(dashboard) if one.get("type") == "statistics-graph"]
    assert graphs
    for entity_id in named(graphs):
        state = hass.states.get(entity_id)
        assert state is not None
        assert state.attributes["state_class"] == "total_increasing", entity_id
