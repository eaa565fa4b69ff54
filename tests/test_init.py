"""Setup, unload and removal of an entry: what may go wrong and what is left behind."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STOP,
    MAJOR_VERSION,
    MINOR_VERSION,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import Logins, address, answer, begin, finish
from .helpers import eventually
from custom_components.loxone_wallbox import hub
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Simulator

pytestmark = pytest.mark.usefixtures("unload_all")

NAME_OF_NOBODY = "504F94AFFFFF"


async def reason(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return why an entry is not loaded, as the owner reads it."""
    key = entry.error_reason_translation_key
    texts = await async_get_translations(hass, "en", "exceptions", [DOMAIN])
    text = texts[f"component.{DOMAIN}.exceptions.{key}.message"]
    return text.format(**(entry.error_reason_translation_placeholders or {}))


@pytest.fixture
def retries(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return after how many seconds Home Assistant is going to try again."""
    waits: list[float] = []

    def later(_hass: object, seconds: float, _action: object) -> Callable[[], None]:
        """Take note of the time instead of waiting."""
        waits.append(seconds)
        return lambda: None

    monkeypatch.setattr("homeassistant.config_entries.async_call_later", later)
    return waits


async def test_password_refused(hass: HomeAssistant, miniserver: Simulator) -> None:
    """A login that is refused is tried once, and the owner is asked."""
    logins = Logins(miniserver)
    entry = await set_up(hass, make_entry(miniserver, data={"password": "wrong"}))
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "login_refused"
    assert await reason(hass, entry)
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["step_id"] == "reauth_confirm"
    assert logins.all == (1, 0, 1)


async def test_token_expired_without_password(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Without a password to fall back on, nothing is tried that cannot succeed."""
    logins = Logins(miniserver)
    token = {
        "value": "old",
        "valid_until": 1.0,
        "hash_algorithm": "SHA256",
        "rights": 4,
        "unsecure_password": False,
    }
    entry = await set_up(
        hass, make_entry(miniserver, data={"password": None, "token": token})
    )
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert logins.all == (0, 0, 0)
    assert len(hass.config_entries.flow.async_progress()) == 1


@pytest.mark.parametrize("token", [None, "text", {"value": 7}, {}])
async def test_token_that_cannot_be_read(
    hass: HomeAssistant, miniserver: Simulator, token: Any
) -> None:
    """A stored token that makes no sense is none."""
    entry = await set_up(hass, make_entry(miniserver, data={"token": token}))
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["token"]["value"]


async def test_locked_out(
    hass: HomeAssistant, miniserver: Simulator, retries: list[float]
) -> None:
    """A block is waited for, and nothing is sent before it ends."""
    logins = Logins(miniserver)
    miniserver.fault("blocked", seconds=150.0)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "in 3 min" in await reason(hass, entry)
    assert retries
    if (MAJOR_VERSION, MINOR_VERSION) >= (2026, 11):
        assert 145 < retries[0] <= 151
    # It would be let in now, but it does not ask.
    miniserver.clear("blocked")
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert logins.all == (0, 0, 0)
    assert not hass.config_entries.flow.async_progress()
    # A login that was changed is worth an attempt.
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "token": {"value": "new"}}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_loaded_entries(DOMAIN) == [entry]


async def test_lock_ends(hass: HomeAssistant, miniserver: Simulator) -> None:
    """After the time the Miniserver gave, it is asked again."""
    miniserver.fault("blocked", seconds=1.0)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "in 1 min" in await reason(hass, entry)
    await asyncio.sleep(1.1)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_loaded_entries(DOMAIN) == [entry]


async def test_firmware_too_old(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Firmware from before the tokens cannot be used until it is updated."""
    miniserver = await start_simulator(firmware="10.1.0.0")
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert "10.1.0.0" in await reason(hass, entry)


async def test_other_miniserver(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Another Miniserver at the address gets no login."""
    logins = Logins(miniserver)
    entry = await set_up(hass, make_entry(miniserver, data={"serial": NAME_OF_NOBODY}))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert miniserver.config.serial in await reason(hass, entry)
    assert logins.all == (0, 0, 0)


@pytest.mark.usefixtures("refused_handshakes")
async def test_certificate(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A certificate that is not the right one gets no login."""
    miniserver = await start_simulator(generation=2, tls_port=0)
    logins = Logins(miniserver)
    entry = await set_up(
        hass,
        make_entry(miniserver, data={"tls": True, "tls_port": miniserver.tls_port}),
    )
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "certificate_invalid"
    assert await reason(hass, entry)
    assert logins.all == (0, 0, 0)


async def test_failure_after_the_connection(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setup that fails half-way leaves no connection open."""

    def fail(*_args: object) -> None:
        raise HomeAssistantError("no")

    monkeypatch.setattr(hub, "WallboxCoordinator", fail)
    entry = await set_up(hass, make_entry(miniserver))
    assert entry.state is ConfigEntryState.SETUP_ERROR
    await eventually(lambda: not miniserver.clients)


async def test_unload_reload_stop(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Each end frees the slot at the Miniserver with a close frame."""
    codes: list[str] = []
    miniserver.unit.log = codes.append
    entry = await set_up(hass, make_entry(miniserver))

    def ends() -> list[str]:
        return [line for line in codes if "disconnected" in line]

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await eventually(lambda: len(ends()) == 1)
    assert len(miniserver.clients) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    await eventually(lambda: len(ends()) == 2)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    await eventually(lambda: len(ends()) == 3)
    # 1006 would be a connection that was cut.
    assert all("(1000," in line for line in ends()), ends()
    hass.set_state(CoreState.running)


async def test_unload_is_refused(
    hass: HomeAssistant, miniserver: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entities that stay keep their link."""
    entry = await set_up(hass, make_entry(miniserver))
    with monkeypatch.context() as patch:
        patch.setattr(
            hass.config_entries, "async_unload_platforms", AsyncMock(return_value=False)
        )
        assert not await hass.config_entries.async_unload(entry.entry_id)
    assert len(miniserver.clients) == 1
    for wallbox in entry.runtime_data.wallboxes.values():
        for entity in tuple(wallbox.entities):
            await entity.async_remove()
    await entry.runtime_data.miniserver.async_shutdown()


async def test_removal_revokes_the_token(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Nothing of ours is left on the Miniserver."""
    result = await answer(hass, await begin(hass), address(miniserver))
    entry = await finish(hass, result)
    assert len(miniserver.unit.accounts.tokens) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert miniserver.unit.accounts.tokens == []
    await eventually(lambda: not miniserver.clients)


async def test_removal_out_of_reach(
    hass: HomeAssistant, miniserver: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry can be removed when its Miniserver is gone; that is said once."""
    entry = await set_up(hass, make_entry(miniserver))
    miniserver.fault("booting")
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert caplog.text.count("could not be told that") == 1


async def test_removal_without_a_token(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Where there never was a token there is nothing to revoke."""
    logins = Logins(miniserver)
    entry = make_entry(miniserver)
    entry.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert logins.all == (0, 0, 0)


async def test_new_token_is_stored(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refreshed token replaces the stored one, without a reload."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MIN_REFRESH_INTERVAL_S", 0.2
    )
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.2
    )
    miniserver = await start_simulator()
    entry = await set_up(hass, make_entry(miniserver))
    runtime = entry.runtime_data
    first = entry.data["token"]["value"]
    await eventually(lambda: entry.data["token"]["value"] != first)
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime
    assert len(miniserver.unit.accounts.tokens) == 1
    assert len(miniserver.clients) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    stored = entry.data["token"]["value"]
    assert [one.text for one in miniserver.unit.accounts.tokens] == [stored]
