"""What the recorder knows of prices, and what it is given of costs."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .cost_home import DYNAMIC, FIXED, Home, by_price, cost_home, exact
from custom_components.loxone_wallbox.charging.money import PriceStatus


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
def home(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    """Return what sets a home up with a tariff and a recorder."""
    assert recorder_mock.enabled

    def build(tariff: dict[str, Any] | None, **changes: Any) -> Any:
        """Set it up."""
        return cost_home(hass, start_simulator, monkeypatch, tariff, **changes)

    return build


async def test_what_the_recorder_knows(hass: HomeAssistant, home: Home) -> None:
    """What an entity said while we were away is asked for, and sessions priced anew."""
    async with home({**DYNAMIC, "fallback": None}) as costs:
        costs.say("0.20")
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        entry = costs.play.entry
        await hass.config_entries.async_unload(entry.entry_id)
        for price, seconds in (("0.10", 905), ("0.30", 900), ("0.20", 900)):
            costs.play.simulator.advance(seconds, step_s=10)
            costs.say(price)
        await get_instance(hass).async_block_till_done()
        await hass.config_entries.async_setup(entry.entry_id)
        await costs.settle()
        costs.play.deal(0, 0)
        record = await costs.unplug()
        assert list(by_price(record)) == ["0.20", "0.10", "0.30"]
        assert record.cost_status is PriceStatus.FINAL
        assert record.cost_minor == exact(record)


async def test_cost_as_a_statistic(hass: HomeAssistant, home: Home) -> None:
    """Each currency has a statistic of its own, whose sum is what was paid."""
    async with home(FIXED) as costs:
        await costs.plug()
        await costs.until("2027-01-13T23:30:00")
        record = await costs.unplug()
        recording = costs.play.wallbox.recording
        assert recording is not None
        await recording._statistics.async_update()
        await get_instance(hass).async_block_till_done()
        found = await get_instance(hass).async_add_executor_job(
            list_statistic_ids, hass
        )
        [cost] = [one for one in found if one["statistic_id"].endswith("_cost_gbp")]
        assert cost["statistics_unit_of_measurement"] == "GBP"
        rows = await get_instance(hass).async_add_executor_job(
            statistics_during_period,
            hass,
            record.connected_utc - timedelta(days=1),
            None,
            {cost["statistic_id"]},
            "hour",
            None,
            {"sum"},
        )
        assert record.cost_minor is not None
        assert rows[cost["statistic_id"]][-1]["sum"] == record.cost_minor / 100
