"""A wallbox gets an energy meter of its own, or keeps or loses it."""

from typing import Any, Literal

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .flow_helpers import (
    add,
    answer,
    change,
    fields_of,
    options_of,
    say,
    settings,
    suggestions,
    to_wallboxes,
)
from .helpers import Surface, eventually
from .meter_flow import ONE_PHASE, THREE_PHASES, Wizard, build, port_of
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from simulator import MeterConfig, WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

SDM630 = "eastron_sdm630"
LINKS: dict[str, Literal["tcp", "rtu_tcp"]] = {"tcp": "tcp", "rtu_over_tcp": "rtu_tcp"}


@pytest.mark.parametrize("sharing", list(Sharing))
@pytest.mark.parametrize("transport", list(LINKS))
async def test_right_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    transport: str,
    sharing: Sharing,
) -> None:
    """What the meter shows is shown, and the wallbox is measured by it afterwards."""
    home = await build(
        hass,
        start_simulator,
        MeterConfig(
            profile="sdm630", link=LINKS[transport], energy_kwh=1234.5, serial="4711"
        ),
    )
    home.charge()
    wizard = await home.wizard()
    assert wizard.step == "meter"
    assert wizard.suggested == {"transport": "tcp"}
    assert await wizard.model(SDM630, transport) == "meter_network"
    assert wizard.suggested == {
        "port": 502,
        "unit_id": 1,
        "sharing": "shared",
        "wiring": {"inverted": False},
        "connection_next": "try",
    }
    port = port_of(home.meter)
    step = await wizard.say(host="127.0.0.1", port=port, sharing=sharing.value)
    assert step == "meter_values"
    [(action, shown)] = wizard.shown
    assert action == "meter_probe"
    assert shown["place"] == f"127.0.0.1:{port}"
    assert wizard.errors == {}
    assert wizard.texts["energy"] == "1234.50 kWh"
    assert wizard.texts["serial"] == "4711"
    assert wizard.texts["model"] == "Eastron SDM630 Modbus"
    assert wizard.texts["voltages"].count("/") == 2
    assert await wizard.say(meter_next="skip") == "abort"
    assert wizard.result["reason"] == "reconfigure_successful"
    assert home.stored == {
        "profile": SDM630,
        "sharing": sharing.value,
        "transport": transport,
        "host": "127.0.0.1",
        "port": port,
        "device": "",
        "baudrate": 9600 if transport == "tcp" else 115200,
        "parity": "N",
        "stopbits": 1,
        "unit_id": 1,
        "inverted": False,
        "serial": "4711",
        "refresh_s": None,
        "slow_accepted": False,
        "fit": {"cautious": False, "without": []},
    }
    see = Surface(hass, home.simulator)
    await eventually(lambda: see("meter_connection") == "on", 15)


