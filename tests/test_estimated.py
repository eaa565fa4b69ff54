"""A wallbox whose power and energy nobody measures: estimates, and said to be."""

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .helpers import eventually
from .recorded import Recorded
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.session import Source
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, WallboxConfig

WITHOUT = WallboxConfig(name="Garage", meter=False)


@pytest.fixture(autouse=True)
async def _at_home(hass: HomeAssistant) -> None:
    """Live where the story plays."""
    await hass.config.async_set_time_zone("Europe/London")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


async def cut(play: Stage, until: str) -> None:
    """Lose the link now and have it back at a local time."""
    play.simulator.fault("booting")
    await play.simulator.drop(hard=False)
    await eventually(lambda: play.see("miniserver_connection") == "off")
    await play.at(until)
    play.simulator.clear()
    await eventually(lambda: play.see("miniserver_connection") == "on", 10)
    await play.settle()


async def step_by_step(play: Stage, *times: str) -> None:
    """Let time pass, with a look now and then."""
    for time in times:
        await play.at(f"2027-01-13T{time}:00")


async def test_energy_by_what_is_allowed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it says that it charges, it counts its limit, over a lost link too."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00", box=WITHOUT
    ) as play:
        recorded, see = Recorded(hass, play.simulator), play.see
        play.deal(453)
        await play.at("2027-01-13T22:35:00")
        assert see("charging_power") == "0.0"
        for key in ("charging_power", "energy_total", "session_energy"):
            assert see.attribute(key, "source") == "estimated"
        play.box.plug(Car(capacity_kwh=500, energy_kwh=10))
        await play.settle()
        await step_by_step(play, "22:43", "22:48", "22:54", "23:00")
        assert see("charging_power") == "11000.0"
        assert float(see("session_energy")) == pytest.approx(3.2, abs=0.02)
        assert play.box.config.meter is False
        await cut(play, "2027-01-13T23:20:00")
        await step_by_step(play, "23:21", "23:22")
        assert float(see("session_energy")) == pytest.approx(7.23, abs=0.05)
        play.box.unplug()
        await play.settle()
        assert see("charging_power") == "0.0"
        assert float(see("energy_total")) == pytest.approx(7.23, abs=0.05)
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(7_230, abs=50)
        assert record.quality.source is Source.ESTIMATED
        # It would be compared with itself.
        assert (record.quality.error_pct, record.quality.flagged) == (None, False)
        [series] = (
            await Actions(hass, play.simulator)(
                "get_power_series", answer=True, session="last"
            )
        ).values()
        assert (series["source"], series["coarse"]) == ("estimated", True)
        await play.restart()
        assert float(see("energy_total")) == pytest.approx(7.23, abs=0.05)
        assert see.attribute("session_energy", "source") == "estimated"


async def test_the_miniserver_measures(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its figures are coarser than a meter's, and no estimates."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        recorded = Recorded(hass, play.simulator)
        for key in ("charging_power", "energy_total", "session_energy"):
            assert play.see.attribute(key, "source") == "miniserver"
        play.box.plug(Car())
        await play.settle()
        play.box.unplug()
        await play.settle()
        [record] = await recorded.records()
        assert record.quality.source is Source.MINISERVER
