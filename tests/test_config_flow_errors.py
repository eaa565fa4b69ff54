"""Every way to fail in the flow is named, and the same flow goes on to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
import socket
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .conftest import PASSWORD, USERNAME, StartSimulator
from .flow_helpers import Logins, Result, address, answer, begin, finish
from custom_components.loxone_wallbox.flow_connection import explain
from custom_components.loxone_wallbox.miniserver.errors import (
    CommandError,
    FirmwareTooOldError,
    InvalidCommandError,
    LockedOutError,
)
from simulator import Right, Simulator, User

pytestmark = pytest.mark.usefixtures("unload_all")

type Trust = Callable[[Simulator], None]
GOOD = User(name=USERNAME, password=PASSWORD)


async def refused(
    hass: HomeAssistant, simulator: Simulator, errors: dict[str, str], **changes: Any
) -> Result:
    """Start a flow whose login fails for the given reason."""
    result = await answer(hass, await begin(hass), address(simulator, **changes))
    assert result["step_id"] == "connection"
    assert result["errors"] == errors
    return result


async def recovers(
    hass: HomeAssistant, result: Result, simulator: Simulator, **changes: Any
) -> None:
    """Go on in the same flow until the entry is there."""
    result = await answer(hass, result, address(simulator, **changes))
    entry = await finish(hass, result)
    assert entry.state is ConfigEntryState.LOADED


async def test_wrong_password(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A wrong password costs exactly one attempt."""
    logins = Logins(miniserver)
    result = await refused(
        hass, miniserver, {"password": "invalid_auth"}, password="wrong"
    )
    assert logins.all == (1, 0, 1)
    # What was typed is still there, except for the password.
    shown = {str(marker): marker for marker in result["data_schema"].schema}
    assert shown["username"].default() == USERNAME
    assert not callable(shown["password"].default)
    await recovers(hass, result, miniserver)