async def test_serial_device(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter on a serial line is asked with the settings it leaves its maker with."""
    home = await build(
        hass,
        start_simulator,
        MeterConfig(profile="sdm120", link="pty", energy_kwh=10),
        wallboxes=(ONE_PHASE,),
    )
    wizard = await home.wizard()
    assert await wizard.model("eastron_sdm120", "serial") == "meter_serial"
    assert wizard.suggested == {
        "baudrate": "2400",
        "parity": "none",
        "stopbits": "1",
        "unit_id": 1,
        "sharing": "shared",
        "wiring": {"inverted": False},
        "connection_next": "try",
    }
    device = home.meter.address
    assert await wizard.say(device=device, parity="even") == "meter_values"
    assert wizard.texts["place"] == f"{device} (2400 8E1)"
    await wizard.say(meter_next="skip")
    assert home.stored is not None
    assert {
        name: home.stored[name]
        for name in ("device", "baudrate", "parity", "stopbits", "host")
    } == {
        "device": device,
        "baudrate": 2400,
        "parity": "E",
        "stopbits": 1,
        "host": "",
    }
    wizard = await home.wizard()
    assert wizard.suggested["transport"] == "serial"
    await wizard.say()
    assert wizard.suggested["device"] == device
    assert wizard.suggested["parity"] == "even"
    wizard.leave()


async def test_models_to_choose(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Every model is there by maker, those that are not sure have their mark."""
    home = await build(hass, start_simulator)
    wizard = await home.wizard()
    options = options_of(wizard.result, "meter_profile")
    assert options[0]["value"] == "no_meter"
    labels = [one["label"] for one in options[1:]]
    assert labels == sorted(labels, key=str.casefold)
    assert "ABB B23" in labels
    assert "DZG DVH4013 *" in labels
    assert len(labels) == 26
    assert "meter_profile" not in wizard.suggested
    assert await wizard.say() == "meter"
    assert wizard.errors == {"meter_profile": "meter_model_missing"}
    assert await wizard.model("no_meter") == "abort"
    assert home.stored is None


@pytest.mark.parametrize(
    ("model", "transport", "expected"),
    [
        ("siemens_pac2200", "tcp", {"port": 502, "unit_id": 126}),
        ("finder_7m38", "rtu_over_tcp", {"port": 502, "unit_id": 33}),
        ("saia_ale3", "serial", {"baudrate": "9600", "parity": "even"}),
        ("finder_7m38", "serial", {"baudrate": "19200", "stopbits": "2"}),
    ],
)
async def test_suggestions_of_a_model(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    model: str,
    transport: str,
    expected: dict[str, Any],
) -> None:
    """The connection is suggested as the model leaves its maker."""
    home = await build(hass, start_simulator)
    wizard = await home.wizard()
    await wizard.model(model, transport)
    assert wizard.suggested.items() >= expected.items()
    if model == "saia_ale3":
        # No document tells it.
        assert "unit_id" not in wizard.suggested
        assert "unit_id" in fields_of(wizard.result)
    wishes = options_of(wizard.result, "connection_next")
    assert ("search" in wishes) is (transport != "tcp")
    wizard.leave()


async def test_one_phase_for_three(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter for one phase at a wallbox with three is asked about once."""
    home = await build(hass, start_simulator)
    wizard = await home.wizard()
    assert await wizard.model("eastron_sdm120") == "meter"
    assert wizard.errors == {"meter_profile": "meter_one_phase"}
    assert wizard.suggested["meter_profile"] == "eastron_sdm120"
    assert await wizard.model("eastron_sdm230") == "meter"
    assert await wizard.model("eastron_sdm230") == "meter_network"
    wizard.leave()


@pytest.mark.slow
async def test_inverted_wiring(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter that counts the other way round is noticed, and shown the right way."""
    home = await build(
        hass,
        start_simulator,
        MeterConfig(profile="sdm630", energy_kwh=5, export_kwh=77),
    )
    home.charge()
    home.meter.fault("swapped", phase=0)
    wizard = await home.wizard()
    await wizard.model(SDM630)
    at = {"host": "127.0.0.1", "port": port_of(home.meter)}
    await eventually(lambda: home.simulator.wallboxes[0].power_kw > 1, 20)
    await eventually(lambda: home.meter.truth()["shown"]["power"] < -1000, 20)
    await wizard.say(**at)
    assert wizard.errors == {"base": "meter_backwards"}
    assert wizard.texts["power"].startswith("-")
    assert wizard.texts["energy"].startswith("5.")
    assert await wizard.say(meter_next="back") == "meter_network"
    assert wizard.suggested.items() >= at.items()
    assert await wizard.say(wiring={"inverted": True}) == "meter_values"
    assert wizard.errors == {}
    assert not wizard.texts["power"].startswith("-")
    assert wizard.texts["energy"].startswith("77.")
    await wizard.say(meter_next="skip")
    assert home.stored is not None
    assert home.stored["inverted"] is True
    wizard = await home.wizard()
    await wizard.say()
    assert wizard.suggested["wiring"] == {"inverted": True}
    wizard.leave()


async def test_changed_kept_and_removed(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter stays where other answers change, is changed, and is removed."""
    home = await build(
        hass, start_simulator, MeterConfig(profile="em340", unit=7, energy_kwh=3)
    )
    kept = MeterSettings(
        profile_id="gavazzi_em340",
        host="127.0.0.1",
        port=port_of(home.meter),
        unit_id=7,
        serial="1",
        refresh_s=1.0,
    )
    await home.keep(kept)
    wizard = Wizard(hass, await change(hass, home.entry, "Garage"))
    assert wizard.suggested["meter_source"] == "keep"
    assert await wizard.say(name="Barn") == "abort"
    assert home.garage.title == "Barn"
    assert home.stored == kept.as_dict()

    wizard = await home.wizard()
    assert wizard.suggested == {"meter_profile": "gavazzi_em340", "transport": "tcp"}
    await wizard.say()
    assert wizard.suggested == {
        "host": "127.0.0.1",
        "port": kept.port,
        "unit_id": 7,
        "sharing": "shared",
        "wiring": {"inverted": False},
        "connection_next": "try",
    }
    assert await wizard.say() == "meter_values"
    await wizard.say(meter_next="skip")
    assert home.stored == {**kept.as_dict(), "serial": "23110001", "refresh_s": None}

    await home.wizard(source="miniserver")
    assert "meter" not in home.garage.data


async def test_new_wallbox_with_a_meter(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A wallbox that is added later gets its meter too."""
    home = await build(
        hass,
        start_simulator,
        MeterConfig(profile="em340", energy_kwh=3),
        wallboxes=(THREE_PHASES,),
    )
    hass.config_entries.async_remove_subentry(home.entry, home.garage.subentry_id)
    await hass.async_block_till_done()
    result = await add(hass, home.entry)
    result = await say(hass, result, suggestions(result))
    assert options_of(result, "meter_source") == ["miniserver", "meter"]
    wizard = Wizard(hass, result)
    assert await wizard.say(meter_source="meter") == "meter"
    await wizard.model("gavazzi_em340")
    await wizard.say(host="127.0.0.1", port=port_of(home.meter))
    assert await wizard.say(meter_next="skip") == "create_entry"
    assert home.stored is not None
    assert home.stored["profile"] == "gavazzi_em340"


async def test_two_meters_on_a_line(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """With the answers of an earlier wallbox the next meter on the line is suggested."""
    simulator = await start_simulator(
        wallboxes=(
            THREE_PHASES,
            WallboxConfig(name="Yard"),
            WallboxConfig(name="Shed"),
        ),
        meters=tuple(
            MeterConfig(
                profile="sdm630",
                line="house",
                link="rtu_tcp",
                wallbox=box,
                unit=box + 1,
                name=f"Meter {box}",
                serial=f"100{box}",
            )
            for box in range(2)
        ),
    )
    result = await to_wallboxes(hass, simulator)
    wizard = Wizard(hass, result, hass.config_entries.flow, answer)
    await wizard.say(meter_source="meter")
    assert wizard.texts["number"] == "1"
    await wizard.model(SDM630, "rtu_over_tcp")
    port = port_of(simulator.meters[0])
    assert await wizard.say(host="localhost", port=port) == "meter_values"
    assert await wizard.say(meter_next="skip") == "same_as"
    assert await wizard.say() == "meter"
    assert wizard.texts["wallbox"] == "Yard"
    await wizard.say()
    assert wizard.suggested["unit_id"] == 2
    assert await wizard.say(unit_id=1) == "meter_network"
    assert wizard.errors == {"unit_id": "meter_of_another"}
    assert wizard.texts["other"] == "Garage"
    assert await wizard.say(unit_id=2) == "meter_values"
    assert wizard.texts["serial"] == "1001"
    assert await wizard.say(meter_next="skip") == "same_as"
    await wizard.say(same_as=simulator.wallboxes[1].uuid)
    assert wizard.step == "meter"
    assert await wizard.model("no_meter") == "create_entry"
    meters = {
        title: one.get("meter") and (one["meter"]["unit_id"], one["meter"]["serial"])
        for title, one in settings(wizard.result["result"]).items()
    }
    assert meters == {"Garage": (1, "1000"), "Yard": (2, "1001"), "Shed": None}
