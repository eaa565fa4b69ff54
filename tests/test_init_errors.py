"""Why an entry cannot be set up: each reason in words, with what to do next."""

from collections.abc import AsyncIterator
import string
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .conftest import PASSWORD, USERNAME, StartSimulator, make_entry, set_up
from .flow_helpers import Logins
from .flow_texts import LANGUAGES
from .helpers import eventually
from custom_components.loxone_wallbox.connect import setup_error
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.flow_connection import explain
from custom_components.loxone_wallbox.miniserver import connection
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    CommandError,
    FirmwareTooOldError,
    IdentityError,
    LockedOutError,
    MiniserverError,
)
from simulator import Right, Simulator, User

pytestmark = pytest.mark.usefixtures("unload_all")


def every(kind: type[MiniserverError]) -> list[type[MiniserverError]]:
    """Return a class of errors and all that are derived from it."""
    return [kind, *(one for child in kind.__subclasses__() for one in every(child))]


def one_of(kind: type[MiniserverError]) -> MiniserverError:
    """Return an error of a class."""
    if issubclass(kind, CommandError):
        return kind(500, "getjwt")
    known: dict[type[MiniserverError], MiniserverError] = {
        IdentityError: IdentityError(expected="504F94A00001", found="504F94A00002"),
        FirmwareTooOldError: FirmwareTooOldError(version="9.3", minimum="10.2"),
        LockedOutError: LockedOutError(60.0),
    }
    return known.get(kind) or kind("of some kind")


def fits(text: str, placeholders: dict[str, str] | None) -> bool:
    """Tell whether a text asks for nothing that is not given."""
    wanted = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return wanted <= set(placeholders or {})


@pytest.mark.parametrize("kind", every(MiniserverError))
def test_every_error_has_its_words(kind: type[MiniserverError]) -> None:
    """Whatever the client raises is said in every language, in setup and flow."""
    error = one_of(kind)
    in_flow = explain(error)
    [key] = in_flow.errors.values()
    for texts in LANGUAGES.values():
        assert fits(texts["config"]["error"][key], in_flow.placeholders)
    if isinstance(error, LockedOutError):
        # It is waited for, with an error of its own.
        return
    shown = setup_error(error)
    for texts in LANGUAGES.values():
        text = texts["exceptions"][shown.translation_key]["message"]
        assert fits(text, shown.translation_placeholders)
    assert (shown.translation_key == "cannot_connect") == (key == "cannot_connect")


def words(entry: MockConfigEntry, language: str = "en") -> str:
    """Return why an entry is not loaded, as the owner reads it."""
    texts = LANGUAGES[language]["exceptions"]
    text: str = texts[entry.error_reason_translation_key]["message"]
    return text.format(**(entry.error_reason_translation_placeholders or {}))


async def test_user_disabled(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A user who may not log in is no wrong password; the owner is asked once."""
    user = User(name=USERNAME, password=PASSWORD, disabled=True)
    miniserver = await start_simulator(users=(user,))
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "user_disabled"
    assert "Enable" in words(entry)
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_right_missing(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A user who gets no token is told which right is missing."""
    user = User(name=USERNAME, password=PASSWORD, rights=int(Right.FTP))
    miniserver = await start_simulator(users=(user,))
    logins = Logins(miniserver)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "app_right_missing"
    assert "Loxone Config" in words(entry)
    # Trying again must not end in a block.
    assert logins.refused == 0


@pytest.mark.parametrize(
    ("fault", "options", "key", "advice"),
    [
        ("booting", {}, "starting", "by itself"),
        ("no_slot", {"at": "open"}, "no_slot", "Close an app"),
        ("no_slot", {"at": "enable"}, "no_slot", "Close an app"),
        ("structure_invalid", {}, "structure_invalid", "Save the program"),
        ("empty_answer", {"match": "getkey2"}, "unexpected_answer", "Restart"),
        ("unescaped_quote", {"match": "getPublicKey"}, "unexpected_answer", "Restart"),
        ("no_answer", {"match": "getkey2"}, "cannot_connect", "switched on"),
    ],
)
async def test_faults_of_the_miniserver(  # noqa: PLR0917
    hass: HomeAssistant,
    miniserver: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    options: dict[str, Any],
    key: str,
    advice: str,
) -> None:
    """What passes or is mended is tried again, and leaves no connection open."""
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT_S", 0.3)
    miniserver.fault(fault, **options)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == key
    assert advice in words(entry)
    assert words(entry, "de") != words(entry)
    await eventually(lambda: not miniserver.clients)
    miniserver.clear(fault)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_loaded_entries(DOMAIN) == [entry]


async def test_unreachable(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Nobody at the address is tried again."""
    entry = await set_up(hass, make_entry(miniserver, data={"port": 1}))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    assert "switched on" in words(entry)


@pytest.fixture
async def stranger(socket_enabled: None) -> AsyncIterator[int]:
    """Return the port of a web server that is no Miniserver."""

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="<html>It works!</html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", hello)
    server = TestServer(app)
    await server.start_server()
    yield server.port or 0
    await server.close()


async def test_not_a_miniserver(
    hass: HomeAssistant, miniserver: Simulator, stranger: int
) -> None:
    """Something else at the address is told apart from nobody, and gets no login."""
    entry = await set_up(hass, make_entry(miniserver, data={"port": stranger}))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "not_a_miniserver"
    assert "Reconfigure" in words(entry)


def test_what_cannot_be_tried_again() -> None:
    """A refused login asks the owner, old firmware waits for him; both stop trying."""
    refused = setup_error(AuthenticationError("no"))
    old = setup_error(FirmwareTooOldError(version="9.3", minimum="10.2"))
    names = [type(one).__name__ for one in (refused, old)]
    assert names == ["ConfigEntryAuthFailed", "ConfigEntryError"]
    assert all(isinstance(one, HomeAssistantError) for one in (refused, old))
