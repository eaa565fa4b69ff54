"""The firmware of the Miniserver: what is shown, what is asked, what surprises."""

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import suggestions
from .flow_texts import LANGUAGES
from .helpers import eventually
from .miniserver.test_releases import LIST
from .security_home import logged
from .test_security_watch import as_another
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.firmware_news import ASK_EVERY, DEFAULT_SOURCE
from custom_components.loxone_wallbox.miniserver.releases import MOST_BYTES
from simulator import Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

NEW = "17.0.3.31"


class Publisher:
    """A server that publishes a list of releases, and counts who asks for it."""

    def __init__(self) -> None:
        """Publish a newer release."""
        self.answer = web.Response(text=LIST.format(version="17.00.03.31"))
        self.asked: list[web.BaseRequest] = []
        self.server = TestServer(web.Application())
        self.server.app.router.add_get("/list.xml", self._give)

    async def _give(self, request: web.Request) -> web.Response:
        """Give the list."""
        self.asked.append(request)
        given = self.answer
        return web.Response(
            body=given.body, status=given.status, headers=dict(given.headers)
        )

    @property
    def url(self) -> str:
        """Return where the list is."""
        return str(self.server.make_url("/list.xml"))


@pytest.fixture
async def publisher(socket_enabled: None) -> AsyncIterator[Publisher]:
    """Return a publisher on a real socket."""
    publisher = Publisher()
    await publisher.server.start_server()
    yield publisher
    await publisher.server.close()


def firmware(hass: HomeAssistant, simulator: Simulator) -> State:
    """Return the update of the Miniserver."""
    found = er.async_get(hass).async_get_entity_id(
        "update", DOMAIN, f"{simulator.config.serial}_firmware"
    )
    assert found is not None
    state = hass.states.get(found)
    assert state is not None
    return state


async def agree(
    hass: HomeAssistant, entry: MockConfigEntry, source: str | None
) -> None:
    """Have the owner agree to a source, None for no source any more."""
    options = {} if source is None else {"firmware_source": source}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    news = entry.runtime_data.miniserver.news
    await eventually(lambda: news._task is None or news._task.done())
    await hass.async_block_till_done()


def question(hass: HomeAssistant, kind: str, whose: str) -> ir.IssueEntry | None:
    """Return the question about a change, with its texts in every language."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{kind}_{whose}")
    if issue is not None:
        assert issue.is_persistent
        given = issue.translation_placeholders or {}
        for texts in LANGUAGES.values():
            shown = texts["issues"][kind]
            for text in shown["fix_flow"]["step"][kind].values():
                assert "{" not in text.format(**given)
    return issue


async def test_nobody_agreed(
    hass: HomeAssistant, miniserver: Simulator, publisher: Publisher
) -> None:
    """What runs is shown once a Miniserver, the newest is unknown, nothing is asked."""
    entry = await set_up(hass, make_entry(miniserver))
    shown = firmware(hass, miniserver)
    assert shown.state == "unknown"
    assert shown.attributes["installed_version"] == miniserver.config.firmware
    assert shown.attributes["latest_version"] is None
    assert shown.attributes["supported_features"] == 0
    registered = er.async_get(hass).async_get(shown.entity_id)
    assert registered is not None
    device = dr.async_get(hass).async_get(registered.device_id or "")
    assert device is not None
    assert device.identifiers == {(DOMAIN, miniserver.config.serial)}
    async_fire_time_changed(hass, dt_util.utcnow() + ASK_EVERY)
    await hass.async_block_till_done()
    assert entry.runtime_data.miniserver.news.newest is None
    assert publisher.asked == []


async def test_daily(
    hass: HomeAssistant, miniserver: Simulator, publisher: Publisher
) -> None:
    """With an agreement it is asked at once and each day, without, no more."""
    entry = await set_up(hass, make_entry(miniserver))
    await agree(hass, entry, publisher.url)
    assert firmware(hass, miniserver).state == "on"
    assert firmware(hass, miniserver).attributes["latest_version"] == NEW
    told = str(publisher.asked[0].headers) + publisher.asked[0].path_qs
    assert miniserver.config.serial not in told
    assert miniserver.config.firmware not in told
    publisher.answer = web.Response(
        text=LIST.format(version=miniserver.config.firmware)
    )
    async_fire_time_changed(hass, dt_util.utcnow() + ASK_EVERY * 1.1)
    await eventually(lambda: firmware(hass, miniserver).state == "off")
    assert len(publisher.asked) == 2
    [changed] = await logged(hass, miniserver, "config_security_changed")
    assert changed["detail"]["what"] == "firmware_source"
    await agree(hass, entry, None)
    assert firmware(hass, miniserver).state == "unknown"
    async_fire_time_changed(hass, dt_util.utcnow() + ASK_EVERY * 3)
    await hass.async_block_till_done()
    assert len(publisher.asked) == 2


async def test_over_a_restart(
    hass: HomeAssistant, miniserver: Simulator, publisher: Publisher
) -> None:
    """An agreement of before holds; a Miniserver that is away keeps its update."""
    entry = make_entry(miniserver)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, options={"firmware_source": publisher.url, "unavailable_after": 0}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await eventually(lambda: firmware(hass, miniserver).state == "on")
    assert len(publisher.asked) == 1
    miniserver.fault("booting")
    await miniserver.drop()
    await eventually(lambda: not entry.runtime_data.miniserver.available)
    assert firmware(hass, miniserver).state == "on"


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=404),
        web.Response(text="<html>a router's page</html>"),
        web.Response(body=b"<" * (MOST_BYTES + 1)),
        web.Response(status=302, headers={"Location": "/list.xml"}),
        web.Response(status=302, headers={"Location": "https://127.0.0.1:1/"}),
    ],
    ids=["missing", "page", "long", "circle", "elsewhere"],
)
async def test_a_source_of_no_use(
    hass: HomeAssistant,
    miniserver: Simulator,
    publisher: Publisher,
    caplog: pytest.LogCaptureFixture,
    answer: web.Response,
) -> None:
    """Nothing of it is believed, it is said once, and it may get better."""
    publisher.answer = answer
    entry = await set_up(hass, make_entry(miniserver))
    await agree(hass, entry, publisher.url)
    assert publisher.asked
    assert firmware(hass, miniserver).state == "unknown"
    news = entry.runtime_data.miniserver.news
    await news.async_refresh()
    assert caplog.text.count("Error fetching newest firmware") == 1
    publisher.answer = web.Response(text=LIST.format(version="17.00.03.31"))
    await news.async_refresh()
    assert firmware(hass, miniserver).state == "on"


async def test_the_agreement(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Nothing is agreed to beforehand; an address in plain text is refused."""
    entry = await set_up(hass, make_entry(miniserver))
    hass.config_entries.async_update_entry(entry, options={"people": {"4711": "Ada"}})
    options = hass.config_entries.options

    async def step() -> Any:
        """Open the step."""
        menu = await options.async_init(entry.entry_id)
        return await options.async_configure(
            menu["flow_id"], {"next_step_id": "firmware"}
        )

    form = await step()
    assert suggestions(dict(form)) == {
        "ask_for_firmware": False,
        "firmware_source": DEFAULT_SOURCE,
    }
    for source in ("http://a.example/list", "list.xml", "https://u:p@a.example/"):
        form = await options.async_configure(
            form["flow_id"], {"ask_for_firmware": True, "firmware_source": source}
        )
        assert form["errors"] == {"firmware_source": "firmware_source_invalid"}
        assert suggestions(dict(form))["firmware_source"] == source
    done = await options.async_configure(
        form["flow_id"],
        {"ask_for_firmware": False, "firmware_source": DEFAULT_SOURCE},
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"people": {"4711": "Ada"}}
    # Nothing may be asked in a test, so the Miniserver is let go of before.
    assert await hass.config_entries.async_unload(entry.entry_id)
    form = await step()
    await options.async_configure(
        form["flow_id"], {"ask_for_firmware": True, "firmware_source": DEFAULT_SOURCE}
    )
    assert entry.options["firmware_source"] == DEFAULT_SOURCE
    assert suggestions(dict(await step()))["ask_for_firmware"] is True


