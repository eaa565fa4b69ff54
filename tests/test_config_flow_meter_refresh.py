"""How often a meter measures anew is found out, shown while it goes on, and kept."""

import asyncio
from typing import Any

import pytest

from homeassistant.components.modbus.connection import DATA_MODBUS_CONNECTIONS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .conftest import StartSimulator
from .helpers import Surface, eventually
from .meter_flow import FastClock, Home, Wizard, build, port_of
from custom_components.loxone_wallbox import flow_meter_probe
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from simulator import MeterConfig

pytestmark = pytest.mark.usefixtures("unload_all")

MODELS = {"sdm630": "eastron_sdm630", "ale3": "saia_ale3"}


@pytest.fixture
def short_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch meters for a few seconds, several of which pass in one."""
    monkeypatch.setattr(flow_meter_probe, "TEST_S", 6.0)
    monkeypatch.setattr(flow_meter_probe, "SystemClock", lambda: FastClock(4))


@pytest.fixture
def slow_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch meters for half a minute, which passes in two seconds."""
    monkeypatch.setattr(flow_meter_probe, "TEST_S", 30.0)
    monkeypatch.setattr(flow_meter_probe, "SystemClock", lambda: FastClock(15))


async def at_values(home: Home, profile: str = "sdm630", **changes: Any) -> Wizard:
    """Return the wizard where it shows what the meter shows."""
    wizard = await home.wizard()
    await wizard.model(MODELS[profile])
    at = {"host": "127.0.0.1", "port": port_of(home.meter), "unit_id": 1}
    assert await wizard.say(**at, sharing="dedicated", **changes) == "meter_values"
    wizard.shown.clear()
    return wizard


async def charging(home: Home) -> None:
    """Let a car charge, and wait until the meter shows it."""
    home.charge()
    shown = home.meter.truth
    await eventually(lambda: shown()["shown"]["power"] > 10_000, 20)


