"""How the card comes to the dashboards, and goes."""

from collections.abc import Callable
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, UrlManager
from homeassistant.components.lovelace import LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .conftest import make_entry, set_up
from bench.card import foreign_addresses
from custom_components.loxone_wallbox.frontend_resource import (
    CONF_RESOURCE_BY_HAND,
    FOLDER,
    MODULE_URL,
)
from simulator import Simulator

pytestmark = pytest.mark.usefixtures("unload_all")

MANIFEST = Path(FOLDER).parent / "manifest.json"
VERSION = json.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
URL = f"{MODULE_URL}?v={VERSION}"
BY_HAND = {CONF_RESOURCE_BY_HAND: True}
OLD = f"{MODULE_URL}?v=0.0.1"
FOREIGN = "/local/other-card.js"


async def dashboards(hass: HomeAssistant, **config: Any) -> Callable[[], list[str]]:
    """Set dashboards up as Home Assistant does; return what gives their resources."""
    assert await async_setup_component(hass, "lovelace", {"lovelace": config})
    # What `frontend` keeps of these, without the 280 MB of its pages.
    hass.data[DATA_EXTRA_MODULE_URL] = UrlManager(lambda _change, _url: None, [])
    resources = hass.data[LOVELACE_DATA].resources

    def urls() -> list[str]:
        """Return the addresses."""
        return [one["url"] for one in resources.async_items()]

    return urls


async def listed(hass: HomeAssistant, *urls: str) -> None:
    """Have resources from before."""
    resources = hass.data[LOVELACE_DATA].resources
    assert isinstance(resources, ResourceStorageCollection)
    for url in urls:
        await resources.async_create_item({"res_type": "module", "url": url})


def everywhere(hass: HomeAssistant) -> set[str]:
    """Return what all pages load."""
    return set(hass.data[DATA_EXTRA_MODULE_URL].urls)


async def choose(hass: HomeAssistant, entry: MockConfigEntry, by_hand: bool) -> None:
    """Answer the option in its dialogue."""
    options = hass.config_entries.options
    menu = await options.async_init(entry.entry_id)
    form = await options.async_configure(menu["flow_id"], {"next_step_id": "dashboard"})
    answer = {CONF_RESOURCE_BY_HAND: by_hand}
    await options.async_configure(form["flow_id"], answer)
    await hass.async_block_till_done()


async def test_served(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, entry: Any
) -> None:
    """The module is what is in the folder, and a browser may keep it."""
    client = await hass_client_no_auth()
    response = await client.get(URL)
    assert response.status == HTTPStatus.OK
    assert "javascript" in response.headers["content-type"]
    assert "max-age" in response.headers["cache-control"]
    assert await response.read() == (FOLDER / "loxone-wallbox-card.js").read_bytes()


def test_version_of_the_module() -> None:
    """The committed module says of itself which version it is."""
    text = (FOLDER / "loxone-wallbox-card.js").read_text(encoding="utf-8")
    assert f'loxoneWallboxCard: "{VERSION}"' in text


def test_nothing_comes_from_elsewhere() -> None:
    """The module loads nothing from outside; what would is found."""
    text = (FOLDER / "loxone-wallbox-card.js").read_text(encoding="utf-8")
    assert foreign_addresses(text) == ()
    elsewhere = 'import "https://cdn.example.org/lit.js";'
    assert foreign_addresses(text + elsewhere) == ("https://cdn.example.org/lit.js",)


async def test_one_resource(hass: HomeAssistant, miniserver: Simulator) -> None:
    """There is one, and it goes with the last entry; those of others stay."""
    urls = await dashboards(hass)
    await listed(hass, FOREIGN)
    entry = await set_up(hass, make_entry(miniserver))
    assert urls() == [FOREIGN, URL]
    before = hass.data[LOVELACE_DATA].resources.async_items()
    assert everywhere(hass) == set()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert urls() == [FOREIGN, URL]
    second = MockConfigEntry(domain=entry.domain, data={"serial": "other"})
    second.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    # It was not even taken away in between.
    assert hass.data[LOVELACE_DATA].resources.async_items() == before
    await hass.config_entries.async_remove(second.entry_id)
    await hass.async_block_till_done()
    assert urls() == [FOREIGN]


async def test_new_version(
    hass: HomeAssistant, hass_storage: dict[str, Any], miniserver: Simulator
) -> None:
    """The address of an earlier version becomes that of this one.

    Nobody has looked at the stored resources before.
    """
    stored = [
        {"id": str(number), "type": "module", "url": url}
        for number, url in enumerate((OLD, FOREIGN))
    ]
    hass_storage["lovelace_resources"] = {"version": 1, "data": {"items": stored}}
    urls = await dashboards(hass)
    await set_up(hass, make_entry(miniserver))
    assert urls() == [URL, FOREIGN]


async def test_by_hand(hass: HomeAssistant, miniserver: Simulator) -> None:
    """An owner's own resource is neither changed nor removed, until they say so."""
    urls = await dashboards(hass)
    await listed(hass, OLD)
    entry = make_entry(miniserver)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options=BY_HAND)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert urls() == [OLD]
    await choose(hass, entry, by_hand=False)
    assert urls() == [URL]
    await choose(hass, entry, by_hand=True)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert urls() == [URL]


async def test_yaml(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Where resources stand in YAML all pages load the card, and then none."""
    urls = await dashboards(hass, resource_mode="yaml", resources=[])
    entry = await set_up(hass, make_entry(miniserver))
    assert urls() == []
    assert everywhere(hass) == {URL}
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert everywhere(hass) == set()


@pytest.mark.parametrize("url", [MODULE_URL, OLD])
async def test_yaml_by_hand(
    hass: HomeAssistant, miniserver: Simulator, url: str
) -> None:
    """A card that the owner's YAML lists is not loaded a second time."""
    resources = [{"url": url, "type": "module"}]
    await dashboards(hass, resource_mode="yaml", resources=resources)
    await set_up(hass, make_entry(miniserver))
    assert everywhere(hass) == set()


async def test_no_dashboards(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A Home Assistant without any charges all the same, and forgets in peace."""
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state.value == "loaded"
    await hass.config_entries.async_remove(entry.entry_id)


async def test_a_card_that_cannot_be_served(
    hass: HomeAssistant,
    miniserver: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The wallboxes are set up without it, and the log says so."""

    async def refuse(_paths: Any) -> None:
        """Take no more paths."""
        raise RuntimeError("frozen")

    assert await async_setup_component(hass, "http", {})
    monkeypatch.setattr(hass.http, "async_register_static_paths", refuse)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state.value == "loaded"
    assert "The card is not served" in caplog.text
