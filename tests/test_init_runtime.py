"""What may change while an entry is loaded: the login and the structure."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import make_entry, set_up
from .flow_helpers import Logins, address, answer, begin, finish, options_of
from .flow_texts import LANGUAGES
from .helpers import Surface, entity_id, eventually
from custom_components.loxone_wallbox.const import DOMAIN, SUBENTRY_WALLBOX
from custom_components.loxone_wallbox.login_repair import REPAIRS as LOGIN_REPAIRS
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Simulator, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

CARPORT = WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


async def again(hass: HomeAssistant, entry: MockConfigEntry, count: int = 2) -> None:
    """Wait until the link is up for the given time, and everything has settled."""
    client = entry.runtime_data.miniserver.client
    await eventually(lambda: client.connections == count and client.connected)
    await hass.async_block_till_done()


def repairs(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the repairs of wallboxes; each has its text in every language."""
    found = [
        issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.translation_key not in LOGIN_REPAIRS
    ]
    for issue in found:
        for texts in LANGUAGES.values():
            for text in texts["issues"][str(issue.translation_key)].values():
                assert text.format(**(issue.translation_placeholders or {}))
    return found


async def test_login_refused_later(
    hass: HomeAssistant, miniserver: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that was withdrawn is tried once more; then the owner is asked, once."""
    result = await answer(hass, await begin(hass), address(miniserver))
    entry = await finish(hass, result)
    logins = Logins(miniserver)
    miniserver.fault("revoked_tokens", close=True)
    await eventually(lambda: bool(hass.config_entries.flow.async_progress()))
    await asyncio.sleep(0.5)
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert logins.all == (0, 1, 1)
    assert caplog.text.count("refuses the login") == 1
    # The wallboxes stay set up, and work again after the new login.
    assert entry.state is ConfigEntryState.LOADED
    login = {key: address(miniserver)[key] for key in ("username", "password")}
    result = await answer(hass, dict(flow), {**login, "store_password": False})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    state = Surface(hass, miniserver)
    await state.call("switch.turn_off", "charging_allowed")
    assert state("charging_allowed") == "off"


async def test_password_helps(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Where the password is kept, a withdrawn token needs no owner."""
    first = entry.data["token"]["value"]
    logins = Logins(miniserver)
    miniserver.fault("revoked_tokens", close=True)
    await again(hass, entry)
    assert logins.all == (1, 1, 1)
    assert entry.data["token"]["value"] != first
    assert not hass.config_entries.flow.async_progress()


async def test_renamed(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A new name in Loxone Config is taken note of; ours and the ids stay."""
    runtime = entry.runtime_data
    before = [entity_id(hass, miniserver, "status", box) for box in (0, 1)]
    garage, carport = runtime.wallboxes.values()
    await miniserver.change_structure(rename={"Garage": "Left"}, down_s=0.1)
    await again(hass, entry)
    assert entry.runtime_data is runtime
    assert [entity_id(hass, miniserver, "status", box) for box in (0, 1)] == before
    assert garage not in runtime.wallboxes.values()
    assert carport in runtime.wallboxes.values()
    now = runtime.wallboxes[garage.subentry_id]
    assert (now.info.name, now.title) == ("Left", "Garage")
    state = Surface(hass, miniserver)
    await state.call("switch.turn_off", "charging_allowed")
    assert state("charging_allowed") == "off"


async def test_added(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A wallbox that is new in Loxone Config can be added without a restart."""
    subentries = hass.config_entries.subentries
    handler = (entry.entry_id, SUBENTRY_WALLBOX)
    result = await subentries.async_init(handler, context={"source": SOURCE_USER})
    assert result["reason"] == "no_more_wallboxes"
    await miniserver.change_structure(add=(WallboxConfig(name="New"),), down_s=0.1)
    await again(hass, entry)
    result = await subentries.async_init(handler, context={"source": SOURCE_USER})
    assert [one["label"] for one in options_of(dict(result), "wallboxes")] == [
        "New (Garage)"
    ]
    subentries.async_abort(result["flow_id"])
    assert not repairs(hass)


async def test_gone_and_back(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A wallbox that is gone is a repair, until it is back."""
    carport = entity_id(hass, miniserver, "charging", 1)
    await miniserver.change_structure(remove=("Carport",), down_s=0.1)
    await again(hass, entry)
    [issue] = repairs(hass)
    assert issue.translation_placeholders == {
        "wallbox": "Carport",
        "miniserver": "Home",
    }
    assert issue.severity is ir.IssueSeverity.ERROR
    shown = hass.states.get(carport)
    assert shown is not None
    assert shown.state == "unavailable"
    garage = Surface(hass, miniserver)
    await garage.call("switch.turn_off", "charging_allowed")
    assert garage("charging_allowed") == "off"

    await miniserver.change_structure(add=(CARPORT,), down_s=0.1)
    await again(hass, entry, 3)
    assert not repairs(hass)
    state = Surface(hass, miniserver, 1)
    assert state("charging") == "off"
    await state.call("switch.turn_off", "charging_allowed")
    assert not miniserver.wallboxes[1].enabled


@pytest.mark.parametrize("all_of_it", [False, True])
async def test_gone_and_deleted(
    hass: HomeAssistant, miniserver: Simulator, all_of_it: bool
) -> None:
    """The repair goes with the wallbox, whose subentry says what it was."""
    entry = make_entry(miniserver)
    miniserver.unit.world.remove(miniserver.wallboxes[1])
    miniserver.unit.structure.touch()
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    subentry_id = list(entry.subentries)[1]
    wallbox = entry.runtime_data.wallboxes[subentry_id]
    assert (wallbox.info.name, wallbox.info.max_kw) == ("Carport", 7.4)
    assert len(repairs(hass)) == 1
    if all_of_it:
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert not repairs(hass)


async def test_back_after_it_was_missing_from_the_start(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """A wallbox that comes back is built anew, as the structure file now says."""
    entry = make_entry(miniserver)
    miniserver.unit.world.remove(miniserver.wallboxes[1])
    miniserver.unit.structure.touch()
    await set_up(hass, entry)
    await miniserver.change_structure(add=(CARPORT,), down_s=0.1)
    await again(hass, entry)
    assert not repairs(hass)
    subentry_id = list(entry.subentries)[1]
    assert entry.runtime_data.wallboxes[subentry_id].info.modes
    state = Surface(hass, miniserver, 1)
    await state.call("switch.turn_off", "charging_allowed")
    assert not miniserver.wallboxes[1].enabled
