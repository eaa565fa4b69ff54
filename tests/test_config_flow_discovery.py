"""Miniservers that Home Assistant noticed by itself: DHCP and SSDP."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components import network
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_SSDP,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import Logins, Result, address, answer, begin, finish
from custom_components.loxone_wallbox import config_flow, flow_connection
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import (
    Address,
    DiscoveredMiniserver,
    identify,
)
from simulator import Simulator

pytestmark = pytest.mark.usefixtures("unload_all")

SERIAL = "504F94A00001"


@pytest.fixture(autouse=True)
def _no_privileged_port(monkeypatch: pytest.MonkeyPatch, miniserver: Simulator) -> None:
    """Let discovered Miniservers answer at the simulator's port instead of 80."""
    monkeypatch.setattr(config_flow, "DEFAULT_PORT", miniserver.port)


def dhcp(ip: str = "127.0.0.1", serial: str = SERIAL) -> DhcpServiceInfo:
    """Return what Home Assistant tells of a device that asked for an address."""
    return DhcpServiceInfo(
        ip=ip, hostname=f"loxone-{serial}".lower(), macaddress=serial.lower()
    )


def ssdp(location: str | None, serial: str | None = SERIAL) -> SsdpServiceInfo:
    """Return what Home Assistant tells of a device that announced itself."""
    upnp: dict[str, Any] = {"manufacturer": "Loxone Electronics GmbH"}
    if serial is not None:
        upnp["serialNumber"] = serial
    return SsdpServiceInfo(
        ssdp_usn="usn", ssdp_st="st", upnp=upnp, ssdp_location=location
    )


async def sets_up(hass: HomeAssistant, result: Result, miniserver: Simulator) -> None:
    """Take a discovered Miniserver to its entry."""
    assert result["step_id"] == "connection"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["unique_id"] == SERIAL
    assert flow["context"]["title_placeholders"] == {"name": "Miniserver 127.0.0.1"}
    entry = await finish(hass, await answer(hass, result, address(miniserver)))
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id == SERIAL


async def test_dhcp(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A new Miniserver is offered, and nothing but asked for its name before."""
    logins = Logins(miniserver)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert logins.all == (0, 0, 0)
    again = await begin(hass, SOURCE_DHCP, dhcp())
    assert again["reason"] == "already_in_progress"
    await sets_up(hass, result, miniserver)


async def test_ssdp(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A Miniserver that announces itself is offered."""
    result = await begin(hass, SOURCE_SSDP, ssdp(f"{miniserver.url}/upnp.xml"))
    await sets_up(hass, result, miniserver)


async def moved(hass: HomeAssistant, miniserver: Simulator, **data: Any) -> Any:
    """Return an entry that is connected, and stored with another address since."""
    entry = await set_up(hass, make_entry(miniserver))
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "127.0.0.77", **data}
    )
    return entry


