"""What can go wrong while a meter is set up, and what the form then says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
import socket
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .meter_flow import Home, Wizard, build, port_of
from custom_components.loxone_wallbox import flow_meter_probe
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from simulator import MeterConfig

pytestmark = pytest.mark.usefixtures("unload_all")

SDM630 = "eastron_sdm630"


async def at_connection(
    home: Home, model: str = SDM630, transport: str = "tcp"
) -> Wizard:
    """Return the wizard where it asks for the connection."""
    wizard = await home.wizard()
    await wizard.model(model, transport)
    if wizard.step == "meter":
        # One phase for three.
        await wizard.model(model, transport)
    return wizard


def address(home: Home, **changes: Any) -> dict[str, Any]:
    """Return the answers that lead to the first meter without neighbours."""
    return {
        "host": "127.0.0.1",
        "port": port_of(home.meter),
        "sharing": "dedicated",
        **changes,
    }


async def test_other_model(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The model that answers is named; with it chosen, what was typed is there."""
    home = await build(hass, start_simulator, MeterConfig(profile="em340", unit=3))
    wizard = await at_connection(home)
    at = address(home, unit_id=3)
    assert await wizard.say(**at) == "meter"
    assert wizard.errors == {"meter_profile": "meter_other_model"}
    assert wizard.texts["found"] == "Carlo Gavazzi EM340/EM341/ET340"
    assert wizard.texts["model"] == "Eastron SDM630 Modbus"
    assert await wizard.model("gavazzi_em340") == "meter_network"
    assert wizard.errors == {}
    assert wizard.suggested.items() >= at.items()
    assert await wizard.say() == "meter_values"
    wizard.leave()


