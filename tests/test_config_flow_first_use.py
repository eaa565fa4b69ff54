"""The choice of default charging hours over a wallbox's life: made once, and kept."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from .flow_helpers import (
    Result,
    add,
    address,
    answer,
    change,
    live_in_britain,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from custom_components.loxone_wallbox.const import DOMAIN, SUBENTRY_WALLBOX
from simulator import Simulator

pytestmark = pytest.mark.usefixtures("unload_all")

OWN = {"preset": "own_window", "start": "00:30:00", "end": "05:30:00", "clock": "local"}


@pytest.fixture(autouse=True)
async def _britain(hass: HomeAssistant) -> None:
    """Live in Great Britain."""
    await live_in_britain(hass)


async def test_same_as(
    hass: HomeAssistant, miniserver: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The choice is copied with everything else, and made now."""
    result = await to_wallboxes(hass, miniserver)
    answers = {"who_delays": "nobody", "rules": {"strict": True}}
    result = await answer(hass, result, {**suggestions(result), **answers})
    assert result["description_placeholders"]["count"] == "2"
    result = await answer(hass, result, {"choice": "remove"})
    assert result["step_id"] == "same_as"
    freezer.tick(60)
    result = await answer(hass, result, suggestions(result))
    garage, carport = settings(result["result"]).values()
    for name in ("profile", "who_delays", "strict", "priority", "dsr_entities"):
        assert carport[name] == garage[name]
    assert carport["profile"] == "gb_2021"
    assert carport["strict"]
    one, two = garage["first_use"], carport["first_use"]
    assert datetime.fromisoformat(two.pop("at")) > datetime.fromisoformat(one.pop("at"))
    assert one == two


async def test_change_of_the_profile(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The choice is due when the regulation comes; made once, it is kept for good."""
    garage = next(iter(entry.subentries.values()))

    async def to_profile(profile: str) -> Result:
        """Change the regulation."""
        result = await change(hass, entry, "Garage")
        return await say(hass, result, {**suggestions(result), "profile": profile})

    result = await to_profile("gb_2021")
    assert result["step_id"] == "hours"
    assert "profile" not in garage.data
    result = await say(hass, result, {})
    assert result["errors"] == {"choice": "choice_missing"}
    result = await say(hass, result, {"choice": "change"})
    result = await say(hass, result, OWN)
    assert result["reason"] == "reconfigure_successful"
    assert garage.data["profile"] == "gb_2021"
    chosen = garage.data["first_use"]
    assert chosen["windows"][0]["start"] == "00:30"

    for profile in ("gb_2021", "none", "gb_2021"):
        result = await to_profile(profile)
        assert result["reason"] == "reconfigure_successful"
        assert garage.data["profile"] == profile
        assert garage.data["first_use"] == chosen


async def test_add(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A wallbox that comes later needs a choice of its own."""
    result = await answer(
        hass,
        await to_wallboxes(hass, miniserver, only=1),
        {"name": "Garage", "variant": "11kw_tree", "profile": "none"},
    )
    entry = result["result"]
    result = await add(hass, entry)
    result = await say(hass, result, suggestions(result))
    result = await say(hass, result, suggestions(result))
    assert result["step_id"] == "hours"
    result = await say(hass, result, {"choice": "accept"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert settings(entry)["Carport"]["first_use"]["preset"] == "gb_night"


async def test_who_chose(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    miniserver: Simulator,
) -> None:
    """The user who sits at the frontend is kept, in both flows."""
    assert await async_setup_component(hass, "config", {})
    # The router of the test's server takes no path of ours once it listens.
    assert await async_setup_component(hass, DOMAIN, {})
    client = await hass_client()

    async def post(path: str, data: Any) -> dict[str, Any]:
        """Send what the frontend sends."""
        response = await client.post(f"/api/config/config_entries/{path}", json=data)
        assert response.status == HTTPStatus.OK, await response.text()
        result: dict[str, Any] = await response.json()
        await hass.async_block_till_done()
        return result

    result = await post("flow", {"handler": DOMAIN})
    path = f"flow/{result['flow_id']}"
    # The search ends, and the form comes.
    await client.get(f"/api/config/config_entries/{path}")
    garage, carport = miniserver.wallboxes
    await post(path, address(miniserver))
    await post(path, {"wallboxes": [garage.uuid]})
    answers = {"variant": "11kw_tree", "profile": "gb_2021", "who_delays": "nobody"}
    result = await post(path, {"name": "Garage", **answers})
    [field] = result["data_schema"]
    assert not field["required"]
    assert field.get("default") is None
    result = await post(path, {"choice": "accept"})
    entry = hass.config_entries.async_get_entry(result["result"]["entry_id"])
    assert entry is not None

    handler = [entry.entry_id, SUBENTRY_WALLBOX]
    result = await post("subentries/flow", {"handler": handler})
    path = f"subentries/flow/{result['flow_id']}"
    await post(path, {"wallboxes": carport.uuid})
    await post(path, {"name": "Carport", **answers})
    await post(path, {"choice": "remove"})
    chosen = {title: one["first_use"] for title, one in settings(entry).items()}
    assert {title: one["choice"] for title, one in chosen.items()} == {
        "Garage": "accept",
        "Carport": "remove",
    }
    assert {one["by"] for one in chosen.values()} == {hass_admin_user.id}
    excused = [one["exemption"] for one in settings(entry).values()]
    assert [one["by"] for one in excused] == [hass_admin_user.id] * 2
