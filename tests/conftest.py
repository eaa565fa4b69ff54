"""What the tests share: a simulated Miniserver and an entry that is set up on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from dataclasses import replace
from functools import partial
import ssl
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager

# Imported here, so that it is found before the plugin's own custom components.
from .flow_texts import LANGUAGES, check_result, flow_of
from custom_components.loxone_wallbox import config_flow, connect, history
from custom_components.loxone_wallbox.const import DOMAIN, SUBENTRY_WALLBOX
from custom_components.loxone_wallbox.miniserver import discover
from simulator import Clock, Simulator, SimulatorConfig, User, WallboxConfig
from simulator.wallbox import Wallbox

USERNAME = "homeassistant"
PASSWORD = "correct horse 7"
CLIENT_ID = "11111111-2222-3333-4444555566667777"

type StartSimulator = Callable[..., Coroutine[Any, Any, Simulator]]


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Store states and registry entries without what changes from run to run."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each test a configuration folder of its own: the state is on the disk."""
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, where a test has a Home Assistant."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    """Enable every entity, also those an owner would have to enable."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        new_callable=PropertyMock(return_value=True),
    ):
        yield


@pytest.fixture
async def start_simulator(socket_enabled: None) -> AsyncIterator[StartSimulator]:
    """Start simulated Miniservers, which are stopped after the test."""
    started: list[Simulator] = []

    async def start(*, clock: Clock | None = None, **changes: Any) -> Simulator:
        """Start one; `changes` are fields of its configuration."""
        config = SimulatorConfig(
            generation=1,
            tls_port=None,
            users=(User(name=USERNAME, password=PASSWORD),),
            wallboxes=(
                WallboxConfig(name="Garage"),
                WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport"),
            ),
            tick_s=0.1,
            power_every_s=0.1,
            energy_every_s=0.1,
        )
        simulator = Simulator(replace(config, **changes), clock=clock)
        await simulator.start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        await simulator.stop()


@pytest.fixture
async def miniserver(start_simulator: StartSimulator) -> Simulator:
    """Return a simulated Miniserver with two wallboxes."""
    return await start_simulator()


@pytest.fixture(autouse=True)
def _local_discovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search nothing but this machine, where nobody answers by default."""
    monkeypatch.setattr(
        config_flow,
        "discover",
        lambda _addresses: discover(
            (), port=1, answer_port=0, local_address="127.0.0.1", listen_s=0.0
        ),
    )


@pytest.fixture
def discover_simulator(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the search find a simulated Miniserver by its discovery port."""

    def use(port: int) -> None:
        """Ask this port on this machine."""
        search = partial(
            discover,
            ("127.0.0.1",),
            port=port,
            answer_port=0,
            local_address="127.0.0.1",
            listen_s=0.3,
        )
        monkeypatch.setattr(config_flow, "discover", lambda _addresses: search())

    return use


def entry_data(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    """Return what the config flow stores for a simulated Miniserver."""
    return {
        "host": "127.0.0.1",
        "port": simulator.port,
        "tls": False,
        "tls_port": 443,
        "verify_ssl": True,
        "username": USERNAME,
        "password": PASSWORD,
        "client_id": CLIENT_ID,
        "serial": simulator.config.serial,
        **changes,
    }


def subentry(wallbox: Wallbox, **changes: Any) -> ConfigSubentryData:
    """Return what the config flow stores for a simulated wallbox."""
    variant = "7kw_air" if wallbox.config.variant == "7.4kw_air" else "11kw_tree"
    return ConfigSubentryData(
        data={
            "wallbox_id": wallbox.uuid,
            "variant": variant,
            "diagnostic_inputs": {},
            **changes,
        },
        subentry_type=SUBENTRY_WALLBOX,
        title=wallbox.name,
        unique_id=wallbox.uuid,
    )


def make_entry(
    simulator: Simulator, *, data: dict[str, Any] | None = None, **changes: Any
) -> MockConfigEntry:
    """Return an entry for a simulated Miniserver; `changes` go to each wallbox."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=simulator.config.name,
        unique_id=simulator.config.serial,
        data=entry_data(simulator, **(data or {})),
        subentries_data=[subentry(box, **changes) for box in simulator.wallboxes],
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set an entry up."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
async def entry(
    hass: HomeAssistant, miniserver: Simulator
) -> AsyncIterator[MockConfigEntry]:
    """Return an entry that is set up on a simulated Miniserver."""
    entry = await set_up(hass, make_entry(miniserver))
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture(autouse=True)
def _flow_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check all that our flows show against the translations."""
    handle_step = FlowManager._async_handle_step

    async def checked(manager: Any, flow: Any, *args: Any, **kwargs: Any) -> Any:
        """Handle the step and look at what it shows."""
        result = await handle_step(manager, flow, *args, **kwargs)
        if type(flow).__module__.startswith(f"custom_components.{DOMAIN}."):
            for texts in LANGUAGES.values():
                kind = flow_of(texts, flow.handler, type(manager).__name__)
                check_result(texts, kind, result)
        return result

    monkeypatch.setattr(FlowManager, "_async_handle_step", checked)


@pytest.fixture
async def unload_all(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[None]:
    """Unload what a flow set up, while the simulators still run."""
    yield
    await hass.async_block_till_done()
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Callable[[Simulator], None]:
    """Have Home Assistant trust the certificates of a simulator's authority."""

    def trust(simulator: Simulator) -> None:
        """Trust this simulator's authority and no other."""
        context = ssl.create_default_context(cadata=simulator.ca_pem)
        monkeypatch.setattr(connect, "get_default_context", lambda: context)

    return trust


@pytest.fixture
def refused_handshakes(hass: HomeAssistant) -> None:
    """Let a client refuse the simulator's certificate: its server reports a reset."""
    report = hass.loop.get_exception_handler()
    assert report is not None

    def unless_reset(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report what is no end of a handshake."""
        if not isinstance(context.get("exception"), ConnectionResetError):
            report(loop, context)

    hass.loop.set_exception_handler(unless_reset)


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Let the recorder commit each second, as it does at home, not each state."""
    return {"commit_interval": 1}


@pytest.fixture
async def recorder_mock(
    recorder_mock: Recorder, hass: HomeAssistant
) -> AsyncIterator[Recorder]:
    """Return a recorder that ends when nobody works with its database any more.

    The plugin ends it before Home Assistant stops, and closes the connections of all
    threads: SQLite does not survive that in the middle of a statement.
    """
    yield recorder_mock
    if (store := hass.data.get(history._STORE)) is not None:
        await store.async_stop()


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debug the loop, but not where each task and callback came from.

    Calls from other threads are found; the stacks cost half of the time of a test.
    """
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    monkeypatch.setattr(loop, "get_debug", lambda: False)