async def test_unknown_user(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A user that does not exist is refused like a wrong password."""
    logins = Logins(miniserver)
    result = await refused(
        hass, miniserver, {"password": "invalid_auth"}, username="nobody"
    )
    assert logins.refused == 1
    await recovers(hass, result, miniserver)


async def test_default_password(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A password that is none is refused without any attempt."""
    logins = Logins(miniserver)
    result = await begin(hass)
    for password in ("", "  ", "admin", "Admin", USERNAME.upper()):
        result = await answer(hass, result, address(miniserver, password=password))
        assert result["errors"] == {"password": "default_password"}
    assert logins.all == (0, 0, 0)
    await recovers(hass, result, miniserver)


async def test_locked_out(hass: HomeAssistant, miniserver: Simulator) -> None:
    """The owner is told how long the Miniserver blocks us."""
    logins = Logins(miniserver)
    miniserver.fault("blocked", seconds=150.0)
    result = await refused(hass, miniserver, {"base": "locked_out"})
    assert result["description_placeholders"] == {"minutes": "3"}
    assert logins.all == (0, 0, 0)
    miniserver.clear("blocked")
    await recovers(hass, result, miniserver)


async def test_locked_out_by_this_login(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The attempt that is one too many says so, or the next does."""
    miniserver = await start_simulator(lockout_after=1, lockout_s=60.0)
    result = await answer(
        hass, await begin(hass), address(miniserver, password="wrong")
    )
    result = await answer(hass, result, address(miniserver))
    assert result["errors"] == {"base": "locked_out"}
    assert result["description_placeholders"] == {"minutes": "1"}
    miniserver.clear("blocked")
    await recovers(hass, result, miniserver)


async def test_user_disabled(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A user who may not log in is not a wrong password."""
    bad = User(name="old", password=PASSWORD, disabled=True)
    miniserver = await start_simulator(users=(GOOD, bad))
    result = await refused(
        hass, miniserver, {"username": "user_disabled"}, username="old"
    )
    await recovers(hass, result, miniserver)


async def test_right_missing(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A user who may neither use app nor web interface gets no token."""
    bad = User(name="ftp", password=PASSWORD, rights=int(Right.FTP))
    miniserver = await start_simulator(users=(GOOD, bad))
    result = await refused(
        hass, miniserver, {"username": "right_missing"}, username="ftp"
    )
    await recovers(hass, result, miniserver)


async def test_no_wallbox(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A user who sees no wallbox is of no use, and leaves no token."""
    bad = User(name="guest", password=PASSWORD, sees=())
    miniserver = await start_simulator(users=(GOOD, bad))
    result = await refused(
        hass, miniserver, {"username": "no_wallbox"}, username="guest"
    )
    assert result["description_placeholders"] == {"username": "guest"}
    await hass.async_block_till_done()
    assert miniserver.unit.accounts.tokens == []
    await recovers(hass, result, miniserver)


@pytest.mark.parametrize(
    ("fault", "options", "errors"),
    [
        ("no_slot", {"at": "open"}, {"base": "no_slot"}),
        ("no_slot", {"at": "enable"}, {"base": "no_slot"}),
        ("booting", {}, {"base": "starting"}),
        ("structure_invalid", {}, {"base": "structure_invalid"}),
        ("structure_without_wallbox", {}, {"username": "no_wallbox"}),
        ("empty_answer", {"match": "getkey2"}, {"base": "unexpected_answer"}),
        (
            "unescaped_quote",
            {"match": "getPublicKey"},
            {"base": "unexpected_answer"},
        ),
    ],
)
async def test_faults_of_the_miniserver(
    hass: HomeAssistant,
    miniserver: Simulator,
    fault: str,
    options: dict[str, str],
    errors: dict[str, str],
) -> None:
    """What is wrong at the Miniserver is named, and over when it is mended."""
    miniserver.fault(fault, **options)
    result = await refused(hass, miniserver, errors)
    miniserver.clear(fault)
    await recovers(hass, result, miniserver)


async def test_firmware_too_old(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Firmware without the wallbox block is refused before any login."""
    old = await start_simulator(firmware="14.0.5.1")
    logins = Logins(old)
    result = await refused(hass, old, {"host": "firmware_too_old"})
    assert result["description_placeholders"] == {
        "version": "14.0.5.1",
        "minimum": "14.1",
    }
    assert logins.all == (0, 0, 0)
    await recovers(hass, result, await start_simulator(firmware="14.1.0.0"))


@pytest.mark.usefixtures("refused_handshakes")
async def test_certificate_of_a_stranger(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A certificate nobody vouches for is refused before any login."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    logins = Logins(miniserver)
    result = await refused(hass, miniserver, {"base": "certificate_invalid"})
    assert logins.all == (0, 0, 0)
    await recovers(hass, result, miniserver, encryption="tls_unverified")


@pytest.mark.usefixtures("refused_handshakes")
async def test_certificate_of_another_miniserver(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    trust: Trust,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A good certificate for another serial number is as bad as none."""
    monkeypatch.setattr(
        "simulator.config.SimulatorConfig.tls_name",
        "127-0-0-1.504F94AFFFFF.dyndns.loxonecloud.com",
    )
    miniserver = await start_simulator(generation=2, tls_port=0)
    trust(miniserver)
    result = await refused(hass, miniserver, {"base": "certificate_invalid"})
    await recovers(hass, result, miniserver, encryption="commands")


async def test_invalid_host(hass: HomeAssistant, miniserver: Simulator) -> None:
    """What cannot be a host is not asked."""
    result = await begin(hass)
    for host in (" ", "my miniserver", "127.0.0.1:99999", "http://"):
        result = await answer(hass, result, address(miniserver, host=host))
        assert result["errors"] == {"host": "invalid_host"}
    await recovers(hass, result, miniserver)


async def test_closed_port(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Nobody there is said with the reason."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = await refused(
            hass,
            miniserver,
            {"host": "cannot_connect"},
            port=unused.getsockname()[1],
        )
    assert result["description_placeholders"]["error"]
    await recovers(hass, result, miniserver)


@pytest.fixture
async def strangers(socket_enabled: None) -> AsyncIterator[dict[str, int]]:
    """Return the ports of servers that are no Miniserver."""

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="<html>It works!</html>", content_type="text/html")

    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/login")

    async def garbage(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(100)
        writer.write(bytes(range(256)))
        writer.close()

    ports: dict[str, int] = {}
    servers = []
    for name, handler in (("pages", hello), ("redirect", redirect)):
        app = web.Application()
        app.router.add_get("/{path:.*}", handler)
        servers.append(server := TestServer(app))
        await server.start_server()
        ports[name] = server.port or 0
    raw = await asyncio.start_server(garbage, "127.0.0.1", 0)
    ports["garbage"] = raw.sockets[0].getsockname()[1]
    yield ports
    raw.close()
    for server in servers:
        await server.close()


@pytest.mark.parametrize("kind", ["pages", "redirect", "garbage"])
async def test_not_a_miniserver(
    hass: HomeAssistant, miniserver: Simulator, strangers: dict[str, int], kind: str
) -> None:
    """Something else at the address is told apart from nobody, and gets no login."""
    result = await refused(
        hass, miniserver, {"host": "not_a_miniserver"}, port=strangers[kind]
    )
    await recovers(hass, result, miniserver)


async def test_nothing_picked(hass: HomeAssistant, miniserver: Simulator) -> None:
    """At least one wallbox is needed."""
    result = await answer(hass, await begin(hass), address(miniserver))
    result = await answer(hass, result, {"wallboxes": []})
    assert result["errors"] == {"wallboxes": "nothing_picked"}
    result["errors"] = {}
    await finish(hass, result)


def test_errors_without_a_sentence_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever else happens is in the log; an unknown block lasts five minutes."""
    assert explain(CommandError(500, "getjwt")).errors == {"base": "unexpected_answer"}
    assert not caplog.records
    assert explain(InvalidCommandError("odd")).errors == {"base": "unknown"}
    assert "InvalidCommandError: odd" in caplog.text
    assert explain(LockedOutError(None)).placeholders == {"minutes": "5"}
    too_old = explain(FirmwareTooOldError(version="10.1", minimum="10.2"))
    assert too_old.errors == {"host": "firmware_too_old"}
    assert too_old.placeholders == {"version": "10.1", "minimum": "10.2"}
