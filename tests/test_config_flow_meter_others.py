"""Other meters on the line: looked for, and never taken from their wallboxes."""

from dataclasses import replace
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_flow import ONE_PHASE, THREE_PHASES, Home, Wizard, build, port_of
from custom_components.loxone_wallbox import flow_meter_probe
from custom_components.loxone_wallbox.meter_settings import (
    MeterSettings,
    Sharing,
    Transport,
)
from simulator import MeterConfig, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

SDM630 = "eastron_sdm630"
TWO = (THREE_PHASES, WallboxConfig(name="Yard"))


def on_line(unit: int, box: int = 0) -> MeterConfig:
    """Return a meter on the line of the house."""
    return MeterConfig(
        profile="sdm630",
        line="house",
        link="rtu_tcp",
        wallbox=box,
        unit=unit,
        name=f"Meter {unit}",
        serial=f"100{unit}",
    )


async def at_connection(home: Home, transport: str = "rtu_over_tcp") -> Wizard:
    """Return the wizard where it asks for the connection."""
    wizard = await home.wizard()
    await wizard.model(SDM630, transport)
    return wizard


async def test_search_for_a_unit_id(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Behind a gateway the usual unit ids are tried, except those of neighbours."""
    home = await build(
        hass, start_simulator, on_line(33), on_line(1, box=1), wallboxes=TWO
    )
    port = port_of(home.meter)
    await home.keep(
        MeterSettings(
            profile_id=SDM630,
            transport=Transport.RTU_OVER_TCP,
            host="127.0.0.1",
            port=port,
            baudrate=115200,
        ),
        box=1,
    )
    wizard = await at_connection(home)
    at = {"host": "127.0.0.1", "port": port, "unit_id": 5}
    step = await wizard.say(**at, connection_next="search")
    assert step == "meter_values"
    tried = [texts["unit"] for action, texts in wizard.shown if texts["unit"]]
    assert {action for action, _ in wizard.shown} == {"meter_search"}
    assert "1" not in tried
    assert wizard.texts["unit"] == "33"
    assert wizard.texts["serial"] == "10033"
    assert await wizard.say(meter_next="back") == "meter_network"
    assert wizard.suggested["unit_id"] == 33
    wizard.leave()


@pytest.mark.slow
async def test_search_on_a_serial_line(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a serial line other settings are tried too; the ones that work are kept."""
    # A pseudo-terminal has no parity, and refuses a change of nothing else.
    lines = ((2400, "E", 1), (19200, "E", 1))
    monkeypatch.setattr(flow_meter_probe, "LINES", lines)
    monkeypatch.setattr(flow_meter_probe, "UNIT_IDS", (7,))
    config = MeterConfig(profile="sdm120", link="pty", unit=7)
    home = await build(hass, start_simulator, config, wallboxes=(ONE_PHASE,))
    wizard = await home.wizard()
    await wizard.model("eastron_sdm120", "serial")
    device = home.meter.address
    step = await wizard.say(device=device, unit_id=1, connection_next="search")
    assert step == "meter_values"
    assert wizard.texts["place"] == f"{device} (2400 8N1)"
    tried = {texts["line"] for _, texts in wizard.shown if texts["line"]}
    assert f"{device} (19200 8E1)" in tried
    assert await wizard.say(meter_next="back") == "meter_serial"
    assert wizard.suggested["unit_id"] == 7
    assert wizard.suggested["connection_next"] == "try"
    wizard.leave()


async def test_search_in_vain(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When nobody answers it is said how much was tried."""
    monkeypatch.setattr(flow_meter_probe, "UNIT_IDS", (1, 2))
    home = await build(hass, start_simulator, on_line(33))
    wizard = await at_connection(home)
    at = {"host": "127.0.0.1", "port": port_of(home.meter), "sharing": "dedicated"}
    assert await wizard.say(**at, connection_next="search") == "meter_network"
    assert wizard.errors == {"base": "meter_not_found"}
    assert wizard.texts["count"] == "2"
    await home.simulator.meters.stop()
    assert await wizard.say(connection_next="search") == "meter_network"
    assert wizard.errors == {"port": "meter_connection_refused"}
    wizard.leave()


async def test_search_meets_another_model(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter of another model that a search comes across is named with its place."""
    monkeypatch.setattr(flow_meter_probe, "UNIT_IDS", (33, 34))
    home = await build(hass, start_simulator, on_line(33))
    wizard = await home.wizard()
    await wizard.model("gavazzi_em340", "rtu_over_tcp")
    at = {"host": "127.0.0.1", "port": port_of(home.meter), "sharing": "dedicated"}
    assert await wizard.say(**at, connection_next="search") == "meter"
    assert wizard.errors == {"meter_profile": "meter_other_found"}
    assert wizard.texts["found"] == "Eastron SDM630 Modbus"
    assert wizard.texts["unit"] == "33"
    await wizard.model(SDM630, "rtu_over_tcp")
    assert await wizard.say(unit_id=33) == "meter_values"
    wizard.leave()


def test_order_of_a_search() -> None:
    """The chosen unit id is tried on every line before any other."""
    settings = MeterSettings(
        profile_id="siemens_pac2200",
        transport=Transport.SERIAL,
        device="/dev/ttyS0",
        unit_id=9,
        baudrate=19200,
        stopbits=2,
    )
    tried = [
        (one.unit_id, f"{one.baudrate} 8{one.parity}{one.stopbits}")
        for one in flow_meter_probe._candidates(settings, {33})
    ]
    lines = ["19200 8N2", "9600 8N1", "9600 8E1", "19200 8E1", "2400 8N1"]
    assert tried == [(unit, line) for unit in (9, 126, 1) for line in lines]
    network = replace(settings, transport=Transport.RTU_OVER_TCP)
    tried = [
        (one.unit_id, f"{one.baudrate} 8{one.parity}{one.stopbits}")
        for one in flow_meter_probe._candidates(network, set())
    ]
    assert tried == [(unit, "19200 8N2") for unit in (9, 126, 1, 33)]


@pytest.mark.parametrize("theirs", list(Sharing))
@pytest.mark.parametrize("ours", list(Sharing))
async def test_neighbour_on_a_line(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    ours: Sharing,
    theirs: Sharing,
) -> None:
    """A line stands one reader: two meters on it have to share the connection."""
    home = await build(
        hass, start_simulator, on_line(1), on_line(2, box=1), wallboxes=TWO
    )
    neighbour = MeterSettings(
        profile_id=SDM630,
        transport=Transport.RTU_OVER_TCP,
        sharing=theirs,
        host="127.0.0.1",
        port=port_of(home.meter),
        baudrate=115200,
        unit_id=2,
    )
    await home.keep(neighbour, box=1)
    wizard = await at_connection(home)
    at = {"host": "127.0.0.1", "port": neighbour.port, "sharing": ours.value}
    assert await wizard.say(**at, unit_id=2) == "meter_network"
    assert wizard.errors == {"unit_id": "meter_of_another"}
    assert wizard.texts["other"] == "Yard"
    step = await wizard.say(unit_id=1)
    if Sharing.DEDICATED in {ours, theirs}:
        assert step == "meter_network"
        assert wizard.errors == {"sharing": "meter_line_of_another"}
    else:
        assert step == "meter_values"
    wizard.leave()


async def test_same_meter_by_another_name(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A neighbour's meter is known by its serial number too."""
    # Two readers at a time keep no pause.
    config = MeterConfig(profile="sdm630", serial="4711", pause_s=0)
    home = await build(hass, start_simulator, config, wallboxes=TWO)
    port = port_of(home.meter)
    neighbour = MeterSettings(
        profile_id=SDM630, host="localhost", port=port, serial="4711"
    )
    await home.keep(neighbour, box=1)
    wizard = await at_connection(home, "tcp")
    assert await wizard.say(host="127.0.0.1", port=port) == "meter_network"
    assert wizard.errors == {"unit_id": "meter_of_another"}
    # Of one behind a serial line it is sure that it is another one.
    await home.keep(
        MeterSettings(
            profile_id=SDM630, transport=Transport.SERIAL, device="/dev/no-such-line"
        ),
        box=1,
    )
    assert await wizard.say() == "meter_values"
    assert await wizard.say(meter_next="back") == "meter_network"
    # A gateway may serve several clients, each asking for a meter of its own.
    await home.keep(replace(neighbour, host="127.0.0.1", unit_id=2, serial="1"), box=1)
    assert await wizard.say() == "meter_values"
    # Meanwhile it becomes the other wallbox's.
    await home.keep(neighbour, box=1)
    assert await wizard.say(meter_next="skip") == "meter_network"
    assert wizard.errors == {"unit_id": "meter_of_another"}
    wizard.leave()


async def test_same_device_by_another_name(
    hass: HomeAssistant, start_simulator: StartSimulator, tmp_path: Path
) -> None:
    """A serial device is the same by every one of its names."""
    config = MeterConfig(profile="sdm630", link="pty")
    home = await build(hass, start_simulator, config, wallboxes=TWO)
    device = home.meter.address
    by_id = tmp_path / "by-id"
    by_id.symlink_to(device)
    neighbour = MeterSettings(
        profile_id=SDM630, transport=Transport.SERIAL, device=str(by_id)
    )
    await home.keep(neighbour, box=1)
    wizard = await at_connection(home, "serial")
    assert await wizard.say(device=device) == "meter_serial"
    assert wizard.errors == {"unit_id": "meter_of_another"}
    wizard.leave()
