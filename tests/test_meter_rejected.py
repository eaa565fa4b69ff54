"""What a meter says that cannot be, as the security log has it."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_house import MeteredHouse, metered
from .security_home import logged
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


async def rejected(home: MeteredHouse) -> list[dict[str, Any]]:
    """Return the details of what was recorded as an input that cannot be."""
    records = await logged(home.hass, home.simulator, "invalid_input")
    for one in records:
        assert (one["outcome"], one["source"]) == ("attempt_failed", "network")
        assert one["detail"].pop("wallbox") == home.wallbox().title
        assert one["detail"].pop("wallbox_id") == home.wallbox().wallbox_id
        assert one["detail"].pop("what") == "meter"
    return [one["detail"] for one in records]


async def test_a_power_that_cannot_be(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A minute of it is two records of a kind and two lines of the log, not sixty."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(30)
        assert await rejected(home) == []
        home.meter().fault("bias", percent=900.0, of="power")
        await home.run(60)
        first = await rejected(home)
        # Each second has its power, the amperes come with most of them.
        assert [one["reason"] for one in first] == ["power", "current"]
        assert first[0]["measured"] == "power"
        assert first[0]["value"] == pytest.approx(110_000, rel=0.01)
        home.meter().clear()
        await home.run(5)
        await home.restart()
        records = await rejected(home)
        assert records[:2] == first
        rest = records[2:]
        assert sum(one["repeated"] for one in rest) == pytest.approx(58, abs=2)
        assert all(one["first"] < one["last"] for one in rest)
        assert len(rest) <= 2
        assert caplog.text.count("invalid_input: attempt_failed") == len(records)


@pytest.mark.parametrize("kwh", [0.0, 100_000.0], ids=["low", "high"])
async def test_an_energy_that_cannot_be(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    kwh: float,
) -> None:
    """A counter that jumps for a moment is recorded, and what an outage adds is not."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(60)
        await home.leap(600)
        await home.run(20)
        assert await rejected(home) == []
        before = float(home.see[0]("energy_total"))
        home.meter().fault("glitch", to_kwh=kwh)
        await home.run(3)
        home.meter().clear()
        await home.run(60)
        [record] = await rejected(home)
        assert record["reason"] == "energy"
        assert record["value"] == pytest.approx(kwh * 1000)
        drawn = float(home.see[0]("energy_total")) - before
        assert drawn == pytest.approx(63 * 11 / 3600, abs=0.2)


async def test_answers_of_no_use(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A spoilt answer is noise, a burst of them is recorded once; a silence is none."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        meter = home.meter()
        for name, seconds in (("short", 1), ("exception", 30)):
            meter.fault(name)
            await home.run(seconds)
            meter.clear()
            await home.run(5)
        assert await rejected(home) == []
        meter.fault("short")
        await home.run(30)
        assert await rejected(home) == [{"reason": "wrong_answer"}]
