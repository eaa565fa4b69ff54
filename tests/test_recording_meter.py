"""Sessions that are measured by a wallbox's own meter."""

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import metered
from .recorded import Recorded
from custom_components.loxone_wallbox.charging.session import StopReason
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


async def test_a_session_by_the_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each second counts, also while the Miniserver is away: there is no gap."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded = Recorded(hass, home.simulator)
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        assert recorded.kinds == ["session_started", "charging_started"]
        home.simulator.fault("booting")
        await home.simulator.drop(hard=False)
        see = home.see[0]
        await eventually(lambda: see("miniserver_connection") == "off")
        await home.run(120)
        home.simulator.clear()
        await eventually(lambda: see("miniserver_connection") == "on", 10)
        await home.run(60)
        await home.unplug()
        await home.run(10)
        assert recorded.kinds[-1] == "session_finished"
        [record] = await recorded.records()
        taken = (home.meter().import_kwh - before) * 1000
        assert record.import_wh == pytest.approx(taken, abs=6)
        assert float(see("last_session_energy")) == record.import_wh / 1000
        assert not record.quality.estimated_timing
        assert record.quality.gaps_s == 0
        # The residual-current test comes before the current.
        assert record.importing_s == pytest.approx(230, abs=3)
        assert record.stop_reason is StopReason.UNPLUGGED
        assert record.max_w == pytest.approx(11_000, abs=50)


@pytest.mark.slow
async def test_a_silent_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What flowed while the meter said nothing is booked when it is back."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded = Recorded(hass, home.simulator)
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        home.meter().fault("silent")
        await home.run(20)
        home.meter().clear()
        await home.run(60)
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        taken = (home.meter().import_kwh - before) * 1000
        assert record.import_wh == pytest.approx(taken, abs=6)
        assert recorded.kinds == [
            "session_started",
            "charging_started",
            "session_finished",
        ]
        assert record.importing_s == pytest.approx(130, abs=5)


@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
async def test_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    stays: bool,
) -> None:
    """The session goes on with what the meter counted meanwhile, or ends with it."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded = Recorded(hass, home.simulator)
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        await hass.config_entries.async_unload(home.entry.entry_id)
        home.clock.move(home.clock.time() + 600)
        if not stays:
            home.simulator.wallboxes[0].unplug()
            home.clock.move(home.clock.time() + 60)
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(30)
        if stays:
            await home.unplug()
            await home.run(10)
        [record] = await recorded.records()
        taken = (home.meter().import_kwh - before) * 1000
        assert record.import_wh == pytest.approx(taken, abs=8)
        assert taken > 1900
        assert record.quality.estimated_timing
        assert record.disconnected_utc is not None
        assert recorded.kinds[-1] == "session_finished"


async def test_a_car_that_comes_in_an_absence(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two sessions add up to the meter, whatever the Miniserver's word is."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, box = Recorded(hass, home.simulator), home.simulator.wallboxes[0]
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        await home.unplug()
        await home.run(70)
        await hass.config_entries.async_unload(home.entry.entry_id)
        box.plug(Car(capacity_kwh=100, energy_kwh=10))
        home.clock.move(home.clock.time() + 600)
        # The word of a coarser counter than the meter's.
        assert box.session is not None
        box.session.energy += 0.007
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(30)
        await home.unplug()
        await home.run(10)
        first, second = await recorded.records()
        assert second.meter_start_wh == first.meter_stop_wh
        taken = (home.meter().import_kwh - before) * 1000
        assert first.import_wh + second.import_wh == pytest.approx(taken, abs=3)
        assert second.import_wh > 1500
