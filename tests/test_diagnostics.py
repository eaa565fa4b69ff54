"""What leaves the house with a bug report, and the system information page."""

import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .conftest import CLIENT_ID, StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.firmware_news import DEFAULT_SOURCE
from custom_components.loxone_wallbox.hub import missing_issue
from simulator import Car, Mode, Simulator, User, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

USER = "maria.huber"
PASSWORD = "Sesam-öffne-1"
VISU_PASSWORD = "Visu-4711"
NAMES = {
    "wallbox": "Marias Ladestation",
    "room": "Tiefgarage Süd",
    "miniserver": "Haus Huber",
    "driver": "driver-0815",
    "reason": "Maria ist im Urlaub",
    "mode": "Marias Eco",
    "title": "Meine Box",
    "host": "127.0.0.1",
}
# Names of entities that have an account, a meter or a person in them, and other places.
GRID = "event.octopus_energy_a_1a2b3c4d_octoplus_saving_session_events"
SMART_GRID = "binary_sensor.mpan_1900012345678_flexibility"
HOLIDAYS = "calendar.marias_feiertage"
PRICE = "sensor.octopus_energy_electricity_21l1234567_current_rate"
OPTIONS = {
    "firmware_source": "https://nas.huber.example/updates.xml",
    "watchdog_input": "Huber lebt",
}


async def downloaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> str:
    """Return the file an owner downloads, whole."""
    assert await async_setup_component(hass, "diagnostics", {})
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == 200
    text = await response.text()
    # Escaped letters would hide what is searched for.
    return json.dumps(json.loads(text), ensure_ascii=False)


@pytest.fixture
async def personal(start_simulator: StartSimulator) -> Simulator:
    """Return a Miniserver full of what concerns nobody else."""
    return await start_simulator(
        serial="504F94C0FFEE",
        name=NAMES["miniserver"],
        users=(User(name=USER, password=PASSWORD, visu_password=VISU_PASSWORD),),
        manager=True,
        wallboxes=(
            WallboxConfig(
                name=NAMES["wallbox"],
                room=NAMES["room"],
                secured=True,
                modes=(Mode(id=1, name=NAMES["mode"], limit_kw=5.0),),
                mode=1,
            ),
            WallboxConfig(name="Zweite", managed=True),
        ),
    )


def secrets(simulator: Simulator, entry: MockConfigEntry) -> set[str]:
    """Return everything that must not leave the house, in every spelling."""
    serial = simulator.config.serial
    pairs = [serial[i : i + 2] for i in range(0, 12, 2)]
    accounts = simulator.unit.accounts
    uuids = {
        uuid
        for box in simulator.wallboxes
        for uuid in (
            box.uuid,
            *box.state_uuids.values(),
            *box.diagnostic_uuids.values(),
            *box.diagnostic_states.values(),
        )
    }
    assert simulator.unit.world.manager is not None
    return {
        *NAMES.values(),
        *(one.partition(".")[2] for one in (GRID, SMART_GRID, HOLIDAYS, PRICE)),
        *OPTIONS.values(),
        "Zweite",
        USER,
        PASSWORD,
        VISU_PASSWORD,
        CLIENT_ID,
        serial,
        *(separator.join(pairs) for separator in ":- ."),
        entry.data["token"]["value"],
        *(token.text for token in accounts.tokens),
        accounts.uuid_of(accounts.users[USER]),
        simulator.unit.world.manager.uuid,
        *uuids,
        *(uuid.replace("-", "") for uuid in uuids),
    }