async def test_address_changed(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known Miniserver is followed to its new address, at the port it has."""
    entry = await moved(hass, miniserver)
    runtime = entry.runtime_data
    monkeypatch.setattr(config_flow, "DEFAULT_PORT", 1)
    logins = Logins(miniserver)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert entry.data["host"] == "127.0.0.1"
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data is not runtime
    assert logins.refused == 0


async def test_address_changed_with_tls(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where all is said over TLS, the question is too."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    data = {"tls": True, "tls_port": miniserver.tls_port, "verify_ssl": False}
    entry = await set_up(hass, make_entry(miniserver, data=data))
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "127.0.0.77", "port": 1}
    )
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "127.0.0.1"


async def test_address_of_another_miniserver(
    hass: HomeAssistant, miniserver: Simulator, start_simulator: StartSimulator
) -> None:
    """A known Miniserver is not followed to where another one answers."""
    other = await start_simulator(serial="504F94A0FFFF")
    logins = Logins(other)
    entry = await moved(hass, miniserver, port=other.port)
    runtime = entry.runtime_data
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "not_a_miniserver"
    await hass.async_block_till_done()
    assert entry.data["host"] == "127.0.0.77"
    assert entry.runtime_data is runtime
    assert logins.all == (0, 0, 0)


async def test_address_of_nobody(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known Miniserver is not followed to where nobody answers for minutes."""
    monkeypatch.setattr(flow_connection, "BOOT_PAUSE_S", 0.0)
    entry = await moved(hass, miniserver, port=1)
    runtime = entry.runtime_data
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "not_a_miniserver"
    await hass.async_block_till_done()
    assert entry.data["host"] == "127.0.0.77"
    assert entry.runtime_data is runtime


@pytest.mark.parametrize("first", ["booting", "nobody"])
async def test_address_of_one_that_boots(
    hass: HomeAssistant,
    miniserver: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
) -> None:
    """It asks for its address before it answers, and that is told only once."""
    monkeypatch.setattr(flow_connection, "BOOT_PAUSE_S", 0.0)
    entry = await moved(hass, miniserver)
    asked: list[Address] = []

    async def answers_at_last(session: Any, address: Address, **options: Any) -> Any:
        """Ask really, of a Miniserver that is up at the third time."""
        asked.append(address)
        if len(asked) == 3:
            miniserver.clear("booting")
        elif first == "nobody":
            address = replace(address, port=1)
        return await identify(session, address, **options)

    monkeypatch.setattr(flow_connection, "identify", answers_at_last)
    miniserver.fault("booting")
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert {(one.host, one.port) for one in asked} == {("127.0.0.1", miniserver.port)}
    assert len(asked) == 3
    assert entry.data["host"] == "127.0.0.1"
    assert entry.state is ConfigEntryState.LOADED


async def test_address_changed_by_the_owner_meanwhile(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was faster than the question is not overruled."""
    entry = await moved(hass, miniserver)

    async def overtaken(session: Any, address: Address, **options: Any) -> Any:
        """Ask really, while the owner enters a name."""
        data = {**entry.data, "host": "miniserver.local"}
        hass.config_entries.async_update_entry(entry, data=data)
        return await identify(session, address, **options)

    monkeypatch.setattr(flow_connection, "identify", overtaken)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "miniserver.local"


async def test_address_of_one_that_blocks_us(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who blocks us is not asked again and again."""
    entry = await moved(hass, miniserver)
    asked: list[Address] = []

    async def counted(session: Any, address: Address, **options: Any) -> Any:
        """Ask really, and take note."""
        asked.append(address)
        return await identify(session, address, **options)

    monkeypatch.setattr(flow_connection, "identify", counted)
    miniserver.fault("blocked", seconds=600.0)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "not_a_miniserver"
    assert len(asked) == 1
    assert entry.data["host"] == "127.0.0.77"


async def test_ignored(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A Miniserver that the owner does not want to see stays ignored."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=SERIAL, source=SOURCE_IGNORE)
    entry.add_to_hass(hass)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    assert entry.data == {}


async def test_address_not_changed(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A known Miniserver at its known address is left in peace."""
    entry = await set_up(hass, make_entry(miniserver))
    [client] = miniserver.clients
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert miniserver.clients == [client]


async def test_known_by_name(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A host name is its owner's choice and stays."""
    entry = make_entry(miniserver, data={"host": "miniserver.local"})
    entry.add_to_hass(hass)
    result = await begin(hass, SOURCE_DHCP, dhcp())
    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "miniserver.local"


async def test_other_device_of_loxone(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is no Miniserver, or not the one it claims to be, is not shown."""
    wrong = await begin(hass, SOURCE_DHCP, dhcp(serial="504F94A0FFFF"))
    assert wrong["type"] is FlowResultType.ABORT
    assert wrong["reason"] == "not_a_miniserver"
    monkeypatch.setattr(config_flow, "DEFAULT_PORT", 1)
    nobody = await begin(hass, SOURCE_DHCP, dhcp())
    assert nobody["reason"] == "not_a_miniserver"
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize(
    "info",
    [
        ssdp(None),
        ssdp("nonsense"),
        ssdp("http://[broken/upnp.xml"),
        ssdp("http://127.0.0.1/upnp.xml", None),
        ssdp("http://127.0.0.1/upnp.xml", "13000001"),
    ],
)
async def test_ssdp_of_something_else(
    hass: HomeAssistant, miniserver: Simulator, info: SsdpServiceInfo
) -> None:
    """An announcement without address or serial number is not shown."""
    result = await begin(hass, SOURCE_SSDP, info)
    assert result["reason"] == "not_a_miniserver"


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        (["255.255.255.255"], {"255.255.255.255"}),
        (["255.255.255.255", "127.255.255.255"], {"127.255.255.255"}),
    ],
)
async def test_only_the_adapters_in_use_are_asked(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    found: list[str],
    asked: set[str],
) -> None:
    """Adapters the owner chose are asked at their own addresses only."""
    asked_now: list[set[str]] = []

    async def addresses(_hass: HomeAssistant) -> set[IPv4Address]:
        """Return what Home Assistant's network helper gives."""
        return {IPv4Address(address) for address in found}

    async def search(targets: set[str]) -> tuple[DiscoveredMiniserver, ...]:
        """Find nobody."""
        asked_now.append(set(targets))
        return ()

    monkeypatch.setattr(network, "async_get_ipv4_broadcast_addresses", addresses)
    monkeypatch.setattr(config_flow, "discover", search)
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    await hass.async_block_till_done()
    assert asked_now == [asked]
    hass.config_entries.flow.async_abort(flow["flow_id"])