@pytest.mark.parametrize("version", ["16.2.1.1", "15.9.9.9"], ids=["newer", "older"])
async def test_unexpected(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    hass_client: ClientSessionGenerator,
    version: str,
) -> None:
    """The owner is asked whether it was meant; the answer is recorded and ends it."""
    assert await async_setup_component(hass, "repairs", {})
    first = await start_simulator()
    entry = await set_up(hass, make_entry(first))
    second = await as_another(hass, start_simulator, entry, first, firmware=version)
    await eventually(
        lambda: question(hass, "firmware_unexpected", entry.entry_id) is not None
    )
    issue = question(hass, "firmware_unexpected", entry.entry_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "miniserver": entry.title,
        "from": first.config.firmware,
        "to": version,
    }
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": issue.issue_id},
    )
    form = await response.json()
    assert form["step_id"] == "firmware_unexpected"
    assert form["description_placeholders"]["to"] == version
    await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    await hass.async_block_till_done()
    assert question(hass, "firmware_unexpected", entry.entry_id) is None
    [confirmed] = await logged(hass, second, "config_security_changed")
    assert confirmed["detail"]["what"] == "firmware_unexpected"
    assert confirmed["source"].startswith("ha_user:p")


async def test_expected(
    hass: HomeAssistant, start_simulator: StartSimulator, publisher: Publisher
) -> None:
    """The newest release, which the owner agreed to be told of, needs no question."""
    first = await start_simulator()
    entry = await set_up(hass, make_entry(first))
    await agree(hass, entry, publisher.url)
    second = await as_another(hass, start_simulator, entry, first, firmware=NEW)
    await hass.async_block_till_done()
    assert len(await logged(hass, second, "firmware_changed")) == 1
    assert question(hass, "firmware_unexpected", entry.entry_id) is None
    assert firmware(hass, second).state == "off"


async def test_another_model_and_wallbox(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A Miniserver of another kind, a wallbox of another power; gone with the entry."""
    first = await start_simulator()
    entry = await set_up(hass, make_entry(first))
    boxes = (
        WallboxConfig(name="Garage", max_kw=7.0),
        WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport"),
    )
    second = await as_another(
        hass, start_simulator, entry, first, miniserver_type=4, wallboxes=boxes
    )
    model = question(hass, "model_unexpected", entry.entry_id)
    assert model is not None
    assert (model.translation_placeholders or {})["to"] == "Miniserver Compact"
    [garage, carport] = entry.subentries
    wallbox = question(hass, "wallbox_unexpected", garage)
    assert wallbox is not None
    assert (wallbox.translation_placeholders or {})["changed"] == "max_kw"
    assert question(hass, "wallbox_unexpected", carport) is None
    kinds = await logged(hass, second, "identity_changed")
    assert {one["detail"].get("what", "wallbox") for one in kinds} == {
        "model",
        "wallbox",
    }
    await hass.config_entries.async_remove(entry.entry_id)
    assert question(hass, "model_unexpected", entry.entry_id) is None
    assert question(hass, "wallbox_unexpected", garage) is None
