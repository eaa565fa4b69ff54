"""A login that could be safer: what the owner is told, and when it is over."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import PASSWORD, USERNAME, StartSimulator, make_entry, set_up
from .flow_helpers import answer
from .flow_texts import LANGUAGES
from .helpers import eventually
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.login_repair import REPAIRS
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Right, Simulator, User

pytestmark = pytest.mark.usefixtures("unload_all")

ADMIN = User(name=USERNAME, password=PASSWORD)
PLAIN = User(name="wallbox", password="a long and quiet walk", rights=Right.APP)
WEAK = User(name=USERNAME, password="abc", rights=Right.APP)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


def repairs(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return which repairs of the login there are, each with a text in each language."""
    found = set()
    for key in REPAIRS:
        issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")
        if issue is None or not issue.active:
            continue
        assert issue.translation_placeholders == {"miniserver": entry.title}
        for texts in LANGUAGES.values():
            for text in texts["issues"][key].values():
                assert "{" not in text.format(miniserver=entry.title)
        found.add(key)
    return found


def typed(simulator: Simulator, user: User, encryption: str) -> dict[str, Any]:
    """Return the answers of a reconfiguration."""
    return {
        "host": "127.0.0.1",
        "port": simulator.port,
        "username": user.name,
        "password": user.password,
        "advanced": {
            "encryption": encryption,
            "tls_port": simulator.tls_port or 443,
            "store_password": False,
        },
    }


async def test_a_safe_login(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    trust: Callable[[Simulator], None],
) -> None:
    """An ordinary user with a good password over TLS is nothing to speak of."""
    miniserver = await start_simulator(generation=2, tls_port=0, users=(PLAIN,))
    trust(miniserver)
    data = {
        "tls": True,
        "tls_port": miniserver.tls_port,
        "verify_ssl": False,
        "username": PLAIN.name,
        "password": PLAIN.password,
    }
    entry = await set_up(hass, make_entry(miniserver, data=data))
    assert entry.runtime_data.miniserver.connected
    assert repairs(hass, entry) == set()


async def test_another_user_and_tls(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What is told goes away with a safer login, and the old token with it."""
    miniserver = await start_simulator(generation=2, tls_port=0, users=(ADMIN, PLAIN))
    entry = await set_up(hass, make_entry(miniserver))
    assert repairs(hass, entry) == {"link_plain", "user_is_admin"}
    accounts = miniserver.unit.accounts
    assert {token.user.name for token in accounts.tokens} == {USERNAME}
    form = dict(await entry.start_reconfigure_flow(hass))
    done = await answer(hass, form, typed(miniserver, PLAIN, "tls_unverified"))
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.runtime_data.miniserver.client.address.tls
    assert repairs(hass, entry) == set()
    assert "password" not in entry.data
    assert [token.text for token in accounts.tokens] == [entry.data["token"]["value"]]


async def test_a_changed_password_is_not_tried(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A token that is dead already is not given back with an old password."""
    miniserver = await start_simulator(users=(ADMIN, PLAIN), lockout_after=2)
    entry = await set_up(hass, make_entry(miniserver))
    accounts = miniserver.unit.accounts
    accounts.expire_all()
    form = dict(await entry.start_reconfigure_flow(hass))
    done = await answer(hass, form, typed(miniserver, PLAIN, "commands"))
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert {token.user.name for token in accounts.tokens if token.text} >= {PLAIN.name}
    assert accounts.remaining_block("127.0.0.1") == 0


async def test_a_weak_password_without_tls(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The Miniserver's own word counts, at each login."""
    miniserver = await start_simulator(users=(WEAK,))
    entry = await set_up(hass, make_entry(miniserver, data={"password": "abc"}))
    assert repairs(hass, entry) == {"weak_password", "link_always_plain"}
    user = miniserver.unit.accounts.users[USERNAME]
    object.__setattr__(user, "password", PASSWORD)
    await miniserver.drop()
    client = entry.runtime_data.miniserver.client
    await eventually(lambda: client.connections == 2 and client.connected)
    assert repairs(hass, entry) == {"link_always_plain"}


async def test_ignored_and_removed(hass: HomeAssistant, miniserver: Simulator) -> None:
    """What the owner ignores stays ignored over a reload; nothing outlives the entry."""
    entry = await set_up(hass, make_entry(miniserver))
    issue_id = f"link_always_plain_{entry.entry_id}"
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.dismissed_version is not None
    assert repairs(hass, entry) == {"link_always_plain", "user_is_admin"}
    await hass.config_entries.async_unload(entry.entry_id)
    assert repairs(hass, entry) == {"link_always_plain"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert repairs(hass, entry) == set()