@pytest.mark.usefixtures("short_test")
async def test_quick_meter(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter that measures each second is proven, and what is seen is counted."""
    config = MeterConfig(profile="sdm630", wobble=0.05)
    home = await build(hass, start_simulator, config, rate=4)
    await charging(home)
    wizard = await at_values(home)
    assert await wizard.say(meter_next="test") == "meter_quick"
    shown = [texts for action, texts in wizard.shown if action == "meter_refresh"]
    assert shown[0]["seconds"] == "60"
    counts = [int(texts["changes"]) for texts in shown]
    assert counts == sorted(counts)
    assert counts[-1] >= 3
    assert int(shown[-1]["seconds"]) < 4
    assert int(wizard.texts["changes"]) >= counts[-1]
    assert wizard.suggested == {"after_test": "finish"}
    await wizard.say()
    assert home.stored is not None
    assert home.stored["refresh_s"] == pytest.approx(1.0, abs=0.5)
    assert home.stored["slow_accepted"] is False


@pytest.mark.usefixtures("slow_test")
async def test_slow_meter(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A meter that measures every ten seconds is accepted, and told what it lacks."""
    config = MeterConfig(profile="ale3", wobble=0.05)
    home = await build(hass, start_simulator, config, rate=15)
    await charging(home)
    wizard = await at_values(home, "ale3")
    assert await wizard.say(meter_next="test") == "meter_slow"
    assert float(wizard.texts["refresh"].removesuffix(" s")) > 5
    await wizard.say()
    assert home.stored is not None
    assert home.stored["refresh_s"] == pytest.approx(10, abs=5)
    assert home.stored["slow_accepted"] is True


@pytest.mark.usefixtures("slow_test")
async def test_slow_meter_at_rest(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Where nothing is charged, what the maker says is said; nothing is proven."""
    home = await build(hass, start_simulator, MeterConfig(profile="ale3"), rate=15)
    home.meter.fault("frozen")
    wizard = await at_values(home, "ale3")
    assert await wizard.say(meter_next="test") == "meter_slow"
    assert wizard.texts["refresh"] == "10.0 s"
    assert wizard.texts["changes"] == "0"
    await wizard.say()
    assert home.stored is not None
    assert home.stored["refresh_s"] is None
    assert home.stored["slow_accepted"] is True


@pytest.mark.usefixtures("short_test")
@pytest.mark.slow
async def test_nothing_moves(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Without new values nothing is proven; testing again and going back are offered."""
    config = MeterConfig(profile="sdm630", wobble=0.05)
    home = await build(hass, start_simulator, config, rate=4)
    home.meter.fault("frozen")
    wizard = await at_values(home)
    assert await wizard.say(meter_next="test") == "meter_unproven"
    assert wizard.texts["changes"] == "0"
    home.meter.clear()
    await charging(home)
    assert await wizard.say(after_test="again") == "meter_quick"
    assert await wizard.say(after_test="back") == "meter_network"
    home.meter.fault("frozen")
    assert await wizard.say() == "meter_values"
    assert await wizard.say(meter_next="test") == "meter_unproven"
    await wizard.say()
    assert home.stored is not None
    assert home.stored["refresh_s"] is None
    assert home.stored["slow_accepted"] is False


@pytest.mark.usefixtures("short_test")
async def test_silent_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that says nothing during the whole test leads back to the connection."""
    monkeypatch.setattr(flow_meter_probe, "MOST_GAPS", -0.5)
    config = MeterConfig(profile="sdm630", gateway=False)
    home = await build(hass, start_simulator, config)
    wizard = await at_values(home)
    home.meter.fault("silent")
    assert await wizard.say(meter_next="test") == "meter_network"
    assert wizard.errors == {"unit_id": "meter_silent"}
    wizard.leave()


def running() -> list[str]:
    """Return what runs in the background for a setup."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("meter setup")]


@pytest.mark.parametrize("sharing", ["shared", "dedicated"])
@pytest.mark.parametrize("at", ["meter_probe", "meter_refresh"])
async def test_left_at_any_moment(
    hass: HomeAssistant, start_simulator: StartSimulator, at: str, sharing: str
) -> None:
    """A dialogue that is closed leaves no task and no connection behind."""
    config = MeterConfig(profile="sdm630", gateway=False)
    home = await build(hass, start_simulator, config)
    if at == "meter_probe":
        home.meter.fault("silent")
    wizard = await home.wizard()
    await wizard.model(MODELS["sdm630"])
    await wizard.begin(host="127.0.0.1", port=port_of(home.meter), sharing=sharing)
    if at == "meter_refresh":
        assert await wizard.follow() == "meter_values"
        await wizard.begin(meter_next="test")
        await wizard.news()
    assert wizard.result["type"] is FlowResultType.SHOW_PROGRESS
    assert wizard.result["step_id"] == at
    line = home.simulator.meters._lines[0]
    await eventually(lambda: bool(line._clients))
    # The frontend may ask at any time what is shown.
    manager = hass.config_entries.subentries
    again = await manager.async_configure(wizard.result["flow_id"])
    assert again["type"] is FlowResultType.SHOW_PROGRESS
    assert len(running()) == 2
    wizard.leave()
    await eventually(lambda: not running())
    await eventually(lambda: not line._clients)
    assert not hass.data.get(DATA_MODBUS_CONNECTIONS)


@pytest.mark.usefixtures("short_test")
async def test_reader_makes_room(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """While the meter that is read already is asked, its reader is off the line."""
    config = MeterConfig(profile="sdm630")
    home = await build(hass, start_simulator, config, rate=4)
    kept = MeterSettings(
        profile_id="eastron_sdm630",
        sharing=Sharing.DEDICATED,
        host="127.0.0.1",
        port=port_of(home.meter),
    )
    await home.keep(kept)
    see = Surface(hass, home.simulator)
    await eventually(lambda: see("meter_connection") == "on", 15)
    line = home.simulator.meters._lines[0]
    wizard = await at_values(home)
    await eventually(lambda: len(line._clients) == 1)
    await wizard.begin(meter_next="test")
    for _ in range(3):
        await wizard.news()
        assert len(line._clients) == 1
    wizard.leave()
    await eventually(lambda: not running())
    [wallbox] = home.entry.runtime_data.wallboxes.values()
    reader = wallbox.meter
    assert reader is not None
    assert reader._task is not None
    asked = len(home.meter.requests)
    await eventually(lambda: len(home.meter.requests) > asked + 5)


@pytest.mark.usefixtures("short_test")
async def test_wallbox_gone_meanwhile(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The reader of a wallbox that was taken down meanwhile is not started again."""
    config = MeterConfig(profile="sdm630")
    home = await build(hass, start_simulator, config, rate=4)
    kept = MeterSettings(
        profile_id="eastron_sdm630", host="127.0.0.1", port=port_of(home.meter)
    )
    await home.keep(kept)
    [wallbox] = home.entry.runtime_data.wallboxes.values()
    wizard = await at_values(home)
    await wizard.begin(meter_next="test")
    await wizard.news()
    await hass.config_entries.async_unload(home.entry.entry_id)
    assert await wizard.follow() in {"meter_quick", "meter_unproven"}
    wizard.leave()
    assert not running()
    assert wallbox.meter is not None
    assert wallbox.meter._task is None
    assert not hass.data.get(DATA_MODBUS_CONNECTIONS)
