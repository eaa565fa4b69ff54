"""No secret leaves its place: not in logs, diagnostics, repairs, events, states, files."""

from collections.abc import Iterator
import logging
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from .conftest import CLIENT_ID, StartSimulator, entry_data, make_entry, set_up
from .flow_helpers import answer
from .helpers import Surface, eventually
from .test_diagnostics import downloaded
from custom_components.loxone_wallbox.miniserver import auth, backoff
from simulator import Car, Simulator, User, WallboxConfig

USER, PASSWORD, VISU = "keeper.of.cars", "Blue.Horse-4711", "Visu-Horse-0815"
WRONG, NEWER = "Wrong.Horse-1234", "Green.Horse-9999"


class Watched:
    """All that was told to anybody, and every token that there ever was."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator) -> None:
        """Listen to every event from now on."""
        self.hass = hass
        self.simulator = simulator
        self.told: dict[str, str] = {}
        self.tokens: set[str] = set()
        self._events: list[str] = []
        hass.bus.async_listen(MATCH_ALL, self._take)

    @callback
    def _take(self, event: Event[Any]) -> None:
        """Take an event, and the tokens there are now."""
        self._events.append(repr(event.as_dict()))
        self.tokens |= {one.text for one in self.simulator.unit.accounts.tokens}

    def look(self, when: str) -> None:
        """Take what is shown now."""
        states = [one.as_dict() for one in self.hass.states.async_all()]
        self.told[f"states {when}"] = repr(states)
        issues = ir.async_get(self.hass).issues.values()
        self.told[f"repairs {when}"] = repr(list(issues))
        flows = self.hass.config_entries.flow.async_progress()
        self.told[f"flows {when}"] = repr(flows)
        registered = er.async_get(self.hass).entities.values()
        self.told[f"entities {when}"] = repr(list(registered))
        self.tokens |= {one.text for one in self.simulator.unit.accounts.tokens}

    def everything(self, records: list[logging.LogRecord]) -> Iterator[tuple[str, str]]:
        """Yield every text, and where it is; the simulator's own words are not ours."""
        yield from self.told.items()
        for text in self._events:
            yield "event", text
        formatter = logging.Formatter()
        for record in records:
            if not record.name.startswith("simulator"):
                yield f"log of {record.name}", formatter.format(record)


def files(hass: HomeAssistant) -> Iterator[tuple[str, str]]:
    """Yield every file there is; the entry itself keeps its login, where HA keeps it."""
    for path in Path(hass.config.config_dir).rglob("*"):
        if path.is_file() and path.name != "core.config_entries":
            yield f"file {path.name}", path.read_bytes().decode("utf-8", "replace")


def found_in(texts: Iterator[tuple[str, str]], secrets: set[str]) -> set[str]:
    """Return where a secret is told."""
    return {
        f"{secret} in {where}"
        for where, text in texts
        for secret in secrets
        if secret in text
    }


async def log_in_again(
    hass: HomeAssistant, entry: ConfigEntry, password: str, *, keep: bool
) -> dict[str, Any]:
    """Answer the flow that asks for another login."""
    [flow] = hass.config_entries.flow.async_progress()
    typed = {"username": USER, "password": password, "store_password": keep}
    return await answer(hass, dict(flow), typed)


async def refuse(hass: HomeAssistant, entry: ConfigEntry, see: Surface) -> None:
    """Have a command refused for a wrong visualisation password, then set it right."""
    with pytest.raises(HomeAssistantError):
        await see.call("switch.turn_off", "charging_allowed")
    [subentry] = entry.subentries.values()
    right = {**subentry.data, "visualisation_password": VISU}
    hass.config_entries.async_update_subentry(entry, subentry, data=right)
    await hass.async_block_till_done()


async def change_password(hass: HomeAssistant, miniserver: Simulator) -> None:
    """Change the password at the Miniserver, which ends all tokens."""
    accounts = miniserver.unit.accounts
    object.__setattr__(accounts.users[USER], "password", NEWER)
    for token in tuple(accounts.tokens):
        accounts.kill(token)
    await miniserver.drop()
    await eventually(lambda: bool(hass.config_entries.flow.async_progress()))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect and renew tokens at once."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)
    for name in ("MIN_REFRESH_INTERVAL_S", "MAX_REFRESH_INTERVAL_S"):
        monkeypatch.setattr(auth, name, 0.2)


@pytest.mark.usefixtures("hasty", "unload_all")
async def test_a_whole_life(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_simulator: StartSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Login, renewal, failure, another login, a session, a refused command, removal."""
    caplog.set_level(logging.DEBUG)
    miniserver = await start_simulator(
        users=(User(name=USER, password=PASSWORD, visu_password=VISU),),
        wallboxes=(WallboxConfig(name="Garage", secured=True),),
    )
    watched, see = Watched(hass, miniserver), Surface(hass, miniserver)
    data = entry_data(miniserver, username=USER, password=PASSWORD)
    entry = make_entry(miniserver, data=data, visualisation_password=WRONG)
    await set_up(hass, entry)
    first = entry.data["token"]["value"]
    await eventually(lambda: entry.data["token"]["value"] != first)
    [box] = miniserver.wallboxes
    box.plug(Car(capacity_kwh=50, energy_kwh=10))
    await eventually(lambda: see("vehicle_connected") == "on")
    await refuse(hass, entry, see)
    await see.call("switch.turn_off", "charging_allowed")
    assert not box.enabled
    watched.look("in a session")
    report = await downloaded(hass, hass_client, entry)
    watched.told["diagnostics"] = report

    await change_password(hass, miniserver)
    watched.look("while nobody may log in")
    form = await log_in_again(hass, entry, WRONG, keep=False)
    assert form["errors"] == {"password": "invalid_auth"}
    watched.look("after a wrong password")
    done = await log_in_again(hass, entry, NEWER, keep=False)
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert "password" not in entry.data
    box.unplug()
    await eventually(lambda: see("vehicle_connected") == "off")
    watched.look("at the end")
    kept = await hass.async_add_executor_job(lambda: list(files(hass)))
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    watched.look("after the removal")
    left = await hass.async_add_executor_job(lambda: list(files(hass)))

    assert miniserver.unit.accounts.tokens == []
    assert len(watched.tokens) > 2
    secrets = {PASSWORD, VISU, WRONG, NEWER, CLIENT_ID, *watched.tokens}
    told = list(watched.everything(caplog.records))
    kinds = {"states", "repairs", "flows", "event", "log", "diagnostics"}
    assert {where.partition(" ")[0] for where, _ in told} >= kinds
    assert kept
    for texts in (told, kept, left):
        assert found_in(iter(texts), secrets) == set()
    assert USER not in report
