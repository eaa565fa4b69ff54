"""Sessions whose meter, or the gateway before it, says nothing for a while."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
import logging
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from .recorded import Recorded
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
HOUR_S = 3600
STORY = ["session_started", "charging_started", "session_finished"]


async def series(home: MeteredHouse, session: str) -> list[dict[str, Any]]:
    """Return the power of each second of a session."""
    actions = Actions(home.hass, home.simulator)
    answer = await actions("get_power_series", answer=True, session=session)
    [found] = answer.values()
    return list(found["points"])


def words(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return how loudly the log says what of the meter."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.levelno >= logging.INFO and "The meter of" in record.getMessage()
    ]


def check_hole(points: list[dict[str, Any]], died: float, back: float) -> None:
    """See that the series has one hole, just there, and charging around it."""
    at = [datetime.fromisoformat(point["at"]).timestamp() for point in points]
    powers = [point["power_w"] for point in points]
    [hole] = [place for place, power in enumerate(powers) if power is None]
    assert at[hole - 1] <= died < at[hole] <= died + 2
    assert back <= at[hole + 1] <= back + 5
    # Before the current there was none; from then on nothing is made up.
    begun = next(place for place, power in enumerate(powers) if power)
    assert set(powers[:begun]) == {0.0}
    assert 0.0 not in powers[begun:]


def check_silent(home: MeteredHouse, energy: float, died: float) -> None:
    """See what is shown while the meter says nothing."""
    see = home.see[0]
    assert see("charging_power") == "unknown"
    assert see("meter_connection") == "off"
    assert (see("charging"), see("status")) == ("on", "charging")
    assert float(see("energy_total")) == pytest.approx(energy, abs=0.2)
    stale = see.attribute("energy_total", "stale_since")
    assert datetime.fromisoformat(stale).timestamp() == pytest.approx(died, abs=2)


@pytest.mark.slow
async def test_a_gateway_that_is_dead_for_an_hour(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All energy is there, the power has one hole, and it is said once."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, see = Recorded(hass, home.simulator), home.see[0]
        before = home.meter().import_kwh
        await home.run(0.5)
        await home.plug()
        await home.run(120)
        assert see.attribute("energy_total", "stale_since") is None
        energy = float(see("energy_total"))
        caplog.clear()
        await home.gateway(on=False)
        died = home.clock.time()
        await home.run(30)
        check_silent(home, energy, died)
        await home.leap(HOUR_S - 45)
        await home.run(14)
        check_silent(home, energy, died)
        await home.gateway(on=True)
        back = home.clock.time()
        await home.run(120)
        assert see.attribute("energy_total", "stale_since") is None
        assert [level for level, _ in words(caplog)] == ["WARNING", "INFO"]
        await home.unplug()
        await home.run(10)
        assert recorded.kinds == STORY
        check_hole(await series(home, "last"), died, back)
        [record] = await recorded.records()
        taken = (home.meter().import_kwh - before) * 1000
        assert taken > 11_000
        assert record.import_wh == pytest.approx(taken, abs=6)
        assert float(see("last_session_energy")) == record.import_wh / 1000
        assert record.quality.estimated_timing
        assert record.quality.gaps_s == pytest.approx(back - died, abs=5)
        assert record.importing_s == pytest.approx(HOUR_S + 240 - 10, abs=5)
        assert len(record.slices) == 1


@pytest.mark.parametrize("before_s", [30, 4], ids=["silent", "hiccup"])
async def test_unplugged_while_the_meter_is_silent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    before_s: float,
) -> None:
    """What it shows at its next reading is the session's, minutes after the car left."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, see = Recorded(hass, home.simulator), home.see[0]
        before = home.meter().import_kwh
        await home.plug()
        await home.run(60)
        await home.gateway(on=False)
        await home.run(before_s)
        await home.unplug()
        left = home.clock.time()
        await home.run(10)
        assert recorded.kinds == STORY
        await home.leap(600)
        await home.gateway(on=True)
        await home.run(30)
        taken = (home.meter().import_kwh - before) * 1000
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(taken, abs=6)
        assert float(see("last_session_energy")) == record.import_wh / 1000
        assert record.quality.estimated_timing
        assert record.importing_s == pytest.approx(50 + before_s, abs=4)
        assert record.disconnected_utc is not None
        ended = record.disconnected_utc - datetime.fromtimestamp(left, UTC)
        assert abs(ended) <= timedelta(seconds=2)
        # A correction is nothing that happened.
        assert recorded.kinds == STORY
        lines = await recorded.lines()
        assert lines.count("session_corrected") == 1
        await home.plug()
        await home.run(30)
        assert float(see("session_energy")) < 0.1


async def test_a_power_that_flaps_about_the_threshold(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ledger has a few lines of it, and the charging time counts each second."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded = Recorded(hass, home.simulator)
        meter = home.meter()
        meter.fault("bias", percent=-99.55, of="power")
        meter.fault("noise", percent=30.0)
        await home.run(0.5)
        await home.plug()
        await home.run(180)
        await home.unplug()
        await home.run(10)
        await eventually(lambda: recorded.kinds[-1:] == ["session_finished"])
        powers = [point["power_w"] for point in await series(home, "last")]
        above = [power > 50 for power in powers]
        changes = sum(one is not other for one, other in pairwise(above))
        assert changes > 30
        assert len(await recorded.lines()) <= 8
        [record] = await recorded.records()
        assert record.importing_s == pytest.approx(sum(above), abs=1)