async def test_nothing_personal(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, personal: Simulator
) -> None:
    """Not one secret or personal value is in the file, with everything going on."""
    box = personal.wallboxes[0]
    entry = make_entry(
        personal,
        data={"username": USER, "password": PASSWORD},
        visualisation_password=VISU_PASSWORD,
        diagnostic_inputs={"online": box.diagnostic_uuids["Online"]},
        dsr_entities=[GRID, SMART_GRID],
        days_off_entities=[HOLIDAYS],
        tariff={
            "kind": "dynamic",
            "currency": "GBP",
            "fallback": "0.3",
            "price_entity": PRICE,
        },
    )
    box.plug(Car(capacity_kwh=50, energy_kwh=10))
    box.set_user(NAMES["driver"])
    await set_up(hass, entry)
    box.unplug()
    box.plug(Car(capacity_kwh=50, energy_kwh=10))
    box.set_user(NAMES["driver"])
    box.lock(NAMES["reason"])
    hass.config_entries.async_update_entry(entry, options=OPTIONS)
    [wallbox, _] = entry.runtime_data.wallboxes.values()
    await eventually(lambda: wallbox.state.lock is not None)
    # All of it is known to us, so that it could have been told.
    known = repr(wallbox.data)
    for name in ("driver", "reason", "room", "wallbox", "mode"):
        assert NAMES[name] in known, name
    ir.async_create_issue(
        hass,
        DOMAIN,
        missing_issue(wallbox.subentry_id),
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="wallbox_missing",
        translation_placeholders={"wallbox": NAMES["wallbox"]},
    )
    text = await downloaded(hass, hass_client, entry)
    for secret in secrets(personal, entry):
        assert secret.lower() not in text.lower(), secret
    # Of what kind they are is said.
    settings = json.loads(text)["data"]["wallboxes"][0]["settings"]
    assert settings["dsr_entities"] == ["event", "binary_sensor"]
    assert settings["days_off_entities"] == ["calendar"]
    assert settings["tariff"]["price_entity"] == "sensor"
    assert settings["tariff"]["fallback"] == "0.3"


async def test_public_source(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    """Where everybody asks for firmware is no secret, nor that nobody does."""
    for given in (DEFAULT_SOURCE, ""):
        hass.config_entries.async_update_entry(
            entry, options={"firmware_source": given}
        )
        text = await downloaded(hass, hass_client, entry)
        assert json.loads(text)["data"]["options"] == {"firmware_source": given}


async def test_still_useful(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    miniserver: Simulator,
) -> None:
    """What is needed to understand a fault is there."""
    report: dict[str, Any] = json.loads(await downloaded(hass, hass_client, entry))
    data = report["data"]
    assert data["state"] == "loaded"
    assert data["entry"]["username"] == "**REDACTED**"
    assert data["entry"]["port"] == miniserver.port
    assert data["miniserver"]["firmware"] == miniserver.config.firmware
    assert data["miniserver"]["connected"]
    assert data["miniserver"]["encrypted"] == "commands"
    assert data["miniserver"]["token_rights"] == 4
    garage, carport = data["wallboxes"]
    assert (garage["info"]["min_kw"], garage["info"]["max_kw"]) == (4.16, 11.0)
    assert carport["settings"]["variant"] == "7kw_air"
    assert [mode["id"] for mode in garage["info"]["modes"]] == [1, 2, 3]
    assert garage["state"]["mode"] == 3
    assert garage["history_length"] == 0
    assert "actual" in garage["info"]["states"]


async def test_where_setup_failed(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, miniserver: Simulator
) -> None:
    """A report can be had just when something does not work."""
    miniserver.fault("booting")
    entry = await set_up(hass, make_entry(miniserver))
    text = await downloaded(hass, hass_client, entry)
    data = json.loads(text)["data"]
    assert data["state"] == "setup_retry"
    assert data["reason"] == "starting"
    assert "wallboxes" not in data
    assert miniserver.config.serial not in text


async def test_system_health(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The system information counts links and wallboxes of all Miniservers."""
    first = await start_simulator()
    await set_up(hass, make_entry(first))
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    expected = {"connected": "1/1", "reconnects": 1, "wallboxes": 2}
    assert await get_system_health_info(hass, DOMAIN) == expected

    second = await start_simulator(serial="504F94A0BBBB")
    second.fault("booting")
    await set_up(hass, make_entry(second))
    first.fault("booting")
    await first.drop()
    state = Surface(hass, first)
    await eventually(lambda: state("miniserver_connection") == "off")
    info = await get_system_health_info(hass, DOMAIN)
    assert info["connected"] == "0/2"