async def test_model_without_a_name_of_its_own(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where the chosen model says nothing of itself, another one that does is found."""
    home = await build(hass, start_simulator, MeterConfig(profile="sdm630"))
    wizard = await at_connection(home, "eastron_sdm230")
    assert await wizard.say(**address(home)) == "meter"
    assert wizard.errors == {"meter_profile": "meter_other_model"}
    assert wizard.texts["found"] == "Eastron SDM630 Modbus"
    wizard.leave()


async def test_model_that_nobody_knows(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that says it is none of the known ones is refused too."""
    home = await build(hass, start_simulator, MeterConfig(profile="em340"))
    wizard = await at_connection(home, "gavazzi_em24")
    known = {SDM630: PROFILES[SDM630]}
    monkeypatch.setattr(flow_meter_probe, "PROFILES", known)
    assert await wizard.say(**address(home)) == "meter"
    assert wizard.errors == {"meter_profile": "meter_not_this_model"}
    wizard.leave()


async def test_refused_registers(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter that refuses what its model has cannot be that model."""
    home = await build(hass, start_simulator, MeterConfig(profile="sdm630"))
    home.meter.fault("exception", code=1, match="4 ")
    wizard = await at_connection(home)
    assert await wizard.say(**address(home)) == "meter"
    assert wizard.errors == {"meter_profile": "meter_refused"}
    assert "Exception 1" in wizard.texts["error"]
    wizard.leave()


async def test_refused_blocks_are_made_smaller(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A unit that refuses the documented block is read in smaller ones."""
    config = MeterConfig(profile="sdm630", max_registers=6, energy_kwh=5)
    home = await build(hass, start_simulator, config)
    wizard = await at_connection(home)
    assert await wizard.say(**address(home)) == "meter_values"
    assert wizard.texts["energy"] == "5.00 kWh"
    wizard.leave()


@pytest.mark.slow
async def test_values_of_no_grid(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Numbers are not enough: they must be those of a grid."""
    config = MeterConfig(profile="or_we_516", strict=False)
    home = await build(hass, start_simulator, config)
    wizard = await at_connection(home, "orno_we504")
    assert await wizard.say(**address(home)) == "meter"
    assert wizard.errors == {"meter_profile": "meter_no_grid"}
    await wizard.model("orno_we516")
    assert await wizard.say() == "meter_values"
    wizard.leave()


@pytest.mark.parametrize(
    ("fault", "options", "errors"),
    [
        ("silent", {}, {"unit_id": "meter_silent"}),
        ("short", {}, {"base": "meter_wrong_answer"}),
        ("invalid", {"quantity": "power"}, {"base": "meter_no_value"}),
        ("invalid", {"quantity": "import"}, {"base": "meter_no_value"}),
    ],
)
async def test_no_answer_to_use(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    fault: str,
    options: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Silence, nonsense and missing values are told apart; nothing typed is lost."""
    config = MeterConfig(profile="sdm630", gateway=False)
    home = await build(hass, start_simulator, config)
    home.meter.fault(fault, **options)
    wizard = await at_connection(home)
    at = address(home)
    assert await wizard.say(**at) == "meter_network"
    assert wizard.errors == errors
    assert wizard.suggested.items() >= at.items()
    home.meter.clear()
    assert await wizard.say() == "meter_values"
    assert wizard.errors == {}
    wizard.leave()


async def test_gateway_says_silent(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A gateway that finds no meter says so, unlike one that only stays silent."""
    home = await build(hass, start_simulator, MeterConfig(profile="sdm630"))
    wizard = await at_connection(home)
    assert await wizard.say(**address(home, unit_id=9)) == "meter_network"
    assert wizard.errors == {"unit_id": "meter_target_silent"}
    wizard.leave()


@asynccontextmanager
async def closing_server() -> AsyncIterator[int]:
    """Take connections and end them; gives the port."""

    async def end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """End a connection."""
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


@asynccontextmanager
async def deaf_server() -> AsyncIterator[int]:
    """Listen and take no connection, as a host behind a firewall; gives the port."""
    with socket.socket() as server, ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # The queue is full with one or two.
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        port: int = server.getsockname()[1]
        yield port


@pytest.mark.parametrize("sharing", ["shared", "dedicated"])
async def test_no_connection(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    sharing: str,
) -> None:
    """Nobody there, a closed port and one that hangs up have texts of their own."""
    home = await build(hass, start_simulator)
    wizard = await at_connection(home)
    async with closing_server() as port:
        await wizard.say(host="127.0.0.1", port=port, sharing=sharing)
    assert wizard.errors == {"host": "meter_connection_ended"}
    await wizard.say()
    assert wizard.errors == {"port": "meter_connection_refused"}
    assert wizard.texts["place"] == f"127.0.0.1:{port}"
    monkeypatch.setattr(flow_meter_probe, "REACH_S", 0.2)
    async with deaf_server() as port:
        await wizard.say(port=port)
    assert wizard.errors == {"host": "meter_cannot_connect"}
    await wizard.say(host="no host")
    assert wizard.errors == {"host": "invalid_host"}
    assert wizard.suggested["host"] == "no host"
    wizard.leave()


def connecting() -> set[asyncio.Task[object]]:
    """Return what the libraries have under way to connect."""
    return {
        task
        for task in asyncio.all_tasks()
        if getattr(task.get_coro(), "__name__", "") == "_do_connect"
    }


@pytest.mark.parametrize("sharing", ["shared", "dedicated"])
@pytest.mark.slow
async def test_left_while_connecting(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    caplog: pytest.LogCaptureFixture,
    sharing: str,
) -> None:
    """A dialogue that is closed while nobody answers leaves no error behind."""
    home = await build(hass, start_simulator)
    wizard = await at_connection(home)
    async with deaf_server() as port:
        await wizard.begin(host="127.0.0.1", port=port, sharing=sharing)
        assert wizard.step == "meter_probe"
        await eventually(lambda: bool(connecting()))
        wizard.leave()
        await asyncio.wait(connecting())
    await hass.async_block_till_done()
    assert "exception in shielded future" not in caplog.text


@pytest.mark.parametrize("sharing", ["shared", "dedicated"])
async def test_name_that_nobody_has(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    sharing: str,
) -> None:
    """A name without an address is somewhere nobody can be reached."""

    def find(*_: object, **__: object) -> None:
        """Find nothing, as the system does where no server knows a name."""
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    home = await build(hass, start_simulator)
    wizard = await at_connection(home)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", find)
        await wizard.say(host="gateway.invalid", sharing=sharing)
    assert wizard.errors == {"host": "meter_cannot_connect"}
    assert wizard.texts["place"] == "gateway.invalid:502"
    await wizard.say(host=f"{'x' * 64}.invalid")
    assert wizard.errors == {"host": "invalid_host"}
    wizard.leave()


async def test_ways_back(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """From the connection the way leads back to the model, or on without a meter."""
    home = await build(hass, start_simulator)
    wizard = await at_connection(home)
    assert await wizard.say(host="x", connection_next="model") == "meter"
    assert await wizard.model("abb_b23", "rtu_over_tcp") == "meter_network"
    assert wizard.suggested["host"] == "x"
    assert await wizard.say(connection_next="no_meter") == "abort"
    assert home.stored is None


async def test_inverted_without_export(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Inverted wiring needs an export counter."""
    config = MeterConfig(profile="iem3150")
    home = await build(hass, start_simulator, config)
    wizard = await at_connection(home, "schneider_iem3150")
    assert await wizard.say(**address(home), wiring={"inverted": True})
    assert wizard.errors == {"base": "meter_no_export"}
    assert wizard.suggested["wiring"] == {"inverted": True}
    wizard.leave()


@pytest.mark.slow
async def test_power_that_does_not_fit(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A phase the wrong way round is mentioned; reading again may mend it."""
    home = await build(hass, start_simulator, MeterConfig(profile="sdm630"))
    home.charge()
    home.meter.fault("swapped", phase=2)
    wizard = await at_connection(home)
    shown = home.meter.truth
    await eventually(lambda: shown()["shown"]["power"] > 3000, 20)
    assert await wizard.say(**address(home)) == "meter_values"
    assert wizard.errors == {"base": "meter_power_off"}
    assert int(wizard.texts["expected"]) > 10_000
    home.meter.clear()
    await eventually(lambda: shown()["shown"]["power"] > 10_000, 20)
    assert await wizard.say(meter_next="again") == "meter_values"
    assert wizard.errors == {}
    # No answer is not taken for one.
    assert await wizard.say() == "meter_values"
    assert wizard.errors == {"meter_next": "meter_choice_missing"}
    wizard.leave()


async def test_something_unexpected(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of ours is logged and does not end the dialogue."""
    home = await build(hass, start_simulator, MeterConfig(profile="sdm630"))
    wizard = await at_connection(home)

    def fail(*_: object) -> None:
        """Do what no code should do."""
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(flow_meter_probe, "probe", fail)
        assert await wizard.say(**address(home)) == "meter_network"
    assert wizard.errors == {"base": "unknown"}
    assert "a fault of ours" in caplog.text
    assert await wizard.say() == "meter_values"
    wizard.leave()
