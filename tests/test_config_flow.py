"""The way in: search, address, login, encryption."""

from collections.abc import Callable
import json
from unittest.mock import ANY

import pytest

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow

from .conftest import PASSWORD, USERNAME, StartSimulator, make_entry
from .flow_helpers import Logins, address, answer, begin, finish, options_of
from .helpers import eventually
from custom_components.loxone_wallbox import config_flow
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.flow_connection import split_host
from custom_components.loxone_wallbox.miniserver import discover
from custom_components.loxone_wallbox.miniserver.errors import MiniserverConnectionError
from simulator import Simulator

pytestmark = pytest.mark.usefixtures("unload_all")

type Trust = Callable[[Simulator], None]
OTHER_SERIAL = "504F94A0BBBB"


async def test_nobody_answers(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Where the search finds nothing, the address is asked for."""
    logins = Logins(miniserver)
    result = await begin(hass)
    assert result["step_id"] == "connection"
    assert not result["errors"]
    result = await answer(hass, result, address(miniserver))
    assert result["step_id"] == "wallboxes"
    entry = await finish(hass, result)
    assert logins.by_password == 1
    assert entry.state is ConfigEntryState.LOADED
    assert entry.title == "Home"
    assert entry.unique_id == miniserver.config.serial
    assert entry.data == {
        "host": "127.0.0.1",
        "port": miniserver.port,
        "tls": False,
        "tls_port": 443,
        "verify_ssl": True,
        "username": USERNAME,
        "client_id": ANY,
        "serial": miniserver.config.serial,
        "token": ANY,
    }
    assert PASSWORD not in json.dumps(dict(entry.data))
    assert len(entry.data["client_id"]) == 35
    assert [one.title for one in entry.subentries.values()] == ["Garage", "Carport"]
    # Set up with the token of the flow, so that there is but one.
    assert [token.client for token in miniserver.unit.accounts.tokens] == [
        entry.data["client_id"]
    ]


async def test_one_answers(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    discover_simulator: Callable[[int], None],
) -> None:
    """What the search finds has only to be confirmed."""
    miniserver = await start_simulator(discovery_port=0, name="My house")
    assert miniserver.discovery_port
    discover_simulator(miniserver.discovery_port)
    result = await begin(hass)
    assert result["step_id"] == "miniserver"
    assert [one["label"] for one in options_of(result, "miniserver")] == [
        "My house (127.0.0.1)",
        "enter_address",
    ]
    result = await answer(hass, result, {"miniserver": miniserver.config.serial})
    assert result["step_id"] == "connection"
    suggested = {
        str(marker): marker.default()
        for marker in result["data_schema"].schema
        if str(marker) in ("host", "port")
    }
    assert suggested == {"host": "127.0.0.1", "port": miniserver.port}
    result = await answer(hass, result, address(miniserver))
    assert (await finish(hass, result)).unique_id == miniserver.config.serial


async def test_several_answer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that answer are offered, except for those that are set up already."""
    serials = ["504F94A00001", OTHER_SERIAL, "504F94A0CCCC"]
    ports = []
    for serial in serials:
        simulator = await start_simulator(discovery_port=0, serial=serial, name=serial)
        ports.append(simulator.discovery_port or 0)
    make_entry(simulator).add_to_hass(hass)

    async def search(_addresses: object) -> tuple[object, ...]:
        found: tuple[object, ...] = ()
        for port in ports:
            found += await discover(
                ["127.0.0.1"],
                port=port,
                answer_port=0,
                local_address="127.0.0.1",
                listen_s=0.2,
            )
        return found

    monkeypatch.setattr(config_flow, "discover", search)
    result = await begin(hass)
    assert result["step_id"] == "miniserver"
    assert [one["value"] for one in options_of(result, "miniserver")] == [
        *serials[:2],
        "enter_address",
    ]
    result = await answer(hass, result, {"miniserver": "enter_address"})
    assert result["step_id"] == "connection"
    host = next(iter(result["data_schema"].schema))
    assert not callable(host.default)


async def test_search_is_not_possible(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that is taken is no reason to stop."""

    async def search(_addresses: object) -> None:
        raise MiniserverConnectionError("UDP port 7071 cannot be opened")

    monkeypatch.setattr(config_flow, "discover", search)
    assert (await begin(hass))["step_id"] == "connection"


async def test_closed_while_searching(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    """Nothing goes on when the dialogue is closed."""
    monkeypatch.setattr(
        config_flow,
        "discover",
        lambda _addresses: discover(
            (), port=1, answer_port=0, local_address="127.0.0.1", listen_s=60.0
        ),
    )
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    # Asked again meanwhile, as the frontend may, it searches on.
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    flow = hass.config_entries.flow._progress[result["flow_id"]]
    assert isinstance(flow, config_flow.LoxoneWallboxConfigFlow)
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert flow._scan is not None
    await eventually(flow._scan.cancelled)


async def test_closed_after_the_login(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """A token that nobody uses is given back."""
    result = await answer(hass, await begin(hass), address(miniserver))
    assert result["step_id"] == "wallboxes"
    assert len(miniserver.unit.accounts.tokens) == 1
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert miniserver.unit.accounts.tokens == []


async def test_closed_while_it_logs_in(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """A token that comes after the dialogue is gone is given back as well."""
    miniserver.fault("structure_slow", seconds=0.5)
    result, flow = await begin(hass), hass.config_entries.flow
    logs_in = hass.async_create_task(answer(hass, result, address(miniserver)))
    await eventually(lambda: len(miniserver.unit.accounts.tokens) == 1)
    flow.async_abort(result["flow_id"])
    with pytest.raises(UnknownFlow):
        await logs_in
    await hass.async_block_till_done()
    assert miniserver.unit.accounts.tokens == []


async def test_a_structure_that_cannot_be_read(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """The login before it leaves no token behind."""
    miniserver.fault("structure_invalid", times=1)
    result = await answer(hass, await begin(hass), address(miniserver))
    assert result["errors"] == {"base": "structure_invalid"}
    await hass.async_block_till_done()
    assert miniserver.unit.accounts.tokens == []


async def test_already_set_up(hass: HomeAssistant, miniserver: Simulator) -> None:
    """The same Miniserver is not set up twice."""
    make_entry(miniserver).add_to_hass(hass)
    result = await answer(hass, await begin(hass), address(miniserver))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert miniserver.unit.accounts.tokens == []


async def test_set_up_meanwhile(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Two dialogues for the same Miniserver end in one entry."""
    first = await answer(hass, await begin(hass), address(miniserver))
    second = await answer(hass, await begin(hass), address(miniserver))
    # As if the first ended without Home Assistant's care for the second.
    hass.config_entries.flow._progress[second["flow_id"]].context["unique_id"] = "other"
    await finish(hass, first)
    hass.config_entries.flow._progress[second["flow_id"]].context["unique_id"] = (
        miniserver.config.serial
    )
    boxes = [box.uuid for box in miniserver.wallboxes[:1]]
    second = await answer(hass, second, {"wallboxes": boxes})
    second = await answer(hass, second, {"name": "Garage", "variant": "11kw_tree"})
    assert second["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert len(miniserver.unit.accounts.tokens) == 1


async def test_two_miniservers(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Miniservers stand side by side, also with wallboxes of the same names."""
    for serial in ("504F94A00001", OTHER_SERIAL):
        miniserver = await start_simulator(serial=serial, name=f"House {serial[-1]}")
        result = await answer(hass, await begin(hass), address(miniserver))
        await finish(hass, result)
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    assert [entry.title for entry in entries] == ["House 1", "House B"]
    assert entries[0].data["client_id"] != entries[1].data["client_id"]
    boxes = [box for entry in entries for box in entry.runtime_data.wallboxes.values()]
    assert len(boxes) == 4
    entities = [one.entity_id for box in boxes for one in box.entities]
    assert len(set(entities)) == len(entities) > 4


async def test_password_is_kept_where_allowed(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """The owner may have Home Assistant keep the password."""
    result = await answer(
        hass, await begin(hass), address(miniserver, store_password=True)
    )
    entry = await finish(hass, result)
    assert entry.data["password"] == PASSWORD


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.168.1.77", "192.168.1.77", 80),
        (" MiniServer.local ", "miniserver.local", 80),
        ("http://192.168.1.77", "192.168.1.77", 80),
        ("https://192.168.1.77/webinterface?x#y", "192.168.1.77", 80),
        ("http://192.168.1.77:8080/", "192.168.1.77", 8080),
        ("192.168.1.77:8080", "192.168.1.77", 8080),
        ("fe80::5294", "fe80::5294", 80),
        ("[fe80::5294]:81", "fe80::5294", 81),
    ],
)
def test_host_as_typed(typed: str, host: str, port: int) -> None:
    """People copy addresses from where they are."""
    assert split_host(typed, 80) == (host, port)


@pytest.mark.parametrize("typed", ["", " ", "a b", "host:99999", "http://[", ":80"])
def test_no_host(typed: str) -> None:
    """What cannot be a host is none."""
    with pytest.raises(ValueError, match=r"."):
        split_host(typed, 80)


async def test_address_copied_from_a_browser(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """A whole address is as good as a host."""
    copied = f"http://127.0.0.1:{miniserver.port}/#home"
    result = await answer(
        hass, await begin(hass), address(miniserver, host=copied, port=80)
    )
    entry = await finish(hass, result)
    assert entry.data["host"] == "127.0.0.1"
    assert entry.data["port"] == miniserver.port


@pytest.mark.parametrize("encryption", ["auto", "tls"])
async def test_tls_verified(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    trust: Trust,
    encryption: str,
) -> None:
    """A Miniserver of the second generation is reached by TLS, and verified."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    trust(miniserver)
    result = await answer(
        hass, await begin(hass), address(miniserver, encryption=encryption)
    )
    entry = await finish(hass, result)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["tls"]
    assert entry.data["verify_ssl"]
    assert entry.data["tls_port"] == miniserver.tls_port
    assert all(client.caller.tls for client in miniserver.clients)


async def test_tls_unverified(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Whoever decides so is not bothered with certificates."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    result = await answer(
        hass, await begin(hass), address(miniserver, encryption="tls_unverified")
    )
    entry = await finish(hass, result)
    assert entry.data["tls"]
    assert not entry.data["verify_ssl"]
    assert [client.caller.tls for client in miniserver.clients] == [True]


async def test_commands_encrypted_on_a_second_generation(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Encrypted commands can be had where TLS is not wanted."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    result = await answer(
        hass, await begin(hass), address(miniserver, encryption="commands")
    )
    entry = await finish(hass, result)
    assert not entry.data["tls"]
    assert [client.caller.tls for client in miniserver.clients] == [False]
