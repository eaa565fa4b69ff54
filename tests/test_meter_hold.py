"""Who holds the connection to a meter that Home Assistant shares, and until when."""

import pytest

from homeassistant.components.modbus.connection import async_get_connection_info
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .meter_flow import Home, build, port_of
from custom_components.loxone_wallbox import flow_meter_probe
from custom_components.loxone_wallbox.meter.link import MeterLink
from custom_components.loxone_wallbox.meter.model import MeterProfile
from custom_components.loxone_wallbox.meter.probe import ProbeResult, probe
from custom_components.loxone_wallbox.meter_settings import MeterSettings
from simulator import MeterConfig

pytestmark = pytest.mark.usefixtures("unload_all")

SDM630 = "eastron_sdm630"
METER = MeterConfig(profile="sdm630", pause_s=0)


def holders(hass: HomeAssistant) -> list[dict[str, list[int]]]:
    """Return who is known to use each connection that is open."""
    return [info.units for info in async_get_connection_info(hass)]


def settings_of(home: Home, unit_id: int = 1) -> MeterSettings:
    """Return how the meter is reached."""
    port = port_of(home.meter)
    return MeterSettings(
        profile_id=SDM630, host="127.0.0.1", port=port, unit_id=unit_id
    )


@pytest.fixture
def seen(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> list[list[dict[str, list[int]]]]:
    """Note who holds connections while the flow asks a meter."""
    noted: list[list[dict[str, list[int]]]] = []

    async def noting(link: MeterLink, profile: MeterProfile) -> ProbeResult:
        """Look, and ask."""
        noted.append(holders(hass))
        return await probe(link, profile)

    monkeypatch.setattr(flow_meter_probe, "probe", noting)
    return noted


async def test_a_flow_holds_nothing_after_it(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    seen: list[list[dict[str, list[int]]]],
) -> None:
    """While it asks there is a connection that is nobody's; then there is none."""
    home = await build(hass, start_simulator, METER)
    wizard = await home.wizard()
    await wizard.model(SDM630)
    assert (
        await wizard.say(host="127.0.0.1", port=port_of(home.meter)) == "meter_values"
    )
    assert seen == [[{}]]
    assert holders(hass) == []
    wizard.leave()


async def test_a_flow_that_fails_holds_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    seen: list[list[dict[str, list[int]]]],
) -> None:
    """Nor after a meter that is not there."""
    home = await build(hass, start_simulator, METER)
    wizard = await home.wizard()
    await wizard.model(SDM630)
    at = {"host": "127.0.0.1", "port": port_of(home.meter), "unit_id": 77}
    await wizard.say(**at)
    assert wizard.errors
    assert seen == [[{}]]
    assert holders(hass) == []
    wizard.leave()


async def test_a_wallbox_holds_its_meter(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """It is known to use the connection, until its meter or its entry is gone."""
    home = await build(hass, start_simulator, METER)
    entry = home.entry
    await home.keep(settings_of(home))
    await eventually(lambda: holders(hass) == [{entry.entry_id: [1]}])
    # Another unit: the wallbox is set up anew, its entry goes on.
    await home.keep(settings_of(home, unit_id=5))
    await eventually(lambda: holders(hass) == [{entry.entry_id: [5]}])
    assert entry.state is ConfigEntryState.LOADED
    await hass.config_entries.async_unload(entry.entry_id)
    assert holders(hass) == []
    await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: holders(hass) == [{entry.entry_id: [5]}])
