"""Login and connection of an entry that is there: reauth, reconfigure, options."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData

from .conftest import CLIENT_ID, PASSWORD, USERNAME, StartSimulator, make_entry, set_up
from .flow_helpers import Logins, Result, address, answer, suggestions
from .helpers import Surface, eventually
from simulator import Simulator, User

pytestmark = pytest.mark.usefixtures("unload_all")

AGAIN = {"username": USERNAME, "password": PASSWORD, "store_password": False}


def with_token(simulator: Simulator, **changes: Any) -> MockConfigEntry:
    """Return an entry that keeps a token and no password, as is usual."""
    user = simulator.unit.accounts.users[USERNAME]
    token = simulator.unit.accounts.issue(user, 4, CLIENT_ID, "Home Assistant")
    entry = make_entry(
        simulator,
        data={
            "token": {
                "value": token.text,
                "valid_until": token.valid_until,
                "hash_algorithm": "SHA256",
                "rights": 4,
                "unsecure_password": False,
            },
            **changes,
        },
    )
    data = {key: value for key, value in entry.data.items() if key != "password"}
    return MockConfigEntry(
        domain=entry.domain,
        title=entry.title,
        unique_id=entry.unique_id,
        data=data,
        subentries_data=[
            {
                "data": dict(one.data),
                "subentry_type": one.subentry_type,
                "title": one.title,
                "unique_id": one.unique_id,
            }
            for one in entry.subentries.values()
        ],
    )


async def reload_done(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait for the reload that follows a flow."""
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_reauth(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A login that was refused is replaced, after any error, by one that works."""
    entry = with_token(miniserver)
    miniserver.fault("revoked_tokens")
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    logins = Logins(miniserver)

    result = await answer(hass, dict(flow), None)
    assert result["step_id"] == "reauth_confirm"
    assert suggestions(result) == {"username": USERNAME, "store_password": False}
    result = await answer(hass, result, {**AGAIN, "password": "wrong"})
    assert result["errors"] == {"password": "invalid_auth"}
    assert logins.refused == 1
    # An error is no consent to keep the password.
    assert suggestions(result)["store_password"] is False
    miniserver.fault("booting")
    result = await answer(hass, result, AGAIN)
    assert result["errors"] == {"base": "starting"}
    miniserver.clear("booting")
    result = await answer(hass, result, AGAIN)
    assert result["reason"] == "reauth_successful"
    await reload_done(hass, entry)
    assert "password" not in entry.data
    assert entry.data["client_id"] == CLIENT_ID
    assert {token.client for token in miniserver.unit.accounts.tokens} == {CLIENT_ID}


async def test_reauth_out_of_reach(hass: HomeAssistant, miniserver: Simulator) -> None:
    """What concerns the address is said although the form does not show it."""
    entry = with_token(miniserver, port=1)
    entry.add_to_hass(hass)
    result = dict(await entry.start_reauth_flow(hass))
    result = await answer(hass, result, AGAIN)
    assert result["errors"] == {"base": "cannot_connect"}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "port": miniserver.port}
    )
    result = await answer(hass, result, AGAIN)
    assert result["reason"] == "reauth_successful"
    await reload_done(hass, entry)


async def test_reauth_keeps_what_was_chosen(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """TLS without verification and a password that is kept stay as they are."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    entry = make_entry(
        miniserver,
        data={"tls": True, "tls_port": miniserver.tls_port, "verify_ssl": False},
    )
    entry.add_to_hass(hass)
    result = dict(await entry.start_reauth_flow(hass))
    assert suggestions(result)["store_password"] is True
    result = await answer(hass, result, {**AGAIN, **suggestions(result)})
    assert result["reason"] == "reauth_successful"
    await reload_done(hass, entry)
    assert entry.data["tls"]
    assert not entry.data["verify_ssl"]
    assert entry.data["password"] == PASSWORD


async def test_reconfigure(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Another Miniserver is refused before any login, the same one is taken."""
    miniserver = await start_simulator(
        users=(
            User(name=USERNAME, password=PASSWORD),
            User(name="wallbox", password=PASSWORD),
        )
    )
    other = await start_simulator(serial="504F94A0BBBB")
    entry = await set_up(hass, make_entry(miniserver))
    logins = Logins(other)
    result = dict(await entry.start_reconfigure_flow(hass))
    assert result["step_id"] == "reconfigure"
    assert suggestions(result) == {
        "host": "127.0.0.1",
        "port": miniserver.port,
        "username": USERNAME,
        "advanced": {
            "encryption": "commands",
            "tls_port": 443,
            "store_password": True,
        },
    }
    result = await answer(hass, result, address(other))
    assert result["errors"] == {"host": "other_miniserver"}
    assert result["description_placeholders"] == {
        "expected": miniserver.config.serial,
        "found": "504F94A0BBBB",
    }
    assert logins.all == (0, 0, 0)
    assert entry.data["port"] == miniserver.port
    result = await answer(hass, result, address(miniserver, username="wallbox"))
    assert result["reason"] == "reconfigure_successful"
    await reload_done(hass, entry)
    assert entry.data["username"] == "wallbox"
    assert entry.data["client_id"] == CLIENT_ID
    assert "password" not in entry.data


async def test_reconfigure_to_tls(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    trust: Callable[[Simulator], None],
) -> None:
    """The encryption can be changed later, and is shown as it was chosen."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    trust(miniserver)
    entry = await set_up(hass, make_entry(miniserver))
    result: Result
    for encryption in ("tls", "tls_unverified", "tls"):
        result = dict(await entry.start_reconfigure_flow(hass))
        result = await answer(hass, result, address(miniserver, encryption=encryption))
        assert result["reason"] == "reconfigure_successful"
        await reload_done(hass, entry)
        result = dict(await entry.start_reconfigure_flow(hass))
        assert suggestions(result)["advanced"]["encryption"] == encryption
        hass.config_entries.flow.async_abort(result["flow_id"])
        assert [client.caller.tls for client in miniserver.clients] == [True]


async def test_options(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Options hold at once; the link is not touched for them."""
    [client] = miniserver.clients
    runtime = entry.runtime_data
    options = hass.config_entries.options
    menu = await options.async_init(entry.entry_id)
    known = [
        "people",
        "forget",
        "history",
        "firmware",
        "guard",
        "dashboard",
        "link",
    ]
    assert menu["menu_options"] == known
    link = {"next_step_id": "link"}
    result = await options.async_configure(menu["flow_id"], link)
    assert suggestions(dict(result)) == {"unavailable_after": 30}
    with pytest.raises(InvalidData):
        await options.async_configure(result["flow_id"], {"unavailable_after": 4})
    done = await options.async_configure(result["flow_id"], {"unavailable_after": 5.0})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.options == {"unavailable_after": 5}
    assert entry.runtime_data is runtime
    assert miniserver.clients == [client]

    menu = await options.async_init(entry.entry_id)
    result = await options.async_configure(menu["flow_id"], link)
    assert suggestions(dict(result)) == {"unavailable_after": 5}
    options.async_abort(result["flow_id"])
    miniserver.fault("booting")
    await miniserver.drop()
    state = Surface(hass, miniserver)
    await eventually(lambda: state("miniserver_connection") == "off")
    assert state("charge_mode") != "unavailable"
    assert runtime.miniserver._grace is not None
